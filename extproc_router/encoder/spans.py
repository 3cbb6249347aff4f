"""The tagger: a linear head over every token, decoded into spans of characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from extproc_router.encoder.heads import Head
from extproc_router.types import HeadAnswer, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from extproc_router.encoder.heads import Linear, Page, View

_TINY = 1e-12  # in place of a probability of 0, which has no logarithm
_FAR = 256  # characters: tokens with more between them are never of one span
# How a token stands to the one before.
APART, NEXT, SAME_WORD = 0, 1, 2


class SpansHead(Head):
    """softmax over BIO tags for each token; the best path through them that means something."""

    def judge(self, view: View, linear: Linear, *, final: bool) -> tuple[HeadAnswer, float]:
        """Return the spans, and the least trust in any token."""
        if view.hidden is None:  # tier 0, which `head_file` gives no reading
            return (), 0.0
        x = np.concatenate([view.hidden, view.page.shapes], axis=-1, dtype=np.float64)
        trust = linear.trust(x)
        confidence = 0.0 if trust is None else float(trust.min(initial=1.0))
        if not final and (linear.exit_above is None or confidence < linear.exit_above):
            return (), confidence  # nobody will hear the answer, and it takes longer than the trust
        probabilities = linear.softmax(x)
        return self._spans(decode(probabilities, links(view.page)), probabilities, view.page), confidence

    def abstain(self) -> tuple[Span, ...]:
        """Find nothing."""
        return ()

    def _spans(self, tags: Sequence[int], probabilities: npt.NDArray[np.float64], page: Page) -> tuple[Span, ...]:
        spans = []
        for first, last, kind in runs(tags):
            begin = 1 + 2 * kind
            mass = probabilities[first : last + 1, begin] + probabilities[first : last + 1, begin + 1]
            name = self.file.labels[begin].removeprefix("B-")
            spans.append(Span(page.offsets[first][0], page.offsets[last][1], name, float(mass.mean())))
        return tuple(spans)


def links(page: Page) -> list[int]:
    """Tell how each token stands to the one before: `APART`, `NEXT` to it, or of the `SAME_WORD`.

    Apart are tokens between which the window left something out: a span across would claim what was never read.
    """
    found = []
    before = 0
    for number, ((start, end), goes_on) in enumerate(zip(page.offsets, page.continues, strict=True)):
        if number == 0 or start - before > _FAR or (start > before and page.text[before:start].strip()):
            found.append(APART)
        else:
            found.append(SAME_WORD if goes_on and start <= before else NEXT)
        before = end
    return found


def runs(tags: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (first token, last token, type) of each span in a valid path; tag 0 is O, 1 + 2k is B and 2 + 2k I."""
    found: list[tuple[int, int, int]] = []
    for place, tag in enumerate(tags):
        if tag == 0:
            continue
        if tag % 2:
            found.append((place, place, tag // 2))
        else:
            first, _, kind = found[-1]
            found[-1] = (first, place, kind)
    return found


def decode(probabilities: npt.NDArray[np.float64], links: Sequence[int]) -> list[int]:
    """Find the likeliest valid path (Viterbi 1967).

    A path is valid where I-X follows B-X or I-X of a token that is not apart, and where the tokens of one word are all
    outside, or all of one span that none but the first begins.

    Args:
        probabilities: float64 [tokens, tags].
        links: how each token stands to the one before.

    Returns:
        A tag for each token.
    """
    if not len(probabilities):
        return []
    greedy: list[int] = probabilities.argmax(axis=1).tolist()
    if _is_valid(greedy, links):
        return greedy  # no path is likelier than the best of each
    scores = np.log(np.maximum(probabilities, _TINY))
    origins = np.zeros(scores.shape, dtype=np.intp)
    total = scores[0].copy()
    total[2::2] = -np.inf
    for place in range(1, len(scores)):
        total, origins[place] = _step(total, scores[place], links[place])
    path = [int(total.argmax())]
    for place in range(len(scores) - 1, 0, -1):
        path.append(int(origins[place, path[-1]]))
    return path[::-1]


def _step(
    total: npt.NDArray[np.float64], scores: npt.NDArray[np.float64], link: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Extend the best paths by one token: their scores, and which tag each came from."""
    begins, insides = np.arange(1, len(total), 2), np.arange(2, len(total), 2)
    best = int(total.argmax())
    origin = np.full(len(total), best, dtype=np.intp)
    origin[insides] = np.where(total[begins] >= total[insides], begins, insides)
    arrived = total[origin]
    if link == APART:
        arrived[insides] = -np.inf
    elif link == SAME_WORD:
        arrived[begins] = -np.inf
        origin[0], arrived[0] = 0, total[0]
    return arrived + scores, origin


def _is_valid(tags: Sequence[int], links: Sequence[int]) -> bool:
    before = 0
    for tag, link in zip(tags, links, strict=True):
        inside = tag != 0 and tag % 2 == 0
        if inside and (link == APART or before not in {tag - 1, tag}):
            return False
        if link == SAME_WORD and not (inside or tag == before == 0):
            return False
        before = tag
    return True
