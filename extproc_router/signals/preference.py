"""Which of the routes that the config describes a conversation belongs to: by the encoder, or by a language model.

A route is its description and its examples, embedded once, when the config is read; a new one takes no training. What
all texts have in common is taken off every embedding first (`preference_texts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

import numpy as np
from pydantic import AfterValidator, Field, StringConstraints

from extproc_router.errors import ShedError
from extproc_router.options import Name, Section
from extproc_router.signals import matcher, prompt
from extproc_router.signals.base import Cost
from extproc_router.signals.matcher import NONE, Matcher
from extproc_router.signals.preference_texts import GENERIC
from extproc_router.types import Ask, Question, Signal

if TYPE_CHECKING:
    import numpy.typing as npt

    from extproc_router.signals.base import Answers, Embed, Resources, Subject

    Singles = npt.NDArray[np.float32]

_FADING = 0.3  # what a turn counts, of what the one after it does
# Of the softmax over routes and `none`: least expected calibration error (0.03), and least log loss within 2 %, on half
# prompts of 5 to 20 routes, half others.
_TEMPERATURE = 0.08
_TINY = 1e-9

_Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class Route(Section):
    """One thing that users may want."""

    name: Annotated[Name, Field(description="the label that rules match")]
    description: Annotated[
        _Text,
        Field(description="what it is about, in a sentence", examples=["contract review: finding risky clauses"]),
    ]
    examples: Annotated[
        list[_Text], Field(max_length=20, description="prompts that belong to it; 3 to 5 help most")
    ] = Field(default_factory=list)


def _told_apart(routes: list[Route]) -> list[Route]:
    names = [route.name.casefold() for route in routes]
    for name in names:
        if name == NONE:
            raise ValueError(f"`{NONE}` is what the label says where no route fits")
        if names.count(name) > 1:
            raise ValueError(f"two routes are called {name!r}")
    return routes


class Options(Section):
    """Routes described in words; the label is the one that the conversation belongs to."""

    kind: Literal["preference"]
    routes: Annotated[
        list[Route], Field(min_length=1, max_length=100, description="the routes"), AfterValidator(_told_apart)
    ]
    at_least: Annotated[
        float, Field(ge=-1, le=1, description="least similarity; below it no route fits. Higher: fewer wrong matches")
    ] = 0.3
    margin: Annotated[float, Field(ge=0, le=1, description="least lead over the second; below it no route fits")] = 0.0
    earlier: Annotated[
        int, Field(ge=0, le=5, description="how many of the user's turns before the last count too, each less")
    ] = 1
    matcher: Annotated[
        Matcher | None, Field(description="a language model that decides; the encoder does where it cannot")
    ] = None


def build(name: str, options: Options, resources: Resources) -> Preference:
    """Compile the signal: embeds every description and example."""
    return Preference(name, options, resources.embed)


class Preference:
    """The signal; its label is the route, followed by ` (embedding)` where a matcher should have chosen and did not.

    Attributes:
        matcher: the language model to ask; None where the encoder decides.
    """

    numeric = False
    floor = 0.0

    def __init__(self, name: str, options: Options, embed: Embed) -> None:
        self.name = name
        self.cost = Cost.MODEL if options.matcher else Cost.ENCODER
        self.matcher = options.matcher
        self._names = tuple(route.name for route in options.routes)
        self.known = frozenset(self._names)
        self._described = {route.name: route.description for route in options.routes}
        self._at_least, self._margin, self._earlier = options.at_least, options.margin, options.earlier
        self._common = np.array([embed(text) for text in GENERIC], dtype=np.float32).mean(axis=0)
        self._routes = _unit(np.stack([self._centre(route, embed) for route in options.routes]))

    def asks(self, subject: Subject) -> tuple[Ask | Question, ...]:
        """Ask for the embeddings of the last turns, and the matcher where there is one."""
        asks: list[Ask | Question] = [Ask(text, embedding=True) for text in self._texts(subject)]
        if asks and self.matcher:
            asks.append(Question(self.name, matcher.question(self.matcher.model, self._described, subject.request)))
        return tuple(asks)

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Say which route fits; a matcher is taken at its word, and where it has none the encoder decides.

        Raises:
            ShedError: neither could read.
        """
        if not self._texts(subject):
            return Signal(self.name, "", 0.0)
        chosen = self._matched(answers)
        if chosen is not None:
            return self._signal(chosen, 1.0)
        similarities = self._similarities(subject, answers)
        if similarities is None:
            return Signal(self.name, "", 0.0)
        route, confidence = self._choose(similarities)
        return self._signal(route, confidence, by=" (embedding)" if self.matcher else "")

    def _centre(self, route: Route, embed: Embed) -> Singles:
        """Return the middle of a route's description and examples, float32 [dimension]."""
        vectors = np.array([embed(text) for text in (route.description, *route.examples)], dtype=np.float32)
        return cast("Singles", _unit(vectors - self._common).mean(axis=0))

    def _signal(self, route: str, confidence: float, by: str = "") -> Signal:
        labels = frozenset() if route == NONE else frozenset({route})
        return Signal(self.name, f"{route}{by}", confidence, labels=labels)

    def _matched(self, answers: Answers) -> str | None:
        said = answers.said.get(self.name)
        if said is None or isinstance(said, ShedError):
            return None
        try:
            return matcher.answer(said, self.known)
        except ShedError:
            return None

    def _texts(self, subject: Subject) -> tuple[str, ...]:
        """Return what is compared, the most telling first."""
        if not subject.prompt:
            return ()
        earlier = prompt.asked_in(subject.request)[-2::-1]
        return (subject.prompt, *earlier[: self._earlier])

    def _similarities(self, subject: Subject, answers: Answers) -> Singles | None:
        """Return the weighted mean of the turns' cosines with each route, float32 [routes]; None if none was read."""
        found = [answers.encoding(text).embedding for text in self._texts(subject)]
        weights = [_FADING**place for place, embedding in enumerate(found) if embedding is not None]
        if not weights:
            return None
        vectors = _unit(
            np.array([embedding for embedding in found if embedding is not None], np.float32) - self._common
        )
        mean = np.array(weights, np.float32) @ vectors / sum(weights)
        return cast("Singles", self._routes @ mean)

    def _choose(self, similarities: Singles) -> tuple[str, float]:
        """Return the best route that is good enough, else `NONE`, and its probability among all of them and none."""
        best = int(similarities.argmax())
        lead = similarities[best] - np.delete(similarities, best).max(initial=-np.inf)
        shares = np.exp(
            (np.append(similarities, self._at_least) - max(similarities[best], self._at_least)) / _TEMPERATURE
        )
        shares /= shares.sum()
        if similarities[best] < self._at_least or lead < self._margin:
            return NONE, float(shares[-1])
        return self._names[best], float(shares[best])


def _unit(vectors: Singles) -> Singles:
    lengths = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    return cast("Singles", vectors / np.maximum(lengths, _TINY))
