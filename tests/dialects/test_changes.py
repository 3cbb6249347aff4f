"""Whole bodies before and after, for each API; then that edits leave the rest alone, and compose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc_router.candidates import Change, Reasoning, ReasoningStyle
from extproc_router.dialects import Dialect, apply, edit, find

CHAT, COMPLETIONS, RESPONSES = "/v1/chat/completions", "/v1/completions", "/v1/responses"
EMBEDDINGS, ANTHROPIC = "/v1/embeddings", "/v1/messages"

USER = '"messages":[{"role":"user","content":"Hi"}]'


def dialect_at(path: str) -> Dialect:
    dialect = find(path)
    assert dialect is not None
    return dialect


def changed(path: str, body: str | bytes, change: Change) -> tuple[bytes, tuple[str, ...]]:
    body = body.encode() if isinstance(body, str) else body
    dialect = dialect_at(path)
    edits, names = edit(dialect, body, dialect.read(body), change)
    after = apply(body, edits)
    assert bool(edits) is bool(names)
    assert (after is body) is not bool(edits)
    return after, names


def check(path: str, before: str, after: str, names: list[str], change: Change) -> None:
    body, told = changed(path, before, change)
    assert body.decode() == after
    assert list(told) == names


LIMIT = Change(model="m", max_tokens=512)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (CHAT, "", '"max_completion_tokens":512,'),
        (CHAT, '"max_tokens": 4096,', '"max_tokens": 512,'),
        (CHAT, '"max_tokens":4096,"max_completion_tokens":1e4,', '"max_tokens":512,"max_completion_tokens":512,'),
        (CHAT, '"max_tokens":100,"max_completion_tokens":4096,', '"max_tokens":100,"max_completion_tokens":512,'),
        (CHAT, '"max_tokens":9,"max_tokens":4096,', '"max_tokens":9,"max_tokens":512,'),
        (CHAT, '"max_tokens":4096,"max_tokens":9,', None),
        (CHAT, '"max_tokens":512,', None),
        (CHAT, '"max_tokens":511.5,', None),
        (CHAT, '"max_tokens":-1,', '"max_tokens":512,'),
        (CHAT, '"max_completion_tokens":null,', '"max_completion_tokens":512,'),
        (CHAT, '"max_completion_tokens":null,"max_tokens":7,', None),
        (CHAT, '"max_tokens":null,', '"max_completion_tokens":512,"max_tokens":null,'),
        (CHAT, '"max_completion_tokens":"many",', None),
        (CHAT, '"max_completion_tokens":true,', None),
        (COMPLETIONS, '"max_tokens":4096,', '"max_tokens":512,'),
        (COMPLETIONS, '"max_tokens":null,', '"max_tokens":512,'),
        (COMPLETIONS, "", None),
        (RESPONSES, "", '"max_output_tokens":512,'),
        (RESPONSES, '"max_output_tokens":4096,', '"max_output_tokens":512,'),
        (RESPONSES, '"max_output_tokens":[],', None),
        (EMBEDDINGS, '"max_tokens":4096,', None),
        (ANTHROPIC, '"max_tokens":4096,', '"max_tokens":512,'),
        (ANTHROPIC, '"max_tokens":"x",', None),
        (ANTHROPIC, "", '"max_tokens":512,'),
    ],
)
def test_bounds(path: str, before: str, after: str | None) -> None:
    body = f'{{{before}"model":"m",{USER},"input":"x"}}'
    names = [] if after is None else ["max_tokens<=512"]
    # What is inserted goes in front, as `after` has it.
    check(path, body, f'{{{before if after is None else after}"model":"m",{USER},"input":"x"}}', names, LIMIT)


def test_bounds_that_the_api_itself_has() -> None:
    low = Change(model="m", max_tokens=8)
    check(COMPLETIONS, '{"model":"m"}', '{"max_tokens":8,"model":"m"}', ["max_tokens<=8"], low)
    check(RESPONSES, '{"model":"m"}', '{"max_output_tokens":16,"model":"m"}', ["max_tokens<=16"], low)
    check(RESPONSES, '{"model":"m","max_output_tokens":16}', '{"model":"m","max_output_tokens":16}', [], low)


PREFIX = Change(model="m", system_prefix='Be "kind".')
SAID = 'Be \\"kind\\".'
PART = f'{{"type":"text","text":"{SAID}"}}'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('[{"role":"user"}]', f'[{{"role":"system","content":"{SAID}"}},{{"role":"user"}}]'),
        (
            '[ {"role":"system", "content":"Obey."}]',
            f'[ {{"role":"system", "content":"{SAID}\\n\\nObey."}}]',
        ),
        ('[{"content":"","role":"developer"}]', f'[{{"content":"{SAID}","role":"developer"}}]'),
        (
            '[{"role":"system","content":[{"type":"text","text":"A"},{"text":"B"}]}]',
            f'[{{"role":"system","content":[{{"type":"text","text":"{SAID}\\n\\nA"}},{{"text":"B"}}]}}]',
        ),
        (
            '[{"role":"system","content":[{"type":"image_url"},{"text":"B"}]}]',
            f'[{{"role":"system","content":[{PART},{{"type":"image_url"}},{{"text":"B"}}]}}]',
        ),
        ('[{"role":"system","content":[]}]', f'[{{"role":"system","content":[{PART}]}}]'),
        ('[{"role":"system","content":["A"]}]', f'[{{"role":"system","content":[{PART},"A"]}}]'),
        ('[{"role":"system","content":null}]', f'[{{"role":"system","content":"{SAID}"}}]'),
        ('[{"role":"system"}]', f'[{{"content":"{SAID}","role":"system"}}]'),
        (
            '[{"role":"user"},{"role":"system","content":"A"}]',
            f'[{{"role":"system","content":"{SAID}"}},{{"role":"user"}},{{"role":"system","content":"A"}}]',
        ),
        ("[]", "[]"),
    ],
)
def test_prefix_of_a_chat(before: str, after: str) -> None:
    names = [] if before == after else ["system_prefix"]
    check(CHAT, f'{{"model":"m","messages":{before}}}', f'{{"model":"m","messages":{after}}}', names, PREFIX)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (ANTHROPIC, "", f'"system":"{SAID}",'),
        (ANTHROPIC, '"system":null,', f'"system":"{SAID}",'),
        (ANTHROPIC, '"system":"A",', f'"system":"{SAID}\\n\\nA",'),
        (ANTHROPIC, '"system":[ ],', f'"system":[{PART} ],'),
        (
            ANTHROPIC,
            '"system":[{"type":"text","text":"A","cache_control":{}}],',
            f'"system":[{{"type":"text","text":"{SAID}\\n\\nA","cache_control":{{}}}}],',
        ),
        (RESPONSES, "", f'"instructions":"{SAID}",'),
        (RESPONSES, '"instructions":null,', f'"instructions":"{SAID}",'),
        (RESPONSES, '"instructions":"A",', f'"instructions":"{SAID}\\n\\nA",'),
        (RESPONSES, '"instructions":7,', '"instructions":7,'),
        (RESPONSES, '"instructions":[],', '"instructions":[],'),
        (COMPLETIONS, "", ""),
        (EMBEDDINGS, "", ""),
    ],
)
def test_prefix_of_other_bodies(path: str, before: str, after: str) -> None:
    names = [] if before == after else ["system_prefix"]
    rest = f'"model":"m",{USER},"input":"x"}}'
    check(path, f"{{{before}{rest}", f"{{{after}{rest}", names, PREFIX)


USAGE = Change(model="m", include_usage=True)


@pytest.mark.parametrize("path", [CHAT, COMPLETIONS])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"stream":true', '"stream_options":{"include_usage":true},"stream":true'),
        ('"stream":true,"stream_options":null', '"stream":true,"stream_options":{"include_usage":true}'),
        ('"stream":true,"stream_options":{ }', '"stream":true,"stream_options":{"include_usage":true }'),
        (
            '"stream":true,"stream_options":{"include_usage":false,"x":1}',
            '"stream":true,"stream_options":{"include_usage":true,"x":1}',
        ),
        (
            '"stream":true,"stream_options":{"include_usage":null}',
            '"stream":true,"stream_options":{"include_usage":true}',
        ),
        ('"stream":true,"stream_options":{"include_usage":true}', None),
        ('"stream":true,"stream_options":{"include_usage":"yes"}', None),
        ('"stream":true,"stream_options":[]', None),
        ('"stream":false', None),
        ('"stream":null', None),
        ('"stream_options":{}', None),
    ],
)
def test_usage(path: str, before: str, after: str | None) -> None:
    rest = f',"model":"m",{USER}}}'
    names = [] if after is None else ["include_usage"]
    check(path, f"{{{before}{rest}", f"{{{before if after is None else after}{rest}", names, USAGE)


@pytest.mark.parametrize("path", [RESPONSES, EMBEDDINGS, ANTHROPIC])
def test_usage_is_told_anyway(path: str) -> None:
    body = f'{{"model":"m","stream":true,{USER},"input":"x"}}'
    check(path, body, body, [], USAGE)


LOGPROBS = Change(model="m", logprobs=True)
LISTED = '"message.output_text.logprobs"'


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (CHAT, "", '"logprobs":true,'),
        (CHAT, '"logprobs":null,', '"logprobs":true,'),
        (CHAT, '"logprobs": false,"top_logprobs":2,', '"logprobs": true,"top_logprobs":2,'),
        (CHAT, '"logprobs":true,', None),
        (CHAT, '"logprobs":"x",', None),
        (COMPLETIONS, "", '"logprobs":0,'),
        (COMPLETIONS, '"logprobs":null,', '"logprobs":0,'),
        (COMPLETIONS, '"logprobs":0,', None),
        (COMPLETIONS, '"logprobs":3,', None),
        (COMPLETIONS, '"echo":true,', None),
        (COMPLETIONS, '"echo":false,', '"logprobs":0,"echo":false,'),
        (RESPONSES, "", f'"include":[{LISTED}],'),
        (RESPONSES, '"include":null,', f'"include":[{LISTED}],'),
        (RESPONSES, '"include":[],', f'"include":[{LISTED}],'),
        (RESPONSES, '"include":["x"],', f'"include":[{LISTED},"x"],'),
        (RESPONSES, f'"include":["x", {LISTED}],', None),
        (RESPONSES, '"include":"x",', None),
        (ANTHROPIC, "", None),
        (EMBEDDINGS, "", None),
    ],
)
def test_log_probabilities(path: str, before: str, after: str | None) -> None:
    rest = f'"model":"m",{USER},"input":"x"}}'
    names = [] if after is None else ["logprobs"]
    check(path, f"{{{before}{rest}", f"{{{before if after is None else after}{rest}", names, LOGPROBS)


EVERYTHING = Change(
    model="big",
    think=False,
    reasoning=Reasoning(ReasoningStyle.ENABLE_THINKING),
    max_tokens=512,
    system_prefix="Be kind.",
    include_usage=True,
)


def test_everything_at_once() -> None:
    body, names = changed(CHAT, '{ "stream":true,"messages":[{"role":"user","content":"Hi"}] }', EVERYTHING)
    assert body == (
        b'{"model":"big","chat_template_kwargs":{"enable_thinking":false},"max_completion_tokens":512,'
        b'"stream_options":{"include_usage":true}, "stream":true,'
        b'"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"}] }'
    )
    assert names == ("model", "reasoning=off", "max_tokens<=512", "system_prefix", "include_usage")
    assert changed(CHAT, body, replace(EVERYTHING, system_prefix="")) == (body, ())


def test_every_api_takes_everything(any_golden: Any) -> None:
    dialect = any_golden.dialect
    edits, names = edit(dialect, any_golden.body, dialect.read(any_golden.body), EVERYTHING)
    after = apply(any_golden.body, edits)
    assert dialect.read(after).model == "big"
    assert "model" in names
    for one in edits:
        if one.end > one.start:
            json.loads(any_golden.body[one.start : one.end])


STEPS = {
    "model": Change(model="big"),
    "max_tokens": Change(model="auto", max_tokens=2100),
    "system_prefix": Change(model="auto", system_prefix="Be kind."),
    "include_usage": Change(model="auto", include_usage=True),
    "think": Change(model="auto", think=True, override=True),
}
TOGETHER = {
    "model": ("model", "big"),
    "max_tokens": ("max_tokens", 2100),
    "system_prefix": ("system_prefix", "Be kind."),
    "include_usage": ("include_usage", True),
    "think": ("think", True),
}
# Values that each member may have, valid or not.
VALUES = {
    "model": ['"auto"'],
    "stream": ["true", "false"],
    "max_tokens": ["null", "7", "9000", '"x"', "4096.0"],
    "max_completion_tokens": ["null", "7", "9000", "{}"],
    "max_output_tokens": ["null", "7", "9000"],
    "stream_options": ["null", "{}", '{"include_usage":false}', "7"],
    "chat_template_kwargs": ["null", "{}", '{"enable_thinking":false}', '{"x":1}', "[]"],
    "reasoning": ["null", "{}", '{"effort":"low","summary":"auto"}', "true"],
    "reasoning_effort": ["null", '"low"', "7"],
    "thinking": ["null", '{"type":"disabled"}', '{"type":"enabled","budget_tokens":3000}', "[]"],
    "system": ["null", '"S"', "[]", '[{"type":"text","text":"S"}]'],
    "instructions": ["null", '"S"', "[]", "7"],
    "input": ['"I"', '[{"role":"user","content":"I"}]'],
    "temperature": ["1", "0.5"],
    "messages": [
        '[{"role":"user","content":"I"}]',
        '[{"role":"system","content":"S"},{"role":"user","content":"I"}]',
        '[{"role":"user","content":[{"type":"tool_result","content":"x"}]}]',
    ],
}


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(st.sampled_from(sorted(set(VALUES) - {"model", "messages", "input"})), max_size=6))
    members = [f'"{name}":{draw(st.sampled_from(VALUES[name]))}' for name in (*names, "model", "messages", "input")]
    blank = draw(st.sampled_from(["", " ", "\n"]))
    return (blank + "{" + blank + f",{blank}".join(draw(st.permutations(members))) + blank + "}").encode()


@given(body=bodies(), data=st.data(), style=st.sampled_from(ReasoningStyle))
def test_changes_compose(dialect: Dialect, body: bytes, data: st.DataObject, style: ReasoningStyle) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(STEPS)), unique=True, min_size=1))
    # A bound of the completion bounds the thinking within it, so it has to be known first.
    names.sort(key="max_tokens".__ne__)
    reasoning = Reasoning(style)
    stepwise = body
    for name in names:
        step = replace(STEPS[name], reasoning=reasoning)
        if dialect.read(stepwise).model != "auto":
            step = replace(step, model="big")
        edits, _ = edit(dialect, stepwise, dialect.read(stepwise), step)
        stepwise = apply(stepwise, edits)
    whole = replace(Change(model="auto", reasoning=reasoning, override=True), **dict(TOGETHER[name] for name in names))
    edits, _ = edit(dialect, body, dialect.read(body), whole)
    after = apply(body, edits)
    assert json.loads(after) == json.loads(stepwise)
    # The client's bytes are all there, in order, but for whole values that gave way.
    for one in edits:
        if one.end > one.start:
            json.loads(body[one.start : one.end])
    rest = iter(after)
    kept = set(range(len(body))) - {place for one in edits for place in range(one.start, one.end)}
    assert all(body[place] in rest for place in sorted(kept))
