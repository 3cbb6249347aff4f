from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

import pytest

for needed in ("torch", "transformers", "safetensors", "onnx"):
    pytest.importorskip(needed, reason="needs the extra [train]")

from extproc_router import encoder  # noqa: E402  after the skips
from extproc_router.training import latency, pipeline  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


def options(data: Path, out: Path) -> pipeline.Options:
    return pipeline.Options(data=data, out=out, cache=data / "cache", seed=0, max_tokens=32, head_share=0.5, workers=2)


def test_training_twice_gives_the_same_bytes(
    data_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "measure", functools.partial(latency.measure, runs=2))
    told: list[str] = []
    versions = [
        pipeline.train(options(data_directory, tmp_path / name / "tiny"), told.append) for name in ("first", "second")
    ]
    assert versions[0] == versions[1]
    for part in ("manifest.json", "encoder.onnx", "tokenizer.json", "heads/domain.json"):
        first, second = (
            hashlib.sha256((tmp_path / name / "tiny" / part).read_bytes()).hexdigest() for name in ("first", "second")
        )
        assert first == second, part
    trained = encoder.load(tmp_path / "first" / "tiny")
    assert (trained.name, trained.version) == ("tiny", versions[0])
    assert trained.encode("write a python function that reverses a list").heads["domain"].label == "computer science"
    assert "Version `" + versions[0] in (tmp_path / "first" / "tiny" / "README.md").read_text()
    assert not (tmp_path / "first" / "tiny.partial").exists()
    assert [line for line in told if line.startswith("embedding") and line.endswith(" s")] != []
