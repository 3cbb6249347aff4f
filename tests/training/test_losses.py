from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the extra [train]")

from extproc_router.training import losses  # noqa: E402  after the skip
from extproc_router.training.batches import UNKNOWN, Batch  # noqa: E402

SIZES = {"domain": 3, "topic": 2, "reasoning": 1, "jailbreak": 1, "difficulty": 2}


def batch(**known: object) -> Batch:
    nan = float("nan")
    parts = {
        "ids": torch.zeros((2, 4), dtype=torch.int64),
        "mask": torch.ones((2, 4), dtype=torch.bool),
        "shapes": torch.zeros((2, 4, 8)),
        "domain": torch.tensor([UNKNOWN, UNKNOWN]),
        "topic": torch.tensor([UNKNOWN, UNKNOWN]),
        "reasoning": torch.tensor([nan, nan]),
        "jailbreak": torch.tensor([nan, nan]),
        "outcomes": torch.full((2, 2), nan),
        "tags": torch.full((2, 4), UNKNOWN),
        "clean": ("a", "b"),
    }
    return Batch(**(parts | known))


def logits(value: float = 0.0) -> dict[str, object]:
    return {task: torch.full((2, size), value, requires_grad=True) for task, size in SIZES.items()}


def loss(truth: Batch, said: dict[str, object], tags: object = None) -> float:
    return float(losses.loss(said, torch.zeros((2, 4, 5)) if tags is None else tags, truth).detach())


def test_what_is_unknown_teaches_nothing() -> None:
    assert loss(batch(), logits()) == 0.0


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"domain": [1, UNKNOWN]}, 1.0 * 1.0986),
        ({"topic": [0, 1]}, 0.3 * 2 * 0.6931),
        ({"reasoning": [1.0, float("nan")]}, 0.6931),
        ({"jailbreak": [0.0, 1.0]}, 2 * 0.6931),
        ({"outcomes": [[1.0, 0.0], [float("nan"), 1.0]]}, 2.0 * 2 * 0.6931),
        ({"tags": [[0, 1, UNKNOWN, UNKNOWN], [UNKNOWN] * 4]}, 2.0 * 1.6094),
    ],
)
def test_each_task_counts_by_its_weight_and_the_rows_that_know(known: dict[str, list[object]], expected: float) -> None:
    truth = batch(**{name: torch.tensor(value) for name, value in known.items()})
    assert loss(truth, logits()) == pytest.approx(expected / 2, abs=1e-3)


def test_unknown_outcomes_give_finite_gradients() -> None:
    said = logits()
    losses.loss(
        said, torch.zeros((2, 4, 5)), batch(outcomes=torch.tensor([[1.0, float("nan")], [0.0, 1.0]]))
    ).backward()
    gradient = said["difficulty"].grad  # type: ignore[attr-defined]
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient[0, 1]) == 0.0


def test_likeness_is_zero_for_rotated_embeddings() -> None:
    rows = torch.nn.functional.normalize(torch.randn(5, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    turned = rows[:, [1, 0, 3, 2]]
    assert float(losses.likeness(turned, rows)) == pytest.approx(0.0, abs=1e-6)
    assert float(losses.likeness(rows, rows.roll(1, 0))) > 0.01
