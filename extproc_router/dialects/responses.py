"""OpenAI's responses: `POST /v1/responses`.

https://platform.openai.com/docs/api-reference/responses/create

The input is a list of items of some forty types, most of which record what a tool was asked and what it answered.
Few have a role, so they are given the one that chat completions would have: a model's own steps are `assistant`,
a tool's output is `tool`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
from msgspec import Meta, Raw, Struct

from extproc_router.candidates import ReasoningStyle
from extproc_router.dialects.base import Body, request
from extproc_router.dialects.changes import cap, prefix
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import MAX_PIECES, MAX_ROLE, MODALITIES, Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.replies import openai_error
from extproc_router.dialects.responses_decline import decline_response
from extproc_router.dialects.thinking import Thinking, tell_nested_effort, think
from extproc_router.errors import InvalidRequest
from extproc_router.json_views import ABSENT, is_array, is_object, is_present, is_string, items, string, whole
from extproc_router.types import Modality

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request

INSTRUCTIONS_ROLE: Final = "system"
"""`instructions` are, in the documentation's words, a system message put into the model's context."""

TOOL_ROLE: Final = "tool"

LOGPROBS: Final = "message.output_text.logprobs"
"""What `include` lists where the tokens' log-probabilities shall be in the answer."""

MIN_OUTPUT_TOKENS: Final = 16
"""OpenAI refuses a lower bound."""


class _Response(Body, kw_only=True, gc=False):
    input: str | Annotated[list[Raw], Meta(max_length=MAX_PIECES)] | None = None
    instructions: Raw = ABSENT
    prompt: Raw = ABSENT
    text: Raw = ABSENT
    max_output_tokens: Raw = ABSENT


class _Edited(Thinking, kw_only=True, gc=False):
    include: Raw = ABSENT
    instructions: Raw = ABSENT
    max_output_tokens: Raw = ABSENT


class _Prompt(Struct, gc=False):
    variables: Raw = ABSENT


class _Item(Struct, gc=False):
    type: Raw = ABSENT
    role: Raw = ABSENT
    content: Raw = ABSENT
    tools: Raw = ABSENT
    # What a tool is asked, under the name that its kind of call gives it ...
    name: Raw = ABSENT
    arguments: Raw = ABSENT
    input: Raw = ABSENT
    action: Raw = ABSENT
    operation: Raw = ABSENT
    code: Raw = ABSENT
    queries: Raw = ABSENT
    # ... and what it answers.
    output: Raw = ABSENT
    outputs: Raw = ABSENT
    results: Raw = ABSENT
    result: Raw = ABSENT
    summary: Raw = ABSENT
    reason: Raw = ABSENT


_RESPONSE = msgspec.json.Decoder(_Response)
_PROMPT = msgspec.json.Decoder(_Prompt)
_ITEM = msgspec.json.Decoder(_Item)
_EDITED = msgspec.json.Decoder(_Edited)
_VARIABLES = msgspec.json.Decoder(dict[str, Raw])

_WAYS: Final = {ReasoningStyle.REASONING_EFFORT: tell_nested_effort}
_MODELS_OWN: Final = frozenset({"reasoning", "program", "compaction", "mcp_list_tools", "mcp_approval_request"})


