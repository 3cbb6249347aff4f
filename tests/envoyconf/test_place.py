from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf import place
from extproc_router.envoyconf.place import Finding
from extproc_router.types import Mistake

if TYPE_CHECKING:
    from tests.envoyconf.conftest import Read

TEXT = """\
a:
  name: one
list:
- {x: 1}
- 3
-
  x: 2
shared: &s
  y: 1
again: *s
none: null
cdsConfig: {}
"""


def test_every_value_knows_its_line(read: Read) -> None:
    root = read(TEXT)
    assert (root.get("a").line, root.get("a").get("name").line) == (1, 2)
    assert [item.line for item in root.each("list")] == [4, 7]
    assert [item.get("x").value for item in root.each("list")] == [1, 2]
    assert root.get("again").get("y").line == 9, "an alias is read where its anchor stands"


def test_what_is_absent_stands_where_its_parent_does(read: Read) -> None:
    absent = read(TEXT).get("a").get("b").get("c")
    assert (absent.present, absent.value, absent.line) == (False, None, 1)
    assert list(absent.children()) == []
    assert absent.text("x") == ""


def test_null_says_nothing(read: Read) -> None:
    assert not read(TEXT).get("none").present


@pytest.mark.parametrize(("value", "truth"), [("n", False), ("'t'", True), ("'no'", False), ("1", None), ("{}", None)])
def test_truths_are_read_as_envoy_reads_them(read: Read, value: str, truth: bool | None) -> None:
    assert read(f"a: {value}").get("a").truth() is truth
    assert read("b: 1").get("a").truth() is None


def test_both_spellings_of_a_field_are_read(read: Read) -> None:
    assert read(TEXT).get("cds_config").line == 12


def test_messages_are_found_at_any_depth(read: Read) -> None:
    assert [message.line for message in read(TEXT).messages()] == [1, 1, 4, 7, 8, 10, 12]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("8912896", 8912896),
        (1e6, 1_000_000),
        (0, 0),
        (None, None),
        ("lots", None),
        ("", None),
        ("-1", None),
        (-1, None),
        (True, None),
        (1.5, None),
        (float("inf"), None),
        (float("nan"), None),
        ([], None),
        (2**64, None),
        ("9" * 5000, None),
        ("²", None),
    ],
)
def test_numbers_are_read_as_envoy_reads_them(read: Read, value: Any, number: int | None) -> None:
    assert read({"n": value}).get("n").whole() == number


def test_the_message_type_is_named_without_its_package(read: Read) -> None:
    assert read({"@type": "type.googleapis.com/envoy.a.v3.B"}).kind() == "B"
    assert read({"x": 1}).kind() == ""


def test_what_many_samples_find_is_told_once() -> None:
    first, second = Mistake("f", 1, "a", "x"), Mistake("f", 1, "a", "y")
    found = [Finding(first), Finding(second), Finding(second, certain=False), Finding(Mistake("f", 2, "a", "x"))]
    assert [finding.mistake.message for finding in place.once(found)] == ["x", "y", "x"]


def test_long_values_are_cut() -> None:
    assert place.shown("a") == "'a'"
    assert len(place.shown("a" * 1000)) < 70


def test_texts_of_a_list_compare_as_headers_do(read: Read) -> None:
    place = read("requestHeadersToRemove: [X-A, 1, x-b]\nother: x-c\n")
    assert place.names("request_headers_to_remove") == ["x-a", "x-b"]
    assert place.names("other") == place.names("none") == []
