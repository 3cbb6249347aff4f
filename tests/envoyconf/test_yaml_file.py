from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.envoyconf import yaml_file
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "expected a mapping"),
        ("", "expected a mapping"),
        ("a: [", ":2: not YAML"),
        ("a: 1\nb: }\n", ":2: not YAML"),
        (b"\xff", "not YAML"),
        ("a: \0", "not YAML"),
        ("a: 1\n---\nb: 1\n", ":2: not YAML"),
        ("a: 1\nb: x\u0085# y\n", ":2: a line break beyond ASCII"),
        ("a: x\u2028b: y\n", ":1: a line break beyond ASCII"),
        ("a: 1\nb: !ignore x\n", ":2: tags are not supported"),
        ("a: 1\nb: [!ignore {}]\n", ":2: tags are not supported"),
        ("a: 1\nb: !!timestamp x\n", ":2: tags are not supported"),
        ("a: 1\nb: 2\na: 3\n", ":3: duplicate key 'a'"),
        ("a: &a {b: 1}\nc: {<<: *a}\n", ":2: Envoy knows no merge keys"),
        ("? [x]\n: 1\n", ":1: a key must be a plain word"),
        ("a: 1\nb: &x [*x]\n", ":2: an anchor holds itself"),
        ("a: &x {b: {c: *x}}\n", ":1: an anchor holds itself"),
        ("a: " + "[" * 5000 + "]" * 5000, ":1: nested deeper than 100 levels"),
        ("a: " + "{a: " * 5000 + "1" + "}" * 5000, ":1: nested deeper than 100 levels"),
        (CHAIN, "nested deeper than 100 levels, with every alias written out"),
        (LAUGHS, "more than 250000 values, with every alias written out"),
        ("a:\n" + "- x\n" * 250_000, "more than 250000 values"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_cannot_be_a_bootstrap_is_refused_with_its_line(tmp_path: Path, text: str | bytes, says: str) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StartupError) as caught:
        yaml_file.read(path)
    assert str(caught.value).startswith(f"{path}:")
    assert says in str(caught.value)


def test_an_enormous_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "envoy.yaml"
    with path.open("wb") as file:
        file.truncate(yaml_file.MAX_BYTES + 1)
    with pytest.raises(StartupError, match="larger than"):
        yaml_file.read(path)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        yaml_file.read(tmp_path / "none.yaml")
    with pytest.raises(StartupError, match="null byte"):
        yaml_file.read(tmp_path / "a\0b")


def test_anchors_are_followed_and_what_envoy_ignores_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_text("!ignore x: &x {b: 1}\nc: *x\nd: [*x, *x]\n")
    assert yaml_file.read(path)[0] == {"c": {"b": 1}, "d": [{"b": 1}, {"b": 1}]}


def test_words_are_what_envoy_makes_of_them(tmp_path: Path) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_text("on: y\n1.5: 2020-99-99\nnothing: ~\nlist: [~, 'no', 1:30, 12345678901]\n")
    assert yaml_file.read(path)[0] == {"on": True, "1.5": "2020-99-99", "list": [None, "no", "1:30", "12345678901"]}


@given(st.one_of(st.text(max_size=200), st.text(alphabet="a:-&*[]{}\n <!0123456789.", max_size=60)))
def test_anything_else_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(text.encode(errors="surrogatepass"))
    try:
        data, _ = yaml_file.read(path)
    except StartupError as error:
        assert str(path) in str(error)
    else:
        assert isinstance(data, dict)
