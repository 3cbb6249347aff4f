"""From the columns of an outcomes file to what strategies learn from: features, scaled quality, questions."""

from __future__ import annotations

import hashlib
import math
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from extproc_router import surface
from extproc_router.encoder import artefact, manifest
from extproc_router.encoder.encoder import DOMAIN
from extproc_router.errors import ArtefactError, StartupError
from extproc_router.learning.base import Features, Outcomes
from extproc_router.training import embed
from extproc_router.training.data import key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from extproc_router.encoder.manifest import Manifest
    from extproc_router.learning.base import Floats, Index

MIN_ROWS = 50
MIN_LABELS = 10
"""A model with fewer answers is not learnt about, but placed (`learning.placing`)."""

MAX_MODELS = 256

# Where the options of a multiple-choice question begin.
_OPTIONS = re.compile(r"\n\(?A[.):] ")


class Reader(Struct, frozen=True):
    """What reads prompts: a model directory.

    Attributes:
        directory: of the model.
        version: of the features that it gives, 12 hex digits.
        name: name and version of the model, for people.
    """

    directory: Path
    version: str
    name: str


def open_reader(directory: Path) -> Reader:
    """Look at a model directory.

    Raises:
        ArtefactError: its manifest cannot be read, or it has no domain head.
    """
    contents = manifest.read(directory)
    return Reader(directory, features_version(contents), f"{contents.name} {contents.version}")


def features_version(contents: Manifest) -> str:
    """What features depend on: encoder, tokenizer, window and domain head, hashed to 12 hex digits.

    A new head for something else changes the model's version, but not this.

    Raises:
        ArtefactError: there is no domain head.
    """
    if DOMAIN not in contents.heads:
        raise ArtefactError(f"{contents.name}: no head `{DOMAIN}`, only {sorted(contents.heads)}")
    names = (contents.tokenizer, contents.words, *contents.stages, contents.heads[DOMAIN])
    files = [contents.files[name].sha256 for name in names]
    parts = [*files, msgspec.to_builtins(contents.geometry), surface.SIZE]
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:12]


def read_features(prompts: Sequence[str], reader: Reader, *, cache: Path, progress: Callable[[int], None]) -> Features:
    """Read every prompt as the server would.

    Args:
        prompts: n texts, at least one.
        reader: the model.
        cache: directory for embeddings, made if missing.
        progress: is told how many prompts are done, now and then.

    Raises:
        ArtefactError: the model directory cannot be loaded.
    """
    parts = artefact.load(reader.directory)
    contents = parts.manifest
    files = embed.Files(
        words=reader.directory / contents.words,
        stages=tuple(reader.directory / name for name in contents.stages),
        tokenizer=reader.directory / contents.tokenizer,
    )
    embeddings = embed.embed(
        prompts, files, contents.geometry, cache=cache, workers=os.cpu_count() or 1, progress=progress
    )
    head = parts.heads[DOMAIN]
    last, file = len(contents.stages), head.file
    linear = head.linears[last]
    if linear is None:  # no head loads without it
        raise ArtefactError(f"{contents.name}: the head `{DOMAIN}` does not read the last tier")
    domains = linear.softmax(embeddings.inputs(last, file.inputs, file.surface).astype(np.float64))
    return Features(embeddings.means[-1], domains, embeddings.surface)


def taught(scores: Floats) -> list[int]:
    """Columns of the models with enough answers to be learnt about; scores are float64 [n, m], NaN where not tried."""
    columns: list[int] = np.flatnonzero(np.isfinite(scores).sum(axis=0) >= MIN_LABELS).tolist()
    return columns


def range_of(scores: Floats) -> tuple[float, float]:
    """A scale that suits scores, float64 [n, m]: 0 to 1 where all lie there, else from the least to the greatest."""
    seen = scores[np.isfinite(scores)]
    if not len(seen) or (seen.min() >= 0 and seen.max() <= 1):
        return 0.0, 1.0
    low, high = float(seen.min()), float(seen.max())
    # All alike, nobody gains anything: any scale says so.
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def prepare(prompts: Sequence[str], models: tuple[str, ...], scores: Floats, *, low: float, high: float) -> Outcomes:
    """Scale scores to quality and mark which prompts hold the same question.

    Args:
        prompts: n texts.
        models: m names.
        scores: float64 [n, m], larger is better; NaN where a model was not tried.
        low: score that is quality 0.
        high: score that is quality 1, above `low`.

    Raises:
        StartupError: the scale does not rise or is not finite, there are too many models, too few rows or answers of
            one, or a score outside [low, high].
    """
    if not low < high:
        raise StartupError(f"the scale must rise: {low:g} is not below {high:g}")
    if not math.isfinite(high - low):
        raise StartupError(f"the scale must be finite: from {low:g} to {high:g} it is not")
    seen = scores[np.isfinite(scores)]
    if len(models) > MAX_MODELS:
        raise StartupError(f"{len(models)} models are too many; {MAX_MODELS} is the most")
    if len(prompts) < MIN_ROWS:
        raise StartupError(f"{len(prompts)} rows are too few to learn from; {MIN_ROWS} is the least")
    if len(seen) and (seen.min() < low or seen.max() > high):
        raise StartupError(
            f"scores from {seen.min():g} to {seen.max():g} do not lie in [{low:g}, {high:g}]: state their --scale"
        )
    counts = np.isfinite(scores).sum(axis=0)
    few = [f"{name} ({count})" for name, count in zip(models, counts.tolist(), strict=True) if count < MIN_LABELS]
    if few:
        raise StartupError(f"fewer than {MIN_LABELS} answers of {', '.join(few)}: fit without them, then --extend")
    groups = question_groups(prompts)
    if len(np.unique(groups)) < MIN_ROWS // 2:
        raise StartupError(f"{len(prompts)} rows hold only {len(np.unique(groups))} different questions")
    return Outcomes(models, (scores - low) / (high - low), groups)


def question_groups(prompts: Sequence[str]) -> Index:
    """Number the questions, intp [n]: prompts that differ in spelling, case or listed options alone share a number."""
    numbers: dict[str, int] = {}
    # A prompt without letters or digits is its own question.
    questions = [key(_OPTIONS.split(prompt, maxsplit=1)[0]) or prompt for prompt in prompts]
    return np.array([numbers.setdefault(question, len(numbers)) for question in questions], dtype=np.intp)
