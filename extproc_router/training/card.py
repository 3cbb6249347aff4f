"""The model card: README.md of a model directory."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from extproc_router.encoder.manifest import Geometry
from extproc_router.training.data import Split
from extproc_router.training.domain import Figures, Outcome
from extproc_router.training.latency import Latency
from extproc_router.training.parity import Parity

# What each file is, and the licence as found in its repository.
_LICENCES = {
    "domain/mmlu_pro.jsonl.gz": ("MMLU-Pro questions, 14 categories", "Apache-2.0"),
    "domain/mmlu_half_a.jsonl.gz": ("MMLU test questions, half A only", "Apache-2.0 (MMLU: MIT)"),
    "domain/mmlu_dev.jsonl.gz": ("MMLU dev questions", "Apache-2.0 (MMLU: MIT)"),
    "reasoning/gsm8k_train.jsonl.gz": ("GSM8K training questions, 600 of them, as math", "Apache-2.0 (GSM8K: MIT)"),
    "benign/prompts.jsonl.gz": (
        "CLINC150 utterances, 1,500 of them, as other (Larson et al. 2019); Arena-Hard v0.1 for evaluation only",
        "CC BY 3.0; Apache-2.0",
    ),
    "natural_domain_prompts.jsonl": ("348 prompts in chat register, written for this project", "Apache-2.0"),
    "natural_domain_topics.json": ("942 topics, put into plain sentences", "Apache-2.0"),
    "natural_programming.json": ("word lists that make up programmers' questions", "Apache-2.0"),
    "arena_test_labels.jsonl": ("labels by hand for 102 Arena-Hard prompts, by hash", "Apache-2.0"),
}
_SOURCES = {
    "exam": "exam question alone",
    "exam_options": "exam question with its options",
    "word_problem": "GSM8K word problem",
    "everyday": "CLINC150 utterance",
    "natural": "the project's own prompts, held out",
    "arena": "Arena-Hard prompt, labelled by hand",
}


class Facts(Struct, frozen=True):
    """What the card says.

    Attributes:
        name: of the artefact.
        version: of its contents.
        geometry: of the encoder.
        outcome: of the fit.
        parity: with the original.
        latencies: on this machine, today.
        provenance: as in the manifest.
    """

    name: str
    version: str
    geometry: Geometry
    outcome: Outcome
    parity: Parity
    latencies: Sequence[Latency]
    provenance: dict[str, Any]


def render(facts: Facts) -> str:
    """Write the card as Markdown; only its latency section depends on the machine and the day."""
    outcome, geometry, parity, provenance = facts.outcome, facts.geometry, facts.parity, facts.provenance
    head = outcome.head
    checkpoint = provenance["checkpoint"]
    return f"""# {facts.name}

Version `{facts.version}`. Written by `extproc-router train`; do not edit.

A sentence encoder and one linear head that names the domain of a prompt: {", ".join(head.labels)}.

| | |
|---|---|
| encoder | {checkpoint["model"]} (Apache-2.0), weights from the package `{checkpoint["package"]}` |
| form | ONNX, int8 weights (7 bits, one scale a column), mean pooling and L2 normalisation in the graph |
| embedding | {geometry.dimension} dimensions |
| window | {geometry.max_tokens} tokens; of a longer text {geometry.head_share:.0%} from its head, the rest from \
its tail |
| head | multinomial logistic regression on the frozen int8 embeddings, temperature {head.temperature:.3f} |
| confidence floor | {head.confidence_floor:.2f}: {head.floor_precision:.0%} precision above it on validation, exam \
and chat counting half each |
| parity | cosine with the original in float32, {parity.texts} texts: mean {parity.mean:.4f}, \
least {parity.least:.4f} |
| licence of the head | Apache-2.0; CLINC150 asks to be named (below) |

## Figures

Validation chose the settings, the temperature and the floor; the test did not. Questions were split 8:1:1 by their
text, so that both views of a question, and its copies in two files, are on one side. Coverage and precision are those
of answers at or above the floor. ECE: 15 bins.

{_figures_table(outcome.figures)}

Arena prompts are mostly programming: read that row as "computer science against the rest". One figure over both halves
of them (54 % right) was seen before the programming word lists were written, so its test half is not wholly untouched.

Confusion on the exam questions of the test (rows: true, columns: predicted, in the order of the labels above):

```
{_confusion(outcome)}
```

## Latency

One thread, one text at a time, tokenising and head included; {_machine()}, {_today()}. Others used the machine too:
trust ratios more than absolutes. Measured at the end of `extproc-router train`.

| tokens in the text | p50 ms | p95 ms |
|---:|---:|---:|
{_rows((f"{entry.tokens:,}", f"{entry.median:.1f}", f"{entry.p95:.1f}") for entry in facts.latencies)}

## Data

{_data_table(provenance)}

Not used: OpenTriviaQA (share-alike), Banking77 (banking requests would contradict `business`), everything marked "tune
only", MBPP, HumanEval and GPQA.

Everyday utterances that touch another label's ground (money, sums, health, computers) were left out by a word list. The
topics and word lists are training data alone; of the 348 prompts every third is held out. They have one author, so the
held-out ones are kinder than real traffic, and the topics were written after a look at mistakes among them. Arena
labels were set before any model saw the prompts; half chose, half report.

## Limits

* English. Of twelve prompts in ten other languages six were right above the floor, three wrong above it (Chinese,
  Japanese, French) and three below it: where other languages matter, route them by another rule.
* Very short prompts ("I have a fever") lean to `other`, whose training texts are short.
* Text without a single known token (empty, emoji only) gets equal probabilities.
* `other` is a mixture: everyday requests, accounting, geography, politics, sociology, as in MMLU-Pro.
* Chemistry, physics and engineering overlap, as do economics and business, health and biology.
* Dynamic quantisation rounds differently on other processors: embeddings there agree to a cosine of about 0.99, labels
  near a boundary may differ.

## Rebuild

    make train-setup
    extproc-router train --data DIR --out models/{facts.name} --seed {provenance["seed"]}

The same seed, data and software on the same kind of processor give the same bytes, this file's latency section aside.
"""


def _figures_table(figures: Sequence[Figures]) -> str:
    head = (
        "| split | source | texts | accuracy | macro-F1 | ECE | coverage | precision |\n|---|---|" + "---:|" * 6 + "\n"
    )
    return head + _rows(
        (
            "test" if entry.split is Split.TEST else "validation",
            _SOURCES[entry.source],
            f"{entry.texts:,}",
            *(f"{value:.3f}" for value in (entry.accuracy, entry.macro_f1, entry.ece, entry.coverage, entry.precision)),
        )
        for entry in figures
    )


def _data_table(provenance: dict[str, Any]) -> str:
    head = "| file | what | licence as found | sha256 |\n|---|---|---|---|\n"
    hashes = {**provenance["data"], **provenance["own_data"]}
    return head + _rows((f"`{name}`", *_LICENCES[name], f"`{digest[:16]}`") for name, digest in hashes.items())


def _rows(rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _confusion(outcome: Outcome) -> str:
    return "\n".join(
        f"{label:<17}{''.join(f'{count:5d}' for count in row)}"
        for label, row in zip(outcome.head.labels, outcome.confusion, strict=True)
    )


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()
