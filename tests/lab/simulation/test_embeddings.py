from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

from extproc_router.lab.simulation.embeddings import VECTOR, embeddings

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.asked import Asked


def test_a_vector_for_each_input(ask: Callable[..., Asked]) -> None:
    found = embeddings(ask("embeddings", input=["a", "b"]))
    assert [(each["index"], each["embedding"]) for each in found["data"]] == [(0, list(VECTOR)), (1, list(VECTOR))]
    assert len(embeddings(ask("embeddings", input="a"))["data"]) == 1


def test_packed_where_that_is_asked_for(ask: Callable[..., Asked]) -> None:
    [one] = embeddings(ask("embeddings", input="a", encoding_format="base64"))["data"]
    assert struct.unpack("<4f", base64.b64decode(one["embedding"])) == VECTOR
