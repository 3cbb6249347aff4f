from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
import pytest
from msgspec import structs

pytest.importorskip("onnx", reason="needs the extra [train]")

from extproc_router.training import modernbert

if TYPE_CHECKING:
    from pathlib import Path

SMALL = modernbert.Shape(layers=4, hidden=32, heads=4, intermediate=48, vocabulary=100, window=8)


@pytest.fixture
def session(tmp_path: Path) -> onnxruntime.InferenceSession:
    modernbert.write(tmp_path / "small.onnx", SMALL)
    return onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])


def test_it_has_the_parameters_of_the_base_model() -> None:
    assert modernbert.parameters(modernbert.Shape()) == pytest.approx(149e6, rel=0.005)


def test_it_runs_at_any_length(session: onnxruntime.InferenceSession) -> None:
    for tokens in (1, 7, 40):
        [states] = session.run([modernbert.OUTPUT], {modernbert.INPUT: np.arange(tokens)[None]})
        assert states.shape == (1, tokens, SMALL.hidden)
        assert np.isfinite(states).all()


def test_every_token_sees_every_other_by_the_global_layers_and_places_matter(
    session: onnxruntime.InferenceSession,
) -> None:
    ids = np.arange(40)
    [before] = session.run(None, {modernbert.INPUT: ids[None]})
    [changed] = session.run(None, {modernbert.INPUT: np.where(ids == 39, 50, ids)[None]})
    [moved] = session.run(None, {modernbert.INPUT: ids[None, ::-1].copy()})
    assert np.abs(before[0, 0] - changed[0, 0]).max() > 1e-6
    assert np.abs(before[0] - moved[0, ::-1]).max() > 1e-6


@pytest.mark.parametrize(("layers", "same"), [(1, True), (2, False)])
def test_the_window_is_that_of_local_layers(tmp_path: Path, layers: int, *, same: bool) -> None:
    states = []
    for window in (8, 200):
        path = tmp_path / f"{window}.onnx"
        modernbert.write(path, structs.replace(SMALL, layers=layers, window=window))
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        states.append(session.run(None, {modernbert.INPUT: np.arange(40)[None]})[0])
    assert np.allclose(states[0], states[1], atol=1e-6) == same


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        modernbert.write(tmp_path / name, SMALL, seed=1)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
