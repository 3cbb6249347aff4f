"""`make bench-encoder`: the encoder's latency by length and tier, beside a large one in the same process.

One thread each, runs interleaved, median of the runs; whatever else the machine does, it does to all of them. Ours
reads a window of a longer text, so its cost stops growing there; the other reads everything it is given.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
from msgspec import Struct

from extproc_router import encoder
from extproc_router.errors import RouterError, StartupError
from extproc_router.training import data, prompts
from extproc_router.training.data import Split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from extproc_router.encoder import Encoder

    Prepare = Callable[[int], Callable[[], object] | str]

LENGTHS: Final = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8000)
LARGE: Final = ("ModernBERT-base fp32", "ModernBERT-base int8")
WHOLE: Final = "whole"
_LONG: Final = 1024  # tokens from which on the large one runs but a few times
_FEW: Final = 3
_ONCE: Final = 2048
_EACH: Final = 100  # prompts of each file in the mixed sample
_FILES: Final = ("reasoning", "difficulty", "domain_multilingual", "jailbreak", "lookalikes")
# Copies of the attention scores that ONNX Runtime holds at a time, with some to spare.
_COPIES: Final = 4
_WORDS: Final = ("water", "history", "number", "music", "city", "market", "letter", "garden", "paper", "river")


class Cell(Struct, frozen=True):
    """One system at one length: median milliseconds of its runs, or why there is none."""

    system: str
    tokens: int
    milliseconds: float | None
    runs: int
    why: str = ""


class Mixed(Struct, frozen=True):
    """Ours on the project's own prompts, tiers on, every enabled head asked.

    Attributes:
        texts: how many.
        mean: milliseconds.
        median: of the same.
        p95: of the same.
        tiers: tier -> share of the texts for which it was the last that ran.
    """

    texts: int
    mean: float
    median: float
    p95: float
    tiers: dict[str, float]


def measure(
    systems: Mapping[str, Prepare],
    lengths: Sequence[int],
    runs_of: Callable[[str, int], int],
    *,
    clock: Callable[[], float] = time.perf_counter,
    say: Callable[[str], None] = lambda _: None,
) -> list[Cell]:
    """Time every system at every length, in turns; a first run of each is not counted unless it is to run once.

    Args:
        systems: name -> what prepares an input of so many tokens: what to time, or why not.
        lengths: tokens.
        runs_of: how often a system runs at a length; 0 leaves it out.
        clock: seconds.
        say: is told each length.
    """
    cells = []
    for tokens in lengths:
        say(f"{tokens:,} tokens")
        counts = {name: runs_of(name, tokens) for name in systems}
        prepared = {name: prepare(tokens) for name, prepare in systems.items() if counts[name]}
        ready = {name: call for name, call in prepared.items() if not isinstance(call, str)}
        taken: dict[str, list[float]] = {name: [] for name in ready}
        for turn in range(max(counts.values()) + 1):
            for name, call in ready.items():
                first = turn == 0 and counts[name] > 1
                if first or len(taken[name]) < counts[name]:
                    start = clock()
                    call()
                    if not first:
                        taken[name].append((clock() - start) * 1e3)
        for name in systems:
            times, why = taken.get(name), prepared.get(name, "left out")
            if times:
                cells.append(Cell(name, tokens, round(float(np.median(times)), 3), len(times)))
            else:
                cells.append(Cell(name, tokens, None, 0, str(why)))
    return cells


def ours(model: Encoder) -> dict[str, Prepare]:
    """Our encoder up to each tier: `tier 0` and so on its vectors alone, `whole` with every enabled head."""

    def up_to(tier: int) -> Prepare:
        def prepare(tokens: int) -> Callable[[], object]:
            text = _text(tokens)
            return lambda: model.read_to(text, tier)

        return prepare

    def whole(tokens: int) -> Callable[[], object]:
        text = _text(tokens)
        return lambda: model.encode(text, tiers=False)

    return {**{f"tier {tier}": up_to(tier) for tier in range(model.tiers - 1)}, WHOLE: whole}


def mixed(model: Encoder, texts: Sequence[str], clock: Callable[[], float] = time.perf_counter) -> Mixed:
    """Time our encoder on a sample, tiers on; `model` must not remember answers."""
    for text in texts[:_FEW]:
        model.encode(text)
    times, tiers = [], []
    for text in texts:
        start = clock()
        encoding = model.encode(text)
        times.append((clock() - start) * 1e3)
        tiers.append(max(encoding.tiers.values(), default=0))
    return Mixed(
        texts=len(texts),
        mean=round(float(np.mean(times)), 3),
        median=round(float(np.median(times)), 3),
        p95=round(float(np.percentile(times, 95)), 3),
        tiers={str(tier): round(float(np.mean(np.array(tiers) == tier)), 4) for tier in range(model.tiers)},
    )


def sample() -> list[str]:
    """The project's own held-out prompts: up to a hundred of each file, chat and attacks, in several languages."""
    files = [[row.text for row in data.natural() if row.split is Split.VALIDATION]]
    files += [[row.text for row in prompts.load(name) if prompts.split(row) is Split.VALIDATION] for name in _FILES]
    chooser = np.random.default_rng(0)
    return [texts[place] for texts in files for place in chooser.permutation(len(texts))[:_EACH]]


