"""What the trunk is trained for, in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor
from torch.nn import functional

from extproc_router.training.batches import UNKNOWN
from extproc_router.training.rows import DIFFICULTY, DOMAIN, JAILBREAK, PII, REASONING, TOPIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.training.batches import Batch

# How much a labelled row counts for each task; set by hand so that no task drowns another.
WEIGHTS: Final[Mapping[str, float]] = {
    DOMAIN: 1.0,
    TOPIC: 0.3,
    REASONING: 1.0,
    JAILBREAK: 1.0,
    DIFFICULTY: 2.0,
    PII: 2.0,
}


def loss(logits: Mapping[str, Tensor], tags: Tensor, batch: Batch) -> Tensor:
    """Sum over the tasks of weight times loss, a row's share each; rows without a label give nothing.

    Args:
        logits: task -> [n, size].
        tags: logits [n, tokens, tags].
        batch: the truth.
    """
    rows = len(batch.domain)
    parts = {
        DOMAIN: functional.cross_entropy(
            logits[DOMAIN], batch.domain, ignore_index=UNKNOWN, reduction="sum", label_smoothing=0.05
        ),
        TOPIC: functional.cross_entropy(logits[TOPIC], batch.topic, ignore_index=UNKNOWN, reduction="sum"),
        REASONING: _binary(logits[REASONING][:, 0], batch.reasoning).sum(),
        JAILBREAK: _binary(logits[JAILBREAK][:, 0], batch.jailbreak).sum(),
        DIFFICULTY: _outcomes(logits[DIFFICULTY], batch.outcomes),
        PII: _tags(tags, batch.tags),
    }
    total: Tensor = torch.stack([WEIGHTS[task] * part for task, part in parts.items()]).sum() / rows
    return total


def likeness(embeddings: Tensor, original: Tensor) -> Tensor:
    """Mean squared difference of the cosines between all pairs of texts, before and after training.

    Keeps the pooled embedding a sentence embedding (similarity-preserving distillation; Tung and Mori 2019).
    """
    return functional.mse_loss(embeddings @ embeddings.T, original @ original.T)


def _binary(logits: Tensor, truth: Tensor) -> Tensor:
    known = ~truth.isnan()
    return functional.binary_cross_entropy_with_logits(logits[known], truth[known], reduction="none")


def _outcomes(logits: Tensor, truth: Tensor) -> Tensor:
    known = ~truth.isnan()
    losses = functional.binary_cross_entropy_with_logits(logits, truth.nan_to_num(), reduction="none") * known
    # The mean over the models that were tried: 29 of one family say hardly more than two.
    return (losses.sum(1) / known.sum(1).clamp(min=1)).sum()


def _tags(logits: Tensor, truth: Tensor) -> Tensor:
    losses = functional.cross_entropy(logits.transpose(1, 2), truth, ignore_index=UNKNOWN, reduction="none")
    known = truth != UNKNOWN
    return (losses.sum(1) / known.sum(1).clamp(min=1)).sum()
