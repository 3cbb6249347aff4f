"""How close the int8 encoder is to float32: to its own graphs before they are quantised, and to transformers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router.training.embed import Embedder, Files

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.export import Source


class Likeness(Struct, frozen=True):
    """Cosines, in [-1, 1]."""

    mean: float
    least: float


class Parity(Struct, frozen=True):
    """Likeness of ours and the float32 graphs over `texts` texts.

    Attributes:
        texts: how many.
        means: of the mean pooling, for each stage.
        focuses: of the focus, for each stage.
    """

    texts: int
    means: tuple[Likeness, ...]
    focuses: tuple[Likeness, ...]


def measure(
    texts: Sequence[str],
    checkpoint: Source,
    files: Files,
    geometry: Geometry,
    *,
    stages: Sequence[int],
    queries: Sequence[npt.NDArray[np.float32]] | None,
) -> Parity:
    """Run texts through both, from the same tokens.

    Both read the same int8 word vectors, whose rounding `against_transformers` sees.

    Args:
        texts: at least one.
        checkpoint: what ours was exported from.
        files: ours.
        geometry: of ours.
        stages: as given to `export`.
        queries: as given to `export`.
    """
    # Here, so that whoever only reads a Parity needs no onnx.
    import onnx  # noqa: PLC0415

    from extproc_router.training import export  # noqa: PLC0415

    idf = np.ones(geometry.vocabulary, np.float32)  # tier 0 is not compared: it has no graph
    built, _ = export.build(checkpoint, max_tokens=geometry.max_tokens, stages=stages, idf=idf, queries=queries)
    with tempfile.TemporaryDirectory() as folder:
        names = [Path(folder) / export.stage_name(number) for number in range(len(stages))]
        for name, stage in zip(names, built.stages, strict=True):
            onnx.save(stage, name)
        reference = Embedder(Files(files.words, tuple(names), files.tokenizer), geometry)
    ours = Embedder(files, geometry)
    # [texts, 1 + 2 * stages]; all vectors have length 1
    cosines = np.array([(ours.row(text) * reference.row(text)).sum(axis=1) for text in texts])
    count = len(stages)
    return Parity(
        texts=len(texts),
        means=tuple(map(_likeness, cosines[:, 1 : 1 + count].T)),
        focuses=tuple(map(_likeness, cosines[:, 1 + count :].T)),
    )


def against_transformers(texts: Sequence[str], checkpoint: Source, files: Files, geometry: Geometry) -> Likeness:
    """Compare the last tier's mean with that of the checkpoint in transformers, from the same token ids.

    Args:
        texts: at least one.
        checkpoint: what ours was exported from, whole.
        files: ours.
        geometry: of ours.
    """
    import torch  # noqa: PLC0415
    from transformers import BertModel  # noqa: PLC0415
    from transformers.utils import logging as transformers_logging  # noqa: PLC0415

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    torch.set_num_threads(1)  # short texts on shared cores: more threads took twelve times as long
    original = BertModel.from_pretrained(checkpoint.directory, add_pooling_layer=False).eval()
    embedder = Embedder(files, geometry)
    cosines = []
    for text in texts:
        tokens = embedder.tokenizer(text)
        with torch.inference_mode():
            mean = original(input_ids=torch.tensor([tokens.ids])).last_hidden_state[0].mean(dim=0).numpy()
        cosines.append(embedder.run(tokens)[1][-1].mean @ mean / np.linalg.norm(mean))
    return _likeness(np.array(cosines))


def _likeness(cosines: npt.NDArray[np.float32]) -> Likeness:
    return Likeness(mean=float(cosines.mean()), least=float(cosines.min()))
