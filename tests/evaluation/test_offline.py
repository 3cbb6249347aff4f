from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    from pathlib import Path


def test_model_names() -> None:
    assert offline.model_names(["a=b", "c=d=e"]) == {"a": "b", "c": "d=e"}
    for bad in ("a", "=b", "a="):
        with pytest.raises(StartupError, match="NAME=MODEL"):
            offline.model_names([bad])


def test_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"a": 1, "b": {"input": 0.25, "output": 0.5}}')
    assert offline.prices(path) == {"a": 1.0, "b": 0.75}
    bad_prices = [f'{{"a": {price}}}' for price in ("1" * 400, "NaN", "Infinity", "-1", "true", '"1"', "null", "[1]")]
    deep = '{"a": ' + '{"input": ' * 100_000
    for bad in ("[1]", "{", '{"a": {"input": 1}}', '{"a": {"input": {}, "output": 1}}', deep, *bad_prices):
        path.write_text(bad)
        with pytest.raises(StartupError, match=r"prices\.json"):
            offline.prices(path)
    with pytest.raises(StartupError, match="No such file"):
        offline.prices(tmp_path / "missing")


def test_telling_nobody_is_no_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    offline.tell("there")
    assert capsys.readouterr().err == "there\n"
    monkeypatch.setattr(sys, "stderr", None)
    offline.tell("gone")
    assert capsys.readouterr().out == ""


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    offline.make_directory(tmp_path / "a" / "b")
    offline.make_directory(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(StartupError, match="file"):
        offline.make_directory(tmp_path / "file" / "b")


def test_names_and_bounds() -> None:
    assert offline.names(" a, b,,") == ("a", "b")
    assert offline.whole(1, 3)("3") == 3
    assert offline.share("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 3"):
        offline.whole(1, 3)("4")
    for bad in ("0", "1", "nan", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="between 0 and 1"):
            offline.share(bad)
