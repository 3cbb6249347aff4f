from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from extproc_router.encoder import shapes
from extproc_router.errors import StartupError
from extproc_router.learning import spans
from extproc_router.training import exits, heads, tagger
from extproc_router.training.embed import TokenStates

if TYPE_CHECKING:
    from extproc_router.learning.spans import Key
    from extproc_router.training.ladder import Fitted

SETTINGS = heads.Settings(penalties=(1e-4,), terms=exits.Terms(least=10))
EFFORT = tagger.Effort(tokens=2000, iterations=60)
KINDS = {"name": "NAME", "city": "CITY"}


def page(words: list[str], noises: tuple[float, ...], seed: int) -> tagger.Page:
    """A text of words; a stage sees what each of them is, through its noise. `name` and `city` may be repeated."""
    text, offsets, truth = " ".join(words), [], list[tuple[int, int, str]]()
    start = 0
    for place, word in enumerate(words):
        end = start + len(word)
        offsets.append((start, end))
        if word in KINDS:
            if place and words[place - 1] == word:
                truth[-1] = (truth[-1][0], end, KINDS[word])
            else:
                truth.append((start, end, KINDS[word]))
        start = end + 1
    generator = np.random.default_rng(seed)
    kind = np.array([["say", "name", "city"].index(word) for word in words])
    again = np.array([0, *(one == two for one, two in pairwise(words))])
    seen = np.hstack([np.eye(3)[kind], again[:, None]])
    states = tuple((seen + noise * generator.normal(size=seen.shape)).astype(np.float32) for noise in noises)
    looks = shapes.read(text, offsets, [False] * len(words))
    return tagger.page_of(text, TokenStates(offsets, [False] * len(words), states, looks), truth)


def pages(count: int, noises: tuple[float, ...]) -> list[tagger.Page]:
    generator = np.random.default_rng(1)
    choices = [["say"], ["say", "say"], ["name"], ["name", "name"], ["city"]]
    return [
        page([word for _ in range(6) for word in choices[generator.integers(5)]], noises, seed) for seed in range(count)
    ]


def score(head: Fitted, found_in: list[tagger.Page], *, early: bool) -> float:
    found: list[tuple[Key, ...]] = [tagger.found(head, page, early=early)[0] for page in found_in]
    return spans.f1([page.truth for page in found_in], found)


def test_spans_are_found_in_texts_that_were_not_seen() -> None:
    everything = pages(160, (0.1,))
    head = tagger.fit_spans(everything[:120], np.arange(120), settings=SETTINGS, effort=EFFORT)
    assert head.labels == ("O", "B-CITY", "I-CITY", "B-NAME", "I-NAME")
    assert head.rungs[0] is None
    assert score(head, everything[120:], early=False) > 0.95


def test_an_early_stage_answers_where_it_agrees() -> None:
    everything = pages(300, (0.12, 0.05))
    head = tagger.fit_spans(everything[:240], np.arange(240), settings=SETTINGS, effort=EFFORT)
    early, rest = head.rungs[1], everything[240:]
    assert early is not None
    tiers = [tagger.found(head, page)[1] for page in rest]
    if early.exit_above is None:
        assert set(tiers) == {2}
    else:
        assert early.trust is not None
        assert score(head, rest, early=True) > score(head, rest, early=False) - 0.05


def test_a_stage_that_sees_nothing_never_answers() -> None:
    everything = pages(120, (9.0, 0.05))
    head = tagger.fit_spans(everything, np.arange(120), settings=SETTINGS, effort=EFFORT)
    assert head.rungs[1] is not None
    assert head.rungs[1].exit_above is None
    assert {tagger.found(head, page)[1] for page in everything} == {2}


def test_held_out_texts_calibrate_and_are_not_fitted() -> None:
    everything = pages(80, (0.2,))
    held_out = np.arange(80) >= 60
    head = tagger.fit_spans(everything, np.arange(80), settings=SETTINGS, held_out=held_out, effort=EFFORT)
    alone = tagger.fit_spans(everything[:60], np.arange(60), settings=SETTINGS, effort=EFFORT)
    one, two = head.rungs[1], alone.rungs[1]
    assert one is not None
    assert two is not None
    assert head.judged.tolist() == list(range(60, 80))
    assert one.linear.weights == pytest.approx(two.linear.weights, abs=0.5)
    again = tagger.fit_spans(everything, np.arange(80), settings=SETTINGS, held_out=held_out, effort=EFFORT)
    assert again.rungs[1] is not None
    assert again.rungs[1].linear.weights.tobytes() == one.linear.weights.tobytes()


def test_a_sample_of_what_is_outside_stands_for_all_of_it() -> None:
    everything = pages(60, (0.1,))
    head = tagger.fit_spans(
        everything, np.arange(60), settings=SETTINGS, effort=tagger.Effort(tokens=100, iterations=60)
    )
    assert score(head, everything, early=False) > 0.9


def test_tags_follow_the_spans() -> None:
    made = page(["say", "name", "name", "city"], (0.0,), 0)
    assert made.truth == ((4, 13, "NAME"), (14, 18, "CITY"))
    assert tagger.tags_of(made, ["CITY", "NAME"]).tolist() == [0, 3, 4, 1]
    assert made.x(1).shape == (4, 4 + shapes.SIZE)


def test_nothing_to_learn_is_told() -> None:
    with pytest.raises(StartupError, match="no text has a span"):
        tagger.fit_spans([page(["say"], (0.1,), 0)] * 3, np.arange(3))


def test_spans_that_no_token_stands_in_are_told() -> None:
    blank = TokenStates([], [], (np.zeros((0, 4), np.float32),), np.zeros((0, shapes.SIZE), np.float32))
    unread = [tagger.page_of("  ", blank, ((0, 1, "NAME"),)) for _ in range(20)]
    with pytest.raises(StartupError, match="reads too little"):
        tagger.fit_spans(unread, np.arange(20), settings=SETTINGS, effort=EFFORT)
