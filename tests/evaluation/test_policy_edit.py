from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from extproc_router.errors import StartupError
from extproc_router.evaluation.policy_edit import read, spliced, write

if TYPE_CHECKING:
    from pathlib import Path

POLICY = """\
# Ünïcode before the value 🙂
metadata: {name: "x"}   # kept
routing:
  confidence_floor: 0.4   # why 0.4
  default: small
  inline: {a: 1, floor: 2}
models:
  - {name: a, weight: 1}
  - name: b
    weight: 2  # two
"""


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [
        ("routing.confidence_floor", "confidence_floor: 0.4 ", "confidence_floor: 0.25 "),
        ("routing.inline.floor", "floor: 2}", "floor: 0.25}"),
        ("models.0.weight", "weight: 1}", "weight: 0.25}"),
        ("models.1.weight", "weight: 2 ", "weight: 0.25 "),
        ("routing.margin", "routing:\n", "routing:\n  margin: 0.25\n"),
        ("routing.inline.b", "inline: {a", "inline: {b: 0.25, a"),
        ("models.1.size", "- name: b", None),
    ],
)
def test_one_place_changes(field: str, old: str, new: str | None) -> None:
    if new is None:
        with pytest.raises(StartupError, match="does not begin on its own line"):
            spliced(POLICY, field, 0.25, "p.yaml")
    else:
        assert spliced(POLICY, field, 0.25, "p.yaml") == POLICY.replace(old, new)


def test_an_empty_value_is_filled() -> None:
    assert spliced("routing:\n  floor:\n  b: 1\n", "routing.floor", 0.5, "p") == "routing:\n  floor: 0.5\n  b: 1\n"


@pytest.mark.parametrize("mark", ["&f", "!!float", "&f !!float", "!!float &f"])
def test_anchor_and_tag_stay(mark: str) -> None:
    text = f"a: .nan\nb:\n  floor: {mark} 0.5  # why\n"
    assert spliced(text, "b.floor", 0.25, "p") == text.replace("0.5", "0.25")


def test_line_ends_and_a_byte_order_mark_stay() -> None:
    text = "\ufeffrouting:\r\n  b: 1\r\n"
    assert spliced(text, "routing.floor", 0.5, "p") == "\ufeffrouting:\r\n  floor: 0.5\r\n  b: 1\r\n"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "a"),
        ("[", "a"),
        ("a: 1\n", "b.c"),
        ("a: {b: 1}\n", "a"),
        ("a: [1]\n", "a.3"),
        ("a: {}\n", "a.b"),
        ("a: &x 1\nb: *x\n", "b"),
        ("a: &x {f: 1}\nb: *x\n", "b.f"),
        ("a: &x {f: 1}\nb: *x\n", "a.f"),
        ("a: &x {g: 1}\nb: *x\n", "a.f"),
        ("a: &x {g: 1}\nb: *x\n", "b.f"),
        ("a: &x 1\nb: *x\n", "a"),
        ("a: !!str 1\n", "a"),
        ("a: |\n  1\nb: 2\n", "a"),
        ("[" * 5_000, "a"),
    ],
)
def test_no_such_place_is_said(text: str, field: str) -> None:
    with pytest.raises(StartupError):
        spliced(text, field, 0.5, "p")


@example(1e-07)
@example(1e16)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_any_number_reads_back(value: float) -> None:
    changed = spliced(POLICY, "routing.confidence_floor", value, "p")
    assert yaml.safe_load(changed)["routing"]["confidence_floor"] == value


def test_the_file_keeps_its_mode_and_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "policy.yaml", tmp_path / "link.yaml"
    target.write_text(POLICY)
    target.chmod(0o640)
    link.symlink_to(target)
    write(link, spliced(read(link), "routing.confidence_floor", 0.25, "p"))
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert target.read_text() == POLICY.replace("0.4 ", "0.25 ", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "policy.yaml"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"missing\.yaml"):
        read(tmp_path / "missing.yaml")
    (tmp_path / "latin").write_bytes(b"a: \xff")
    with pytest.raises(StartupError, match="not UTF-8"):
        read(tmp_path / "latin")


def test_a_mapping_takes_the_place_of_nothing() -> None:
    new = {"weights": {"intercept": 1e-7, "hedges": -0.5}}
    assert yaml.safe_load(spliced("a: 1\n", "verifier", new, "f")) == {"a": 1, "verifier": new}
    assert yaml.safe_load(spliced("a:\n", "a", new, "f")) == {"a": new}
    with pytest.raises(StartupError, match="no mapping"):
        spliced("a: 1\n", "a", new, "f")
