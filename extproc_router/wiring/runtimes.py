"""Config + encoder -> a runtime, which takes over from the one before what a reload should not touch.

That is: the encoder's thread, conversations and their models, clients of language models, loaded tokenizers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

from extproc_router.policy.stickiness import Held
from extproc_router.server import token_counter
from extproc_router.server.counted import Counted
from extproc_router.server.encoder_executor import Bounds, EncoderExecutor
from extproc_router.server.model_client import ModelClient
from extproc_router.server.service import Runtime
from extproc_router.verifier import terms
from extproc_router.verifier.verdicts import Judge
from extproc_router.wiring import building

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from extproc_router.config.loader import Config
    from extproc_router.encoder import Encoder
    from extproc_router.server.encoder_executor import Asks, Encodings
    from extproc_router.server.observer import Observer

_Client: TypeAlias = tuple[str, str, int]
"""Signal, URL, deadline in ms: each signal has its own threads and queue."""
_Tokenizer: TypeAlias = tuple[str, str]
"""Path, SHA-256 of the content."""


class Parts(Struct, frozen=True):
    """What a runtime is made of that its successor may go on with.

    Attributes:
        encoder: reads texts.
        executor: on this thread.
        clients: of language models.
        tokenizers: those that were loaded.
        held: conversations.
        conversations: how many it remembers.
    """

    encoder: Any
    executor: Counted[EncoderExecutor]
    clients: Mapping[_Client, Counted[ModelClient]]
    tokenizers: Mapping[_Tokenizer, Callable[[str], int]]
    held: Held
    conversations: int


class Built(Struct, frozen=True):
    """A runtime and its parts."""

    runtime: Runtime
    parts: Parts


def build(
    config: Config,
    encoder: Encoder,
    observer: Observer,
    *,
    before: Parts | None = None,
    encode: Callable[[Asks], Encodings] | None = None,
    judges: bool = True,
) -> Built:
    """Build what the server runs.

    Args:
        config: the policy and its limits.
        encoder: the loaded artefact.
        observer: told of the encoder's queue.
        before: parts of the runtime that serves; it must go on serving until this has returned.
        encode: stands in for the artefact's own; tests bring encoders that hang.
        judges: as in `building.build_router`.

    Raises:
        ConfigError: with every mistake; nothing is left of what was begun.
    """
    conversations = config.limits.sticky_conversations
    same = before is not None and before.conversations == conversations
    held = before.held if before and same else Held(conversations, os.urandom(16))
    tokenizers = _Tokenizers(before.tokenizers if before else {})
    router = building.build_router(config, encoder, held=held, load_tokenizer=tokenizers.load, judges=judges)
    with ExitStack() as taken:
        if before and before.encoder is encoder:
            executor = before.executor.take()
        else:
            made = EncoderExecutor(encode or partial(building.read_all, encoder), on_depth=observer.queue_changed)
            executor = Counted(made, made.close)
        taken.callback(executor.drop)
        clients: dict[_Client, Counted[ModelClient]] = {}
        for key in _clients(config):
            clients[key] = _client(key, before)
            taken.callback(clients[key].drop)
        runtime = Runtime(
            router=router,
            encoder=executor.thing,
            bounds=Bounds(config.limits.encoder_queue, config.limits.encoder_deadline_ms / 1000),
            matchers={signal: client.thing for (signal, _, _), client in clients.items()},
            release=taken.pop_all().close,
            judge=Judge(terms.of(config.written.verifier)),
        )
    return Built(runtime, Parts(encoder, executor, clients, tokenizers.used, held, conversations))


def build_runtime(
    config: Config, encoder: Encoder, observer: Observer, encode: Callable[[Asks], Encodings] | None = None
) -> Runtime:
    """Build what the server runs, from nothing; as in `build`."""
    return build(config, encoder, observer, encode=encode).runtime


def _clients(config: Config) -> Iterator[_Client]:
    for written in config.written.signals:
        matcher = getattr(written, "matcher", None)
        if matcher is not None:
            yield written.name or written.kind, matcher.url, matcher.deadline_ms


def _client(key: _Client, before: Parts | None) -> Counted[ModelClient]:
    if before and key in before.clients:
        return before.clients[key].take()
    _, url, deadline_ms = key
    made = ModelClient(url, deadline_seconds=deadline_ms / 1000)
    return Counted(made, made.close)


class _Tokenizers:
    """Loads tokenizers, but those of the runtime before."""

    def __init__(self, before: Mapping[_Tokenizer, Callable[[str], int]]) -> None:
        self._before = before
        self.used: dict[_Tokenizer, Callable[[str], int]] = {}

    def load(self, path: Path) -> Callable[[str], int]:
        content = token_counter.read(path)
        key = str(path), hashlib.sha256(content).hexdigest()
        counter = self._before.get(key) or token_counter.parse(content, path)
        self.used[key] = counter
        return counter
