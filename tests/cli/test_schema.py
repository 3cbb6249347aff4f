from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router import cli
from extproc_router.config import json_schema

if TYPE_CHECKING:
    import pytest


def test_the_schema_is_printed_as_it_is_committed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["schema"]) == 0
    assert capsys.readouterr().out == json_schema.text()
