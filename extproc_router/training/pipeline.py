"""The whole of `extproc-router train`: checkpoint and data in, verified model directory and its card out."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from extproc_router import encoder
from extproc_router.errors import ArtefactError
from extproc_router.training import card, data, domain, export, latency, parity, writer
from extproc_router.training.embed import Files, embed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.data import Example

HEAD = "domain"
_PARITY_EVERY = 60  # of the texts: a few hundred
_SOFTWARE = ("numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers")


class Options(Struct, frozen=True):
    """What the command line says.

    Attributes:
        data: directory of `data.FILES`.
        out: directory of the model; its name is the artefact's.
        cache: directory for embeddings.
        seed: of every choice.
        max_tokens: window of the encoder.
        head_share: part of it for the head of a text.
        workers: threads that embed.
    """

    data: Path
    out: Path
    cache: Path
    seed: int
    max_tokens: int
    head_share: float
    workers: int


def train(options: Options, say: Callable[[str], None]) -> str:
    """Train and write.

    Args:
        options: see there.
        say: is told what happens, a line at a time.

    Returns:
        The version of the artefact.

    Raises:
        StartupError: a data file is missing or malformed.
        ArtefactError: what was written does not load: a defect of ours.
    """
    settings = domain.Settings()
    with _step(say, "reading the data"):
        examples = data.collect(options.data, options.seed)
    with _step(say, "exporting the encoder"):
        checkpoint = export.source()
        geometry = export.export(
            checkpoint, options.out, max_tokens=options.max_tokens, head_share=options.head_share
        )
    files = Files(options.out / export.ENCODER, options.out / export.TOKENIZER)
    texts = [example.text for example in examples]
    with _step(say, f"embedding {len(texts)} texts"):
        embeddings = embed(
            texts,
            files,
            geometry,
            cache=options.cache,
            workers=options.workers,
            progress=lambda done: say(f"  {done} of {len(texts)}"),
        )
    with _step(say, "fitting the head"):
        outcome = domain.train(examples, embeddings, settings)
    with _step(say, "comparing with the original"):
        likeness = parity.measure(texts[::_PARITY_EVERY], checkpoint, files, geometry)
    with _step(say, "writing"):
        provenance = _provenance(options, settings, examples, outcome.figures, likeness, checkpoint)
        version = _write(options, geometry, outcome.head, provenance)
    with _step(say, "measuring latency"):
        latencies = latency.measure(options.out)
        text = card.render(options.out.name, version, geometry, outcome, likeness, latencies, provenance)
        (options.out / "README.md").write_text(text, "utf-8")
    return version
