from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

for needed in ("torch", "transformers", "safetensors", "onnx", "tqdm"):
    pytest.importorskip(needed, reason="needs the extra [train]")

from msgspec import structs  # noqa: E402  after the skips

from extproc_router import encoder  # noqa: E402
from extproc_router.training import latency, pipeline, trunk  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.filterwarnings("ignore")]


def test_a_whole_run_gives_a_model_that_answers(
    pool_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "measure", functools.partial(latency.measure, runs=2))
    train = trunk.train

    def small(options: trunk.Options, say: object) -> Path:
        return train(structs.replace(options, depths=(1, 2), tokens=512), say)  # type: ignore[arg-type]

    monkeypatch.setattr(trunk, "train", small)
    told: list[str] = []
    options = pipeline.Options(data=pool_directory, out=tmp_path / "tiny", cache=tmp_path / "cache", epochs=0.02)
    version = pipeline.train(options, told.append)
    model = encoder.load(tmp_path / "tiny")
    assert (model.name, model.version) == ("tiny", version)
    assert set(model.signals) == {"domain", "reasoning", "jailbreak", "difficulty", "pii"}
    assert set(model.encode("Ann Berg has two pens. How many pens has she?").heads) == set(model.enabled)
    assert f"Version `{version}`" in (tmp_path / "tiny" / "README.md").read_text()
    assert not (tmp_path / "tiny.partial").exists()
    assert [line for line in told if line.startswith("fitting jailbreak:") and line.endswith(" s")]
    # A trunk that is finished is taken as it is, and the heads are fitted to the same bytes.
    again = pipeline.train(structs.replace(options, resume=True), told.append)
    assert again == version
