"""What every client API is to the router, and what their bodies share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects.searchable import INERT
from extproc_router.dialects.splice import find_model
from extproc_router.json_views import ABSENT, is_present, is_true, items, string
from extproc_router.types import Request

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.content import Content
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply


class Dialect(Protocol):
    """One client API."""

    @property
    def name(self) -> str:
        """As in `Request.api`; low cardinality, a metric label."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths it is served at, without query."""
        ...

    def read(self, body: bytes) -> Request:
        """Read a request body.

        Raises:
            InvalidRequest: it is not what the path promises; nothing else is ever raised.
        """
        ...

    def error(self, status: int, error: ClientError) -> Reply:
        """Tell the client, in this API's own shape."""
        ...

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Make those edits that this API has members for, all but that of the model.

        Args:
            editor: of the body that `request` was read from; takes the edits and their names.
            request: what `read` returned.
            change: what shall change.
        """
        ...

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply | None:
        """Answer with a completion that declines, as a model would: status 200, events where `request.stream`.

        Args:
            body: what `request` was read from.
            request: what `read` returned; its model is said to answer.
            message: what to say.
            decision_id: ids in the answer are made of it; ASCII without blanks.
            created: seconds since 1970.

        Returns:
            None where this API's answers cannot say anything.
        """
        ...


class Body(Struct, kw_only=True, gc=False):
    """The members that all bodies share; each dialect adds its own.

    All are views: a wrong type in them is for the upstream to judge, save in `model`. Those of the second group are
    vLLM's and OpenAI's for models to read, or to write by; servers take them behind several paths.
    """

    model: Raw = ABSENT
    stream: Raw = ABSENT
    tools: Raw = ABSENT
    service_tier: Raw = ABSENT

    chat_template: Raw = ABSENT
    chat_template_kwargs: Raw = ABSENT
    documents: Raw = ABSENT
    guided_choice: Raw = ABSENT
    guided_grammar: Raw = ABSENT
    guided_json: Raw = ABSENT
    guided_regex: Raw = ABSENT
    structured_outputs: Raw = ABSENT


_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def request(
    api: str, body: bytes, document: Body, content: Content, *, tools: bool = False, max_tokens: int | None = None
) -> Request:
    """The Request that a document and its gathered content make.

    Raises:
        InvalidRequest: `model` is neither a string nor null.
    """
    model, span = find_model(body, document.model)
    content.declare(
        document.tools,
        document.chat_template_kwargs,
        document.documents,
        document.guided_choice,
        document.guided_grammar,
        document.guided_json,
        document.guided_regex,
        document.structured_outputs,
    )
    # What no dialect knows goes on as well, and some server may read it.
    known = document.__struct_fields__
    content.declare(
        *(raw for name, raw in _MEMBERS.decode(body).items() if name not in known and name.encode() not in INERT)
    )
    if is_present(document.chat_template):
        content.unread = "a chat template"  # it can say whatever it likes, in a language of its own
    return Request(
        api=api,
        model=model,
        model_span=span,
        turns=tuple(content.turns),
        stream=is_true(document.stream),
        modalities=frozenset(content.modalities),
        tools=tools or bool(items(document.tools)),
        called=content.called,
        max_tokens=max_tokens,
        service_tier=string(document.service_tier),
        tools_bytes=len(document.tools),
        unread=content.unread,
        declared=content.declared,
    )
