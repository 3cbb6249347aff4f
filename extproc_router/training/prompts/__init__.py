"""The project's own labelled prompts; README.md is their card."""

from __future__ import annotations

from extproc_router.training.prompts.loader import NAMES, Example, load, split

__all__ = ["NAMES", "Example", "load", "split"]
