"""The word vectors: tier 0, and what the first stage reads.

One row a token, int8: the vector's values, then two little-endian float32, its scale and the token's IDF. The file is
mapped, not read: workers share its pages, and of those only the ones in use are in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.errors import ArtefactError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from extproc_router.encoder.manifest import Geometry

TRAILER = 8  # bytes of a row behind its values: scale and IDF
TRAILER_TYPE = "<f4"
_MOST = 1e6  # of a scale and an IDF: far beyond what there is, and no sum of products overflows


class Words:
    """The table, mapped.

    Args:
        path: a .npy file, int8 [vocabulary, dimension + `TRAILER`].
        geometry: what it must fit.

    Raises:
        ArtefactError: it is no such file, of another type or shape, or a scale or an IDF in it is impossible.
    """

    def __init__(self, path: Path, geometry: Geometry) -> None:
        try:
            table = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ArtefactError(f"{path}: no word vectors: {error}") from error
        wanted = (geometry.vocabulary, geometry.dimension + TRAILER)
        if not isinstance(table, np.ndarray) or table.dtype != np.int8 or table.shape != wanted:
            found = f"{table.dtype} {table.shape}" if isinstance(table, np.ndarray) else "an archive"
            raise ArtefactError(f"{path}: word vectors are {found}, the manifest says int8 {wanted}")
        # Read, not mapped: a look at every row through the map would bring all of it into memory for good.
        trailers = _trailers(np.load(path, allow_pickle=False)[:, geometry.dimension :])
        if not ((trailers >= 0) & (trailers <= _MOST)).all():
            raise ArtefactError(f"{path}: a word's scale or IDF is not between 0 and {_MOST:g}")
        self._table = table
        self._dimension = geometry.dimension

    def look_up(self, ids: Sequence[int]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return float32 [tokens, dimension], the vectors, and float32 [tokens], how telling each token is (IDF)."""
        rows = np.asarray(self._table[ids])
        trailers = _trailers(rows[:, self._dimension :])
        vectors = rows[:, : self._dimension].astype(np.float32) * trailers[:, :1]
        return vectors, trailers[:, 1]


def _trailers(rows: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Return float32 [rows, 2]: scale and IDF."""
    return np.ascontiguousarray(rows).view(TRAILER_TYPE).astype(np.float32)


def mean(vectors: npt.NDArray[np.float32], idf: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average word vectors by their IDF.

    Args:
        vectors: float32 [tokens, dimension]; special tokens have no place here.
        idf: float32 [tokens].

    Returns:
        float32 [dimension], of length 1; zeros where no token tells anything.
    """
    total: npt.NDArray[np.float32] = idf @ vectors
    length = float(np.linalg.norm(total))
    return total / np.float32(length) if length > 0.0 else np.zeros_like(total)
