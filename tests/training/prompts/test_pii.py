from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.errors import StartupError
from extproc_router.training.prompts import load, pii, split
from extproc_router.training.prompts.loader import Example, Register
from extproc_router.training.prompts.pii_values import TYPES, locales

TEMPLATES = load("pii_templates")
WITH_SLOTS = [template for template in TEMPLATES if template.label == 1]


def template(text: str, lang: str = "en") -> Example:
    return Example(text, 1, "support", lang, Register.CHAT, "pii-support-999")


@pytest.mark.parametrize("one", WITH_SLOTS, ids=lambda one: one.group)
def test_every_template_can_be_filled(one: Example) -> None:
    filled = pii.fill(one, random.Random(3))
    assert len(filled.spans) == one.text.count("{{") > 0
    assert "{{" not in filled.text
    assert filled.split is split(one)


@given(
    st.lists(st.one_of(st.sampled_from(sorted(TYPES)), st.text(st.characters(exclude_characters="{}")))),
    st.sampled_from(sorted(locales())),
    st.integers(0, 99),
)
def test_offsets_are_exact(pieces: list[str], lang: str, seed: int) -> None:
    text = "".join(f"{{{{{piece}}}}}" if piece in TYPES else piece for piece in pieces)
    filled = pii.fill(template(text, lang), random.Random(seed))
    assert [span.type for span in filled.spans] == [TYPES[piece] for piece in pieces if piece in TYPES]
    assert [filled.text[span.start : span.end] for span in filled.spans] == [span.value for span in filled.spans]
    rest, end = "", 0
    for span in filled.spans:
        assert span.start >= end
        rest += filled.text[end : span.start]
        end = span.end
    assert rest + filled.text[end:] == "".join(piece for piece in pieces if piece not in TYPES)


@pytest.mark.parametrize("text", ["my {{SHOE}} is wet", "{{PERSON}} and {{EMAILS}}"])
def test_an_unknown_slot_names_its_template(text: str) -> None:
    with pytest.raises(StartupError, match=r"template pii-support-999: nothing for (SHOE|EMAILS) in 'en'"):
        pii.fill(template(text), random.Random(0))


def test_an_unknown_language_is_said() -> None:
    with pytest.raises(StartupError, match="nothing for PERSON in 'fi'"):
        pii.fill(template("{{PERSON}}", "fi"), random.Random(0))


def test_one_seed_gives_one_result() -> None:
    assert pii.generate(300, 11) == pii.generate(300, 11)
    assert pii.generate(300, 11) != pii.generate(300, 12)


@pytest.mark.parametrize("count", [0, 1, 40, len(TEMPLATES), 1000])
def test_as_many_as_were_asked_for(count: int) -> None:
    assert len(pii.generate(count, 2)) == count


def test_templates_are_used_evenly_and_texts_without_slots_once() -> None:
    filled = pii.generate(len(TEMPLATES) + 2 * len(WITH_SLOTS) + 7, 4)
    with_spans = Counter(one.group for one in filled if one.spans)
    expected = Counter(one.group for one in WITH_SLOTS)
    assert {uses // expected[group] for group, uses in with_spans.items()} <= {3, 4}
    assert sum(not one.spans for one in filled) == len(TEMPLATES) - len(WITH_SLOTS)


def test_without_slots_there_is_nothing_to_repeat() -> None:
    plain = template("nothing personal")
    assert [one.text for one in pii.generate(5, 0, [plain])] == ["nothing personal"]


def test_every_type_occurs() -> None:
    found = {span.type for one in pii.generate(600, 0) for span in one.spans}
    assert found == set(TYPES.values())
