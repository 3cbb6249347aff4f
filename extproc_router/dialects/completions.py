"""OpenAI's legacy completions: `POST /v1/completions`.

https://platform.openai.com/docs/api-reference/completions/create
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from extproc_router.dialects import batch
from extproc_router.dialects.base import Body, request
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.raw import ABSENT, is_array, is_present, is_string, string
from extproc_router.dialects.replies import openai_error
from extproc_router.errors import InvalidRequest

if TYPE_CHECKING:
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request


class _Completion(Body, kw_only=True, gc=False):
    prompt: Raw = ABSENT
    suffix: Raw = ABSENT


_COMPLETION = msgspec.json.Decoder(_Completion)


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
            content.say(string(completion.suffix))
            content.end_turn(batch.ROLE, even_if_silent=False)
            return request(self.name, body, completion, content)

    def error(self, status: int, error: ClientError) -> Reply:
        """OpenAI's error shape."""
        return openai_error(status, error)
