from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.encoder import window

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=400)  # unpaired surrogates too


@given(ANY_TEXT, st.integers(2, 50), st.floats(0, 1))
def test_any_text_becomes_short_valid_unicode(text: str, budget: int, share: float) -> None:
    clipped, cut = window.clip(text, budget, share)
    assert len(clipped) <= budget + 1
    assert clipped.encode().decode() == clipped
    assert cut or " ".join(clipped.split()) == " ".join(window.clip(text, 1000, share)[0].split())


@given(st.lists(st.integers()), st.integers(1, 20), st.floats(0, 1))
def test_tokens_fit_and_keep_both_ends(tokens: list[int], budget: int, share: float) -> None:
    kept, cut = window.fit(tokens, budget, share)
    head = round(budget * share)
    assert cut == (len(tokens) > budget)
    assert len(kept) == min(len(tokens), budget)
    if cut:
        assert kept == tokens[:head] + tokens[len(tokens) - (budget - head) :]
    else:
        assert kept == tokens


def test_a_long_text_keeps_its_head_and_its_tail() -> None:
    clipped, cut = window.clip("A" * 100 + "b" * 10_000 + "C" * 100, 40, 0.5)
    assert (clipped, cut) == ("A" * 20 + " " + "C" * 20, True)


def test_the_share_moves_the_cut() -> None:
    text = "A" * 100 + "C" * 100
    assert window.clip(text, 10, 0.8)[0] == "A" * 8 + " " + "C" * 2
    assert window.clip(text, 10, 1.0)[0] == "A" * 10 + " "
    assert window.clip(text, 10, 0.0)[0] == " " + "C" * 10


def test_blanks_do_not_fill_the_window() -> None:
    assert window.clip("word" + "\n" * 60, 40, 0.5) == ("word", False)
    assert window.clip(" " * 100 + "first" + "x" * 300 + "last" + " " * 100, 40, 0.5) == (
        "first" + "x" * 15 + " " + "x" * 16 + "last",
        True,
    )


def test_nothing_is_read_twice() -> None:
    text = "one  two   three    four     five"
    clipped, cut = window.clip(text, 20, 0.5)
    assert (clipped, cut) == ("one two th our five"[:10] + " " + "e four five"[-10:], True)


def test_ten_million_characters_cost_what_ten_thousand_do() -> None:
    class Counted(str):
        scanned = 0
        __slots__ = ()

        def __getitem__(self, key: object) -> str:
            part = str.__getitem__(self, key)  # type: ignore[index]  # a slice, in truth
            Counted.scanned += len(part)
            return part

    window.clip(Counted("word " * 2_000_000), 1024, 0.5)
    assert 0 < Counted.scanned <= 8 * 1024


def test_unpaired_surrogates_are_replaced_and_pairs_joined() -> None:
    assert window.clip("a\ud800b", 100, 0.5)[0] == "a\ufffdb"
    assert window.clip("\ud83d\ude00", 100, 0.5)[0] == "😀"
