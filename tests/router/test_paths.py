from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.router import paths
from extproc_router.types import HttpRequest


def request(**headers: str) -> HttpRequest:
    return HttpRequest("POST", "/", {name.replace("_", "-"): value for name, value in headers.items()}, None)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/models", "/v1/models"),
        ("/v1/models?a=b?c", "/v1/models"),
        ("/v1/ch%61t", "/v1/chat"),
        ("/v1/a%2Fb%3Fc?d=%20", "/v1/a/b?c"),
        ("/%zz%", "/%zz%"),
        ("?a", ""),
    ],
)
def test_a_path_is_read_as_upstreams_read_it(path: str, route: str) -> None:
    assert paths.route(path) == route


@given(st.text())
def test_any_path_has_a_route_without_a_query(path: str) -> None:
    assert paths.route(path).count("?") <= path.partition("?")[0].lower().count("%3f")


@pytest.mark.parametrize(
    ("content_type", "multipart"),
    [("multipart/form-data; boundary=x", True), ("Multipart/Mixed", True), ("application/json", False), ("", False)],
)
def test_multipart_is_what_says_so(content_type: str, multipart: bool) -> None:
    assert paths.is_multipart(request(content_type=content_type)) is multipart
    assert not paths.is_multipart(request())


@pytest.mark.parametrize(
    ("header", "length"), [("17", 17), ("", 0), ("-1", 0), ("1e3", 0), ("²", 0), ("9" * 5000, 10**18 - 1)]
)
def test_a_declared_length_is_a_number_or_none(header: str, length: int) -> None:
    assert paths.declared_length(request(content_length=header)) == length


def test_without_the_header_it_is_unknown() -> None:
    assert paths.declared_length(request()) == 0


@pytest.mark.parametrize(
    ("method", "headers", "more", "may"),
    [
        ("POST", {}, True, True),
        ("GET", {}, True, True),  # HTTP/2 needs no header for it
        ("POST", {}, False, False),
        ("GET", {"content-length": "0"}, False, False),
        ("GET", {"content-length": "1"}, False, True),
        ("DELETE", {"transfer-encoding": "chunked"}, False, True),
    ],
)
def test_a_body_comes_where_anything_says_so(method: str, headers: dict[str, str], *, more: bool, may: bool) -> None:
    assert paths.may_have_body(HttpRequest(method, "/x", headers, None, more)) is may
    assert paths.may_have_body(HttpRequest(method, "/x", {}, b"x"))
