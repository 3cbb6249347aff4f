"""Every file of tests/bad_config has the mistakes that its first lines state, `# expect: LINE: FIELD: MESSAGE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from extproc_router.config import document

if TYPE_CHECKING:
    from collections.abc import Callable

    Review = Callable[..., tuple[list[str], list[str]]]

CORPUS = Path(__file__).parents[1] / "bad_config"
FILES = sorted(CORPUS.glob("*.yaml"))
GOOD = "models: [{name: a, cluster: c}]\nrouting: {default: a}\n"
# What editors or git would mangle, and what is too long to keep.
WRITTEN = {
    "empty": (b"", ["1: (file): the file is empty"]),
    "blank": (b"\n\n  \n", ["1: (file): the file is empty"]),
    "utf-16, little end first": (GOOD.encode("utf-16"), ["1: (file): this is UTF-16: save the file as UTF-8"]),
    "utf-16, big end first": (
        b"\xfe\xff" + GOOD.encode("utf-16-be"),
        ["1: (file): this is UTF-16: save the file as UTF-8"],
    ),
    "latin-1": (f"{GOOD}metadata: {{owner: José}}\n".encode("latin-1"), ["3: (file): not UTF-8: byte 0xe9"]),
    "cut within a letter": (GOOD.encode() + "# é".encode()[:-1], ["3: (file): not UTF-8: byte 0xc3"]),
    "half of a surrogate pair": (f"{GOOD}# \ud800\n", ["3: (file): not UTF-8: byte 0xed"]),
    "NUL": (f"{GOOD}limits: \0\n".encode(), ["3: (file): YAML has no place for the character U+0000"]),
    "bell": (f"{GOOD}# \a\n".encode(), ["3: (file): YAML has no place for the character U+0007"]),
    "too large": (GOOD.encode() + b"#" * document.MAX_BYTES, ["1: (file): larger than 1048576 bytes"]),
    "very deep": (GOOD + "metadata: " + "[" * 50_000, ["3: (file): nested deeper than 32 levels"]),
    "a number of many digits": (
        f"{GOOD}limits: {{encoder_queue: {'9' * 5000}}}\n",
        ["3: limits.encoder_queue: looks like a date or a number to YAML, and is none: put it in quotes"],
    ),
    "too many rules": (
        GOOD + "rules: [" + ", ".join(f"{{name: r{number}, use: a}}" for number in range(1001)) + "]\n",
        ["3: rules: more than 1000 entries"],
    ),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_has_its_stated_mistakes_and_no_others(file: Path, review: Review) -> None:
    raw = file.read_bytes()
    stated: dict[str, list[str]] = {"expect": [], "warn": []}
    for line in raw.decode().splitlines():
        word, colon, rest = line.removeprefix("# ").partition(": ")
        if not line.startswith("# ") or not colon or word not in stated:
            break
        stated[word].append(rest)
    assert stated["expect"] or stated["warn"]
    mistakes, warnings = review(raw)
    assert sorted(mistakes) == sorted(stated["expect"])
    assert sorted(warnings) == sorted(stated["warn"])


@pytest.mark.parametrize("case", WRITTEN)
def test_so_have_those_that_no_editor_keeps(case: str, review: Review) -> None:
    raw, stated = WRITTEN[case]
    assert review(raw)[0] == stated


def test_there_are_many() -> None:
    assert len(FILES) + len(WRITTEN) >= 60


def test_people_are_told_the_first_hundred_mistakes(review: Review) -> None:
    text = GOOD + "".join(f"unknown-{number}: 1\n" for number in range(150))
    mistakes = review(text)[0]
    assert len(mistakes) == document.MAX_MISTAKES
    assert mistakes[0].startswith("3: unknown-0: unknown field")
