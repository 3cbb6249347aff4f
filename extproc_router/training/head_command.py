"""`extproc-router train head`: somebody's own labels in, a model directory with their head out."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from msgspec import Struct

from extproc_router.encoder import head_file, manifest
from extproc_router.encoder.head_file import Scale
from extproc_router.encoder.manifest import Manifest
from extproc_router.errors import StartupError
from extproc_router.learning.base import Flags, Index
from extproc_router.learning.crossfit import deal
from extproc_router.training import exits, head_figures, heads, install, labels, tagger
from extproc_router.training.embed import Embedder, Files, embed
from extproc_router.training.head_figures import Figures
from extproc_router.training.labels import Labelled
from extproc_router.training.ladder import Fitted, Inputs, Kind, numbered, scale_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from extproc_router.encoder.head_file import Input
    from extproc_router.learning.spans import Key

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
# What `extproc-router score` writes beside the heads.
_TAKEN: Final = frozenset({"id", "embedding", "tier", "ms", "abstained"})
_STEP: Final = 200  # texts between two reports of progress
_PARTS: Final = 5  # one of them is for the figures alone
# Lengths and digits say much of how hard a prompt is, and nothing that should make it an attack or a topic.
_INPUTS: Final[dict[Kind, list[Input]]] = {
    "choice": ["mean", "focus"],
    "flag": ["mean", "focus"],
    "pair": ["mean", "focus", "surface"],
    "spans": ["token", "shape"],
}


class Options(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        task: name of the head.
        data: labels, see `labels.read`.
        model: model directory to start from.
        out: directory for a copy with the head; None with `in_place`.
        in_place: whether to add the head to `model` itself.
        kind: of the head; None: as the rows suggest.
        strong: of a pair, the dearer model.
        weak: of a pair, the cheaper one.
        fpr: of a flag, the false-positive rate that its threshold may have.
        precision: of a choice, wanted above its confidence floor.
        agreement: with the last tier, of what an earlier one answers.
        seed: of every choice.
        cache: keeps embeddings.
    """

    task: str
    data: Path
    model: Path
    out: Path | None = None
    in_place: bool = False
    kind: Kind | None = None
    strong: str | None = None
    weak: str | None = None
    fpr: float = 0.01
    precision: float = 0.85
    agreement: float = 0.99
    seed: int = 0
    cache: Path = Path("out/train")


class Report(Struct, frozen=True):
    """What was written.

    Attributes:
        directory: of the model.
        version: its new one.
        kind: of the head.
        figures: on the rows that were neither fitted nor calibrated on.
    """

    directory: Path
    version: str
    kind: Kind
    figures: Figures


def fit(options: Options, say: Callable[[str], None]) -> Report:
    """Fit and write.

    Args:
        options: see there.
        say: is told what happens, a line at a time.

    Raises:
        StartupError: the labels cannot be used, the name is taken, or there is nowhere to write.
        ArtefactError: the model directory does not load.
    """
    contents = manifest.read(options.model)
    target = options.model if options.in_place else options.out
    if target is None:
        raise StartupError("--out DIR or --in-place is missing: where shall the head go?")
    install.check_target(options.model, target)
    rows = labels.read(options.data, kind=options.kind, strong=options.strong, weak=options.weak)
    _check_name(options, contents, rows.kind)
    groups = numbered(rows.groups)
    judged = deal(groups, _PARTS, options.seed) == 0
    say(f"{len(rows):,} rows, kind {rows.kind}; {judged.sum():,} are kept for the figures")
    job = _Job(options, contents, rows, groups, judged)
    learnt = _fit_spans(job, say) if rows.kind == "spans" else _fit_texts(job, say)
    digest = hashlib.sha256(options.data.read_bytes()).hexdigest()
    card = {
        "fitted": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "data": f"{options.data.name}, sha256 {digest[:16]}",
        "rows": len(rows),
        "groups": len(set(rows.groups)),
        "sources": dict(Counter(source for source in rows.sources if source)),
        "figures": learnt.figures,
        "caveat": f"{int((~judged).sum())} rows were fitted and calibrated on, the figures are of the others",
    }
    file = install.head_file(
        learnt.head, inputs=_INPUTS[rows.kind], surface=learnt.surface, models=rows.models, card=card
    )
    say(f"writing {target}")
    origin = {"data": digest, "rows": len(rows), "seed": options.seed, "model": contents.version}
    version = install.install(options.model, target, options.task, file, origin)
    return Report(target, version, rows.kind, learnt.figures)


