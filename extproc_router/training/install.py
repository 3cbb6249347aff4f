"""Put one head into a model directory: its file, a manifest with a new version, a section of the card."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from extproc_router import encoder
from extproc_router.encoder import manifest
from extproc_router.encoder.head_file import HeadFile, Models, Reading, Trust
from extproc_router.errors import ArtefactError, StartupError
from extproc_router.training import writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from extproc_router.encoder.head_file import Input, Scale
    from extproc_router.encoder.manifest import Manifest
    from extproc_router.training.fit import Linear
    from extproc_router.training.ladder import Fitted, Rung

_CARD = "README.md"
_DIGITS = 6  # of weights and biases: the change in a probability is below 1e-5


def head_file(
    fitted: Fitted,
    *,
    inputs: Sequence[Input],
    surface: Scale | None,
    models: tuple[str, str] | None,
    card: dict[str, Any],
    enabled: bool = True,
) -> HeadFile:
    """Write down what was fitted.

    Args:
        fitted: weights, temperatures and thresholds.
        inputs: what the rows were made of.
        surface: the scale of the surface features, where they are among the inputs.
        models: of a pair: (strong, weak).
        card: for people.
        enabled: whether the head is computed unasked.
    """
    return HeadFile(
        kind=fitted.kind,
        labels=list(fitted.labels),
        inputs=list(inputs),
        surface=surface,
        readings=[None if rung is None else _reading(rung) for rung in fitted.rungs],
        threshold=fitted.threshold,
        confidence_floor=fitted.confidence_floor,
        floor_precision=fitted.floor_precision,
        models=Models(*models) if models else None,
        enabled=enabled,
        card=card,
    )


def check_target(model: Path, target: Path) -> None:
    """Find out before anything is fitted whether there is room for the result.

    Raises:
        StartupError: the target is there already, and is not the model itself, or in it, or cannot be written; or
            what another run did not finish is there.
    """
    if target != model and target.exists():
        raise StartupError(
            f"{target}: is there already; name another directory, or add to it with --model and --in-place"
        )
    if target != model and target.resolve().is_relative_to(model.resolve()):
        raise StartupError(f"{target}: is inside of {model}, of which it shall be a copy")
    made = _unfinished(target)
    if made.exists():
        raise StartupError(f"{made}: is there already; if a run that was cut off left it, remove it")
    there = next(place for place in made.parents if place.exists())
    for place in (there, model, model / "heads") if target == model else (there,):
        if place.exists() and not os.access(place, os.W_OK):
            raise StartupError(f"{place}: cannot be written")


def install(model: Path, target: Path, name: str, head: HeadFile, provenance: dict[str, Any]) -> str:
    """Add a head to a model directory, or to a copy of it.

    Args:
        model: the directory to start from.
        target: the same one, or one that is not there yet.
        name: of the head; one of that name is replaced.
        head: its file.
        provenance: of the head, for the manifest; without clock readings.

    Returns:
        The new version of the directory.

    Raises:
        StartupError: see `check_target`.
        ArtefactError: the directory does not load, before or after.
    """
    contents = manifest.read(model)
    check_target(model, target)
    # Made beside the target and moved at the end: a router that starts meanwhile finds the old model, or none.
    made = _unfinished(target)
    made.mkdir(parents=True)
    try:
        shutil.copytree(model, made, dirs_exist_ok=True)
        version = _add(made, contents, name, head, provenance)
        if target != model:
            made.rename(target.resolve())
        else:
            # The manifest last: until then the old one refuses the new file instead of taking it for its own.
            for path in (manifest.read(made).heads[name], _CARD, manifest.FILE_NAME):
                (model / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).replace(model / path)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return version


def _unfinished(target: Path) -> Path:
    real = target.resolve()  # `.` has no name, and a link none that can be moved onto
    return real.with_name(f"{real.name}.partial")


def _add(directory: Path, contents: Manifest, name: str, head: HeadFile, provenance: dict[str, Any]) -> str:
    fitted = {**contents.provenance.get("fitted_heads", {}), name: provenance}
    written = writer.write_manifest(
        directory,
        name=contents.name,
        words=contents.words,
        stages=contents.stages,
        tokenizer=contents.tokenizer,
        heads={**contents.heads, name: writer.write_head(directory, name, head)},
        geometry=contents.geometry,
        provenance={**contents.provenance, "fitted_heads": fitted},
    )
    if encoder.load(directory, remember=0).version != written.version:
        raise ArtefactError(f"{directory}: another version was read back than {written.version}, which was written")
    _describe(directory / _CARD, name, written.version, head)
    return written.version


def _describe(card: Path, name: str, version: str, head: HeadFile) -> None:
    """Give the head a section of its own at the end of the card, in place of an older one."""
    title = f"## Head `{name}`, fitted afterwards"
    text = card.read_text("utf-8") if card.exists() else ""
    text = re.sub(rf"\n*{re.escape(title)}\n(?:(?!## ).*\n?)*", "\n", text)
    facts = {member: value for member, value in head.card.items() if not isinstance(value, dict)}
    facts |= head.card.get("figures", {})
    lines = [f"| {member} | {value} |" for member, value in facts.items()]
    table = "\n".join(["| | |", "|---|---|", f"| version of the directory | `{version}` |", *lines])
    card.write_text(f"{text.rstrip()}\n\n{title}\n\n{table}\n".lstrip(), "utf-8")


def _reading(rung: Rung) -> Reading:
    trust = rung.trust
    return Reading(
        weights=_rows(rung.linear),
        bias=_numbers(rung.linear.bias.tolist()),
        temperature=max(round(rung.temperature, _DIGITS), 10.0**-_DIGITS),
        trust=Trust(_rows(trust)[0], round(float(trust.bias[0]), _DIGITS)) if trust else None,
        exit_above=rung.exit_above,
        exit_below=rung.exit_below,
    )


def _rows(linear: Linear) -> list[list[float]]:
    return [_numbers(row) for row in linear.weights.tolist()]


def _numbers(values: list[float]) -> list[float]:
    return [round(value, _DIGITS) for value in values]
