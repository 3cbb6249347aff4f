"""What is not ours to read goes to the default route, untouched."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.envoy.conftest import House

pytestmark = pytest.mark.envoy

CHAT = "/v1/chat/completions"
MULTIPART = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n{"model":"x"}\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHAT),
        ("HEAD", CHAT),
        ("OPTIONS", CHAT),
        ("DELETE", CHAT),
        ("GET", "/"),
        ("GET", "/v1/unknown?x=1"),
        ("GET", "/v1/files/a%2Fb"),
        ("HEAD", "/v1/models"),
        ("OPTIONS", "/v1/models"),
    ],
)
def test_other_methods_and_paths_are_let_pass_to_the_default_cluster(house: House, method: str, path: str) -> None:
    reply = house.send(method, path)

    assert reply.status == 200
    received = house.only()
    assert (received.cluster, received.method, received.path, received.body) == ("small", method, path, b"")
    assert house.access(reply.headers["x-request-id"])["route"] == "passed"


def test_a_post_without_a_body_takes_the_default_route(house: House) -> None:
    empty, absent = house.post(b""), house.send("POST", CHAT)

    # The model server answers for itself: it cannot read this.
    assert (empty.status, absent.status) == (400, 400)
    assert b"small cannot read this" in empty.body
    assert [request.cluster for request in house.received] == ["small", "small"]
    assert house.decision(empty.headers["x-request-id"])["reason"] == "passed"


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
@pytest.mark.parametrize("path", ["/v1/files", "/v1/audio/transcriptions", CHAT])
def test_multipart_arrives_as_it_was_sent(house: House, path: str, *, chunked: bool) -> None:
    reply = house.post(MULTIPART, [("content-type", "multipart/form-data; boundary=b")], path=path, chunked=chunked)

    assert reply.status in {200, 400}
    received = house.only()
    assert (received.cluster, received.body) == ("small", MULTIPART)
    assert received.header("content-type") == "multipart/form-data; boundary=b"


def test_a_long_upload_to_another_path_is_not_held(house: House) -> None:
    body = b"\x00\x01\x02\x03" * (5 * 1024 * 1024)  # longer than Envoy would hold

    reply = house.post(body, [("content-type", "application/octet-stream")], path="/v1/files")

    assert reply.status == 200
    assert house.only().body == body


BOMB = gzip.compress(b'{"model":"auto","x":"' + b"0" * (64 * 1024 * 1024) + b'"}')


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"this is no gzip"),
        ("gzip", gzip.compress(b'{"model":"auto"}' * 100)[:-20]),
        ("gzip", BOMB),
        ("br", b"\x0b\x02\x80{}\x03"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}"))),
        ("zstd", zlib.compress(b"{}")),
    ],
    ids=["no gzip", "cut off", "bomb", "brotli", "twice", "zstd"],
)
def test_a_coding_that_cannot_be_undone_is_left_to_upstream(house: House, coding: str, body: bytes) -> None:
    reply = house.post(body, [("content-encoding", coding)])

    assert reply.status == 400
    assert b"small cannot read this" in reply.body
    received = house.only()
    assert received.body == body
    assert received.header("content-encoding") == coding
    assert house.decision(reply.headers["x-request-id"])["reason"] == "passed"


def test_paths_are_forwarded_as_they_came(house: House) -> None:
    house.send("GET", "/v1/files/a%2Fb/content?x=a%20b")

    assert [request.path for request in house.received] == ["/v1/files/a%2Fb/content?x=a%20b"]