class _Job(Struct, frozen=True):
    options: Options
    contents: Manifest
    rows: Labelled
    groups: Index
    judged: Flags


class _Learnt(Struct, frozen=True):
    head: Fitted
    surface: Scale | None
    figures: Figures


def _fit_texts(job: _Job, say: Callable[[str], None]) -> _Learnt:
    options, contents, rows, judged = job.options, job.contents, job.rows, job.judged
    embeddings = embed(
        rows.texts,
        _files(options.model, contents),
        contents.geometry,
        cache=options.cache,
        workers=os.cpu_count() or 1,
        progress=lambda done: say(f"  {done:,} of {len(rows):,} embedded"),
    )
    names = _INPUTS[rows.kind]
    scale = scale_of(embeddings.surface[~judged]) if "surface" in names else None
    tiers = tuple(embeddings.inputs(tier, names, scale) for tier in range(len(contents.stages) + 1))
    inputs = Inputs(tiers, job.groups)
    into, said, settings = inputs.take(~judged), np.array(rows.said), _settings(options)
    say("fitting")
    if rows.kind == "pair":
        head = heads.fit_pair(into, said[~judged, 0], said[~judged, 1], settings=settings)
        return _Learnt(head, scale, head_figures.of_pair(head, inputs.take(judged), said[judged]))
    if rows.kind == "flag":
        head = heads.fit_flag(into, said[~judged], options.task, fpr=options.fpr, settings=settings)
        return _Learnt(head, scale, head_figures.of_flag(head, inputs.take(judged), said[judged], options.fpr))
    names_of, truth = np.unique(said, return_inverse=True)
    classes = tuple(map(str, names_of))
    head = heads.fit_choice(into, truth[~judged], classes, precision=options.precision, settings=settings)
    return _Learnt(head, scale, head_figures.of_choice(head, inputs.take(judged), truth[judged]))


def _fit_spans(job: _Job, say: Callable[[str], None]) -> _Learnt:
    options, contents, rows, judged = job.options, job.contents, job.rows, job.judged
    embedder = Embedder(_files(options.model, contents), contents.geometry)
    pages: list[tagger.Page] = []
    for text, truth, states in zip(rows.texts, rows.said, embedder.token_states(rows.texts), strict=True):
        pages.append(tagger.page_of(text, states, cast("tuple[Key, ...]", truth)))
        if len(pages) % _STEP == 0:
            say(f"  {len(pages):,} of {len(rows):,} read")
    say("fitting")
    into, rest = ([page for page, inside in zip(pages, mask, strict=True) if inside] for mask in (~judged, judged))
    head = tagger.fit_spans(into, job.groups[~judged], settings=_settings(options))
    return _Learnt(head, None, head_figures.of_spans(head, rest))


def _check_name(options: Options, contents: Manifest, kind: Kind) -> None:
    name = options.task
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise StartupError(
            f"--task {name!r}: a name is lower case letters, digits, - and _, and none of {_shown(_TAKEN)}"
        )
    if name in contents.heads:
        path = options.model / contents.heads[name]
        known = head_file.read(path, contents.geometry.dimension, len(contents.stages)).kind
        if known != kind:
            raise StartupError(
                f"{options.model}: its head {name!r} is of kind {known}, these labels are of kind {kind}"
            )


def _shown(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _files(directory: Path, contents: Manifest) -> Files:
    return Files(
        directory / contents.words,
        tuple(directory / name for name in contents.stages),
        directory / contents.tokenizer,
    )


def _settings(options: Options) -> heads.Settings:
    return heads.Settings(terms=exits.Terms(agreement=options.agreement), seed=options.seed)
