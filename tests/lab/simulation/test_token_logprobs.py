from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.lab.simulation import token_logprobs
from extproc_router.lab.simulation.saying import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.lab.simulation.asked import Asked

SAID = Said(("é ", "b"), (-0.5, -0.25))


def test_chat(ask: Callable[..., Asked]) -> None:
    asked = ask(logprobs=True, top_logprobs=2)
    found = token_logprobs.chat(SAID, asked)
    assert found is not None
    first = found["content"][0]
    assert (first["token"], first["logprob"], first["bytes"]) == ("é ", -0.5, [0xC3, 0xA9, 0x20])
    assert [top["logprob"] for top in first["top_logprobs"]] == [-0.5, -2.0]
    assert token_logprobs.chat(SAID, asked, 1, 2) == {"content": found["content"][1:]}
    assert token_logprobs.chat(Said(("a",)), asked) is None


def test_without_alternatives_there_are_none(ask: Callable[..., Asked]) -> None:
    [first, _] = token_logprobs.tokens(SAID, ask(logprobs=True))
    assert first["top_logprobs"] == []


def test_legacy_completions(ask: Callable[..., Asked]) -> None:
    asked = ask("completions", logprobs=1)
    assert token_logprobs.completion(SAID, asked) == {
        "text_offset": [0, 2],
        "token_logprobs": [-0.5, -0.25],
        "tokens": ["é ", "b"],
        "top_logprobs": [{"é ": -0.5}, {"b": -0.25}],
    }
    second = token_logprobs.completion(SAID, asked, 1, 2)
    assert second is not None
    assert (second["text_offset"], second["tokens"]) == ([2], ["b"])
    assert token_logprobs.completion(Said(("a",)), asked) is None