class Responses:
    """The dialect of OpenAI's agents."""

    name: Final = "responses"
    paths: Final = ("/v1/responses",)

    def read(self, body: bytes) -> Request:
        """Read a request body; a turn for the instructions, then one for each item that says something.

        `input` may be absent: a stored prompt or an earlier response stands in for it.

        Raises:
            InvalidRequest: it is not what the path promises.
        """
        with complaining(body):
            response = read_object(body, _RESPONSE)
            content = Content()
            content.declare(response.text)
            content.say(string(response.instructions))
            content.end_turn(INSTRUCTIONS_ROLE, even_if_silent=False)
            _add_variables(content, response.prompt)
            tools = _add_input(content, response.input)
            bound = whole(response.max_output_tokens)
            return request(self.name, body, response, content, tools=tools, max_tokens=bound)

    def error(self, status: int, error: ClientError) -> Reply:
        """OpenAI's error shape."""
        return openai_error(status, error)

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Edit instructions, effort, `max_output_tokens` and `include`; usage is always told."""
        members = _EDITED.decode(editor.body)
        think(editor, members, request, change, _WAYS)
        if change.max_tokens:
            limit = max(change.max_tokens, MIN_OUTPUT_TOKENS)
            cap(editor, limit, "max_output_tokens", members.max_output_tokens)
        if change.system_prefix and (is_string(members.instructions) or not is_present(members.instructions)):
            prefix(editor, change.system_prefix, None, "instructions", members.instructions)
        if change.logprobs:
            _include_logprobs(editor, members.include)

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
        """One message; a refusal where JSON of a schema was asked for."""
        return decline_response(body, request, message, decision_id, created)


def _include_logprobs(editor: Editor, include: Raw) -> None:
    if is_array(include):
        if any(string(item) == LOGPROBS for item in items(include)):
            return
        editor.prepend_element(include, LOGPROBS)
    elif is_present(include):
        return
    else:
        editor.put(None, "include", include, [LOGPROBS])
    editor.changes.append("logprobs")


def _add_variables(content: Content, raw: Raw) -> None:
    """Text may also travel as the variables of a prompt that is stored upstream."""
    variables = _PROMPT.decode(raw).variables if is_object(raw) else ABSENT
    named = _VARIABLES.decode(variables) if is_object(variables) else {}
    content.count(len(named))
    if named:
        content.declare(Raw(msgspec.json.encode(list(named))))
    for value in named.values():
        content.add_raw(value)
    content.end_turn("user", even_if_silent=False)


def _add_input(content: Content, given: str | list[Raw] | None) -> bool:
    """Add the input; whether it declares tools by the way."""
    if given is None or isinstance(given, str):
        content.say(given or "")
        content.end_turn("user", even_if_silent=False)
        return False
    content.count(len(given))
    declared = [_add_item(content, item, place) for place, item in enumerate(given)]
    return any(declared)


def _add_item(content: Content, raw: Raw, place: int) -> bool:
    if is_string(raw):
        content.say(string(raw))
        content.end_turn("user")
        return False
    if not is_object(raw):
        return False
    item = _ITEM.decode(raw)
    kind, role = string(item.type), string(item.role)
    if len(role) > MAX_ROLE:
        param = f"input[{place}].role"
        raise InvalidRequest(f"'{param}' is longer than {MAX_ROLE} characters.", param=param)
    if kind in MODALITIES or kind.endswith("_text"):
        # Some clients leave the message around a part away.
        content.add_raw(raw)
        content.end_turn(role or "user", even_if_silent=False)
        return False
    content.called = content.called or kind.endswith("_call")
    author = role or _author(kind)
    if len(item.tools):
        content.declare(item.tools)
    if kind == "image_generation_call":
        content.modalities.add(Modality.IMAGE)
    else:
        _add_call(content, item, author)
    content.add_raw(item.summary)
    content.add_raw(item.content)
    content.say(string(item.reason))
    content.end_turn(author, even_if_silent=bool(role) and kind in {"", "message"})
    return bool(items(item.tools)) and kind == "additional_tools"


def _add_call(content: Content, item: _Item, role: str) -> None:
    """Add what a tool was asked and, apart from that, what it answered: some kinds of item hold both."""
    content.call(item.name, item.arguments, item.input, item.action, item.operation, item.code, item.queries)
    answers = [answer for answer in (item.output, item.outputs, item.results) if is_present(answer)]
    if not (answers or len(item.result)):
        return
    content.end_turn(role, even_if_silent=False)
    for answer in answers:
        content.answer(answer)
    content.say(string(item.result))
    content.end_turn(TOOL_ROLE, even_if_silent=False)


def _author(kind: str) -> str:
    if kind.endswith("_output"):
        return TOOL_ROLE
    return "assistant" if kind.endswith("_call") or kind in _MODELS_OWN else "user"
