"""Message content, which every API nests alike: a string, or a list of typed parts that may hold content themselves.

What is of no known kind passes unread: whether it is allowed is for the upstream to judge. But text is never lost
for being in good company: a `text` member is read from parts of unknown types too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router import json_text
from extproc_router.errors import InvalidRequest
from extproc_router.json_views import ABSENT, is_array, is_object, is_string, items, string, text
from extproc_router.types import Modality, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PIECES: Final = 10_000
"""Messages, parts and tool calls in one request, some 20 ms of reading. A conversation that long fits no model."""

MAX_ROLE: Final = 64
"""Characters of a role: templates write it into the prompt, but no text belongs there."""

MAX_DEPTH: Final = 8
"""Content within content. The deepest that an API documents is 4: message, tool result, document, its source."""

# A video is frames: only a model that sees images can use it.
MODALITIES: Final = {
    "image": Modality.IMAGE,
    "image_embeds": Modality.IMAGE,
    "image_url": Modality.IMAGE,
    "input_image": Modality.IMAGE,
    "computer_screenshot": Modality.IMAGE,
    "video": Modality.IMAGE,
    "video_url": Modality.IMAGE,
    "input_video": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "audio_url": Modality.AUDIO,
    "input_audio": Modality.AUDIO,
    "container_upload": Modality.FILE,
    "document": Modality.FILE,
    "file": Modality.FILE,
    "input_file": Modality.FILE,
}


class _Part(Struct, gc=False):
    type: Raw = ABSENT
    title: Raw = ABSENT
    context: Raw = ABSENT
    text: Raw = ABSENT
    refusal: Raw = ABSENT
    thinking: Raw = ABSENT
    stdout: Raw = ABSENT
    stderr: Raw = ABSENT
    logs: Raw = ABSENT
    name: Raw = ABSENT
    input: Raw = ABSENT
    content: Raw = ABSENT
    source: Raw = ABSENT


class _Text(Struct, gc=False):
    value: Raw = ABSENT


class _Source(Struct, gc=False):
    type: Raw = ABSENT
    data: Raw = ABSENT
    content: Raw = ABSENT


_PART = msgspec.json.Decoder(_Part)
_TEXT = msgspec.json.Decoder(_Text)
_SOURCE = msgspec.json.Decoder(_Source)
# The members that are named after a kind; all others are skipped, however many there are.
_KINDS = msgspec.json.Decoder(msgspec.defstruct("_Kinds", [(name, Raw, ABSENT) for name in MODALITIES]))


class Content:
    """Gathers what the messages of one request say.

    Attributes:
        turns: the turns ended so far, oldest first.
        modalities: what was met beside text.
        called: whether a tool call was met.
        unread: what stands for text and was not read, e.g. `token ids`; empty where there was none.
    """

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.modalities: set[Modality] = set()
        self.called = False
        self.unread = ""
        self._texts: list[str] = []
        self._declared: list[Raw] = []
        self._pieces = 0

    @property
    def declared(self) -> bytes:
        """As `Request.declared`."""
        return b"\n".join(self._declared)

    def declare(self, *views: Raw) -> None:
        """Note values that models read, but that are nobody's words; they are not decoded."""
        self._declared += filter(len, views)

    def end_turn(self, role: str, *, even_if_silent: bool = True) -> None:
        """Make one turn of all text since the last one."""
        if self._texts or even_if_silent:
            self.turns.append(Turn(role, "\n".join(self._texts)))
        self._texts.clear()

    def say(self, said: str) -> None:
        """Add text to the turn at hand."""
        if said:
            self._texts.append(said)

    def call(self, name: Raw, *asked: Raw) -> None:
        """Add a tool call: its name, and what is asked as the client spelled it, but for escapes in JSON."""
        spelled = [json_text.unescaped(text(each)) for each in asked if len(each)]
        self.say(" ".join(filter(None, (string(name), *spelled))))

    def answer(self, output: Raw) -> None:
        """Add what a tool answered: content, or else an object of no known shape, of which all strings are text.

        Raises:
            InvalidRequest: as `add` does.
        """
        for piece in items(output) or (output,):
            before = len(self._texts)
            self.add_raw(piece)
            if is_object(piece) and len(self._texts) == before and _kind(piece) not in MODALITIES:
                self.say(json_text.strings(bytes(piece)))

    def count(self, pieces: int) -> None:
        """Account for pieces about to be read.

        Raises:
            InvalidRequest: they are more than `MAX_PIECES` by now.
        """
        self._pieces += pieces
        if self._pieces > MAX_PIECES:
            raise InvalidRequest(f"The request has more than {MAX_PIECES} messages and content parts.")

    def add(self, content: str | Sequence[Raw] | None, *, depth: int = 0) -> None:
        """Add a message's content: a string or a list of parts.

        Raises:
            InvalidRequest: there are too many parts, or they nest too deeply.
        """
        if isinstance(content, str):
            self.say(content)
            return
        if depth > MAX_DEPTH:
            raise InvalidRequest(f"Message content is nested more than {MAX_DEPTH} deep.")
        parts = content or ()
        self.count(len(parts))
        for part in parts:
            if is_object(part):
                self._add_part(part, depth)
            else:
                self.say(string(part))

    def add_raw(self, content: Raw, *, depth: int = 0) -> None:
        """Add content of a shape not known yet: a string, a list of parts, or one part; nothing else says anything.

        Raises:
            InvalidRequest: as `add` does.
        """
        if is_string(content):
            self.say(string(content))
        elif is_array(content):
            self.add(items(content), depth=depth)
        elif is_object(content):
            self.add((content,), depth=depth)

    def _add_part(self, raw: Raw, depth: int) -> None:
        part = _PART.decode(raw)
        kind = string(part.type) or _kind_by_member(raw)
        if modality := MODALITIES.get(kind):
            self.modalities.add(modality)
        elif kind == "search_result":
            self.say(string(part.source))
        if kind.endswith("tool_use"):
            self.called = True
            self.call(part.name, part.input)
        for said in (part.title, part.context, part.text, part.refusal, part.thinking):
            self.say(string(said))
        if is_object(part.text):
            self.say(string(_TEXT.decode(part.text).value))
        for printed in (part.stdout, part.stderr, part.logs):
            self.say(string(printed))
        self.add_raw(part.content, depth=depth + 1)
        if is_object(part.source):
            self._add_source(part.source, depth)

    def _add_source(self, raw: Raw, depth: int) -> None:
        source = _SOURCE.decode(raw)
        # Of all sources of images and documents, one holds text in `data`; the others hold base64.
        if string(source.type) == "text":
            self.say(string(source.data))
        self.add_raw(source.content, depth=depth + 1)


def _kind(part: Raw) -> str:
    return string(_PART.decode(part).type) or _kind_by_member(part)


def _kind_by_member(part: Raw) -> str:
    """The kind of a part without `type`, which vLLM takes from the name of its other member."""
    members = _KINDS.decode(part)
    return next((name for name in MODALITIES if len(getattr(members, name))), "")
