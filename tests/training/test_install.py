from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from extproc_router import encoder
from extproc_router.encoder import manifest
from extproc_router.errors import ArtefactError, StartupError
from extproc_router.training import install
from extproc_router.training.fit import Linear
from extproc_router.training.ladder import Fitted, Rung
from extproc_router.types import Flag

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.encoder.head_file import HeadFile


def fitted(shipped: Path, bias: float = 0.0) -> Fitted:
    contents = manifest.read(shipped)
    width = contents.geometry.dimension
    last = Rung(Linear(np.full((1, width), 0.123456789), np.array([bias])), 0.5, penalty=1e-3)
    rungs = (None,) * len(contents.stages)
    return Fitted("flag", ("urgent",), (*rungs, last), 0.75, 0.0, 0.0, np.arange(0), (None,) * (len(rungs) + 1))


def head(shipped: Path, bias: float = 0.0, **card: Any) -> HeadFile:
    return install.head_file(fitted(shipped, bias), inputs=["mean"], surface=None, models=None, card=card)


def test_what_was_fitted_is_written_down(shipped: Path) -> None:
    file = head(shipped, figures={"AUC": 0.9})
    assert file.readings[0] is None
    last = file.readings[-1]
    assert last is not None
    assert last.weights[0][0] == 0.123457
    assert (file.kind, file.labels, file.threshold, file.enabled) == ("flag", ["urgent"], 0.75, True)


def test_a_copy_gets_the_head_and_the_model_stays(shipped: Path, tmp_path: Path) -> None:
    before = manifest.read(shipped)
    target = tmp_path / "copy"
    version = install.install(shipped, target, "urgent", head(shipped, rows=7), {"rows": 7})
    assert manifest.read(shipped) == before
    after = encoder.load(target)
    assert (after.version, after.enabled[-1]) == (version, "urgent")
    assert isinstance(after.encode("hello", ["urgent"]).heads["urgent"], Flag)
    assert manifest.read(target).provenance["fitted_heads"]["urgent"] == {"rows": 7}
    card = (target / "README.md").read_text()
    assert f"| version of the directory | `{version}` |" in card
    assert "| rows | 7 |" in card
    with pytest.raises(StartupError, match="is there already"):
        install.install(shipped, target, "urgent", head(shipped), {})


def test_in_place_replaces_the_head_and_its_section(shipped: Path, tmp_path: Path) -> None:
    model = shutil.copytree(shipped, tmp_path / "model")
    first = install.install(model, model, "urgent", head(model, rows=1), {})
    second = install.install(model, model, "urgent", head(model, bias=1.0, rows=2), {})
    assert first != second
    assert encoder.load(model).version == second
    card = (model / "README.md").read_text()
    assert card.count("## Head `urgent`") == 1
    assert "| rows | 2 |" in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_a_head_that_does_not_fit_leaves_everything_as_it_was(shipped: Path, tmp_path: Path) -> None:
    model = shutil.copytree(shipped, tmp_path / "model")
    before = manifest.read(model)
    spoilt = install.head_file(fitted(model), inputs=["mean", "focus"], surface=None, models=None, card={})
    for target in (model, tmp_path / "copy"):
        with pytest.raises(ArtefactError, match="a row of weights is not"):
            install.install(model, target, "urgent", spoilt, {})
    assert manifest.read(model) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]
    assert "urgent" not in json.loads((model / "manifest.json").read_text())["heads"]


@pytest.mark.parametrize("inside", ["inner", "heads/inner"])
def test_no_copy_of_a_model_goes_into_itself(shipped: Path, tmp_path: Path, inside: str) -> None:
    model = tmp_path / "model"
    shutil.copytree(shipped, model)
    with pytest.raises(StartupError, match="is inside of"):
        install.install(model, model / inside, "urgent", head(shipped), {})


def test_what_lies_where_the_copy_is_made_stays(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.partial").mkdir()
    with pytest.raises(StartupError, match=r"copy\.partial: is there already"):
        install.install(shipped, tmp_path / "copy", "urgent", head(shipped), {})
    assert (tmp_path / "copy.partial").is_dir()


def test_the_model_may_be_the_directory_that_one_stands_in(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    shutil.copytree(shipped, model)
    monkeypatch.chdir(model)
    here = type(model)()
    assert install.install(here, here, "urgent", head(shipped), {}) == manifest.read(model).version
    assert sorted(tmp_path.iterdir()) == [model]


def test_a_link_to_where_nothing_is_yet(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    version = install.install(shipped, tmp_path / "link", "urgent", head(shipped), {})
    assert manifest.read(tmp_path / "copy").version == version


def test_where_nobody_may_write_nothing_is_fitted(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "model"
    shutil.copytree(shipped, model)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    for target in (model, tmp_path / "far" / "copy"):
        with pytest.raises(StartupError, match="cannot be written"):
            install.check_target(model, target)
