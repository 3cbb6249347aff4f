"""`extproc-router simulate`: a simulated model server, with all its faults."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

from msgspec import Meta

from extproc_router.errors import StartupError
from extproc_router.lab.simulation.behaviour import Behaviour

if TYPE_CHECKING:
    import argparse

_DEFAULTS = Behaviour()


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "simulate",
        help="run a simulated model server, with all its faults",
        description=(
            "Run one simulated model server until Ctrl-C: OpenAI's chat completions, completions, responses and "
            "embeddings, and Anthropic's messages, at the speed and with the faults that the options say. Without "
            "options it answers at once, and names the model and the cluster."
        ),
    )
    parser.add_argument(
        "--listen", default="127.0.0.1:9001", metavar="HOST:PORT", help="port 0 takes a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--model", action="append", default=[], metavar="NAME", help="a model that is served; may be repeated"
    )
    parser.add_argument("--cluster", metavar="NAME", help="what answers say they come from (default: the first model)")
    parser.add_argument(
        "--script",
        type=Path,
        metavar="FILE",
        help="YAML or JSON, a list of steps: the n-th request meets the n-th one, all further ones the last. A step "
        "has members named as the options below (ttft_seconds: 2), which stand for what it leaves out, and `times`",
    )
    parser.add_argument(
        "--outcomes",
        type=Path,
        metavar="FILE",
        help='JSON Lines, {"prompt": text, "good": true}: which plain answers are good, whatever the skill',
    )
    behaviour = parser.add_argument_group("behaviour")
    for name, hint in get_type_hints(Behaviour, include_extras=True).items():
        _add(behaviour, name, hint)
    parser.set_defaults(run=run)


def _add(group: argparse._ArgumentGroup, name: str, hint: object) -> None:
    """Add a member of `Behaviour` as an option; its type and range are checked with the others, in `run`."""
    default = getattr(_DEFAULTS, name)
    described = " ".join(each.description for each in get_args(hint) if isinstance(each, Meta) and each.description)
    option = f"--{name.replace('_', '-')}"
    if default is False:
        group.add_argument(option, dest=name, action="store_const", const=True, help=described)
        return
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    choices = get_args(kind) if get_origin(kind) is Literal else None
    shown = "" if default is None else f" (default: {default})"
    metavar = None if choices else "N"
    group.add_argument(option, dest=name, choices=choices, metavar=metavar, help=f"{described}{shown}")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal ends it.

    Raises:
        StartupError: an option or a file has a mistake, or the address cannot be listened on.
    """
    try:
        from extproc_router.lab.simulation import foreground, script  # noqa: PLC0415 - needs the `demo` extra
        from extproc_router.lab.simulator import ModelServer  # noqa: PLC0415 - likewise
    except ImportError as error:
        raise StartupError(f"the simulator needs {error.name}: pip install 'extproc-router[demo]'") from error
    from extproc_router.server import addresses  # noqa: PLC0415 - not for other commands

    address = addresses.parse(args.listen)
    if address.path:
        raise StartupError(f"{args.listen}: a simulated model server listens on host:port")
    given = {name: value for name in Behaviour.__struct_fields__ if (value := getattr(args, name)) is not None}
    try:
        behaviour = script.behaviour(given, strict=False)
    except ValueError as error:
        raise StartupError(f"behaviour: {error}") from error
    steps = script.read(args.script, behaviour) if args.script else (behaviour,)
    outcomes = script.outcomes(args.outcomes) if args.outcomes else {}
    cluster = args.cluster or next(iter(args.model), "simulated")
    server = ModelServer(cluster, models=args.model, outcomes=outcomes)
    server.port = address.port
    server.play(*steps)
    try:
        asyncio.run(foreground.serve(server, address.host))
    except OSError as error:
        raise StartupError(f"cannot listen on {args.listen}: {error.strerror or error}") from error
    return 0
