from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import ArtefactError
from extproc_router.learning import manifest
from extproc_router.learning.manifest import Data, Manifest

if TYPE_CHECKING:
    from pathlib import Path


def contents() -> Manifest:
    unversioned = Manifest(
        format=manifest.FORMAT,
        version="",
        strategy="mf",
        settings={"rank": 2},
        models=["a", "b"],
        weak="a",
        strong="b",
        features="0" * 12,
        encoder="tiny 1",
        data=Data("1" * 64, 3, 0.0, 1.0),
        seed=0,
        metrics={},
        arrays_sha256="2" * 64,
    )
    return msgspec.structs.replace(unversioned, version=manifest.content_version(unversioned))


def test_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / manifest.FILE_NAME
    path.write_bytes(msgspec.json.encode(contents()))
    assert manifest.read(path) == contents()


def test_the_version_is_that_of_the_contents() -> None:
    assert manifest.content_version(contents()) == contents().version
    assert manifest.content_version(msgspec.structs.replace(contents(), seed=1)) != contents().version


@given(st.one_of(st.binary(max_size=200), st.just(b"[" * 100_000), st.just(b" " * (manifest.MAX_BYTES + 1))))
def test_anything_else_is_refused_by_name(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / manifest.FILE_NAME
    path.write_bytes(text)
    with pytest.raises(ArtefactError, match=manifest.FILE_NAME):
        manifest.read(path)
