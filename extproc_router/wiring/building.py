"""Files -> a config, an encoder, and what decides with both."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from extproc_router import encoder as encoder_room
from extproc_router.config import compiling, loader
from extproc_router.encoder import recent
from extproc_router.errors import ConfigError, ModelFailed, ShedError, StartupError
from extproc_router.policy.stickiness import Held
from extproc_router.router import Opened, Plan, Router, Terms
from extproc_router.server import token_counter
from extproc_router.signals.base import Answers, Resources
from extproc_router.types import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.config.compiling import Compiled
    from extproc_router.config.loader import Config
    from extproc_router.encoder import Encoder
    from extproc_router.server.encoder_executor import Asks, Encodings
    from extproc_router.types import Ask, Encoding, HttpRequest, Mistake


def read_config(path: Path) -> Config:
    """Read and check a config file.

    Raises:
        StartupError: it cannot be read.
        ConfigError: it has mistakes.
    """
    return loader.load(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """Read a file that a user named; a pipe, too.

    Raises:
        StartupError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise StartupError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def resources(encoder: Encoder) -> Resources:
    """Return what signals may need of an artefact."""
    return Resources(
        heads=frozenset(encoder.signals),
        domains=encoder.labels,
        confidence_floor=encoder.confidence_floor,
        embed=lambda text: tuple(encoder.embed(text).tolist()),
    )


def compile_config(config: Config, encoder: Encoder, *, warn: bool = True) -> Compiled:
    """Compile a config against the artefact that will read prompts for it.

    Args:
        config: the policy.
        encoder: the artefact.
        warn: whether to look for what is no mistake and hardly meant.

    Raises:
        ConfigError: with every mistake.
    """
    offered, floor = resources(encoder), config.routing.confidence_floor
    offered = offered if floor is None else replace(offered, confidence_floor=floor)
    return compiling.compile_config(config, offered, warn=warn)


def tokenizers(config: Config) -> dict[str, Path]:
    """Return the tokenizers that a config names, as written -> where the file is: beside the config."""
    beside = Path(config.document.file).parent
    return {model.tokenizer: beside / model.tokenizer for _, model in config.entries("models") if model.tokenizer}


def counters(
    config: Config, load: Callable[[Path], Callable[[str], int]] = token_counter.load
) -> dict[str, Callable[[str], int]]:
    """Load the tokenizers that the config names, each once; returns what counts, by model name.

    Args:
        config: names them.
        load: path -> what counts.

    Raises:
        ConfigError: one cannot be read.
    """
    loaded: dict[str, Callable[[str], int]] = {}
    paths = tokenizers(config)
    mistakes: list[Mistake] = []
    for place, model in config.entries("models"):
        if model.tokenizer and model.tokenizer not in loaded:
            try:
                loaded[model.tokenizer] = load(paths[model.tokenizer])
            except StartupError as error:
                mistakes.append(config.document.mistake(("models", place, "tokenizer"), str(error)))
    if mistakes:
        raise ConfigError(tuple(mistakes))
    return {model.name: loaded[model.tokenizer] for model in config.candidates if model.tokenizer}


def build_router(
    config: Config,
    encoder: Encoder,
    *,
    held: Held | None = None,
    load_tokenizer: Callable[[Path], Callable[[str], int]] = token_counter.load,
    judges: bool = True,
) -> Router:
    """Build what decides under a config.

    Args:
        config: the policy.
        encoder: reads prompts for it.
        held: the conversations of an earlier one, where they shall go on.
        load_tokenizer: as in `counters`.
        judges: whether there is a verifier; without one, answers are not asked for what it judges by.

    Raises:
        ConfigError: with every mistake.
    """
    compiled = compile_config(config, encoder, warn=False)
    terms = Terms(
        policy=compiled.policy if judges else compiled.policy.without_cascades(),
        readers=compiled.readers,
        redactors=compiled.redactors,
        matchers=compiled.matchers,
        unrouted=config.routing.unrouted,
        counters=counters(config, load_tokenizer),
        counts_tokens=compiled.counts_tokens,
        sticky_by=compiled.sticky_by,
        config_version=config.version,
        encoder_version=encoder.version,
        max_body_bytes=config.limits.max_body_bytes,
        created=int(time.time()),
    )
    return Router(terms, held or Held(config.limits.sticky_conversations, os.urandom(16)))


def read_all(encoder: Encoder, asks: Asks) -> Encodings:
    """Read every text that is asked for; a text that the encoder fails at has its error in place of an encoding."""
    return {ask.text: _read(encoder, ask) for ask in asks}


def _read(encoder: Encoder, ask: Ask) -> Encoding | ShedError:
    try:
        return encoder.encode(ask.text, ask.heads, embedding=ask.embedding)
    except ShedError as error:
        return error


def decide(router: Router, encoder: Encoder, http: HttpRequest) -> tuple[Answer, Opened | None]:
    """Decide one request here and now, with the encoder and without asking any language model.

    Those who explain, test and evaluate a policy need no server for it; signals that ask a language model are absent.

    Returns:
        The answer; and the request with all that was read, None where rules did not decide it.
    """
    opened = router.open(http, "offline")
    if isinstance(opened, Answer):
        return opened, None
    outcome = router.advance(opened)
    while isinstance(outcome, Plan):
        said: dict[str, bytes | ShedError] = {
            question.signal: ModelFailed("language models are not asked offline") for question in outcome.questions
        }
        outcome = router.decide(outcome, Answers(read_all(encoder, outcome.asks), said))
    return outcome, opened


def load_encoder(path: Path, *, remember: int = recent.ENTRIES) -> Encoder:
    """Load and warm an artefact.

    Args:
        path: of its directory.
        remember: how many of the last answers are kept; 0 for none.

    Raises:
        ArtefactError: it is missing, corrupt or does not fit.
    """
    encoder = encoder_room.load(path, remember=remember)
    encoder.warm_up()
    return encoder
