"""`extproc-router train`: rebuild the shipped model from its checkpoint and labelled data."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from extproc_router.errors import StartupError


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command."""
    parser = subparsers.add_parser(
        "train",
        help="rebuild the encoder and its domain head",
        description=(
            "Export the encoder to int8 ONNX, fit the domain head on labelled data, and write a verified model "
            "directory with its card. Needs `pip install 'extproc-router[train]'`. About five minutes on two cores."
        ),
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="labelled data, gzipped JSON Lines")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("models/minilm-l6-domain"),
        metavar="DIR",
        help="model directory to write; its name is the model's (default: %(default)s)",
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("out/train"), metavar="DIR", help="keeps embeddings (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of every choice (default: %(default)s)")
    parser.add_argument(
        "--max-tokens", type=_tokens, default=128, metavar="N", help="window of the encoder (default: %(default)s)"
    )
    parser.add_argument(
        "--head-share",
        type=_share,
        default=0.5,
        metavar="S",
        help="part of the window for the head of a text, 0 to 1 (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, tell on stderr what happens, print the version."""
    try:
        from extproc_router.training import pipeline  # noqa: PLC0415  torch is an extra
    except ImportError as error:
        raise StartupError(f"{error}: pip install 'extproc-router[train]'") from error
    options = pipeline.Options(
        data=args.data,
        out=args.out,
        cache=args.cache,
        seed=args.seed,
        max_tokens=args.max_tokens,
        head_share=args.head_share,
        workers=os.cpu_count() or 1,
    )
    version = pipeline.train(options, lambda line: print(line, file=sys.stderr, flush=True))
    print(f"{args.out}: version {version}")
    return 0


def _tokens(text: str) -> int:
    number = int(text)
    if not 3 <= number <= 512:  # noqa: PLR2004  [CLS], a token, [SEP]; the positions BERT has
        raise argparse.ArgumentTypeError("must be from 3 to 512")
    return number


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.0:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return share
