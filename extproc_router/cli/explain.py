"""`extproc-router explain`: the decision on one prompt, and why."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.types import Answer, Classification, Flag, HttpRequest, Mutation, Pair

if TYPE_CHECKING:
    import argparse

    from extproc_router.types import Encoding

_TOP_LABELS = 3
_BAR = 20


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "explain",
        help="show the decision on one prompt, and why",
        description="Decide one request as `serve` would, and show what was read, what was chosen and why.",
    )
    common.add_config(parser)
    common.add_model(parser)
    parser.add_argument("prompt", nargs="?", help="a prompt, sent as one user message; - reads it from stdin")
    parser.add_argument("--body", type=Path, metavar="FILE", help="a whole request body instead")
    parser.add_argument("--path", default="/v1/chat/completions", help="the API's path (default: %(default)s)")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="a request header; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, usage=parser.error)


def run(args: argparse.Namespace) -> int:
    """Decide and tell; exit 1 where the client would be refused."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy

    headers, body = _headers(args), _body(args)
    config = wiring.read_config(args.config)
    encoder = wiring.load_encoder(args.model)
    router = wiring.build_router(config, encoder)
    http = HttpRequest("POST", args.path, headers, body)
    started = time.perf_counter()
    read = router.read(http, "explain")
    encoding = None
    if isinstance(read, Answer):
        answer = read
    else:
        encoding = encoder.encode(read.text)
        answer = router.decide(read, encoding)
    milliseconds = (time.perf_counter() - started) * 1000
    if args.json:
        print(json.dumps(_document(answer, encoding, milliseconds), indent=2))
    else:
        _print(answer, encoding, milliseconds)
    return 1 if answer.decision.status >= 400 else 0  # noqa: PLR2004 - HTTP's errors


def _headers(args: argparse.Namespace) -> dict[str, str]:
    """Read `--header`s; repeated ones are joined, as they are when they come from Envoy."""
    headers: dict[str, str] = {}
    for pair in args.header:
        name, colon, value = pair.partition(":")
        if not colon or not name.strip():
            args.usage(f"--header {pair!r}: expected NAME:VALUE")
        key, value = name.strip().lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _body(args: argparse.Namespace) -> bytes:
    if (args.body is None) == (args.prompt is None):
        args.usage("give one of a prompt and --body")
    if args.body:
        try:
            body: bytes = args.body.read_bytes()
        except (OSError, ValueError) as error:
            raise StartupError(f"{args.body}: {getattr(error, 'strerror', None) or error}") from error
        return body
    if args.prompt == "-" and not sys.stdin:
        raise StartupError("the prompt is to come from stdin, which is closed")
    prompt = sys.stdin.read() if args.prompt == "-" else args.prompt
    # Arguments that are not UTF-8 arrive as lone surrogates, which no client could send.
    clean = prompt.encode(errors="replace").decode()
    return json.dumps({"model": "auto", "messages": [{"role": "user", "content": clean}]}).encode()


def _document(answer: Answer, encoding: Encoding | None, milliseconds: float) -> dict[str, object]:
    import msgspec  # noqa: PLC0415 - only here

    document: dict[str, object] = msgspec.to_builtins(answer.decision)
    document["total_ms"] = round(milliseconds, 3)
    if encoding:
        document["encoder"] = msgspec.to_builtins(encoding)
    if isinstance(answer.action, Mutation):
        document["set_headers"] = dict(answer.action.set_headers)
    else:
        document["reply"] = json.loads(answer.action.body)
    return document


def _why(answer: Answer) -> str:
    """Return the reason, or what the client would be told."""
    if isinstance(answer.action, Mutation) or answer.decision.status < 400:  # noqa: PLR2004 - HTTP's errors
        return answer.decision.why
    return str(json.loads(answer.action.body)["error"]["message"])


def _head_rows(name: str, encoding: Encoding) -> list[tuple[str, str]]:
    """Show one head's answer, and the tier that gave it."""
    answer, tier = encoding.heads[name], f"tier {encoding.tiers[name]}"
    if isinstance(answer, Classification):
        ranked = sorted(answer.probs.items(), key=lambda pair: -pair[1])[:_TOP_LABELS]
        lines = [_bar(label, p) for label, p in ranked]
    elif isinstance(answer, Flag):
        lines = [_bar("yes" if answer.raised else "no", answer.p)]
    elif isinstance(answer, Pair):
        parts = {"score": answer.score, "strong is right": answer.strong, "weak is right": answer.weak}
        lines = [_bar(label, p) for label, p in parts.items()]
    else:
        lines = [_bar(f"{span.type} {span.start}-{span.end}", span.score) for span in answer] or ["nothing found"]
    first, *more = lines
    return [(name, f"{first:<48}{'nothing to read' if encoding.abstained else tier}"), *(("", line) for line in more)]


def _bar(label: str, p: float) -> str:
    return f"{label:<18} {p:5.2f} {'#' * round(p * _BAR)}"


def _print(answer: Answer, encoding: Encoding | None, milliseconds: float) -> None:
    decision = answer.decision
    target = f"{decision.model} on cluster {decision.cluster}" if decision.model else f"HTTP {decision.status}"
    rows = [("decision", target), ("reason", decision.reason.value), ("why", _why(answer))]
    if encoding is None:
        rows.append(("encoder", "not needed"))
    else:
        for name in encoding.heads:
            rows += _head_rows(name, encoding)
        rows.append(("encoder", f"{encoding.tokens} tokens{' (parts of a longer text)' * encoding.windowed}"))
    rows += [
        ("privacy", decision.privacy_tier),
        ("config", decision.config_version),
        ("took", f"{milliseconds:.1f} ms"),
    ]
    for key, value in rows:
        print(f"{key:>10}  {value}")
