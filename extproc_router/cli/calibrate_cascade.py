"""`extproc-router calibrate --cascade`: the verifier's weights, and what a cascade accepts, from judged answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.errors import StartupError
from extproc_router.evaluation import offline

if TYPE_CHECKING:
    import argparse

    from extproc_router.evaluation.calibrate import Goal
    from extproc_router.evaluation.cascade_calibrate import CascadeCalibration


def run(args: argparse.Namespace, goal: Goal, value: float) -> int:
    """Fit, pick, print, and write where asked."""
    import msgspec  # noqa: PLC0415 - with the heavy ones

    from extproc_router.evaluation import (  # noqa: PLC0415 - heavy
        cascade_calibrate,
        cascade_rows,
        cascade_tables,
        documents,
    )

    if args.strong or args.weak or args.prices or args.names:
        raise StartupError(
            "--cascade reads `weak`, `strong` and their costs in the rows: leave out the names of models"
        )
    if args.write and not args.rule:
        raise StartupError("which rule's cascade shall be changed? Give its name with --rule")
    judged, faults = cascade_rows.read(args.data, strict=args.strict)
    if faults.count:
        offline.tell(f"{faults}\n{faults.count:,} rows were left out")
    found = cascade_calibrate.fit(
        judged,
        goal,
        value,
        tolerance=args.tolerance,
        requests=args.requests,
        bootstrap=args.bootstrap,
        seed=args.seed,
    )
    document = msgspec.to_builtins(found)
    print(documents.dump(document) if args.json else cascade_tables.calibration(found))
    if args.write:
        if found.calibration.rounds < found.calibration.rounds_asked:
            raise StartupError(f"interrupted: nothing was written into {args.write}")
        _write(args, found)
    return 0


def _write(args: argparse.Namespace, found: CascadeCalibration) -> None:
    """Put weights and `accept_at` into the policy, unless the policy would have mistakes then."""
    from extproc_router.evaluation import cascade_edit, policy_edit  # noqa: PLC0415 - heavy

    file = str(args.write)
    text = cascade_edit.changed(policy_edit.read(args.write), args.rule, found, file)
    policy_edit.write_sound(args.write, text, "it would say")
    offline.tell(f"wrote verifier.weights and the accept_at of {args.rule!r} into {file}")
