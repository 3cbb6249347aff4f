from __future__ import annotations

import argparse
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
    for bad in ("[1]", "{", '{"a": {"input": 1}}', '{"a": null}'):
        path.write_text(bad)
        with pytest.raises(StartupError, match=r"prices\.json"):
            offline.prices(path)
    with pytest.raises(StartupError, match="No such file"):
        offline.prices(tmp_path / "missing")


def test_names_and_bounds() -> None:
    assert offline.names(" a, b,,") == ("a", "b")
    assert offline.whole(1, 3)("3") == 3
    assert offline.share("0.5") == 0.5
    with pytest.raises(argparse.ArgumentTypeError, match="1 to 3"):
        offline.whole(1, 3)("4")
    for bad in ("0", "1", "nan", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match="between 0 and 1"):
            offline.share(bad)
