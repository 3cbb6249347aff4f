from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from extproc_router.errors import ArtefactError
from extproc_router.learning import artefact, manifest
from extproc_router.learning.manifest import Data, Manifest
from extproc_router.learning.strategies import STRATEGIES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from extproc_router.learning.base import Features, Outcomes

    World = Callable[..., tuple[Outcomes, Features]]
    Save = Callable[..., Manifest]

FEATURES = "0123456789ab"


@pytest.fixture
def save(world: World) -> Save:
    """Writes an artefact of two models."""

    def write(
        directory: Path, strategy: str = "table", pair: tuple[str, str] | None = ("model-0", "model-1")
    ) -> Manifest:
        outcomes, features = world(60, 2, missing=0.1)
        settings = STRATEGIES[strategy]()
        return artefact.save(
            directory,
            settings.fit(outcomes, features, 0),
            strategy=strategy,
            settings=msgspec.to_builtins(settings),
            pair=pair,
            features=FEATURES,
            encoder="tiny 1",
            data=Data("f" * 64, 60, 0.0, 1.0),
            seed=0,
            metrics={"apgr": 0.6},
        )

    return write


def rewrite(directory: Path, **changes: Any) -> None:
    """Change the manifest, honestly versioned."""
    path = directory / manifest.FILE_NAME
    contents = msgspec.structs.replace(msgspec.json.decode(path.read_bytes(), type=Manifest), **changes)
    contents = msgspec.structs.replace(contents, version=manifest.content_version(contents))
    path.write_bytes(msgspec.json.encode(contents))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_comes_back_as_it_was(strategy: str, save: Save, world: World, tmp_path: Path) -> None:
    written = save(tmp_path, strategy)
    outcomes, features = world(60, 2, missing=0.1)
    learnt = artefact.load(tmp_path, features=FEATURES)
    assert learnt.manifest == written
    quality = STRATEGIES[strategy]().fit(outcomes, features, 0).quality(features)
    np.testing.assert_allclose(learnt.fitted.quality(features), quality, atol=1e-6)
    np.testing.assert_allclose(learnt.score(features), (1 + quality[:, 1] - quality[:, 0]) / 2, atol=1e-6)


def test_the_same_fit_gives_the_same_bytes(save: Save, tmp_path: Path) -> None:
    first, second = save(tmp_path / "a", "mf"), save(tmp_path / "b", "mf")
    assert first.version == second.version
    for name in (manifest.FILE_NAME, artefact.ARRAYS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_other_features_are_refused_and_named(save: Save, tmp_path: Path) -> None:
    save(tmp_path)
    with pytest.raises(ArtefactError, match=r"fitted on features 0123456789ab .* gives ba9876543210"):
        artefact.load(tmp_path, features="ba9876543210")
    assert artefact.load(tmp_path, features=None).manifest.encoder == "tiny 1"


def test_without_a_pair_there_is_no_score(save: Save, world: World, tmp_path: Path) -> None:
    save(tmp_path, pair=None)
    learnt = artefact.load(tmp_path, features=FEATURES)
    with pytest.raises(ArtefactError, match="without a pair"):
        learnt.score(world(5)[1])


@pytest.mark.parametrize("name", [manifest.FILE_NAME, artefact.ARRAYS])
def test_every_flipped_byte_is_noticed(save: Save, tmp_path: Path, name: str) -> None:
    save(tmp_path)
    path = tmp_path / name
    good = path.read_bytes()
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        try:
            artefact.load(tmp_path, features=FEATURES)
        except ArtefactError:
            continue
        # White space in the manifest means nothing.
        assert name == manifest.FILE_NAME
        assert good[position : position + 1].isspace()


@pytest.mark.parametrize("name", [manifest.FILE_NAME, artefact.ARRAYS])
def test_missing_and_truncated_files_are_refused_by_name(save: Save, tmp_path: Path, name: str) -> None:
    save(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtefactError, match=name):
        artefact.load(tmp_path, features=FEATURES)
    path.unlink()
    with pytest.raises(ArtefactError, match=name):
        artefact.load(tmp_path, features=FEATURES)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": 2}, "format 2"),
        ({"strategy": "oracle"}, "unknown strategy 'oracle'"),
        ({"settings": {"prior": -1}}, "not a table"),
        ({"settings": {"depth": 1}}, "not a table"),
        ({"models": ["model-0"]}, "pair is not among the models"),
        ({"models": ["model-0", "model-0"]}, "named twice"),
        ({"models": ["model-0", "model-1", "model-2"]}, "not a table"),
        ({"weak": None}, "pair is not among the models"),
        ({"strategy": "mf", "settings": {}}, "not a mf"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(save: Save, tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    save(tmp_path)
    rewrite(tmp_path, **changes)
    with pytest.raises(ArtefactError, match=why):
        artefact.load(tmp_path, features=FEATURES)


@pytest.mark.parametrize(
    "cells", [np.array([[np.nan, 1.0]]), np.array([["x", "y"]]), np.array([[None, None]], dtype=object)]
)
def test_arrays_that_hold_no_numbers_are_refused(save: Save, tmp_path: Path, cells: Any) -> None:
    import hashlib  # noqa: PLC0415 - one test needs it

    save(tmp_path)
    buffer = io.BytesIO()
    np.savez(buffer, cells=cells)
    (tmp_path / artefact.ARRAYS).write_bytes(buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    rewrite(tmp_path, arrays_sha256=digest)
    with pytest.raises(ArtefactError, match=artefact.ARRAYS):
        artefact.load(tmp_path, features=FEATURES)


def test_a_place_that_cannot_be_written_is_named(save: Save, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match="file"):
        save(tmp_path / "file")
