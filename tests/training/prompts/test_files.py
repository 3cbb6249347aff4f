"""What the card promises about the files themselves."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import pytest

from extproc_router.training.data import Split, key
from extproc_router.training.prompts import NAMES, Example, load, split
from extproc_router.training.prompts.loader import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
CHAT_LANGUAGES = {"de", "fr", "es", "it", "pt", "nl", "pl", "tr", "ru", "zh", "ja", "ko", "hi", "ar"}


def lengths(examples: Iterable[Example]) -> list[int]:
    return sorted(len(example.text) for example in examples)


def quantiles(sizes: Sequence[int]) -> list[int]:
    return [sizes[int(len(sizes) * share)] for share in QUANTILES]


def separation(some: Sequence[int], others: Sequence[int]) -> float:
    """Area under the ROC curve of length alone: 0.5 says nothing."""
    wins = sum((one > other) + 0.5 * (one == other) for one in some for other in others)
    return wins / (len(some) * len(others))


def sides(name: str) -> tuple[list[Example], list[Example]]:
    examples = load(name)
    return [one for one in examples if one.label == 1], [one for one in examples if one.label == 0]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("jailbreak", 450),
        ("lookalikes", 450),
        ("reasoning", 400),
        ("difficulty", 250),
        ("domain_multilingual", 300),
        ("pii_templates", 240),
    ],
)
def test_there_are_enough(name: str, least: int) -> None:
    assert len(load(name)) >= least


def test_no_text_stands_in_two_files() -> None:
    places = defaultdict(set)
    for name in NAMES:
        for example in load(name):
            places[key(example.text) or example.text].add(name)
    assert {text: names for text, names in places.items() if len(names) > 1} == {}


def test_groups_that_resemble_one_another_are_one_group() -> None:
    examples = [example for name in NAMES for example in load(name)]
    grams = [_grams(example.text) for example in examples]
    index: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, found in enumerate(grams):
        for gram in found:
            index[gram].append(number)
    shared = Counter(pair for numbers in index.values() for pair in itertools.combinations(numbers, 2))
    alike = [
        (examples[one].text, examples[other].text)
        for (one, other), count in shared.items()
        if count >= 4 and count >= 0.2 * min(len(grams[one]), len(grams[other]))
        if examples[one].group != examples[other].group
    ]
    assert alike == []


def _grams(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())
    return {tuple(words[start : start + 5]) for start in range(len(words) - 4)}


@pytest.mark.parametrize("name", NAMES)
def test_about_a_fifth_is_for_validation(name: str) -> None:
    share = Counter(split(example) for example in load(name))[Split.VALIDATION] / len(load(name))
    assert 0.15 <= share <= 0.25


def test_attacks_come_in_many_families_and_languages() -> None:
    attacks = load("jailbreak")
    families = Counter(example.family for example in attacks)
    assert len(families) >= 20
    indirect = sum(count for family, count in families.items() if family.startswith("indirect_"))
    assert indirect >= 80
    assert len({example.lang for example in attacks}) >= 20


def test_attacks_come_in_every_length() -> None:
    words = [len(example.text.split()) for example in load("jailbreak") if example.lang == "en"]
    bounds = (1, 8, 16, 32, 64, 128, 256, 401)
    counts = [sum(low <= size < high for size in words) for low, high in itertools.pairwise(bounds)]
    assert min(counts) >= 10
    assert sum(counts) == len(words)


def test_lookalikes_speak_the_attacks_languages() -> None:
    attacks, harmless = (Counter(example.lang for example in load(name)) for name in ("jailbreak", "lookalikes"))
    assert set(attacks) == set(harmless)
    others = set(attacks) - {"en"}
    assert {lang for lang in others if abs(attacks[lang] - harmless[lang]) > 2} == set()


def test_lookalikes_come_in_the_attacks_registers() -> None:
    attacks, harmless = (Counter(example.register for example in load(name)) for name in ("jailbreak", "lookalikes"))
    assert set(attacks) == set(harmless)
    assert all(0.5 < attacks[register] / harmless[register] < 2 for register in attacks)


def test_length_does_not_give_attacks_away() -> None:
    attacks, harmless = lengths(load("jailbreak")), lengths(load("lookalikes"))
    for attack, other in zip(quantiles(attacks), quantiles(harmless), strict=True):
        assert 0.8 <= attack / other <= 1.25
    assert 0.45 <= separation(attacks, harmless) <= 0.55


def test_injections_have_harmless_twins() -> None:
    groups = {example.group for example in load("jailbreak") if example.family.startswith("indirect_")}
    twins = {example.group for example in load("lookalikes") if example.family.startswith("pasted_")}
    assert len(groups & twins) >= 75


def test_length_does_not_give_reasoning_away() -> None:
    assert 0.45 <= separation(*map(lengths, sides("reasoning"))) <= 0.56


def test_reasoning_is_balanced_and_not_only_arithmetic() -> None:
    positives, negatives = sides("reasoning")
    assert 0.8 < len(positives) / len(negatives) < 1.25
    kinds = Counter(example.family for example in positives)
    assert len(kinds) >= 14
    assert max(kinds.values()) < 0.15 * len(positives)


def test_reasoning_pairs_share_a_topic_and_a_group() -> None:
    labels = defaultdict(set)
    for example in load("reasoning"):
        labels[example.group].add(example.label)
    assert sum(found == {0, 1} for found in labels.values()) >= 150


def test_no_family_of_reasoning_has_both_labels() -> None:
    positives, negatives = sides("reasoning")
    assert {example.family for example in positives} & {example.family for example in negatives} == set()


def test_every_difficulty_is_well_filled() -> None:
    counts = Counter(example.label for example in load("difficulty"))
    assert set(counts) == {1, 2, 3, 4, 5}
    assert min(counts.values()) >= 45


def test_some_easy_prompts_are_longer_than_some_hard_ones() -> None:
    examples = load("difficulty")
    easy = lengths(example for example in examples if example.label in {1, 2})
    hard = lengths(example for example in examples if example.label == 5)
    assert quantiles(easy)[4] > quantiles(hard)[0]


def test_every_domain_is_asked_about_in_every_language() -> None:
    examples = load("domain_multilingual")
    assert set(Counter(example.label for example in examples)) == set(DOMAINS)
    found = {(example.lang, example.label) for example in examples if example.lang != "en"}
    assert found == {(lang, domain) for lang in CHAT_LANGUAGES for domain in DOMAINS}


def test_templates_and_their_negatives() -> None:
    templates, negatives = sides("pii_templates")
    assert min(len(templates), len(negatives)) >= 120
    assert all("{{" in example.text for example in templates)
    assert not any("{{" in example.text for example in negatives)
    assert len({example.lang for example in templates}) >= 6
    assert {example.register for example in templates} >= {"chat", "email", "ticket", "agent"}


def test_the_card_counts_rightly(root: Path) -> None:
    card = (root / "extproc_router/training/prompts/README.md").read_text()
    stated = {name: int(rows) for name, rows in re.findall(r"^\| `(\w+)\.jsonl` \| (\d+) \|", card, re.MULTILINE)}
    assert stated == {name: len(load(name)) for name in NAMES}


@pytest.mark.parametrize(
    ("stated", "examples"),
    [
        ("`jailbreak`", load("jailbreak")),
        ("`lookalikes`", load("lookalikes")),
        ("`reasoning`, 1", sides("reasoning")[0]),
        ("`reasoning`, 0", sides("reasoning")[1]),
    ],
)
def test_the_card_states_the_lengths(root: Path, stated: str, examples: Sequence[Example]) -> None:
    card = (root / "extproc_router/training/prompts/README.md").read_text()
    cells = " | ".join(str(size) for size in quantiles(lengths(examples)))
    assert f"| {stated} | {cells} |" in card
