"""The documents say what the code does: links lead somewhere, commands exist, examples load."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from extproc_router import cli
from extproc_router.config import loader
from extproc_router.lab.envoy_file import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENTS = sorted(
    [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("models/*/README.md")],
    key=str,
)
README = (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_command_is_in_the_readme() -> None:
    assert [name for name in cli.COMMANDS if f"`extproc-router {name}`" not in README] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_command_lines_are_understood(document: Path) -> None:
    parser = cli.build_parser()
    text = re.sub(r"\\\n\s*", "", document.read_text())  # lines that go on
    for line in re.findall(r"^(?:    |\$ )(?:\.venv/bin/)?extproc-router (.+)$", text, re.MULTILINE):
        words = [word for word in shlex.split(line, comments=True) if not word.startswith(("<", ">"))]
        parser.parse_args(words)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^    |`)make ([a-z-]+)", document.read_text(), re.MULTILINE))
    assert named <= targets


def test_the_readmes_config_is_good() -> None:
    [text] = re.findall(r"```yaml\n(.+?)```", README, re.DOTALL)
    assert loader.load(text, "README.md").routing.default == "small-8b"


def test_every_target_has_its_help() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    [phony] = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert [name for name in phony.split() if not re.search(rf"^{name}:.*## \S", makefile, re.MULTILINE)] == []


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in (REPOSITORY / "docs/decisions").glob("*.md")]
    assert len(numbers) == len(set(numbers))
    for path in (REPOSITORY / "docs/decisions").glob("*.md"):
        text = path.read_text()
        missing = [part for part in ("Context", "Decision", "Consequences") if not re.search(rf"(\*\*|# ){part}", text)]
        assert missing == [], path.name


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "## [Unreleased]" in (REPOSITORY / "CHANGELOG.md").read_text()
