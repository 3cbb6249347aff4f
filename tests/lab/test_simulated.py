from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from extproc_router.errors import StartupError
from extproc_router.lab.load import CHAT, chat
from extproc_router.lab.probes import is_free
from extproc_router.lab.simulated import simulated

if TYPE_CHECKING:
    from pathlib import Path


def test_it_answers_as_its_options_say_and_ends_with_the_block(tmp_path: Path) -> None:
    with simulated(tmp_path, "small", "--answer-tokens=20") as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", CHAT, chat("m", "hello"))
        answer = json.loads(connection.getresponse().read())
        connection.close()
    assert answer["usage"]["completion_tokens"] == 20
    assert "on small says" in answer["choices"][0]["message"]["content"]
    assert is_free(port)


def test_a_mistake_in_its_options_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="skill"), simulated(tmp_path, "small", "--skill=2"):
        pass
