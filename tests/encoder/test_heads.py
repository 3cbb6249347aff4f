from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router.encoder import heads
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

FILE: dict[str, Any] = {
    "labels": ["law", "math", "other"],
    "weights": [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]],
    "bias": [0.0, 0.0, -1.0],
    "temperature": 0.5,
    "confidence_floor": 0.4,
    "floor_precision": 0.9,
}


def read(folder: Path, **changes: Any) -> heads.Head:
    path = folder / "head.json"
    path.write_bytes(msgspec.json.encode(FILE | changes))
    return heads.read(path, 2)


def test_probabilities_are_the_softmax_of_the_tempered_logits(tmp_path: Path) -> None:
    answer = read(tmp_path).classify(np.array([0.6, 0.8], np.float32))
    expected = np.exp(np.array([0.6, 0.8, -1.0]) / 0.5)
    expected /= expected.sum()
    assert list(answer.probs) == FILE["labels"]
    assert list(answer.probs.values()) == pytest.approx(expected.tolist(), abs=1e-6)
    assert (answer.label, answer.confidence) == ("math", answer.probs["math"])
    assert sum(answer.probs.values()) == pytest.approx(1)


def test_large_logits_do_not_overflow(tmp_path: Path) -> None:
    answer = read(tmp_path, bias=[1e6, -1e6, 0.0]).classify(np.array([0.6, 0.8], np.float32))
    assert (answer.label, answer.confidence) == ("law", 1.0)


def test_abstaining_gives_every_label_the_same(tmp_path: Path) -> None:
    answer = read(tmp_path).abstain()
    assert set(answer.probs.values()) == {1 / 3}
    assert answer.confidence == 1 / 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels": ["law", "math"]}, "2 labels, 3 rows of weights, 3 biases"),
        ({"labels": ["law", "math", "law"]}, "a label occurs twice"),
        ({"labels": ["law"]}, "length >= 2"),
        ({"bias": [0.0]}, "3 labels, 3 rows of weights, 1 biases"),
        ({"weights": [[1.0, 0.0], [0.0, 1.0], [0.0]]}, "a row of weights is not 2 long"),
        ({"weights": "none"}, "Expected `array`"),
        ({"temperature": 0.0}, "> 0.0"),
        ({"confidence_floor": 1.5}, "<= 1.0"),
        ({"surprise": 1}, "unknown field `surprise`"),
    ],
)
def test_a_head_that_does_not_fit(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ArtefactError, match=rf"head\.json: .*{reason}"):
        read(tmp_path, **changes)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"labels": ["a", "b"]}'])
def test_not_a_head(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "head.json").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"head\.json: "):
        heads.read(tmp_path / "head.json", 2)
