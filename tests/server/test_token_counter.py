from __future__ import annotations

from pathlib import Path

import pytest

from extproc_router.errors import StartupError
from extproc_router.server import token_counter

SHIPPED = Path(__file__).parents[2] / "models/minilm-l4-router/tokenizer.json"


def test_every_token_counts_and_no_other() -> None:
    count = token_counter.load(SHIPPED)
    assert count("") == 0
    assert count("hello world") == 2
    # The shipped file truncates for the encoder: here nothing is cut.
    assert count("hello " * 5_000) == 5_000
    assert count("half \ud800 pair") > 2


def test_what_is_no_tokenizer_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        token_counter.load(tmp_path / "none.json")
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    with pytest.raises(StartupError, match=r"no tokenizer\.json"):
        token_counter.load(bad)
