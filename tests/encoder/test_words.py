from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder import words
from extproc_router.encoder.manifest import Geometry
from extproc_router.encoder.words import Words
from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from pathlib import Path

GEOMETRY = Geometry(dimension=4, vocabulary=13, max_tokens=16, head_share=0.5)


def test_vectors_and_idf_of_tokens(tiny: Path) -> None:
    vectors, idf = Words(tiny / "words.npy", GEOMETRY).look_up([4, 5, 12])
    np.testing.assert_allclose(vectors, [[1, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 1]], rtol=1e-6)
    assert vectors.dtype == idf.dtype == np.float32
    assert idf.tolist() == [1, 1, 0]


def test_the_mean_is_weighted_and_has_length_one() -> None:
    vectors = np.array([[3, 0], [0, 4]], np.float32)
    np.testing.assert_allclose(words.mean(vectors, np.array([4, 3], np.float32)), [0.5**0.5, 0.5**0.5], rtol=1e-6)


@pytest.mark.parametrize("tokens", [0, 2])
def test_where_nothing_tells_anything_the_mean_is_zero(tokens: int) -> None:
    mean = words.mean(np.ones((tokens, 3), np.float32), np.zeros(tokens, np.float32))
    assert mean.tolist() == [0, 0, 0]


@pytest.mark.parametrize("content", [b"", b"not numpy", b"\x93NUMPY\x01\x00v\x00{"])
def test_not_an_array(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words.npy").write_bytes(content)
    with pytest.raises(ArtefactError, match=r"words\.npy: no word vectors: "):
        Words(tmp_path / "words.npy", GEOMETRY)


def test_an_archive_of_arrays(tmp_path: Path) -> None:
    with (tmp_path / "words.npy").open("wb") as file:
        np.savez(file, a=np.zeros(3))
    with pytest.raises(ArtefactError, match=r"words\.npy: word vectors are an archive"):
        Words(tmp_path / "words.npy", GEOMETRY)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "words.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtefactError, match=r"words\.npy: "):
        Words(tmp_path / "words.npy", GEOMETRY)


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 3e38])
def test_scales_and_idfs_that_make_no_vector(tiny: Path, tmp_path: Path, column: int, value: float) -> None:
    table = np.load(tiny / "words.npy")
    table[7, 4:] = np.array([1, 1], "<f4").view(np.int8)
    start = 4 + 4 * column
    table[7, start : start + 4] = np.array([value], "<f4").view(np.int8)
    np.save(tmp_path / "words.npy", table)
    with pytest.raises(ArtefactError, match=r"words\.npy: a word's scale or IDF is not between"):
        Words(tmp_path / "words.npy", GEOMETRY)
