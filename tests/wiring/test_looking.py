from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.wiring.looking import Looker

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "router.yaml"
    path.write_text("0")
    return path


def test_what_moves_on_is_left_to_the_next_look(config: Path) -> None:
    pauses: list[float] = []

    def write(seconds: float) -> bool:
        pauses.append(seconds)
        config.write_text(f"{len(pauses)}")
        return False

    with pytest.raises(StartupError, match="still being written"):
        Looker(config, config.parent, None, write).still(())
    assert len(pauses) == 8
    assert Looker(config, config.parent, None, lambda _: False).still(()).text == b"8"


def test_the_same_bytes_in_another_file_are_another_look(config: Path) -> None:
    looks = 0

    def replace(_: float) -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            spare = config.with_name("spare")
            spare.write_text("0")
            spare.replace(config)
        return False

    assert Looker(config, config.parent, None, replace).still(()).text == b"0"
    assert looks == 2


def test_a_file_that_stays_open_for_writing_is_not_whole(config: Path) -> None:
    looker = Looker(config, config.parent, None, lambda _: False)
    with config.open("r+"), pytest.raises(StartupError, match="still being written"):
        looker.still(())
    assert looker.still(()).text == b"0"


def test_the_end_is_not_waited_for(config: Path) -> None:
    with pytest.raises(StartupError, match="the router is ending"):
        Looker(config, config.parent, None, lambda _: True).still(())


def test_pipes_are_refused_and_not_waited_for(config: Path) -> None:
    pipe = config.with_name("pipe")
    os.mkfifo(pipe)
    for paths in ((pipe, None), (config, pipe)):
        with pytest.raises(StartupError, match="pipe: no plain file"):
            Looker(paths[0], config.parent, paths[1], lambda _: False).look(())
    (config.parent / "manifest.json").symlink_to("pipe")
    seen = Looker(config, config.parent, None, lambda _: False).look([str(pipe)])
    assert seen.artefact == ""
    assert seen.tokenizers == frozenset({(str(pipe), "")})


def test_what_can_be_no_path_is_said(config: Path) -> None:
    with pytest.raises(StartupError, match="null"):
        Looker(config.with_name("a\0b"), config.parent, None, lambda _: False).look(())
