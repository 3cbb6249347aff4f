"""Fit a head that finds spans: a linear tagger over the frozen encoder's tokens.

Most tokens of most texts are outside of any span and easily told, so weights are fitted to all tokens in and around
spans and to a sample of the others, which count for those that were left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct, structs

from extproc_router.encoder import heads
from extproc_router.encoder import spans as decoding
from extproc_router.errors import StartupError
from extproc_router.learning import spans
from extproc_router.learning.base import Flags
from extproc_router.learning.crossfit import deal
from extproc_router.learning.logistic import sigmoid
from extproc_router.training import exits, fit, metrics
from extproc_router.training.heads import Settings
from extproc_router.training.ladder import Fitted, Rung, one_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extproc_router.learning.base import Floats, Index, Singles
    from extproc_router.learning.spans import Key
    from extproc_router.training.embed import TokenStates
    from extproc_router.training.fit import Linear

_NEAR: Final = 2  # tokens beside one that matters, which are always fitted
_TRUST_PENALTY: Final = 1e-4
_PARTS: Final = 4  # one of them calibrates, where the caller holds nothing out


class Effort(Struct, frozen=True):
    """How much to spend; a fit takes some seconds for each thousand tokens and ten tags.

    Attributes:
        tokens: that are fitted; all those in spans are, however many.
        iterations: bound on L-BFGS steps.
    """

    tokens: int = 15_000
    iterations: int = 80


class Page(Struct, frozen=True):
    """One text, token by token.

    Attributes:
        states: for each stage float16 [tokens, dimension]: half the memory, and finer than the int8 that made them.
        shapes: uint8 [tokens, shapes.SIZE].
        offsets: characters [start, end) of each token.
        links: how each token stands to the one before, see `encoder.spans.links`.
        truth: the spans that are there.
    """

    states: tuple[npt.NDArray[np.float16], ...]
    shapes: npt.NDArray[np.uint8]
    offsets: list[tuple[int, int]]
    links: list[int]
    truth: tuple[tuple[int, int, str], ...]

    def __len__(self) -> int:
        return len(self.offsets)

    def x(self, tier: int) -> Singles:
        """What a tagger reads at a tier from 1 on, float32 [tokens, width]."""
        return np.concatenate([self.states[tier - 1], self.shapes], axis=1, dtype=np.float32)


def page_of(text: str, states: TokenStates, truth: Sequence[Key]) -> Page:
    """Keep of a text what fitting needs."""
    return Page(
        states=tuple(state.astype(np.float16) for state in states.states),
        shapes=states.shapes.astype(np.uint8),
        offsets=states.offsets,
        links=decoding.links(heads.Page(text, states.offsets, lambda: states.continues)),
        truth=tuple(truth),
    )


def tags_of(page: Page, types: Sequence[str]) -> Index:
    """Tag tokens by the spans that they stand in: 0 is O, 1 + 2k begins type k, 2 + 2k goes on with it."""
    tags = np.zeros(len(page), dtype=np.intp)
    for start, end, kind in page.truth:
        inside = [place for place, (low, high) in enumerate(page.offsets) if low < end and high > start]
        tags[inside] = 2 + 2 * types.index(kind)
        tags[inside[:1]] -= 1
    return tags


def fit_spans(
    pages: Sequence[Page],
    groups: Index,
    *,
    settings: Settings | None = None,
    held_out: Flags | None = None,
    effort: Effort | None = None,
) -> Fitted:
    """Fit a tagger for every stage.

    Args:
        pages: n texts.
        groups: intp [n]; texts of one group are on one side of every split.
        settings: penalties, the exits' terms (a text agrees where both tiers tag it alike) and the seed.
        held_out: bool [n], texts that calibrate and are never fitted; None: a quarter calibrates a fit to the others,
            and what is shipped is fitted to all.
        effort: see there.

    Raises:
        StartupError: no text has a span, or the encoder reads too little of them.
    """
    types = spans.kinds(page.truth for page in pages)
    if not types:
        raise StartupError("no text has a span: nothing to learn")
    settings = settings or Settings()
    judged = deal(groups, _PARTS, settings.seed) == 0 if held_out is None else held_out
    whole = np.ones(len(pages), dtype=np.bool_) if held_out is None else ~held_out
    tokens = _Tokens(pages, types, _Parts(judged, whole), effort=effort or Effort(), settings=settings)
    stages = len(pages[0].states)
    tiers = [tokens.fit(tier) for tier in range(1, stages + 1)]
    left = np.ones(len(tokens.judged), dtype=np.bool_)
    rungs: list[Rung | None] = [None]
    for tier, (rung, tags) in enumerate(tiers[:-1], start=1):
        chosen, sure = tokens.exit(tier, rung, tags, tiers[-1][1], left=left)
        if chosen.exit_above is not None:
            left &= sure < chosen.exit_above
        rungs.append(chosen)
    return Fitted(
        kind="spans",
        labels=("O", *(f"{mark}-{kind}" for kind in types for mark in "BI")),
        rungs=(*rungs, tiers[-1][0]),
        threshold=None,
        confidence_floor=0.0,
        floor_precision=0.0,
        judged=tokens.judged,
        probs=(None,) * (stages + 1),
    )


def found(head: Fitted, page: Page, *, early: bool = True) -> tuple[tuple[Key, ...], int]:
    """Find spans as the router would: (spans, the tier that found them)."""
    last = len(head.rungs) - 1
    tier = next((tier for tier in range(1, last) if early and _answers(head.rungs[tier], page, tier)), last)
    rung = head.rungs[tier]
    assert rung is not None  # noqa: S101 - it answers, or is the last
    runs = decoding.runs(decoding.decode(rung.probs(page.x(tier)), page.links))
    names = [head.labels[1 + 2 * kind].removeprefix("B-") for _, _, kind in runs]
    ends = [(page.offsets[first][0], page.offsets[end][1]) for first, end, _ in runs]
    return tuple((*end, name) for end, name in zip(ends, names, strict=True)), tier


def _answers(rung: Rung | None, page: Page, tier: int) -> bool:
    if rung is None or rung.trust is None or rung.exit_above is None:
        return False
    return _least(rung.trust, page.x(tier)) >= rung.exit_above


def _least(trust: Linear, x: Singles) -> float:
    """The least trust in any token of a text, in [0, 1]."""
    return float(sigmoid(trust.logits(x)).min(initial=1.0))


class _Parts(Struct, frozen=True):
    """Which texts calibrate, bool [n], and which are fitted in the end; it is never the former alone."""

    judged: Flags
    shipped: Flags


class _Tokens:
    """All tokens of all texts in a row, and which of them are fitted."""

    def __init__(
        self, pages: Sequence[Page], types: Sequence[str], parts: _Parts, *, effort: Effort, settings: Settings
    ) -> None:
        self._pages, self._labels, self._parts = pages, 1 + 2 * len(types), parts
        self._effort, self._settings = effort, settings
        sizes = [len(page) for page in pages]
        self._begins = np.concatenate([[0], np.cumsum(sizes)])
        self._text = np.repeat(np.arange(len(pages)), sizes)
        self._tags = np.concatenate([tags_of(page, types) for page in pages])
        self.judged = np.flatnonzero(parts.judged)
        read = min(int(part[self._text].sum()) for part in (parts.judged, parts.shipped))
        if read <= 2 * _NEAR or not self._tags.any():
            raise StartupError("the encoder reads too little of these texts, or nothing of their spans")

    def fit(self, tier: int) -> tuple[Rung, Index]:
        """Fit one tier: how it is read, and the tag it gives each judged token by a fit that did not see its text."""
        chosen, weights = self._sample(self._tags > 0)
        x, texts = self._x(tier, chosen), self._text[chosen]

        def linear(texts_in: Flags, penalty: float) -> Linear:
            rows = texts_in[texts]
            return fit.fit_linear(
                x[rows],
                self._tags[chosen][rows],
                labels=self._labels,
                weights=weights[rows],
                penalty=penalty,
                iterations=self._effort.iterations,
            )

        held = self._parts.judged[texts]
        truth, heft = self._tags[chosen][held], weights[held]
        best: tuple[float, float, float, Linear] | None = None
        for penalty in self._settings.penalties:
            unseen = linear(self._parts.shipped & ~self._parts.judged, penalty)
            logits = unseen.logits(x[held])
            temperature = fit.fit_temperature(logits, truth, heft)
            loss = metrics.log_loss(truth, fit.softmax(logits, temperature), heft)
            if best and loss >= best[0]:
                break
            best = loss, penalty, temperature, unseen
        if best is None:
            raise StartupError("no penalty to choose from")
        _, penalty, temperature, unseen = best
        tags = np.zeros(len(self._text), dtype=np.intp)
        for text in self.judged.tolist():
            page = self._pages[text]
            tags[self._at(text)] = decoding.decode(fit.softmax(unseen.logits(page.x(tier)), temperature), page.links)
        apart = not (self._parts.shipped & self._parts.judged).any()
        return Rung(unseen if apart else linear(self._parts.shipped, penalty), temperature, penalty=penalty), tags

    def exit(self, tier: int, rung: Rung, tags: Index, last: Index, *, left: Flags) -> tuple[Rung, Floats]:
        """Choose where a tier may answer: how it is read, and how sure it is of each judged text.

        Trust is learnt from one half of the judged texts where it is told of the other. Texts with spans may be rare
        among those that agree, so no more than 1 - agreement of them may be lost.
        """
        terms = self._settings.terms
        agrees, texts = tags == last, self.judged.tolist()
        same = np.array([agrees[self._at(text)].all() for text in texts])
        if same.all() or not same.any():
            return rung, np.zeros(len(texts))
        inside = self._parts.judged[self._text]
        chosen, weights = self._sample(~agrees & inside, among=inside)
        x, half = self._x(tier, chosen), np.isin(self._text[chosen], self.judged[::2])

        def trust(rows: Flags) -> Linear:
            truth = agrees[chosen][rows].astype(np.intp)
            return one_row(fit.fit_linear(x[rows], truth, labels=2, weights=weights[rows], penalty=_TRUST_PENALTY))

        halves = trust(~half), trust(half)
        sure = np.array([_least(halves[place % 2], self._pages[text].x(tier)) for place, text in enumerate(texts)])
        rare = sum(bool(last[self._at(text)].any()) for text, waits in zip(texts, left, strict=True) if waits)
        above = exits.above(sure[left], same[left], terms, most=(1 - terms.agreement) * rare)
        return structs.replace(rung, trust=trust(np.ones(len(x), dtype=np.bool_)), exit_above=above), sure

    def _sample(self, matters: Flags, among: Flags | None = None) -> tuple[Index, Floats]:
        """Tokens that matter, those near them, and some of the others with the weight of all: (tokens, weights)."""
        near = np.convolve(matters, np.ones(2 * _NEAR + 1), mode="same") > 0
        others = np.flatnonzero(~near if among is None else ~near & among)
        most = max(self._effort.tokens - int(near.sum()), min(len(others), self._effort.tokens // 4))
        kept = np.random.default_rng(self._settings.seed).permutation(others)[:most]
        chosen = np.sort(np.concatenate([np.flatnonzero(near if among is None else near & among), kept]))
        return chosen, np.where(near[chosen], 1.0, len(others) / max(1, len(kept)))

    def _x(self, tier: int, tokens: Index) -> Singles:
        """Gather float32 [tokens, width]; `tokens` ascend."""
        texts, offsets = self._text[tokens], tokens - self._begins[self._text[tokens]]
        return np.concatenate([self._pages[text].x(tier)[offsets[texts == text]] for text in np.unique(texts).tolist()])

    def _at(self, text: int) -> slice:
        return slice(int(self._begins[text]), int(self._begins[text + 1]))
