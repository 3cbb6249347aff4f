"""`heads/<name>.json`: what a head is, checked against itself and against the encoder that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from extproc_router import surface as surface_features
from extproc_router.encoder import shapes
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

Probability = Annotated[float, Meta(ge=0.0, le=1.0)]
# Far beyond what a fit gives, and near enough that no sum of products overflows: an answer is never NaN.
Number = Annotated[float, Meta(ge=-1e9, le=1e9)]
Divisor = Annotated[float, Meta(ge=1e-9, le=1e9)]
Kind = Literal["choice", "flag", "pair", "spans"]
Input = Literal["mean", "focus", "surface", "token", "shape"]

PAIR_LABELS = ["both", "strong", "weak", "neither"]
SPAN_INPUTS = ["token", "shape"]
OUTSIDE = "O"
_OF_TOKENS = frozenset({"token", "shape"})


class Trust(Struct, frozen=True, forbid_unknown_fields=True):
    """sigmoid(weights x + bias): the probability that this tier's answer agrees with the last tier's.

    For spans it is that of one token, and the least of a text's tokens counts.
    """

    weights: list[Number]
    bias: Number


class Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """Mean and deviation of the surface features on the texts that the head was fitted on."""

    mean: list[Number]
    deviation: list[Divisor]


class Reading(Struct, frozen=True, forbid_unknown_fields=True):
    """How one tier is read; x is the concatenation of the head's inputs at that tier.

    Attributes:
        weights: [rows][len(x)]; a row for each label.
        bias: [rows].
        temperature: divides the logits; fitted on validation data (Guo et al. 2017, On Calibration of Modern Neural
            Networks).
        trust: how far to trust a pair's or a tagger's answer; None for the other kinds, which know by themselves.
        exit_above: this tier answers where its confidence is at least this; None: never. The last tier always answers.
        exit_below: for flags: it answers where the probability is at most this, too.
    """

    weights: list[list[Number]]
    bias: list[Number]
    temperature: Divisor
    trust: Trust | None
    exit_above: Probability | None
    exit_below: Probability | None


class Models(Struct, frozen=True, forbid_unknown_fields=True):
    """Which two models a pair's answers are about."""

    strong: str
    weak: str


class HeadFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A head.

    Attributes:
        kind: `choice` of one class; `flag`, yes or no; `pair`, which of two models is right; `spans` of characters.
        labels: classes; the flag's one label; `PAIR_LABELS`; BIO tags, `O` first, then B-X and I-X for each type X.
        inputs: what x is made of, in this order. Tier 0 has no focus: it is left out there. Spans read `SPAN_INPUTS`.
        surface: scale of the surface features; there if and only if they are among the inputs.
        readings: one a tier; None where the head cannot read it. The last is never None.
        threshold: flags are raised at this probability.
        confidence_floor: below this confidence a choice is not to be trusted.
        floor_precision: precision above the floor that it was chosen for, on validation data.
        models: of a pair.
        enabled: whether it is computed unasked.
        card: for people: data, figures, date, caveats.
    """

    kind: Kind
    labels: Annotated[list[str], Meta(min_length=1)]
    inputs: Annotated[list[Input], Meta(min_length=1)]
    surface: Scale | None
    readings: list[Reading | None]
    threshold: Probability | None
    confidence_floor: Probability
    floor_precision: Probability
    models: Models | None
    enabled: bool
    card: dict[str, Any]

    def width(self, tier: int, dimension: int) -> int:
        """Return the length of x at a tier."""
        sizes = {"surface": surface_features.SIZE, "shape": shapes.SIZE, "focus": dimension if tier else 0}
        return sum(sizes.get(name, dimension) for name in self.inputs)


def read(path: Path, dimension: int, stages: int) -> HeadFile:
    """Read a head's file.

    Args:
        path: of the file.
        dimension: of the encoder's vectors.
        stages: how many the encoder has; it has one tier more.

    Raises:
        ArtefactError: it is not JSON, a member is missing or out of range, or its parts do not fit each other, its
            kind or the encoder.
    """
    try:
        file = msgspec.json.decode(path.read_bytes(), type=HeadFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ArtefactError(f"{path}: {error}") from error
    fault = _fault(file, dimension, stages)
    if fault:
        raise ArtefactError(f"{path}: {fault}")
    return file


def _fault(file: HeadFile, dimension: int, stages: int) -> str | None:
    """Return the first thing that does not fit, or None."""
    fault = _label_fault(file) or _input_fault(file) or _kind_fault(file) or _tier_fault(file, stages)
    if fault:
        return fault
    for tier, reading in enumerate(file.readings):
        fault = _reading_fault(file, reading, file.width(tier, dimension)) if reading else None
        if fault:
            return f"tier {tier}: {fault}"
    return None


def _tier_fault(file: HeadFile, stages: int) -> str | None:
    if len(file.readings) != stages + 1:
        return f"{len(file.readings)} readings, the encoder has {stages + 1} tiers"
    if file.readings[-1] is None:
        return "no reading of the last tier"
    if file.kind == "spans" and file.readings[0] is not None:
        return "a reading of tier 0, which has no token's state"
    return None


def _label_fault(file: HeadFile) -> str | None:
    labels = file.labels
    if len(set(labels)) != len(labels):
        return "a label occurs twice"
    types = [label.removeprefix("B-") for label in labels[1::2]]
    fits = {
        "choice": len(labels) > 1,
        "flag": len(labels) == 1,
        "pair": labels == PAIR_LABELS,
        "spans": bool(types) and labels == [OUTSIDE, *(f"{mark}-{name}" for name in types for mark in "BI")],
    }
    wanted = {
        "choice": "two or more",
        "flag": "one",
        "pair": ", ".join(PAIR_LABELS),
        "spans": "O, then B-X and I-X for each type X",
    }
    return None if fits[file.kind] else f"labels of a {file.kind} head are {wanted[file.kind]}; these are {labels}"


def _input_fault(file: HeadFile) -> str | None:
    if file.kind == "spans":
        if file.inputs != SPAN_INPUTS:
            return f"inputs are {file.inputs}, spans read {SPAN_INPUTS}"
    elif len(set(file.inputs)) != len(file.inputs) or _OF_TOKENS & set(file.inputs):
        return f"inputs are {file.inputs}"
    if (file.surface is not None) != ("surface" in file.inputs):
        return "`surface` and the inputs do not agree"
    size = surface_features.SIZE
    if file.surface and (len(file.surface.mean), len(file.surface.deviation)) != (size, size):
        return f"`surface` has {len(file.surface.mean)} means and {len(file.surface.deviation)} deviations, not {size}"
    return None


def _kind_fault(file: HeadFile) -> str | None:
    if (file.threshold is not None) != (file.kind == "flag"):
        return "a flag, and nothing else, has a threshold"
    if (file.models is not None) != (file.kind == "pair"):
        return "a pair, and nothing else, has models"
    return None


def _reading_fault(file: HeadFile, reading: Reading, width: int) -> str | None:
    labels = len(file.labels)
    if len(reading.weights) != labels or len(reading.bias) != labels:
        return f"{labels} labels, {len(reading.weights)} rows of weights, {len(reading.bias)} biases"
    if any(len(row) != width for row in reading.weights):
        return f"a row of weights is not {width} long"
    if reading.exit_below is not None and file.kind != "flag":
        return "a flag alone has `exit_below`"
    return _trust_fault(file, reading, width)


def _trust_fault(file: HeadFile, reading: Reading, width: int) -> str | None:
    needs_trust = file.kind in {"pair", "spans"}
    if reading.trust is None:
        return "an exit without trust" if needs_trust and reading.exit_above is not None else None
    if not needs_trust:
        return f"a {file.kind} has no use for trust"
    weights = len(reading.trust.weights)
    return None if weights == width else f"trust has {weights} weights, not {width}"