def table(cells: Sequence[Cell], whole: str = WHOLE) -> str:
    """Lay out medians in milliseconds by length, and how many times as long as ours the large ones take."""
    systems = list(dict.fromkeys(cell.system for cell in cells))
    found = {(cell.system, cell.tokens): cell for cell in cells}
    large = [name for name in systems if name in LARGE]
    lines = [["tokens", *systems, *(f"{name.rpartition(' ')[2]} / {whole}" for name in large)]]
    for tokens in dict.fromkeys(cell.tokens for cell in cells):
        row = [f"{tokens:,}", *(_shown(found[name, tokens]) for name in systems)]
        base = found[whole, tokens].milliseconds
        for name in large:
            value = found[name, tokens].milliseconds
            row.append(f"{value / base:.1f}x" if value is not None and base else "-")
        lines.append(row)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    notes = [f"{cell.system} at {cell.tokens:,}: {cell.why}" for cell in cells if cell.why]
    once = [f"{cell.system} at {cell.tokens:,}: one run" for cell in cells if cell.runs == 1]
    return "\n".join([*shown, *notes, *once])


def _shown(cell: Cell) -> str:
    return "-" if cell.milliseconds is None else f"{cell.milliseconds:.2f}"


def _text(tokens: int) -> str:
    return " ".join(np.random.default_rng(tokens).choice(_WORDS, tokens - 2))  # [CLS] and [SEP] are the other two


def _large(directory: Path, say: Callable[[str], None]) -> dict[str, Prepare]:
    try:
        from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - needs onnx

        from extproc_router.training import modernbert  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise StartupError(f"the large model needs {error.name}: pip install 'extproc-router[train]'") from error
    directory.mkdir(parents=True, exist_ok=True)
    plain, small = directory / "modernbert-fp32.onnx", directory / "modernbert-int8.onnx"
    if not plain.exists():
        say(f"writing {plain}: {modernbert.parameters(modernbert.Shape()) / 1e6:.0f} M random weights")
        modernbert.write(plain.with_suffix(".partial"))
        plain.with_suffix(".partial").replace(plain)
    if not small.exists():
        say(f"writing {small}")
        quantize_dynamic(str(plain), str(small.with_suffix(".partial")), weight_type=QuantType.QInt8)
        small.with_suffix(".partial").replace(small)
    shape = modernbert.Shape()

    def prepare(session: onnxruntime.InferenceSession) -> Prepare:
        def prepared(tokens: int) -> Callable[[], object] | str:
            needed = _COPIES * shape.heads * tokens**2 * 4
            if needed > _free_memory():
                return f"needs {needed / 1e9:.0f} GB for attention, more than is free"
            ids = np.random.default_rng(tokens).integers(shape.vocabulary, size=(1, tokens))
            return lambda: session.run(None, {modernbert.INPUT: ids})

        return prepared

    return {name: prepare(_session(path)) for name, path in zip(LARGE, (plain, small), strict=True)}


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _free_memory() -> float:
    """Bytes that may still be used; without an answer from the system, none is taken for limit."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return float("inf")
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), float("inf"))


def _runs(runs: int, *, quick: bool) -> Callable[[str, int], int]:
    def of(system: str, tokens: int) -> int:
        if system not in LARGE or tokens < _LONG:
            return runs
        if tokens < _ONCE:
            return min(runs, _FEW)
        return 0 if quick else 1

    return of


def run(model: Path, out: Path, *, runs: int, quick: bool, say: Callable[[str], None]) -> str:
    """Measure and write figures: `out` as JSON, the large models beside it.

    Args:
        model: model directory.
        out: JSON file to write.
        runs: of each system at each length below 1,024 tokens; beyond, the large one runs three times, then once.
        quick: whether to leave the large one out from 2,048 tokens on.
        say: is told what happens.

    Returns:
        The tables, as text.

    Raises:
        RouterError: the model does not load, or `onnx` is not installed.
    """
    loaded = encoder.load(model, remember=0)
    loaded.warm_up()
    large = _large(out.parent / "bench-encoder", say)
    cells = measure({**ours(loaded), **large}, LENGTHS, _runs(runs, quick=quick), say=say)
    say("mixed sample")
    some = mixed(loaded, sample())
    document: dict[str, Any] = {
        "model": f"{loaded.name} {loaded.version}",
        "cores": os.cpu_count(),
        "threads": 1,
        "runs": runs,
        "cells": [{name: getattr(cell, name) for name in Cell.__struct_fields__} for cell in cells],
        "mixed": {name: getattr(some, name) for name in Mixed.__struct_fields__},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    shares = ", ".join(f"tier {tier}: {share:.0%}" for tier, share in some.tiers.items())
    return (
        f"{loaded.name} {loaded.version}, median milliseconds, one thread\n\n{table(cells)}\n\n"
        f"mixed sample of {some.texts} own prompts, tiers on: mean {some.mean:.2f} ms, median {some.median:.2f}, "
        f"p95 {some.p95:.2f}; last tier run: {shares}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(prog="python -m extproc_router.training.bench", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="model directory")
    parser.add_argument("--out", type=Path, default=Path("out/bench-encoder.json"), metavar="FILE", help="figures")
    parser.add_argument("--runs", type=int, default=20, metavar="N", help="of each cell (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="leave the large model out from 2,048 tokens on")
    args = parser.parse_args(argv)
    try:
        print(run(args.model, args.out, runs=max(1, args.runs), quick=args.quick, say=_say))
    except RouterError as error:
        print(f"bench-encoder: {error}", file=sys.stderr)
        return 1
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
