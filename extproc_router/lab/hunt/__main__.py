"""`python -m extproc_router.lab.hunt`: look for leaks, and see that what is broken on purpose is noticed."""

from __future__ import annotations

import argparse
import sys

from extproc_router.lab.hunt import hunting, report, running


def main(arguments: list[str] | None = None) -> int:
    """Hunt; returns 0 where nothing leaked and every mutant was caught."""
    parser = argparse.ArgumentParser(prog="python -m extproc_router.lab.hunt", description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000, metavar="N", help="how many requests (default: 100000)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the same one gives the same cases")
    parser.add_argument("--case", type=int, metavar="I", help="walk this one alone, and tell its story")
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="processes (default: 2)")
    options = parser.parse_args(arguments)
    if options.case is not None:
        story, leaks = running.replay(options.seed, options.case)
        print(story)
        return int(leaks)
    bag = hunting.run(options.cases, options.seed, options.jobs)
    for line in report.lines(bag):
        print(line)
    return 0 if bag.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
