from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.candidates import Change, Reasoning, ReasoningStyle
from extproc_router.dialects import DIALECTS, Edit, apply, edit, splices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.attempts import Splice
    from extproc_router.dialects import Dialect


def spliced(body: bytes, found: Sequence[Splice]) -> bytes:
    """As an upstream filter does it; what it relies on is checked."""
    position, pieces = 0, []
    for start, end, text in found:
        assert position <= start <= end <= len(body)
        pieces += [body[position:start], text.encode()]
        position = end
    return b"".join([*pieces, body[position:]])


def member(name: str, at: int = 1) -> Edit:
    return Edit(at, at, f'"{name}":1'.encode(), element=True)


def test_what_changes_alike_is_in_no_splice() -> None:
    edits = [member("a"), Edit(5, 7, b"x")]
    assert splices(b'{"k":10}', edits, list(edits)) == ()
    assert splices(b"{}", (), ()) == ()


def test_a_value_gives_way_to_a_value() -> None:
    body = b'{"m":"auto","k":10}'
    sent, wanted = [Edit(5, 11, b'"small"')], [Edit(5, 11, b'"large"')]
    assert splices(body, sent, wanted) == ((5, 12, '"large"'),)


def test_offsets_count_in_the_body_as_sent() -> None:
    body = b'{"m":"auto","k":10,"l":2}'
    sent = [member("longer"), Edit(5, 11, b'"small"')]
    wanted = [member("longer"), Edit(5, 11, b'"small"'), Edit(16, 18, b"7")]
    assert apply(body, sent)[28:30] == b"10"
    assert splices(body, sent, wanted) == ((28, 30, "7"),)


@pytest.mark.parametrize("body", [b"{}", b"{ }", b'{"k":1}', b'{\n"k":1}'])
@pytest.mark.parametrize("sent", [[], ["a"], ["a", "b"], ["b"]])
@pytest.mark.parametrize("wanted", [[], ["a"], ["a", "b"], ["c", "b"]])
def test_members_come_and_go_with_their_commas(body: bytes, sent: list[str], wanted: list[str]) -> None:
    ours, theirs = [member(name) for name in sent], [member(name) for name in wanted]
    found = splices(body, ours, theirs)
    assert spliced(apply(body, ours), found) == apply(body, theirs)
    assert (found == ()) is (sent == wanted)
    json.loads(spliced(apply(body, ours), found))


def test_what_begins_and_ends_alike_stays_where_much_is_inserted_at_one_place() -> None:
    long = member("x" * 5000)
    found = splices(b"{}", [member("a"), long, member("b")], [member("a"), long, member("c"), member("b")])
    assert [len(text) for _, _, text in found] == [6]


_TEXTS = st.text('abé😀,"', max_size=4).map(str.encode)


@st.composite
def edit_sets(draw: st.DrawFn) -> tuple[bytes, list[Edit], list[Edit]]:
    """A text, and edits of it in two sets that share some; they insert, replace, adjoin and overlap."""
    text = draw(st.text("ab{[}] é😀\n", max_size=24))
    places = st.integers(0, len(text))
    at = [len(text[:place].encode()) for place in range(len(text) + 1)]

    def one() -> Edit:
        start, end = sorted((draw(places), draw(places)))
        if draw(st.booleans()):
            return Edit(at[start], at[start], draw(_TEXTS), element=draw(st.booleans()))
        return Edit(at[start], at[end], draw(_TEXTS))

    shared, ours, theirs = ([one() for _ in range(draw(st.integers(0, 4)))] for _ in range(3))
    return text.encode(), draw(st.permutations([*shared, *ours])), draw(st.permutations([*shared, *theirs]))


@given(edit_sets())
def test_they_make_the_body_that_is_wanted(case: tuple[bytes, list[Edit], list[Edit]]) -> None:
    body, sent, wanted = case
    found = splices(body, sent, wanted)
    assert spliced(apply(body, sent), found) == apply(body, wanted)


@given(data=st.data(), blank=st.sampled_from(["", " ", "\n"]))
def test_they_make_the_body_of_any_model(dialect: Dialect, json_values: Any, data: st.DataObject, blank: str) -> None:
    """With whatever a rule changes, personal data that go, and what the first model alone is asked."""
    names = ["logprobs", "include", "stream_options", "max_tokens", "max_completion_tokens", "thinking"]
    names += ["chat_template_kwargs", "reasoning_effort", "reasoning", "instructions", "system", "x"]
    kept = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=5))
    members = [f'"{name}":{data.draw(json_values())}' for name in kept]
    stated = ['"stream":true', '"max_tokens":9000'] if "max_tokens" not in kept else ['"stream":true']
    stated += ['"messages":[{"role":"user","content":"I am Jane"}]', '"input":"Jane"', '"prompt":"Jane"']
    model = data.draw(st.sampled_from([[], ['"model":"auto"'], ['"model":null']]))
    body = ("{" + f",{blank}".join(data.draw(st.permutations([*members, *stated, *model]))) + "}").encode()
    try:
        request = dialect.read(body)
    except Exception:  # noqa: BLE001 - what cannot be read is not sent
        return
    at = body.index(b"Jane")
    redacted = (Edit(at, at + 4, b"<PERSON_1>"),)

    def made(name: str, *, judged: bool) -> tuple[Edit, ...]:
        style = data.draw(st.none() | st.sampled_from(ReasoningStyle))
        change = Change(
            model=name,
            think=data.draw(st.none() | st.booleans()),
            reasoning=style and Reasoning(style),
            override=True,
            max_tokens=500,
            system_prefix="Be kind.",
            include_usage=judged,
            logprobs=judged,
        )
        return (*edit(dialect, body, request, change)[0], *redacted)

    sent, wanted = made("weak", judged=True), made("strong", judged=False)
    assert spliced(apply(body, sent), splices(body, sent, wanted)) == apply(body, wanted)


def test_every_api_is_tried() -> None:
    assert len(DIALECTS) == 5
