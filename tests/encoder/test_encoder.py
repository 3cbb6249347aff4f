from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router import encoder
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LABELS = (
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history", "law",
    "math", "other", "philosophy", "physics", "psychology",
)  # fmt: skip


def test_what_it_says_of_itself(model: encoder.Encoder) -> None:
    assert model.name == "minilm-l6-domain"
    assert model.labels == LABELS
    assert 0 < model.confidence_floor < 1


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("My landlord refuses to return my security deposit, can I sue him?", "law"),
        ("Write a Python function that reverses a linked list.", "computer science"),
        ("Find the derivative of f(x) = 3x^2 + 2x.", "math"),
        ("Which treaty ended the First World War and what did Germany lose?", "history"),
        ("What dose of amoxicillin is usual for an adult with pneumonia?", "health"),
    ],
)
def test_plain_questions_are_told_apart_with_confidence(model: encoder.Encoder, text: str, label: str) -> None:
    answer = model.encode(text).heads["domain"]
    assert answer.label == label
    assert answer.confidence >= model.confidence_floor
    assert sum(answer.probs.values()) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "  \n ", "\x00\x07", "🎉🎉🎉", "\ud800"])
def test_nothing_to_read_is_below_any_floor(model: encoder.Encoder, text: str) -> None:
    answer = model.encode(text).heads["domain"]
    assert answer.confidence == pytest.approx(1 / len(LABELS))
    assert answer.confidence < model.confidence_floor


@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000_000,
        "word " * 2_000_000,
        "什么是量子力学" * 10_000,
        "\ud800" * 5_000,
        "a\u0301" * 5_000,
        "\x00" * 5_000 + "math",
        "[SEP] [CLS] [MASK] [PAD]",
        "👩‍👩‍👧‍👦" * 3_000,
    ],
    ids=range(8),
)
def test_any_text_is_answered(model: encoder.Encoder, text: str) -> None:
    encoding = model.encode(text)
    assert 2 <= encoding.tokens <= 128
    assert encoding.windowed == (len(text) > 1_000)
    assert sum(encoding.heads["domain"].probs.values()) == pytest.approx(1)


def test_embeddings_of_like_texts_are_alike(model: encoder.Encoder) -> None:
    first, second, third = (
        model.embed(text)
        for text in ("How do I cook rice?", "What is the way to prepare rice?", "Prove that 2 is the only even prime.")
    )
    assert first.dtype == np.float32
    assert first @ second > 0.7
    assert first @ third < 0.3


def test_threads_get_what_one_thread_gets(model: encoder.Encoder) -> None:
    texts = [f"question number {number} about contract law" for number in range(40)]
    alone = [model.encode(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(model.encode, texts)) == alone


def test_warming_up_changes_nothing(model: encoder.Encoder) -> None:
    before = model.encode("what is entropy")
    model.warm_up()
    assert model.encode("what is entropy") == before


def test_without_a_domain_head(directory: Path, reseal: Callable[..., object]) -> None:
    reseal(directory, heads={"tone": "heads/domain.json"})
    with pytest.raises(ArtefactError, match=r"no head `domain`, only \['tone'\]"):
        encoder.load(directory)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads memory from Linux's /proc")  # noqa: PTH110
def test_loading_stays_small(shipped: Path) -> None:
    # 62 MB when written; the 23 MB file loaded twice over, or a float copy of it, would exceed the bound.
    script = """
import re, sys
from pathlib import Path
import numpy, onnxruntime, tokenizers
resident = lambda: int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
before = resident()
from extproc_router import encoder
encoder.load(Path(sys.argv[1])).warm_up()
print(resident() - before)
"""
    output = subprocess.run([sys.executable, "-c", script, shipped], check=True, capture_output=True, text=True).stdout
    assert int(output) < 110
