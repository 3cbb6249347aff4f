"""One contract for every dialect: parse, or raise the documented error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc_router import dialects
from extproc_router.errors import InvalidRequest
from extproc_router.types import Request

if TYPE_CHECKING:
    from extproc_router.dialects import Dialect

SECRET = "s3cret"

# Names that some dialect knows, so that random documents reach the code behind them.
KEYS = st.sampled_from(
    [
        *("model", "messages", "input", "prompt", "instructions", "system", "suffix", "stream", "tools", "functions"),
        *(
            "mcp_servers",
            "role",
            "type",
            "content",
            "text",
            "refusal",
            "thinking",
            "source",
            "data",
            "title",
            "context",
        ),
        *("name", "arguments", "function", "custom", "tool_calls", "function_call", "audio", "output", "outputs"),
        *("results", "result", "summary", "reason", "action", "operation", "code", "queries", "variables", "stdout"),
        *("image_url", "reasoning"),
    ]
).map(json.dumps)
STRINGS = st.sampled_from(
    [
        *("user", "text", "image_url", "input_audio", "tool_use", "tool_result", "document", "message", "reasoning"),
        *("function_call", "function_call_output", "input_text", "additional_tools", "image_generation_call", SECRET),
    ]
).map(json.dumps)


def read_or_refuse(dialect: Dialect, body: bytes) -> None:
    try:
        dialect.read(body)
    except InvalidRequest as error:
        refusal = error
    else:
        return
    assert refusal.message
    assert SECRET not in refusal.message
    assert SECRET not in (refusal.param or "")


@given(data=st.data())
def test_any_bytes(dialect: Dialect, data: st.DataObject) -> None:
    read_or_refuse(dialect, data.draw(st.binary(max_size=64)))


@settings(max_examples=40)
@given(data=st.data())
def test_any_json(dialect: Dialect, json_values: Any, data: st.DataObject) -> None:
    body = data.draw(json_values()).encode("utf-8", "surrogatepass")
    read_or_refuse(dialect, body)


@given(data=st.data())
def test_any_document_of_known_names(dialect: Dialect, json_values: Any, data: st.DataObject) -> None:
    values = json_values(strings=STRINGS, keys=KEYS)
    members = data.draw(st.lists(st.tuples(KEYS, values), max_size=6))
    parts = ("type", "content", "tool_calls", "output", "source")
    message = ",".join(f'"{name}":{data.draw(values)}' for name in parts)
    members.append(
        (data.draw(st.sampled_from(['"messages"', '"input"', '"prompt"'])), f'[{{"role":"user",{message}}}]')
    )
    read_or_refuse(dialect, ("{" + ",".join(f"{key}:{value}" for key, value in members) + "}").encode())


@settings(max_examples=40)
@given(data=st.data())
def test_damaged_bodies(any_golden: Any, data: st.DataObject) -> None:
    body = bytearray(any_golden.body)
    start = data.draw(st.integers(0, len(body)))
    body[start : start + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=8))
    read_or_refuse(any_golden.dialect, bytes(body))


@pytest.mark.parametrize("depth", range(100, 1_100, 20))
def test_near_the_limit_of_the_stack(dialect: Dialect, depth: int) -> None:
    nest = '[{"type":"tool_result","content":' * depth + '"x"' + "}]" * depth
    for members in (f'"messages":[{{"role":"user","content":{nest}}}]', f'"messages":[],"input":{nest}'):
        read_or_refuse(dialect, f"{{{members}}}".encode())
        read_or_refuse(dialect, ("{" + members.replace('"content":[', '"arguments":[') + "}").encode())


def test_every_truncation_is_refused(any_golden: Any) -> None:
    body = any_golden.body.rstrip()
    for length in range(len(body)):
        with pytest.raises(InvalidRequest):
            any_golden.dialect.read(body[:length])
    assert any_golden.dialect.read(body) == any_golden.request


def test_trailing_junk_is_refused(any_golden: Any) -> None:
    for junk in (b"x", b"{}", b"\x00", b",", b"\xff"):
        with pytest.raises(InvalidRequest):
            any_golden.dialect.read(any_golden.body + junk)


def test_unknown_members_change_nothing(any_golden: Any) -> None:
    extra = b'{"zz_unknown":{"n":1e999,"big":' + b"9" * 400 + b',"model":"decoy"},'
    body = any_golden.body.replace(b"{", extra, 1)
    shift = len(extra) - 1
    start, end = any_golden.request.model_span
    found = any_golden.dialect.read(body)
    assert found.model_span == (start + shift, end + shift)
    assert found.turns == any_golden.request.turns
    assert found.modalities == any_golden.request.modalities


@pytest.mark.parametrize("stream", [b"null", b"false", b'"true"', b"1", b"{}"])
def test_only_true_streams(dialect: Dialect, stream: bytes) -> None:
    body = b'{"stream":' + stream + b',"messages":[],"input":""}'
    assert dialect.read(body).stream is False


@pytest.mark.parametrize("tools", [b"null", b"[]", b"[ ]", b"{}", b'"all"'])
def test_no_tools_declared(dialect: Dialect, tools: bytes) -> None:
    assert dialect.read(b'{"tools":' + tools + b',"messages":[],"input":""}').tools is False


@pytest.mark.parametrize(
    ("api", "members", "bound"),
    [
        ("chat_completions", '"max_tokens":7', 7),
        ("chat_completions", '"max_tokens":7,"max_completion_tokens":9', 9),
        ("chat_completions", '"max_tokens":7,"max_completion_tokens":null', 7),
        ("chat_completions", '"max_tokens":"7"', None),
        ("completions", '"max_tokens":7.0', 7),
        ("completions", '"max_completion_tokens":7', None),
        ("responses", '"max_output_tokens":7', 7),
        ("responses", '"max_tokens":7', None),
        ("anthropic_messages", '"max_tokens":7', 7),
        ("anthropic_messages", '"max_tokens":-7', None),
        ("embeddings", '"max_tokens":7', None),
    ],
)
def test_bounds_on_the_completion(api: str, members: str, bound: int | None) -> None:
    (spoken,) = (dialect for dialect in dialects.DIALECTS if dialect.name == api)
    assert spoken.read(f'{{{members},"messages":[],"input":""}}'.encode()).max_tokens == bound


@pytest.mark.parametrize(("tier", "read"), [('"flex"', "flex"), ("null", ""), ("7", ""), ("{}", "")])
def test_service_tiers(dialect: Dialect, tier: str, read: str) -> None:
    assert dialect.read(f'{{"service_tier":{tier},"messages":[],"input":""}}'.encode()).service_tier == read


@pytest.mark.parametrize(
    ("api", "conversation", "called"),
    [
        ("chat_completions", '"messages":[{"role":"assistant","tool_calls":[{}]}]', True),
        ("chat_completions", '"messages":[{"role":"assistant","tool_calls":[]}]', False),
        ("chat_completions", '"messages":[{"role":"assistant","tool_calls":["f"]}]', False),
        ("chat_completions", '"messages":[{"role":"assistant","function_call":{}}]', True),
        ("chat_completions", '"messages":[{"role":"tool","content":"x"}]', False),
        ("responses", '"input":[{"type":"web_search_call"}]', True),
        ("responses", '"input":[{"type":"image_generation_call"}]', True),
        ("responses", '"input":[{"type":"function_call_output","output":"x"}]', False),
        ("anthropic_messages", '"messages":[{"role":"assistant","content":[{"type":"tool_use"}]}]', True),
        ("anthropic_messages", '"messages":[{"role":"user","content":[{"type":"tool_result"}]}]', False),
    ],
)
def test_tool_calls_are_noted(api: str, conversation: str, called: bool) -> None:
    (spoken,) = (dialect for dialect in dialects.DIALECTS if dialect.name == api)
    assert spoken.read(f"{{{conversation}}}".encode()).called is called


@pytest.mark.parametrize("stream", ["true", "false"])
def test_only_vectors_cannot_decline(dialect: Dialect, stream: str) -> None:
    body = f'{{"model":"auto","stream":{stream},"messages":[],"input":""}}'.encode()
    reply = dialect.decline(body, dialect.read(body), "No.", "id", 0)
    assert (reply is None) == (dialect.name == "embeddings")


@pytest.mark.parametrize(
    "name",
    [
        *("tools", "documents", "chat_template_kwargs", "structured_outputs"),
        *("guided_choice", "guided_grammar", "guided_json", "guided_regex"),
    ],
)
def test_what_models_read_beside_turns_is_declared(dialect: Dialect, name: str) -> None:
    found = dialect.read(f'{{"{name}":[ "x\\n"],"messages":[],"input":""}}'.encode())
    assert b'[ "x\\n"]' in found.declared.split(b"\n")
    assert found.unread == ""


def test_members_that_no_dialect_knows_are_read_too_but_not_its_settings(dialect: Dialect) -> None:
    body = b'{"stop":["a"],"metadata":{"b":"c"},"Messages":"d","temperature":0.5,"seed":7,"messages":[],"input":""}'
    declared = dialect.read(body).declared.split(b"\n")
    assert {b'["a"]', b'{"b":"c"}', b'"d"'} <= set(declared)
    assert not {b"0.5", b"7"} & set(declared)


@pytest.mark.parametrize(
    ("api", "members", "declared"),
    [
        ("chat_completions", '"functions":["a"],"prediction":{},"response_format":"c","messages":[]', '["a"]\n{}\n"c"'),
        ("chat_completions", '"messages":[{"role":"user","name":"a"}]', '"a"'),
        ("anthropic_messages", '"output_config":["a"],"output_format":["b"],"messages":[]', '["a"]\n["b"]'),
        ("responses", '"text":{"format":"a"}', '{"format":"a"}'),
        ("responses", '"input":[{"type":"mcp_list_tools","tools":["a"]}]', '["a"]'),
        ("responses", '"prompt":{"variables":{"\\u0061":""}}', '["a"]'),
    ],
)
def test_what_is_declared_in_one_api_alone(api: str, members: str, declared: str) -> None:
    (spoken,) = (dialect for dialect in dialects.DIALECTS if dialect.name == api)
    found = spoken.read(f"{{{members}}}".encode())
    assert found.declared == declared.encode()
    assert not any(turn.text for turn in found.turns)


@pytest.mark.parametrize(("template", "unread"), [('"x"', "a chat template"), ("{}", "a chat template"), ("null", "")])
def test_templates_of_the_clients_cannot_be_read(dialect: Dialect, template: str, unread: str) -> None:
    body = f'{{"chat_template":{template},"messages":[],"input":""}}'
    assert dialect.read(body.encode()).unread == unread


@pytest.mark.parametrize(
    ("api", "conversation", "param"),
    [
        ("chat_completions", '"messages":[{"role":"user"},{"role":"%s"}]', "messages[1].role"),
        ("anthropic_messages", '"messages":[{"role":"%s","content":"x"}]', "messages[0].role"),
        ("responses", '"input":["x",{"role":"%s","content":"x"}]', "input[1].role"),
    ],
)
def test_no_text_is_a_role(api: str, conversation: str, param: str) -> None:
    (spoken,) = (dialect for dialect in dialects.DIALECTS if dialect.name == api)
    assert spoken.read(f"{{{conversation}}}".replace("%s", "r" * 64).encode()).turns[-1].role == "r" * 64
    with pytest.raises(InvalidRequest) as caught:
        spoken.read(f"{{{conversation}}}".replace("%s", "r" * 65).encode())
    assert caught.value.message == f"'{param}' is longer than 64 characters."
    assert caught.value.param == param


def test_every_dialect_has_golden_pairs(dialect: Dialect) -> None:
    assert list((Path(__file__).parent / "golden" / dialect.name).glob("*.request.json"))


def test_names_and_paths_are_unique() -> None:
    names = [dialect.name for dialect in dialects.DIALECTS]
    paths = [path for dialect in dialects.DIALECTS for path in dialect.paths]
    assert len(set(names)) == len(names)
    assert len(set(paths)) == len(paths)


def test_the_name_is_the_requests_api(any_golden: Any) -> None:
    found = any_golden.dialect.read(any_golden.body)
    assert isinstance(found, Request)
    assert found.api == any_golden.dialect.name
