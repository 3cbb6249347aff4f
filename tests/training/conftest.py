from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.encoder import manifest
from extproc_router.training.embed import Files

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder.manifest import Geometry

LABELS = ("law", "math", "biology", "chemistry", "history")


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture(scope="session")
def shipped(root: Path) -> Path:
    return root / "models" / "minilm-l6-domain"


@pytest.fixture(scope="session")
def geometry(shipped: Path) -> Geometry:
    return manifest.read(shipped).geometry


@pytest.fixture(scope="session")
def files(shipped: Path) -> Files:
    return Files(shipped / "encoder.onnx", shipped / "tokenizer.json")


@pytest.fixture
def data_directory(tmp_path: Path) -> Path:
    """Labelled data in the shape of the real, made up."""
    exams = [
        {"text": f"Question {number} of {label}?", "options": ["yes", "no"], "label": label}
        for number in range(40)
        for label in LABELS
    ]
    write(tmp_path / "domain/mmlu_pro.jsonl.gz", exams[:120])
    write(tmp_path / "domain/mmlu_half_a.jsonl.gz", exams[80:])  # 40 questions stand in both
    write(tmp_path / "domain/mmlu_dev.jsonl.gz", [dict(exams[0], text="  QUESTION 0 of law ")])
    write(tmp_path / "reasoning/gsm8k_train.jsonl.gz", [{"text": f"Ann has {n} pens."} for n in range(700)])
    utterances = ["play some jazz", "what is my bank balance", "tell me a joke", "how many calories in rice"]
    rows = [{"text": text, "source": "clinc150"} for text in utterances]
    write(tmp_path / "benign/prompts.jsonl.gz", [*rows, {"text": "open an account", "source": "banking77"}])
    return tmp_path
