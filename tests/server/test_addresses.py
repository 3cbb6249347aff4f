from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.server import addresses
from extproc_router.server.addresses import Address

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        (":9002", Address("0.0.0.0", 9002)),
        ("[::1]:80", Address("[::1]", 80)),
        ("unix:/run/x.sock", Address(path="/run/x.sock")),
    ],
)
def test_addresses_are_read_and_written_alike(text: str, address: Address) -> None:
    assert addresses.parse(text) == address
    assert addresses.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "host", "host:", "host:x", "host:99999", "host:-1", "unix:x.sock", "unix:/" + "x" * 95]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StartupError):
        addresses.parse(text)


def test_a_live_servers_socket_is_not_taken(directory: Path) -> None:
    path = directory / "x.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(StartupError, match="another server"):
            addresses.claim(Address(path=str(path)))
    assert path.exists()


def test_a_dead_servers_socket_is_cleared_away(directory: Path) -> None:
    path = directory / "x.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    addresses.claim(Address(path=str(path)))
    assert not path.exists()


def test_what_dead_servers_bound_privately_is_cleared_away_too(directory: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / "x.sock.123"))
    (directory / "x.sock.note").write_text("not ours")
    with socket.socket(socket.AF_UNIX) as live:
        live.bind(str(directory / "x.sock.456"))
        live.listen()
        addresses.claim(Address(path=str(directory / "x.sock")))
    assert sorted(path.name for path in directory.iterdir()) == ["x.sock.456", "x.sock.note"]


def test_a_file_in_the_way_is_left_alone(directory: Path) -> None:
    path = directory / "x.sock"
    path.write_text("precious")
    with pytest.raises(StartupError, match="no socket"):
        addresses.claim(Address(path=str(path)))
    assert path.read_text() == "precious"


def test_a_missing_directory_is_said(directory: Path) -> None:
    with pytest.raises(StartupError, match="does not exist"):
        addresses.claim(Address(path=str(directory / "no" / "x.sock")))


def test_each_worker_has_its_own_socket() -> None:
    assert addresses.for_worker("unix:/run/x-{worker}.sock", 2, 4) == "unix:/run/x-2.sock"
    assert addresses.for_worker("0.0.0.0:9002", 2, 4) == "0.0.0.0:9002"
    assert addresses.for_worker("unix:/run/x.sock", 0, 1) == "unix:/run/x.sock"
    with pytest.raises(StartupError, match="cannot share"):
        addresses.for_worker("unix:/run/x.sock", 0, 2)
