"""Every signal of many texts: JSON Lines in, JSON Lines out, in the same order.

In: `{"id", "text"}` or `{"id", "messages": [{"role", "content"}]}`, content a string or a list of parts. Out: the id,
each signal that was asked for under its name, then

* `embedding`: where asked for, of length 1;
* `tier`: the last one that ran: 0 is the word vectors, n the n-th stage of the encoder;
* `ms`: wall time of the encoding;
* `abstained`: true where there was nothing to read (no known token), and absent elsewhere.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct, structs

from extproc_router.errors import EncoderFailed
from extproc_router.evaluation.rows import content_of
from extproc_router.signals import prompt
from extproc_router.types import Classification, Encoding, Flag, Pair, Request, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from extproc_router.types import HeadAnswer

JAILBREAK = "jailbreak"

_DIGITS = 6


class Encodes(Protocol):
    """What an encoder is here."""

    def encode(
        self, text: str, signals: Collection[str] | None = None, *, tiers: bool = True, embedding: bool = False
    ) -> Encoding:
        """Read a text."""
        ...


class Options(Struct, frozen=True):
    """What is asked of every text.

    Attributes:
        signals: names of heads; None for all that are enabled.
        tiers: whether early tiers may answer.
        embedding: whether the embedding is wanted too.
    """

    signals: tuple[str, ...] | None = None
    tiers: bool = True
    embedding: bool = False


class Item(Struct, frozen=True):
    """One line.

    Attributes:
        id: as JSON text, exactly as written but for string escapes.
        text: what the user wants, which is read for every signal.
        incoming: everything that may hold an attack; of messages it is more than `text`.
    """

    id: str
    text: str
    incoming: str


def score(
    lines: Iterator[tuple[int, bytes | None]],
    encoder: Encodes,
    options: Options,
    bad: Callable[[int, str], object],
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[str]:
    """Score lines, one at a time.

    Args:
        lines: as `lines.read` yields them.
        encoder: reads.
        options: what is asked.
        bad: is told the number of a line that cannot be scored, and why; nothing is yielded for it.
        clock: seconds.

    Yields:
        One JSON object for each other line, without its end.
    """
    for number, line in lines:
        try:
            item = parse(line, number)
            start = clock()
            encoding = _read(encoder, item, options)
            taken = clock() - start
        except (ValueError, RecursionError, EncoderFailed) as error:
            bad(number, "nested too deeply" if isinstance(error, RecursionError) else str(error))
        else:
            yield write(item, encoding, taken * 1000)


def parse(line: bytes | None, number: int) -> Item:
    """Read one line; None stands for one that is too long.

    Not by msgspec: it refuses strings with unpaired surrogates, which prompts cut in the middle have.

    Raises:
        ValueError: it cannot be read; the message says why.
        RecursionError: it is nested too deeply.
    """
    if line is None:
        raise ValueError("too long")
    try:
        # Numbers stay as they are written: an id of 30 digits, or 1.0, comes back the same.
        row = json.loads(line.decode(), parse_int=_Number, parse_float=_Number, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error.reason} at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not an object")  # noqa: TRY004 - one kind of error for a bad line
    name = row.get("id", _Number(str(number)))
    if isinstance(name, dict | list):
        raise ValueError("the id is neither a string, a number, a boolean nor null")  # noqa: TRY004 - likewise
    return Item(name.written if isinstance(name, _Number) else json.dumps(name), *_texts(row))


def write(item: Item, encoding: Encoding, milliseconds: float) -> str:
    """Write one line; probabilities and the embedding have six digits after the point, milliseconds three."""
    document: dict[str, Any] = {name: written(answer) for name, answer in encoding.heads.items()}
    if encoding.embedding is not None:
        document["embedding"] = [round(value, _DIGITS) for value in encoding.embedding]
    document["tier"] = max(encoding.tiers.values(), default=0)
    document["ms"] = round(milliseconds, 3)
    if encoding.abstained:
        document["abstained"] = True
    return f'{{"id": {item.id}, {json.dumps(document)[1:]}'


def written(answer: HeadAnswer) -> dict[str, Any] | list[dict[str, Any]]:
    """Return an answer as JSON values."""
    if isinstance(answer, Classification):
        probs = {label: round(p, _DIGITS) for label, p in answer.probs.items()}
        return {"label": answer.label, "confidence": round(answer.confidence, _DIGITS), "probs": probs}
    if isinstance(answer, Flag):
        return {"p": round(answer.p, _DIGITS), "flag": answer.raised}
    if isinstance(answer, Pair):
        return {name: round(getattr(answer, name), _DIGITS) for name in ("strong", "weak", "score")}
    return [
        {"start": span.start, "end": span.end, "type": span.type, "score": round(span.score, _DIGITS)}
        for span in answer
    ]


class _Number(Struct, frozen=True):
    """A JSON number as it is written."""

    written: str


def _refuse(name: str) -> None:
    raise ValueError(f"not JSON: {name}")


def _read(encoder: Encodes, item: Item, options: Options) -> Encoding:
    encoding = encoder.encode(item.text, options.signals, tiers=options.tiers, embedding=options.embedding)
    shown = encoding.heads.get(JAILBREAK)
    if item.incoming in ("", item.text) or not isinstance(shown, Flag):
        return encoding
    # An attack counts wherever it stands, so the likelier of the two readings does.
    whole = encoder.encode(item.incoming, (JAILBREAK,), tiers=options.tiers)
    other = whole.heads[JAILBREAK]
    if not isinstance(other, Flag) or (other.p <= shown.p and not encoding.abstained) or whole.abstained:
        return encoding
    return structs.replace(
        encoding,
        heads={**encoding.heads, JAILBREAK: other},
        tiers={**encoding.tiers, JAILBREAK: whole.tiers[JAILBREAK]},
        abstained=False,
    )


def _texts(row: Mapping[str, object]) -> tuple[str, str]:
    text, messages = row.get("text"), row.get("messages")
    if text is not None and messages is not None:
        raise ValueError("both `text` and `messages`")
    if messages is not None:
        request = _request(messages)
        return prompt.text_of(request), prompt.incoming_of(request)
    if not isinstance(text, str):
        raise ValueError("no text: expected `text` or `messages`")  # noqa: TRY004 - one kind of error for a bad line
    return text, text


def _request(messages: object) -> Request:
    if not isinstance(messages, list):
        raise ValueError("`messages` is not a list")  # noqa: TRY004 - likewise
    turns = tuple(_turn(message, place) for place, message in enumerate(messages))
    return Request("", "", (0, 0), turns, stream=False, modalities=frozenset(), tools=False)


def _turn(message: object, place: int) -> Turn:
    if not isinstance(message, dict):
        raise ValueError(f"messages[{place}] is not an object")  # noqa: TRY004 - likewise
    role, content = message.get("role"), message.get("content")
    if not isinstance(role, str):
        raise ValueError(f"messages[{place}] has no role")  # noqa: TRY004 - likewise
    if not isinstance(content, str | list | None):
        raise ValueError(f"messages[{place}]: the content is neither a string nor a list of parts")  # noqa: TRY004
    return Turn(role, content_of(content))
