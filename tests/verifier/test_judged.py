from __future__ import annotations

import pytest

from extproc_router.attempts import Heard, Usage, Verification
from extproc_router.verifier.judged import Paid, paid

ASKED = Verification("d", "r", "chat_completions", False, 0.5, 8, ("weak", "strong"), ((1.0, 2.0), (10.0, 20.0)))


def test_what_a_server_counted_is_paid() -> None:
    heard = Heard(text="x" * 4000, usage=Usage(1000, 500))
    assert paid(ASKED, 1, heard, 99) == Paid("weak", 1000, 500, True, 0.002)
    assert paid(ASKED, 2, heard, 99) == Paid("strong", 1000, 500, True, 0.02)


def test_attempts_past_the_list_go_to_the_last_model() -> None:
    assert paid(ASKED, 7, Heard(), 0).model == "strong"


@pytest.mark.parametrize(
    ("heard", "tokens"),
    [
        (Heard(tokens=(-0.1,) * 7, pieces=5, text="x" * 400), 7),
        (Heard(pieces=5, text="x" * 400), 5),
        (Heard(text="x" * 400), 100),
        (Heard(), 0),
    ],
)
def test_what_nobody_counted_is_estimated(heard: Heard, tokens: int) -> None:
    found = paid(ASKED, 1, heard, 400)
    assert (found.prompt_tokens, found.completion_tokens, found.counted) == (100, tokens, False)
