from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder.session import Session
from extproc_router.errors import ArtefactError, EncoderFailed

if TYPE_CHECKING:
    from pathlib import Path

# A valid ONNX model that is no encoder: Cast int32 [1, tokens] `x` to float `y`.
CAST = (
    "CAg6SAoXCgF4EgF5IgRDYXN0KgkKAnRvGAGgAQISAWdaFAoBeBIPCg0IBhIJCgIIAQoDEgF0YhQKAXkSDwoNCAESCQoCCAEKAxIBdEIECgAQEQ=="
)


@pytest.fixture(scope="module")
def session(shipped: Path) -> Session:
    return Session(shipped / "encoder.onnx", 384)


@pytest.mark.parametrize("length", [2, 3, 16, 127, 128])
def test_an_embedding_has_length_one(session: Session, length: int) -> None:
    embedding = session.run([101, *range(2000, 1998 + length), 102])
    assert embedding.shape == (384,)
    assert embedding.dtype == np.float32
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)


def test_one_text_gives_the_same_bytes_whatever_ran_before(session: Session) -> None:
    ids = [101, 2054, 2003, 102]
    first = session.run(ids)
    session.run(list(range(1000, 1128)))
    assert session.run(ids).tobytes() == first.tobytes()


def test_threads_do_not_disturb_each_other(session: Session) -> None:
    inputs = [[101, *range(3000, 3000 + length), 102] for length in range(1, 60)]
    alone = [session.run(ids).tobytes() for ids in inputs]
    with ThreadPoolExecutor(4) as pool:
        assert [embedding.tobytes() for embedding in pool.map(session.run, inputs)] == alone


def test_what_the_graph_refuses_is_an_encoder_failure(session: Session) -> None:
    with pytest.raises(EncoderFailed, match="ONNX Runtime"):
        session.run([30_522])


def test_not_onnx(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(b"not a graph")
    with pytest.raises(ArtefactError, match=r"encoder\.onnx: ONNX Runtime cannot load it"):
        Session(tmp_path / "encoder.onnx", 384)


def test_no_encoder(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(base64.b64decode(CAST))
    with pytest.raises(ArtefactError, match="inputs and outputs are"):
        Session(tmp_path / "encoder.onnx", 384)


def test_another_dimension(shipped: Path) -> None:
    with pytest.raises(ArtefactError, match=r"shape is \[1, 384\], the manifest says \[1, 383\]"):
        Session(shipped / "encoder.onnx", 383)
