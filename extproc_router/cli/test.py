"""`extproc-router test`: decision tables that users write for their own config."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import ConfigError

if TYPE_CHECKING:
    import argparse

_EPILOG = """\
cases.yaml:

  cases:
    - name: hard maths goes to the large model
      prompt: Prove that pi is transcendental.
      signals: {domain: math, difficulty: 0.9}    # given, so that no encoder decides; left out, they are read
      expect: {model: large-70b, rule: hard, body: {chat_template_kwargs: {enable_thinking: true}}}
    - name: a card number never leaves
      messages: [{role: user, content: "my card is 4111 1111 1111 1111"}]
      headers: {x-tenant: acme}
      expect: {action: route, tier: restricted, safety: [cards=redact]}
    - name: the conversation keeps its model
      after: [{prompt: Prove it., signals: {difficulty: 0.9}}]
      prompt: thanks
      signals: {difficulty: 0.1}
      expect: {sticky: held}

A request is one of `prompt`, `messages` and `body`, with `path`, `headers`, `model` and `stream` where you like. A
signal is given as true, false, a number, a label, a list of labels, or {label, labels, confidence, number, absent}.
`expect` has any of model, rule, action (route, block, refuse, unchecked, error, pass), status, reason, tier, chain,
sticky, safety, shadow, body (members that have to be there) and why_contains.
"""


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    import argparse  # noqa: PLC0415 - for the epilog alone

    parser = subparsers.add_parser(
        "test",
        help="check a config against a table of cases: requests and what shall come out",
        description="Decide each case under a config, and compare it with what is expected. Exit 1 where any differs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("policy", type=Path, metavar="POLICY", help="the config, YAML")
    parser.add_argument("cases", type=Path, metavar="CASES", help="the cases, YAML")
    common.add_model(parser)
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the results there too, as JUnit XML")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the cases; exit 1 where one failed."""
    from extproc_router import wiring  # noqa: PLC0415 - heavy
    from extproc_router.cases import loader, meaning, report, running  # noqa: PLC0415 - heavy

    table = loader.load(args.cases)
    encoder = wiring.load_encoder(args.model)
    router = wiring.build_router(wiring.read_config(args.policy), encoder)
    mistakes = tuple(meaning.mistakes(table, router.terms))
    if mistakes:
        raise ConfigError(mistakes)
    results = []
    for result in running.run(table, router, encoder):
        results.append(result)
        if not args.json:
            for line in report.lines(result, str(args.cases)):
                sys.stdout.write(f"{line}\n")
    print(json.dumps(report.describe(results, str(args.cases)), indent=2) if args.json else report.summary(results))
    if args.junit:
        args.junit.write_bytes(report.junit(results, str(args.cases)))
    return 1 if any(result.differences for result in results) else 0
