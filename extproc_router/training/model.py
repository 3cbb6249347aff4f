"""The trunk with its heads, as it is trained: MiniLM, and after each stage two poolings that every head reads.

Heads after the earlier stages (deep supervision; Lee et al. 2015, Deeply-Supervised Nets) make each stage worth reading
on its own. The heads that are shipped are fitted anew on the finished trunk; these only pull it into shape.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn
from transformers import BertModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SHAPES: Final = 8  # features of a token's spelling
_SCALE: Final = 12.0  # poolings have length 1; this lets a linear head be sure of itself


class Stage(nn.Module):  # type: ignore[misc]  # torch is not there where types are checked
    """What is read after one stage.

    Args:
        width: of the hidden states.
        sizes: task -> rows of its head.
        tags: rows of the tagger.
    """

    def __init__(self, width: int, sizes: Mapping[str, int], tags: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.zeros(width))
        self.heads = nn.ModuleDict({task: nn.Linear(2 * width, size) for task, size in sizes.items()})
        self.tagger = nn.Linear(width + SHAPES, tags)

    def forward(self, hidden: Tensor, mask: Tensor, shapes: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Read hidden states.

        Args:
            hidden: float [n, tokens, width].
            mask: bool [n, tokens], False on padding.
            shapes: float [n, tokens, SHAPES].

        Returns:
            Task -> logits [n, size]; logits of the tags [n, tokens, tags]; the mean pooling [n, width], of length 1.
        """
        mean, focus = pool(hidden, mask, self.query)
        pooled = torch.cat([mean, focus], dim=1) * _SCALE
        logits = {task: head(pooled) for task, head in self.heads.items()}
        return logits, self.tagger(torch.cat([hidden, shapes], dim=2)), mean


def pool(hidden: Tensor, mask: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and attention-weighted mean over the tokens [n, width], each of length 1."""
    keep = mask.unsqueeze(2)
    mean = (hidden * keep).sum(1) / keep.sum(1)
    weights = (hidden @ query).masked_fill(~mask, -torch.inf).softmax(1).unsqueeze(2)
    focus = (hidden * weights).sum(1)
    return nn.functional.normalize(mean, dim=1), nn.functional.normalize(focus, dim=1)


class Trunk(nn.Module):  # type: ignore[misc]  # the same
    """The encoder and a `Stage` at each of the given depths.

    Args:
        checkpoint: directory of a BERT.
        depths: cumulative layer counts, e.g. (2, 4, 6); layers beyond the last are left out.
        sizes: task -> rows of its head.
        tags: rows of the tagger.
    """

    def __init__(self, checkpoint: Path, depths: Sequence[int], sizes: Mapping[str, int], tags: int) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(
            checkpoint,
            add_pooling_layer=False,
            num_hidden_layers=depths[-1],
            attn_implementation="sdpa",
            # Drawing dropout's random numbers took a fifth of a step; the noise in the texts has to do.
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.depths = tuple(depths)
        width = self.bert.config.hidden_size
        self.stages = nn.ModuleList([Stage(width, sizes, tags) for _ in depths])

    def forward(self, ids: Tensor, mask: Tensor, shapes: Tensor) -> list[tuple[dict[str, Tensor], Tensor, Tensor]]:
        """Read token ids int [n, tokens]; returns what each stage says, the shallowest first."""
        output = self.bert(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = output.hidden_states
        return [
            stage(states[depth].float(), mask.bool(), shapes)
            for depth, stage in zip(self.depths, self.stages, strict=True)
        ]
