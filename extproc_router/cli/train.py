"""`extproc-router train`: the encoder, its trunk, or one head on it."""

from __future__ import annotations

import argparse
import math
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from extproc_router.cli import common
from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    from collections.abc import Callable

# Listed here, because importing what fits heads takes numpy; a test compares.
KINDS = ("choice", "flag", "pair", "spans")
_NEEDS_TORCH = "Needs `pip install 'extproc-router[train]'` (`make train-setup`)."
_MOST_SEED = 2**32 - 1


def register(subparsers: Any) -> None:  # noqa: ANN401 - argparse has no public name for it
    """Add the command and its three subjects."""
    parser = subparsers.add_parser(
        "train",
        help="make the encoder anew, fine-tune its trunk, or fit a head to your own labels",
        description="Train the encoder: everything, the trunk alone, or one head on the trunk as it is.",
    )
    subjects = parser.add_subparsers(dest="subject", metavar="SUBJECT", required=True)
    _register_model(subjects)
    _register_trunk(subjects)
    _register_head(subjects)


def run(args: argparse.Namespace) -> int:
    """Run the chosen subject."""
    return int(args.run(args))


def _register_model(subjects: Any) -> None:  # noqa: ANN401 - as above
    parser = subjects.add_parser(
        "model",
        help="everything: trunk, export, heads, card",
        description=(
            "Fine-tune the trunk, export it to int8 ONNX, fit every head, and write a verified model directory with "
            f"its card. {_NEEDS_TORCH}"
        ),
    )
    _add_data(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=common.SHIPPED_MODEL,
        metavar="DIR",
        help="model directory to write; its name is the model's (default: the repository's)",
    )
    _add_cache(parser)
    _add_trunk(parser)
    parser.set_defaults(run=_train("pipeline", "data", "out", "cache", "seed", "epochs", "resume", "device"))


def _register_trunk(subjects: Any) -> None:  # noqa: ANN401 - as above
    parser = subjects.add_parser(
        "trunk",
        help="fine-tune the trunk for every task at once",
        description=(
            "Fine-tune the trunk, with checkpoints: a run that was cut off goes on with --resume. Hours on two cores, "
            f"minutes on a GPU. {_NEEDS_TORCH}"
        ),
    )
    _add_data(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="directory of the trunk")
    _add_trunk(parser)
    parser.set_defaults(run=_train("trunk", "data", "out", "seed", "epochs", "resume", "device"))


def _register_head(subjects: Any) -> None:  # noqa: ANN401 - as above
    parser = subjects.add_parser(
        "head",
        help="fit a head to your own labels: a new one, or one in place of another",
        description=(
            "Fit a head on the frozen trunk: rows {text, label}, label a name or 0/1; {text, spans: [{start, end, "
            "type}]}; {prompt, strong_correct, weak_correct} or {prompt, correct: {MODEL: 0/1}}. `group` and `source` "
            "are optional. A few hundred rows take less than a minute on a CPU, and no torch."
        ),
    )
    parser.add_argument("--task", required=True, metavar="NAME", help="name of the head: lower case, digits, - and _")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="labelled rows, JSON Lines, also .gz")
    common.add_model(parser)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, metavar="DIR", help="write a copy of the model with the head there")
    where.add_argument("--in-place", action="store_true", help="add the head to --model itself")
    parser.add_argument("--kind", choices=KINDS, help="what the head answers (default: as the rows suggest)")
    parser.add_argument("--strong", metavar="MODEL", help="of a pair: the dearer model")
    parser.add_argument("--weak", metavar="MODEL", help="of a pair: the cheaper model")
    parser.add_argument(
        "--fpr",
        type=offline.share,
        default=0.01,
        metavar="X",
        help="of a flag: false positives allowed (default: 0.01)",
    )
    parser.add_argument(
        "--precision",
        type=offline.share,
        default=0.85,
        metavar="X",
        help="of a choice: wanted above the confidence floor (default: 0.85)",
    )
    parser.add_argument(
        "--agreement",
        type=offline.share,
        default=0.99,
        metavar="X",
        help="with the whole encoder, of what an early tier answers (default: 0.99)",
    )
    _add_seed(parser)
    _add_cache(parser)
    parser.set_defaults(run=_run_head)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="labelled data, gzipped JSON Lines")


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=offline.whole(0, _MOST_SEED), default=0, metavar="N", help="of every choice (default: 0)"
    )


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache", type=Path, default=Path("out/train"), metavar="DIR", help="keeps embeddings (default: %(default)s)"
    )


def _add_trunk(parser: argparse.ArgumentParser) -> None:
    _add_seed(parser)
    parser.add_argument("--epochs", type=_epochs, metavar="N", help="how often the data is gone through, e.g. 2.5")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="(default: %(default)s)")


def _train(module: str, *names: str) -> Callable[[argparse.Namespace], int]:
    """Return what runs `training.<module>.train` on these options; those that were not given keep its defaults."""

    def run(args: argparse.Namespace) -> int:
        try:
            trainer = import_module(f"extproc_router.training.{module}")
        except ImportError as error:
            raise StartupError(f"{error}: pip install 'extproc-router[train]'") from error
        given = {name: value for name in names if (value := getattr(args, name)) is not None}
        print(f"{args.out}: {trainer.train(trainer.Options(**given), _say)}")
        return 0

    return run


def _run_head(args: argparse.Namespace) -> int:
    from extproc_router.training import head_command  # noqa: PLC0415 - heavy

    given = {name: getattr(args, name) for name in head_command.Options.__struct_fields__}
    report = head_command.fit(head_command.Options(**given), _say)
    print(f"{report.directory}: head {args.task} ({report.kind}), version {report.version}")
    for name, value in report.figures.items():
        print(f"  {name}: {value}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _epochs(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError("must be more than 0")
    return number
