from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder.session import HIDDEN_IN, WORDS, Stage
from extproc_router.errors import ArtefactError, EncoderFailed

if TYPE_CHECKING:
    from pathlib import Path

# A valid ONNX model that is no encoder: Cast int32 [1, tokens] `x` to float `y`.
CAST = (
    "CAg6SAoXCgF4EgF5IgRDYXN0KgkKAnRvGAGgAQISAWdaFAoBeBIPCg0IBhIJCgIIAQoDEgF0YhQKAXkSDwoNCAESCQoCCAEKAxIBdEIECgAQEQ=="
)


@pytest.fixture(scope="module")
def stage(tiny: Path) -> Stage:
    return Stage(tiny / "stage-2.onnx", HIDDEN_IN, 4)


def states(tokens: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(tokens).normal(size=(1, tokens, 4)).astype(np.float32)


@pytest.mark.parametrize("tokens", [1, 2, 3, 16, 127, 128])
def test_a_stage_gives_states_and_two_vectors_of_length_one(stage: Stage, tokens: int) -> None:
    hidden = states(tokens)
    output = stage.run(hidden)
    np.testing.assert_allclose(output.hidden, hidden * [1, -1, 2, 1], rtol=1e-6)
    mean = output.hidden[0].mean(axis=0)
    np.testing.assert_allclose(output.mean, mean / np.linalg.norm(mean), rtol=1e-4, atol=1e-6)
    assert np.linalg.norm(output.focus) == pytest.approx(1, abs=1e-5)
    assert output.mean.shape == output.focus.shape == (4,)


def test_threads_do_not_disturb_each_other(stage: Stage) -> None:
    inputs = [states(tokens) for tokens in range(1, 60)]
    alone = [stage.run(hidden).mean.tobytes() for hidden in inputs]
    with ThreadPoolExecutor(4) as pool:
        assert [output.mean.tobytes() for output in pool.map(stage.run, inputs)] == alone


def test_what_the_graph_refuses_is_an_encoder_failure(stage: Stage) -> None:
    with pytest.raises(EncoderFailed, match="ONNX Runtime"):
        stage.run(np.zeros((1, 3, 5), np.float32))


def test_not_onnx(tmp_path: Path) -> None:
    (tmp_path / "stage.onnx").write_bytes(b"not a graph")
    with pytest.raises(ArtefactError, match=r"stage\.onnx: ONNX Runtime cannot load it"):
        Stage(tmp_path / "stage.onnx", WORDS, 4)


def test_no_stage(tmp_path: Path) -> None:
    (tmp_path / "stage.onnx").write_bytes(base64.b64decode(CAST))
    with pytest.raises(ArtefactError, match="inputs and outputs are"):
        Stage(tmp_path / "stage.onnx", WORDS, 4)


def test_a_later_stage_is_not_the_first(tiny: Path) -> None:
    with pytest.raises(ArtefactError, match=r"stage-2\.onnx: the graph's inputs and outputs are"):
        Stage(tiny / "stage-2.onnx", WORDS, 4)


def test_another_dimension(tiny: Path) -> None:
    with pytest.raises(ArtefactError, match=r"stage-1\.onnx: the graph's dimensions are .*, the manifest says 5"):
        Stage(tiny / "stage-1.onnx", WORDS, 5)


def test_what_is_no_number_is_an_encoder_failure(stage: Stage) -> None:
    with pytest.raises(EncoderFailed, match="no number"):
        stage.run(np.full((1, 2, 4), np.nan, np.float32))
