"""How close the int8 encoder is to the model as published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.encoder.session import Session
from extproc_router.encoder.tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.embed import Files
    from extproc_router.training.export import Source


class Parity(Struct, frozen=True):
    """Cosines between ours and the float32 original, over `texts` texts, in [-1, 1]."""

    texts: int
    mean: float
    least: float


def measure(texts: Sequence[str], checkpoint: Source, files: Files, geometry: Geometry) -> Parity:
    """Embed texts with both, from the same token ids.

    Args:
        texts: at least one.
        checkpoint: the original.
        files: ours.
        geometry: of ours.

    Returns:
        The cosines' mean and minimum.
    """
    # Here, so that whoever only reads a Parity needs neither.
    import torch  # noqa: PLC0415
    from transformers import BertModel  # noqa: PLC0415
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(1)  # short texts on shared cores: more threads took twelve times as long
    original = BertModel.from_pretrained(checkpoint.directory, add_pooling_layer=False).eval()
    tokenizer, session = Tokenizer(files.tokenizer, geometry), Session(files.encoder, geometry.dimension)
    cosines = []
    for text in texts:
        ids = tokenizer(text).ids
        with torch.inference_mode():
            mean = original(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0).numpy()
        cosines.append(float(session.run(ids) @ mean / np.linalg.norm(mean)))
    return Parity(texts=len(texts), mean=float(np.mean(cosines)), least=float(np.min(cosines)))
