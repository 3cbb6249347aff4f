from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from extproc_router.envoyconf import bootstrap
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_shipped_file_is_read(root: Path) -> None:
    data = bootstrap.read(root / "envoy/envoy.yaml")
    assert {"small", "large", "code", "extproc_router"} <= bootstrap.cluster_names(data)
    [(holder, processor)] = bootstrap.ext_proc_filters(data)
    assert holder["@type"].endswith("HttpConnectionManager")
    assert processor.grpc_service is not None


@pytest.mark.parametrize(
    ("text", "says"), [(b"[]", "mapping"), (b"a: [", "not YAML"), (b"\xff", "not YAML"), (b"", "mapping")]
)
def test_what_is_no_bootstrap_is_refused(tmp_path: Path, text: bytes, says: str) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_bytes(text)
    with pytest.raises(StartupError, match=says):
        bootstrap.read(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        bootstrap.read(tmp_path / "none.yaml")


@pytest.mark.parametrize("data", [{}, {"static_resources": None}, {"static_resources": {"clusters": [1, {}]}}])
def test_a_file_without_clusters_has_none(data: dict[str, object]) -> None:
    assert bootstrap.cluster_names(data) == frozenset()


def test_a_field_that_envoy_does_not_know_is_said() -> None:
    config = {"@type": bootstrap._EXT_PROC, "failure_mode_alow": True}
    with pytest.raises(StartupError, match="failure_mode_alow"):
        list(bootstrap.ext_proc_filters({"a": [{"typed_config": config}]}))
