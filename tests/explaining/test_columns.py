from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.explaining.columns import WIDTH, columns, count, wrapped


def test_cells_stand_under_each_other() -> None:
    assert list(columns([("a", "bb", "c"), ("long", "b", "d")])) == ["  a     bb  c", "  long  b   d"]


def test_the_last_cell_goes_on_under_its_beginning() -> None:
    first, second, *_ = columns([("name", "word " * 60)])
    assert first.startswith("  name  word")
    assert second.startswith("        word")


def test_counts_have_their_plural() -> None:
    assert [count(number, "case") for number in (0, 1, 1234)] == ["0 cases", "1 case", "1,234 cases"]


@given(st.lists(st.tuples(st.text(), st.text(), st.text(max_size=400)), min_size=1, max_size=4))
def test_no_line_is_too_long_and_none_is_a_command(rows: list[tuple[str, str, str]]) -> None:
    assert all(len(line) <= WIDTH and line.isprintable() for line in columns(rows))


def test_nothing_is_still_a_line() -> None:
    assert list(wrapped("why: ", "")) == ["why:"]
