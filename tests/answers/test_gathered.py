from __future__ import annotations

from extproc_router.answers.gathered import MAX_ARGUMENTS, MAX_CALLS, MAX_NAME, MAX_TEXT, MAX_TOKENS, Gathered
from extproc_router.attempts import Called, Heard


def test_nothing_was_heard_yet() -> None:
    assert Gathered().heard(streamed=True) == Heard(complete=False)


def test_pieces_become_one_answer() -> None:
    gathered = Gathered()
    for piece in ("a", "", "b"):
        gathered.say(piece)
    gathered.refuse("no")
    gathered.call(0, "f", "{")
    gathered.call(0, "", "}")
    gathered.weigh([-0.5, None, 0.25])
    gathered.end("stop")
    heard = gathered.heard(streamed=True)
    assert heard == Heard("ab", "no", "stop", (Called("f", "{}"),), (-0.5, 0.0), pieces=5)
    assert gathered.heard(streamed=False).pieces == 0


def test_calls_without_a_place_stand_for_themselves() -> None:
    gathered = Gathered()
    gathered.call(None, "f", "{}")
    gathered.call(None, "f", "[]")
    gathered.call(0, "g")
    assert gathered.called
    assert gathered.heard(streamed=False).calls == (Called("f", "{}"), Called("f", "[]"), Called("g", ""))


def test_arguments_in_one_piece_hold_where_none_came_in_several() -> None:
    gathered = Gathered()
    gathered.call(0, "f", otherwise="{}")
    gathered.call(1, "g", otherwise="{}")
    gathered.argue(1, '{"a":1}')
    gathered.argue(2, '{"of": "something else"}')
    assert gathered.heard(streamed=False).calls == (Called("f", "{}"), Called("g", '{"a":1}'))


def test_all_is_bounded() -> None:
    gathered = Gathered()
    for _ in range(3):
        gathered.say("t" * (MAX_TEXT - 1))
        gathered.refuse("r" * (MAX_TEXT - 1))
        gathered.weigh([-1.0] * (MAX_TOKENS - 1))
        gathered.call(0, "n" * (MAX_NAME + 1), "a" * (MAX_ARGUMENTS - 1))
    gathered.call(1, "", otherwise="o" * (MAX_ARGUMENTS + 1))
    for _ in range(MAX_CALLS):
        gathered.call(None, "f")
    heard = gathered.heard(streamed=True)
    assert (len(heard.text), len(heard.refusal), len(heard.tokens)) == (MAX_TEXT, MAX_TEXT, MAX_TOKENS)
    assert len(heard.calls) == MAX_CALLS
    assert [len(heard.calls[0].name), len(heard.calls[0].arguments)] == [MAX_NAME, MAX_ARGUMENTS]
    assert len(heard.calls[1].arguments) == MAX_ARGUMENTS
