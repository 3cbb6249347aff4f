from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab import swapping

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_put_in_anothers_place_whole(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    path.write_text("one")
    with path.open() as old:
        swapping.rename(path, "two")
        assert old.read() == "one"
    assert path.read_text() == "two"
    assert [*tmp_path.iterdir()] == [path]


def test_a_mounted_config_map_is_made_of_links(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    for edition in range(3):
        swapping.mount(path, f"text {edition}", edition)
        assert path.read_text() == f"text {edition}"
        assert path.readlink().as_posix() == "..data/router.yaml"
        assert (tmp_path / "..data").readlink().as_posix() == f"..00000{edition}"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["..000002", "..data", "router.yaml"]


def test_the_two_ways_may_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "router.yaml"
    swapping.mount(path, "one", 1)
    swapping.rename(path, "two")
    assert not path.is_symlink()
    assert path.read_text() == "two"
    swapping.mount(path, "three", 3)
    assert path.is_symlink()
    assert path.read_text() == "three"
