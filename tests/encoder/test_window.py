from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder import window

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)  # unpaired surrogates too
BLANKY = st.text("ab \n", max_size=400)


def whole(clip: window.Clip) -> list[tuple[int, int]]:
    return clip.places([(place, place + 1) for place in range(len(clip.text))])


@given(ANY_TEXT | BLANKY, st.integers(8, 50), st.floats(0, 1), st.floats(0, 1) | st.none())
def test_any_text_becomes_short_valid_unicode(text: str, budget: int, share: float, where: float | None) -> None:
    spot = None if where is None or not text else int(where * (len(text) - 1))
    clip = window.clip(text, budget, share, spot)
    assert len(clip.text) <= budget + 2  # a blank wherever two parts meet
    assert clip.text.encode().decode() == clip.text
    assert clip.gap or clip.text.split() == window.clip(text, 1000, share).text.split()


@given(ANY_TEXT | BLANKY, st.integers(8, 50), st.floats(0, 1), st.floats(0, 1) | st.none())
def test_every_character_knows_where_it_comes_from(text: str, budget: int, share: float, where: float | None) -> None:
    spot = None if where is None or not text else int(where * (len(text) - 1))
    clip = window.clip(text, budget, share, spot)
    before = 0
    for character, (start, end) in zip(clip.text, whole(clip), strict=True):
        assert 0 <= start <= end <= len(text)
        assert start >= before  # in order, and nothing is read twice
        if not character.isspace():
            assert text[start:end] == character or character == "\ufffd" or end - start == 2
            before = end


def test_a_short_text_keeps_its_places() -> None:
    clip = window.clip("a  b", 10, 0.5)
    assert (clip.text, clip.gap, clip.runs) == ("a  b", None, None)
    assert clip.places([(0, 1), (3, 4)]) == [(0, 1), (3, 4)]


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    clip = window.clip("A" * 100 + "b" * 10_000 + "C" * 100, 40, 0.5)
    assert clip.text == "A" * 20 + " " + "C" * 20
    assert clip.gap == (20, 10_180)


def test_the_share_moves_the_cut() -> None:
    text = "A" * 100 + "C" * 100
    assert window.clip(text, 10, 0.8).text == "A" * 8 + " " + "C" * 2
    assert window.clip(text, 10, 1.0).text == "A" * 10
    assert window.clip(text, 10, 0.0).text == "C" * 10


@pytest.mark.parametrize("spot", [0, 25, 150, 5_000, 9_990, 10_199])
def test_a_block_is_shown_between_head_and_tail(spot: int) -> None:
    text = "A" * 100 + "b" * 10_000 + "C" * 100
    clip = window.clip(text, 40, 0.5, spot)
    head, block, tail = clip.text.split(" ")
    assert (head, tail) == ("A" * 14, "C" * 14)
    (start, _), *_, (_, end) = clip.places([(15, 16), (26, 27)])
    assert text[start:end] == block
    assert start <= max(spot, 14)
    assert end >= min(spot, len(text) - 14)


def test_blanks_do_not_fill_the_window() -> None:
    clip = window.clip("word" + "\n" * 60, 40, 0.5)
    assert (clip.text, clip.gap) == ("word", None)
    clip = window.clip(" " * 100 + "first" + "x" * 300 + "last" + " " * 100, 40, 0.5)
    assert clip.text == "first" + "x" * 15 + " " + "x" * 16 + "last"


def test_squeezed_places() -> None:
    text = "one" + " " * 50 + "two three" + "\n" * 50 + "four"
    clip = window.clip(text, 30, 0.5)
    assert clip.text == "one two three four"
    assert clip.gap is None
    assert [text[start:end] for start, end in clip.places([(0, 3), (4, 7), (8, 13), (14, 18)])] == text.split()


def test_nothing_is_read_twice() -> None:
    assert window.clip("one  two   three    four     five", 20, 0.5).text == "one two th four five"


def test_a_word_that_only_its_blank_keeps_out_is_seen() -> None:
    assert window.clip("a" * 10 + "  b  c", 10, 1.0).gap is not None


def test_ten_million_characters_cost_what_ten_thousand_do() -> None:
    class Counted(str):
        scanned = 0
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            part = str.__getitem__(self, key)  # type: ignore[index]  # a slice, in truth
            Counted.scanned += len(part)
            return part

    window.clip(Counted("word " * 2_000_000), 1024, 0.5, 5_000_000)
    assert 0 < Counted.scanned <= 10 * 1024


def test_unpaired_surrogates_are_replaced_and_pairs_joined() -> None:
    assert window.clip("a\ud800b", 100, 0.5).text == "a\ufffdb"
    clip = window.clip("x\ud83d\ude00y", 100, 0.5)
    assert clip.text == "x😀y"
    assert whole(clip) == [(0, 1), (1, 3), (3, 4)]


@given(st.integers(0, 200), st.integers(1, 20), st.floats(0, 1), st.integers(0, 199) | st.none())
def test_tokens_fit_and_keep_both_ends(count: int, budget: int, share: float, center: int | None) -> None:
    center = None if center is None or center >= count else center
    kept = [number for part in window.fit(count, budget, share, center) for number in range(count)[part]]
    assert kept == sorted(set(kept))
    assert len(kept) == min(count, budget)
    if count > budget and center is None:
        head = round(budget * share)
        assert kept == [*range(head), *range(count - (budget - head), count)]
    if count > budget >= 8 and center is not None:
        assert center in kept
