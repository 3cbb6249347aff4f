from __future__ import annotations

import os
from pathlib import Path

import pytest

from extproc_router.server import links


def test_a_plain_file_is_its_only_entry(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert [*links.entries(tmp_path / "a")] == [tmp_path / "a"]
    assert [*links.entries(tmp_path / "b" / ".." / "a")] == [tmp_path / "b"]


def test_the_way_to_a_file_of_a_config_map_has_three(tmp_path: Path) -> None:
    (tmp_path / "..1").mkdir()
    (tmp_path / "..1" / "a").touch()
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "a").symlink_to("..data/a")
    assert [*links.entries(tmp_path / "a")] == [tmp_path / "a", tmp_path / "..data", tmp_path / "..1" / "a"]


def test_absolute_links_and_links_to_directories_are_followed(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "a").touch()
    (tmp_path / "current").symlink_to(tmp_path / "v1")
    (tmp_path / "up").symlink_to("current/../v1")
    found = [*links.entries(tmp_path / "up" / "a")]
    assert found == [tmp_path / "up", tmp_path / "current", tmp_path / "v1" / "a"]


def test_what_is_missing_ends_the_way(tmp_path: Path) -> None:
    assert [*links.entries(tmp_path / "none" / "deeper" / "a")] == [tmp_path / "none"]
    (tmp_path / "dangling").symlink_to("nowhere")
    assert [*links.entries(tmp_path / "dangling")] == [tmp_path / "dangling", tmp_path / "nowhere"]


def test_a_circle_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert links.all_entries([tmp_path / "a"]) == {tmp_path / "a", tmp_path / "b"}


def test_a_relative_path_begins_where_we_are(tmp_path: Path) -> None:
    before = Path.cwd()
    os.chdir(tmp_path)
    try:
        assert links.all_entries([Path("a"), Path("x/a")]) == {tmp_path / "a", tmp_path / "x"}
    finally:
        os.chdir(before)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "\ud800"], ids=["NUL", "too long", "no Unicode"])
def test_what_can_be_no_name_is_missing(tmp_path: Path, name: str) -> None:
    assert [*links.entries(tmp_path / name / "x.json")] == [tmp_path / name]


def test_what_may_not_be_looked_into_ends_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object, **_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "shut").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", refuse)
        patch.setattr(os, "readlink", refuse)
        assert [*links.entries(tmp_path / "shut" / "a")] == [Path("/", tmp_path.parts[1])]


def test_a_relative_path_whose_beginning_is_gone_leads_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert links.all_entries([Path("a")]) == frozenset()
