"""What the policy may change in a body beside its model and personal data; each dialect says where its API has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects.editor import Editor
from extproc_router.json_views import ABSENT, is_array, is_false, is_object, is_present, is_string, items, number

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.base import Dialect
    from extproc_router.dialects.edits import Edit
    from extproc_router.types import Request


class _StreamOptions(Struct, gc=False):
    include_usage: Raw = ABSENT


class _Part(Struct, gc=False):
    text: Raw = ABSENT


_STREAM_OPTIONS = msgspec.json.Decoder(_StreamOptions)
_PART = msgspec.json.Decoder(_Part)


def edit(dialect: Dialect, body: bytes, request: Request, change: Change) -> tuple[tuple[Edit, ...], tuple[str, ...]]:
    """The edits that make a change, and what they change.

    What an API has no member for is left out. So is what would have to be written into a value of the wrong type:
    that is for the upstream to judge.

    Args:
        dialect: whose API the body speaks.
        body: what `request` was read from.
        request: what `dialect.read` returned for it.
        change: what shall change.

    Returns:
        Edits of `body`, and in words what is other than before, without values of the client's: `model`,
        `max_tokens<=N`, `budget_tokens<=N`, `system_prefix`, `include_usage`, `logprobs`, `reasoning=on`,
        `reasoning=off`.
    """
    editor = Editor(body)
    editor.model(request, change.model)
    asks = change.include_usage or change.logprobs
    if asks or change.think is not None or change.max_tokens or change.system_prefix:
        dialect.edit(editor, request, change)
    return tuple(editor.edits), tuple(editor.changes)


def cap(editor: Editor, limit: int, name: str, member: Raw, *others: Raw) -> bool:
    """Bound the completion: lower every bound that is above, state one where there is none.

    Args:
        editor: gathers the edits.
        limit: tokens, at least 1.
        name: the API's own name for the bound.
        member: what the body has under it.
        others: what the body has under other names for it.

    Returns:
        Whether that changes anything.
    """
    stated = [(view, bound) for view in (member, *others) if (bound := number(view)) is not None]
    above = [view for view, bound in stated if bound > limit or bound < 0]  # some servers take -1 for no bound
    for view in above:
        editor.replace(view, limit)
    if not stated and not is_present(member):
        editor.put(None, name, member, limit)
    elif not above:
        return False
    editor.changes.append(f"max_tokens<={limit}")
    return True


def prefix(editor: Editor, text: str, container: Raw | None, name: str, content: Raw) -> None:
    """Put `text` before what a member says; it becomes the member where that is absent or null.

    Args:
        editor: gathers the edits.
        text: at least one character.
        container: the object that has the member.
        name: of the member.
        content: a string, or a list of parts, the first of which takes the text where it is a text.
    """
    parts = items(content)
    first = _PART.decode(parts[0]).text if parts and is_object(parts[0]) else ABSENT
    if is_string(content):
        editor.prepend_text(content, text)
    elif is_string(first):
        editor.prepend_text(first, text)
    elif is_array(content):
        editor.prepend_element(content, {"type": "text", "text": text})
    elif is_present(content):
        return
    else:
        editor.put(container, name, content, text)
    editor.changes.append("system_prefix")


def logprobs(editor: Editor, member: Raw, value: int) -> None:
    """Ask for the tokens' log-probabilities, unless the client does already.

    Args:
        editor: gathers the edits.
        member: what the body has under `logprobs`.
        value: that asks; JSON's `true` or a number, as the API has it.
    """
    if not is_present(member) or is_false(member):
        editor.put(None, "logprobs", member, value)
        editor.changes.append("logprobs")


def include_usage(editor: Editor, request: Request, options: Raw) -> None:
    """Let a streamed answer end with its usage, as OpenAI's `stream_options` does."""
    if not request.stream:
        return
    if is_object(options):
        member = _STREAM_OPTIONS.decode(options).include_usage
        if is_present(member) and not is_false(member):
            return
        editor.put(options, "include_usage", member, True)
    elif is_present(options):
        return
    else:
        editor.put(None, "stream_options", options, {"include_usage": True})
    editor.changes.append("include_usage")
