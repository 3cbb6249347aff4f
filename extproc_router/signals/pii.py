"""Personal data in a request: what has a form is found by it, names and addresses by the encoder's head `pii`.

The form is looked for in every turn, system prompts included. The head reads the last turns that neither the operator
nor the model wrote, one by one: it has read the earlier ones with earlier requests, and remembers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import Field, StringConstraints

from extproc_router.options import Section
from extproc_router.signals import patterns, prompt
from extproc_router.signals.base import Cost
from extproc_router.signals.patterns import Pattern
from extproc_router.signals.pii_patterns import Structured
from extproc_router.signals.pii_redactor import Redactor
from extproc_router.signals.pii_types import PERSONAL, STRUCTURED, Type
from extproc_router.signals.texts import utf8
from extproc_router.types import Ask, Signal, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from extproc_router.signals.base import Answers, Resources, Subject
    from extproc_router.types import Replacement

HEAD = "pii"
MAX_CHARACTERS = 4 << 20
"""Of all turns; beyond it the signal is absent rather than half read."""

_TURNS = 4  # that the head reads: each may take milliseconds


_Value = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Region = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]


class Options(Section):
    """Personal data: what it is of, and what never counts."""

    kind: Literal["pii"]
    types: Annotated[
        list[Type],
        Field(min_length=1, description="those that count; LOCATION (a city alone, a country) only where it is named"),
    ] = Field(default_factory=lambda: [*STRUCTURED, *PERSONAL])
    names: Annotated[
        bool,
        Field(description="whether the encoder is asked for what has no form: names, addresses, numbers of papers"),
    ] = True
    score: Annotated[float, Field(ge=0, le=1, description="least probability of what the encoder finds")] = 0.5
    allow: Annotated[
        list[_Value],
        Field(max_length=1000, description="values that are nobody's, in any case", examples=[["help@example.com"]]),
    ] = Field(default_factory=list)
    allow_patterns: Annotated[
        list[Pattern],
        Field(
            max_length=100,
            description="RE2; a value that one matches whole is nobody's",
            examples=[[r".*@example\.com"]],
        ),
    ] = Field(default_factory=list)
    regions: Annotated[
        list[_Region],
        Field(
            min_length=1,
            max_length=8,
            description="ISO 3166-1 codes: whose phone numbers count without a country code and a word that says so",
        ),
    ] = Field(default_factory=lambda: ["US", "GB"])


def build(name: str, options: Options, resources: Resources) -> Pii:
    """Compile the signal.

    Raises:
        ValueError: the encoder has no such head.
    """
    prose = frozenset(options.types) - frozenset(STRUCTURED)
    if options.names and prose and HEAD not in resources.heads:
        raise ValueError(f"the encoder has no head `{HEAD}`: set `names: false` to look for what has a form alone")
    return Pii(name, options)


class Pii:
    """The signal; labels are the types found, the number is how many values there are."""

    numeric = True
    floor = 0.0

    def __init__(self, name: str, options: Options) -> None:
        types = frozenset(options.types)
        self.name = name
        self._prose: frozenset[str] = types - frozenset(STRUCTURED) if options.names else frozenset()
        self.known: frozenset[str] = (types & frozenset(STRUCTURED)) | self._prose
        self.cost = Cost.ENCODER if self._prose else Cost.TEXT
        self._score = options.score
        self._allowed = frozenset(value.casefold() for value in options.allow)
        self._patterns = tuple(map(patterns.compiled, options.allow_patterns))
        self._structured = Structured(options.regions, self._is_allowed)

    def asks(self, subject: Subject) -> tuple[Ask, ...]:
        """Ask the head about the last incoming turns."""
        return tuple(Ask(text, frozenset({HEAD})) for text in self._turns(subject))

    def read(self, subject: Subject, answers: Answers) -> Signal:
        """Say which types of personal data there are.

        Raises:
            ShedError: the head was needed and could not read.
            ValueError: there is more text than is read, or more personal data than is looked through.
        """
        text = subject.everything
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"a text of more than {MAX_CHARACTERS} characters")
        if not text.strip():
            return Signal(self.name, "", 0.0, number=0.0)
        formed = self.find(text)
        in_prose = [span for _, span in self._in_prose(subject, answers)]
        types = frozenset(span.type for span in (*formed, *in_prose))
        confidence = 1.0 if formed or not in_prose else max(span.score for span in in_prose)
        return Signal(
            self.name,
            "+".join(sorted(types)) or "none",
            confidence,
            labels=types,
            number=float(len(formed) + len(in_prose)),
        )

    def find(self, text: str) -> tuple[Span, ...]:
        """Find what has a form, of the types that count: sorted, without overlap, of score 1; linear in the text.

        Raises:
            ValueError: there is more than is looked through.
        """
        return tuple(span for span in self._structured.find(text) if span.type in self.known)

    def redactor(
        self, subject: Subject, answers: Answers, types: frozenset[str] | None
    ) -> Callable[[str], tuple[Replacement, ...]]:
        """Return what says, for any text of this request, what to replace in it.

        It replaces what has a form, and every occurrence of what the head found in the turns that it read, by
        placeholders such as `<EMAIL_ADDRESS_1>`: numbered by type, the same value always alike. One that was redacted
        stays as it is. What it returns raises UncheckableBody where there is more than is looked through.

        Args:
            subject: the request.
            answers: to `asks`.
            types: those to replace; None for all that count.

        Raises:
            ShedError: the head is needed and could not read.
            UncheckableBody: there is more than is looked through.
        """
        wanted = self.known if types is None else self.known & types
        values = []
        if wanted & self._prose:
            values = [(value, span.type) for value, span in self._in_prose(subject, answers) if span.type in wanted]
        return Redactor(self._structured.find, values, wanted, subject.everything)

    def _turns(self, subject: Subject) -> tuple[str, ...]:
        return prompt.incoming_in(subject.request)[-_TURNS:] if self._prose else ()

    def _in_prose(self, subject: Subject, answers: Answers) -> Iterator[tuple[str, Span]]:
        """Yield what the head found, with its value."""
        for text in self._turns(subject):
            for span in cast("tuple[Span, ...]", answers.encoding(text).heads[HEAD]):
                value = text[span.start : span.end]
                if span.type in self._prose and span.score >= self._score and not self._is_allowed(value):
                    yield value, span

    def _is_allowed(self, value: str) -> bool:
        if value.casefold() in self._allowed:
            return True
        return any(pattern.fullmatch(utf8(value)) for pattern in self._patterns)
