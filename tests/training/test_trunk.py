from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

for needed in ("torch", "transformers", "safetensors", "tqdm"):
    pytest.importorskip(needed, reason="needs the extra [train]")

from safetensors.numpy import load_file  # noqa: E402  after the skips

from extproc_router.errors import StartupError  # noqa: E402
from extproc_router.training import trunk  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.filterwarnings("ignore")]


def options(data: Path, out: Path, *, resume: bool = False, seed: int = 0) -> trunk.Options:
    return trunk.Options(
        data=data, out=out, seed=seed, epochs=0.03, resume=resume, depths=(1, 2), tokens=256, max_tokens=16, composed=10
    )


def test_a_run_that_was_cut_off_ends_as_it_would_have(
    pool_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    trunk.train(options(pool_directory, tmp_path / "whole"), told.append)
    learn, limit = trunk._Run._learn, 3

    def cut_off(self: trunk._Run, batch: object) -> float:
        if self.step == limit:
            raise KeyboardInterrupt
        return learn(self, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(trunk, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(trunk._Run, "_learn", cut_off)
    with pytest.raises(KeyboardInterrupt):
        trunk.train(options(pool_directory, tmp_path / "cut"), told.append)
    monkeypatch.setattr(trunk._Run, "_learn", learn)
    trunk.train(options(pool_directory, tmp_path / "cut", resume=True), told.append)
    assert any("from step 3" in line for line in told)
    # What is finished stays as it is, and its checkpoint, figures included, can be read.
    trunk.train(options(pool_directory, tmp_path / "cut", resume=True), told.append)
    whole, cut = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all((whole[name] == cut[name]).all() for name in whole)
    report = json.loads((tmp_path / "whole" / trunk.REPORT).read_text())
    assert report["depths"] == [1, 2]
    stages = load_file(tmp_path / "whole" / trunk.STAGES)
    assert stages["idf"].min() >= 0
    assert stages["0.query"].shape == stages["1.query"].shape == (384,)


def test_a_checkpoint_of_another_run_is_refused(pool_directory: Path, tmp_path: Path) -> None:
    trunk.train(options(pool_directory, tmp_path / "one"), lambda _: None)
    with pytest.raises(StartupError, match="another run"):
        trunk.train(options(pool_directory, tmp_path / "one", resume=True, seed=1), lambda _: None)
