"""`extproc-router explain`: the decision on one request, and why; or what another config would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from extproc_router.cli import common
from extproc_router.errors import StartupError

if TYPE_CHECKING:
    import argparse

    from extproc_router.config.loader import Config
    from extproc_router.encoder import Encoder
    from extproc_router.explaining.explanation import Explanation
    from extproc_router.explaining.kept import Kept

_ERRORS = 400  # HTTP


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "explain",
        help="show the decision on one request, and why; or what another config would change",
        description="Decide one request as `serve` would, as the first of its conversation, and show what was read, "
        "which rules matched and why the others did not, which models were left out, and what changes in the body. "
        "With --decision, tell a decision of the log again from what the log kept of it. With --what-if and --data, "
        "decide many requests under two configs and show what differs, with an estimate of the cost. Exit 1 where the "
        "client would be refused with an error, or a line of the data cannot be used. A logged decision is told under "
        "the config that made it, where `serve` has kept that.",
    )
    common.add_config(parser)
    common.add_model(parser)
    parser.add_argument("prompt", nargs="?", help="a prompt, sent as one user message; - reads it from stdin")
    parser.add_argument("--body", type=Path, metavar="FILE", help="a whole request body instead")
    parser.add_argument(
        "--decision", type=Path, metavar="FILE", help="a line of the decision log instead; - reads it from stdin"
    )
    parser.add_argument("--path", default="/v1/chat/completions", help="the API's path (default: %(default)s)")
    parser.add_argument(
        "--header", action="append", default=[], metavar="NAME:VALUE", help="a request header; may be repeated"
    )
    parser.add_argument(
        "--version", metavar="HASH", help="a config that ran once in place of --config: the first digits of its version"
    )
    common.add_state(parser)
    parser.add_argument("--what-if", type=Path, metavar="FILE", help="another config, to compare with --config")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help='what to compare them on: JSON Lines {"text"}, {"messages"} or {"body", "headers", "path"}, each with an '
        '"id" where you like; gzip is known by itself',
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run, usage=parser.error)


def run(args: argparse.Namespace) -> int:
    """Decide and tell."""
    given = [args.prompt is not None, args.body is not None, args.decision is not None, args.what_if is not None]
    if sum(given) != 1:
        args.usage("give one of a prompt, --body, --decision and --what-if")
    if (args.what_if is None) != (args.data is None):
        args.usage("--what-if and --data go together")
    if (args.what_if or args.decision) and args.header:
        args.usage("--header goes with a prompt or --body")
    if args.what_if and args.version:
        args.usage("--version goes with a prompt, --body or --decision")
    headers = _headers(args)

    from extproc_router import wiring  # noqa: PLC0415 - heavy

    if args.what_if:
        return _what_if(args)
    kept = _kept(args)
    config = kept.config if kept else wiring.read_config(args.config)
    # Read before the encoder is loaded, which takes longer than a typing mistake deserves.
    body = b"" if args.decision else _body(args, config)
    logged = _read(args.decision) if args.decision else b""
    encoder = wiring.load_encoder(args.model, remember=0)
    told = _retold(args, config, encoder, logged) if args.decision else _told(args, config, encoder, headers, body)
    if kept and not args.decision:
        told = replace(told, notes=(*kept.notes(encoder.version), *told.notes))

    from extproc_router.explaining import document, page  # noqa: PLC0415 - heavy

    if args.json:
        print(json.dumps(document.describe(told), indent=2))
    else:
        sys.stdout.write(page.write(told))
    return 1 if told.decision.status >= _ERRORS else 0


def _told(
    args: argparse.Namespace, config: Config, encoder: Encoder, headers: dict[str, str], body: bytes
) -> Explanation:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.explaining import telling  # noqa: PLC0415 - heavy
    from extproc_router.types import HttpRequest  # noqa: PLC0415 - heavy

    router = wiring.build_router(config, encoder)
    return telling.explain(router, encoder, HttpRequest("POST", args.path, headers, body))


def _kept(args: argparse.Namespace) -> Kept | None:
    if not args.version:
        return None
    from extproc_router.explaining import kept  # noqa: PLC0415 - heavy

    return kept.find(common.state_directory(args), args.version)


def _retold(args: argparse.Namespace, config: Config, encoder: Encoder, logged: bytes) -> Explanation:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.explaining import kept  # noqa: PLC0415 - heavy
    from extproc_router.explaining import logged as log  # noqa: PLC0415 - heavy
    from extproc_router.server import state  # noqa: PLC0415 - heavy

    decision, total_ms = log.parse(logged, str(args.decision))
    note = ""
    if not args.version:
        config, note = kept.behind(args.state or state.default_directory(), decision.config_version, config)
    told = log.retell(wiring.build_router(config, encoder).terms, decision, total_ms)
    return replace(told, notes=(note, *told.notes)) if note else told


def _what_if(args: argparse.Namespace) -> int:
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.explaining import whatif, whatif_page  # noqa: PLC0415 - heavy

    config = wiring.read_config(args.config)
    other = wiring.read_config(args.what_if)
    encoder = wiring.load_encoder(args.model)
    sides = [whatif.Side(str(path), each, encoder) for path, each in ((args.config, config), (args.what_if, other))]
    found, faults = whatif.compare(sides[0], sides[1], args.data)
    print(json.dumps(whatif_page.describe(found), indent=2) if args.json else whatif_page.write(found), flush=True)
    if faults.count:
        print(faults, file=sys.stderr)
    return 1 if faults.count else 0


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


def _body(args: argparse.Namespace, config: Config) -> bytes:
    from extproc_router.explaining.requests import prompt_body  # noqa: PLC0415 - heavy

    if args.body:
        return _read(args.body)
    prompt = _read(Path("-")).decode(errors="replace") if args.prompt == "-" else args.prompt
    return prompt_body(args.path, config.auto[0], prompt)


def _read(path: Path) -> bytes:
    """Read a file, or stdin where it is called `-`."""
    if str(path) == "-":
        if not sys.stdin:
            raise StartupError("it is to come from stdin, which is closed")
        return sys.stdin.buffer.read()
    from extproc_router import wiring  # noqa: PLC0415 - heavy

    return wiring.read_file(path)
