"""OpenAI's legacy completions: `POST /v1/completions`.

https://platform.openai.com/docs/api-reference/completions/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw, Struct

from extproc_router.dialects import batch
from extproc_router.dialects.base import Body, request
from extproc_router.dialects.changes import cap, include_usage, logprobs
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.openai_decline import decline_completion
from extproc_router.dialects.replies import openai_error
from extproc_router.errors import InvalidRequest
from extproc_router.json_views import ABSENT, is_array, is_present, is_string, is_true, string, whole

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request


class _Completion(Body, kw_only=True, gc=False):
    prompt: Raw = ABSENT
    suffix: Raw = ABSENT
    prompt_embeds: Raw = ABSENT
    max_tokens: Raw = ABSENT


class _Edited(Struct, gc=False):
    echo: Raw = ABSENT
    logprobs: Raw = ABSENT
    max_tokens: Raw = ABSENT
    stream_options: Raw = ABSENT


_COMPLETION = msgspec.json.Decoder(_Completion)
_EDITED = msgspec.json.Decoder(_Edited)

DEFAULT_MAX_TOKENS: Final = 16
"""OpenAI's and vLLM's, where the member is absent: stating a higher bound would raise it."""


SAMPLED_ALONE: Final = 0
"""Of how many other likely tokens the log-probabilities are told beside that of each token of the answer."""


class Completions:
    """Text in, text out; code models are filled in the middle through it."""

    name: Final = "completions"
    paths: Final = ("/v1/completions",)

    def read(self, body: bytes) -> Request:
        """Read a request body; all prompts and the suffix are one turn.

        `prompt` may be absent or null: OpenAI then starts from an empty document, vLLM takes `prompt_embeds`.

        Raises:
            InvalidRequest: it is not what the path promises.
        """
        with complaining(body):
            completion = read_object(body, _COMPLETION)
            prompt = completion.prompt
            if is_present(prompt) and not (is_string(prompt) or is_array(prompt)):
                raise InvalidRequest("'prompt' must be a string or an array.", param="prompt")
            content = Content()
            batch.add_batch(content, prompt)
            if is_present(completion.prompt_embeds):
                content.unread = "embeddings"
            content.say(string(completion.suffix))
            content.end_turn(batch.ROLE, even_if_silent=False)
            return request(self.name, body, completion, content, max_tokens=whole(completion.max_tokens))

    def error(self, status: int, error: ClientError) -> Reply:
        """OpenAI's error shape."""
        return openai_error(status, error)

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Edit `max_tokens`, `logprobs` and `stream_options`.

        There is no system prompt, and no chat template that thinks. Of an answer that begins with the prompt, the
        prompt's log-probabilities would come too, at the price of reading it twice: they are not asked for.
        """
        members = _EDITED.decode(editor.body)
        if change.max_tokens and (len(members.max_tokens) > 0 or change.max_tokens < DEFAULT_MAX_TOKENS):
            cap(editor, change.max_tokens, "max_tokens", members.max_tokens)
        if change.logprobs and not is_true(members.echo):
            logprobs(editor, members.logprobs, SAMPLED_ALONE)
        if change.include_usage:
            include_usage(editor, request, members.stream_options)

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> Reply:
        """As many choices as were asked for, for each prompt."""
        return decline_completion(body, request, message, decision_id, created)
