"""What a JSON reader says of a body, said to the client: every foreign exception becomes an InvalidRequest.

No message quotes a value of the body: a prompt must not travel into logs and metrics by way of an error.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from extproc_router.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

# msgspec's own wording: "<what> - at `$.messages[0].role`", the place being left out at the root.
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`$")
_EXPECTED = re.compile(r"^Expected `(?P<expected>[^`]*)`, got `(?P<got>[^`]*)`$")
_TOO_LONG = re.compile(r"^Expected `(?P<kind>array|str)` of length <= (?P<limit>\d+)$")
_BYTE = re.compile(r"\(byte \d+\)")
_HALF_A_PAIR = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
_TRUNCATED = "Input data was truncated"
_PEOPLE_SAY = {
    "str": "a string",
    "array": "an array",
    "object": "an object",
    "int": "a number",
    "float": "a number",
    "bool": "a boolean",
    "null": "null",
}


@contextmanager
def complaining(body: bytes) -> Iterator[None]:
    """Translate whatever reading `body` raises.

    Raises:
        InvalidRequest: the body is not UTF-8, not JSON, nested too deeply, or not of the promised shape; `param`
            names the member where one is to blame, spelled as OpenAI does (`messages[0].content`).
    """
    try:
        yield
    except msgspec.ValidationError as error:
        raise _wrong_shape(str(error)) from error
    except msgspec.DecodeError as error:
        raise InvalidRequest(_not_json(str(error), body)) from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"The request body is not valid UTF-8 (byte {error.start}).") from error
    except RecursionError as error:
        raise InvalidRequest("The request body is nested too deeply.") from error


def _wrong_shape(complaint: str) -> InvalidRequest:
    place = _PLACE.match(complaint)
    what, path = (place["what"], place["path"] or "") if place else (complaint, "")
    if missing := _MISSING.match(what):
        param = f"{path}.{missing['name']}" if path else missing["name"]
        return InvalidRequest(f"Missing required parameter: '{param}'.", param=param)
    subject = f"'{path}'" if path else "The request body"
    if too_long := _TOO_LONG.match(what):
        unit = "items" if too_long["kind"] == "array" else "characters"
        return InvalidRequest(f"{subject} is longer than {too_long['limit']} {unit}.", param=path or None)
    if expected := _EXPECTED.match(what):
        wanted = _either([_PEOPLE_SAY.get(name, name) for name in expected["expected"].split(" | ")])
        got = _PEOPLE_SAY.get(expected["got"], expected["got"])
        return InvalidRequest(f"{subject} must be {wanted}, not {got}.", param=path or None)
    return InvalidRequest(f"{subject} is not of the expected type.", param=path or None)


def _not_json(complaint: str, body: bytes) -> str:
    # After the first half msgspec looks for the second: what it then misses depends on what else is there.
    if "surrogate" in complaint or "hex escape" in complaint or (complaint == _TRUNCATED and _looks_whole(body)):
        return "The request body is not valid JSON: a string holds half of a surrogate pair (\\uD800 to \\uDFFF)."
    if complaint == _TRUNCATED:
        return "The request body is not valid JSON: it ends too early."
    place = _BYTE.search(complaint)
    return f"The request body is not valid JSON{' ' + place[0] if place else ''}."


def _looks_whole(body: bytes) -> bool:
    return body.rstrip().endswith(b"}") and _HALF_A_PAIR.search(body) is not None


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
