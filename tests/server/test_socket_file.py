from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.server.socket_file import SocketFile

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def file(directory: Path) -> Iterator[SocketFile]:
    it = SocketFile(str(directory / "x.sock"))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(it.private)
        server.listen()
        yield it


def reachable(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def test_the_public_name_leads_to_the_socket(file: SocketFile, directory: Path) -> None:
    assert file.is_missing
    for _ in range(2):
        file.publish()
        assert file.is_ours
        assert reachable(directory / "x.sock")
    file.withdraw()
    assert file.is_missing
    assert sorted(path.name for path in directory.iterdir()) == [Path(file.private).name]


def test_a_successors_file_is_left_alone(file: SocketFile, directory: Path) -> None:
    file.publish()
    (directory / "x.sock").unlink()
    (directory / "x.sock").write_text("a successor's")
    assert not file.is_ours
    assert not file.is_missing
    file.withdraw()
    assert (directory / "x.sock").exists()


def test_publishing_replaces_what_a_dead_server_left(file: SocketFile, directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / "x.sock"))
    file.publish()
    assert reachable(directory / "x.sock")
