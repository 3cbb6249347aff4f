from __future__ import annotations

from typing import get_args

import pytest

from extproc_router.signals.pii_types import PERSONAL, STRUCTURED, Type, blank_placeholders, numbers_taken


def test_a_type_is_found_in_one_way() -> None:
    assert sorted((*STRUCTURED, *PERSONAL, "LOCATION")) == sorted(get_args(Type))


@pytest.mark.parametrize(
    ("text", "blanked"),
    [
        ("", ""),
        ("hi <PERSON_1>!", "hi " + "\0" * 10 + "!"),
        ("<EMAIL_ADDRESS_1234>", "\0" * 20),
        ("<US_SSN_536228726>", "<US SSN 536228726>"),
        ("<PERSONA_1> <PERSON_> <PERSON_1", "<PERSONA 1> <PERSON_> <PERSON 1"),
    ],
)
def test_placeholders_are_blanked_out(text: str, blanked: str) -> None:
    assert blank_placeholders(text) == blanked


def test_the_highest_number_of_each_type_is_known() -> None:
    assert numbers_taken("none") == {}
    assert numbers_taken("<PERSON_2> <PERSON_7> <US_SSN_1> <PERSON_3> <PERSON_99999> <ROOM_3>") == {
        "PERSON": 7,
        "US_SSN": 1,
    }
