from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.config import loader
from extproc_router.errors import StartupError
from extproc_router.explaining import kept
from extproc_router.server.state import Applied, State

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\n"
NEW = OLD.replace("cluster: c", "cluster: d")


@pytest.fixture
def keep(tmp_path: Path) -> Callable[..., str]:
    """Keep a text as a version that ran; returns its hash."""

    def apply(text: str, encoder: str = "e1", file: str = "/etc/router/router.yaml") -> str:
        raw = text.encode()
        full = hashlib.sha256(raw).hexdigest()
        State(tmp_path).applied(Applied(full[:12], encoder, file, raw, {}, 0, 1.0, ""))
        return full

    return apply


def test_a_version_is_found_with_the_place_that_its_file_had(tmp_path: Path, keep: Callable[..., str]) -> None:
    full = keep(OLD)
    keep(NEW)

    found = kept.find(tmp_path, full[:7])

    assert found.config.version == full[:12]
    assert found.config.candidates[0].cluster == "c"
    # What it names by a relative path is looked for where it was.
    assert Path(found.config.document.file).parent == Path("/etc/router")


def test_it_says_where_another_encoder_read_then(tmp_path: Path, keep: Callable[..., str]) -> None:
    full = keep(OLD, "e0")
    keep(OLD, "e1")

    found = kept.find(tmp_path, full)

    assert found.notes("e1") == ()
    assert found.notes("e2") == (
        f"version {full[:12]} last ran with encoder e1; prompts are read by e2 here, and what it says may differ",
    )


def test_a_version_that_is_no_config_any_more_is_said(tmp_path: Path, keep: Callable[..., str]) -> None:
    full = keep("models: []\n")

    with pytest.raises(StartupError, match=rf"{full[:12]} ran once, and this release does not understand it:\n/etc/ro"):
        kept.find(tmp_path, full)


def test_a_logged_decision_is_told_under_the_config_that_made_it(tmp_path: Path, keep: Callable[..., str]) -> None:
    full, given = keep(OLD), loader.load(NEW, "r.yaml")

    config, note = kept.behind(tmp_path, full[:12], given)

    assert config.version == full[:12]
    assert note == f"told under version {full[:12]}, which decided it and is kept in {tmp_path}"


def test_where_that_is_not_kept_the_one_given_has_to_do(tmp_path: Path) -> None:
    given = loader.load(NEW, "r.yaml")

    assert kept.behind(tmp_path, given.version, given) == (given, "")
    assert kept.behind(None, "0" * 12, given) == (given, "")
    for version in ("0" * 12, "", "nonsense"):
        config, note = kept.behind(tmp_path, version, given)
        assert config is given
        assert note.startswith("the config that decided it is not at hand: ")
