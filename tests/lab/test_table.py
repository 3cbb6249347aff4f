from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router.lab import bench_report, chain_report, demo, targets
from extproc_router.lab.table import Column, Side, Table, shorten

TABLE = Table((Column("NAME", 6), Column("MS", 5, Side.RIGHT)))


def test_columns_line_up() -> None:
    assert TABLE.head() == "NAME       MS\n─────────────"
    assert TABLE.row(["abc", "1.5"]) == "abc       1.5"
    assert TABLE.row(["abcdefgh", "1234567"]) == "abcde…  1234…"


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        TABLE.row(["abc"])


def test_the_tables_fit_a_terminal_of_100_columns() -> None:
    tables = (demo.TABLE, bench_report.CASES, chain_report.CASES, targets.TARGETS)
    assert max(table.width for table in tables) <= 100


@given(st.text(), st.integers(min_value=1, max_value=50))
@settings(deadline=None, derandomize=True)
def test_shortened_text_is_one_line_that_fits(text: str, width: int) -> None:
    short = shorten(text, width)

    assert len(short) <= width
    assert len(short.splitlines()) <= 1
    assert short.rstrip("…").strip() in " ".join(text.split())
