"""OpenAI's embeddings: `POST /v1/embeddings`.

https://platform.openai.com/docs/api-reference/embeddings/create

Other servers take more behind the same path: vLLM reads chat `messages` in place of `input`, and several vendors of
multimodal embeddings put objects into `input`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from extproc_router.dialects import batch
from extproc_router.dialects.base import Body, request

# At run time: msgspec resolves the annotations of a Struct.
from extproc_router.dialects.chat_completions import Messages, add_messages
from extproc_router.dialects.complaints import complaining
from extproc_router.dialects.content import Content
from extproc_router.dialects.json_document import read_object
from extproc_router.dialects.replies import openai_error
from extproc_router.errors import InvalidRequest
from extproc_router.json_views import ABSENT, is_array, is_object, is_present, is_string

if TYPE_CHECKING:
    from extproc_router.candidates import Change
    from extproc_router.dialects.editor import Editor
    from extproc_router.errors import ClientError
    from extproc_router.types import Reply, Request


class _Embedding(Body, kw_only=True, gc=False):
    input: Raw = ABSENT
    messages: Messages | None = None


_EMBEDDING = msgspec.json.Decoder(_Embedding)


class Embeddings:
    """Text in, vectors out."""

    name: Final = "embeddings"
    paths: Final = ("/v1/embeddings",)

    def read(self, body: bytes) -> Request:
        """Read a request body; all inputs are one turn, chat messages one each.

        Raises:
            InvalidRequest: it is not what the path promises.
        """
        with complaining(body):
            embedding = read_object(body, _EMBEDDING)
            inputs = embedding.input
            if not is_present(inputs) and embedding.messages is None:
                raise InvalidRequest("Missing required parameter: 'input'.", param="input")
            if is_present(inputs) and not (is_string(inputs) or is_array(inputs) or is_object(inputs)):
                raise InvalidRequest("'input' must be a string or an array.", param="input")
            content = Content()
            add_messages(content, embedding.messages or ())
            batch.add_batch(content, inputs)
            content.end_turn(batch.ROLE, even_if_silent=False)
            return request(self.name, body, embedding, content)

    def error(self, status: int, error: ClientError) -> Reply:
        """OpenAI's error shape."""
        return openai_error(status, error)

    def edit(self, editor: Editor, request: Request, change: Change) -> None:
        """Nothing but the model can be told."""

    def decline(self, body: bytes, request: Request, message: str, decision_id: str, created: int) -> None:  # noqa: ARG002
        """Vectors cannot decline."""
        return
