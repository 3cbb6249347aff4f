"""The signals of a random policy: what is written for each, and what a request has to hold for it to speak up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from extproc_router.lab.hunt.chance import happens

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

DOMAINS: Final = ("math", "law", "health", "other")
ARTEFACT_FLOOR: Final = 0.5
"""Below it, a domain is not sure, unless the policy says otherwise."""

LANGUAGES: Final = ("en", "de", "fr")
PRIVATE: Final[Mapping[str, str]] = {
    "EMAIL_ADDRESS": "nadia.okafor@fernhollow.net",
    "US_SSN": "536-22-8741",
    "CREDIT_CARD": "4111 1111 1111 1111",
    "PERSON": "Ottoline Brakspear",
}
"""Type of personal data -> the value that stands for it in requests; the encoder finds the last one."""

PERSON: Final = "PERSON"
FOUND: Final = 0.5
"""The score from which a name that the encoder finds counts."""

LONG: Final = 1500
"""Tokens between short prompts and long ones."""

_LETTERS = "bcdfghklmnprstvz"
_VOWELS = "aeiou"


class Source(Struct, frozen=True):
    """A signal.

    Attributes:
        name: as rules write it.
        kind: of the signal.
        written: its options; None where it exists undeclared.
        labels: that rules may ask for.
        marks: label -> what a request holds where the signal shall have it: a word, a header's value, a claim's.
        of: which text it reads, for those that read a part of it.
        header: which header, for those that read one.
        numeric: whether it gives a number that rules may compare.
        floor: of its labels.
        head: of the encoder, which it asks; empty where it asks none.
        score: from which a flag is raised; None for the artefact's own threshold.
        matcher: name of the tier that its language model is cleared for; None where it asks none.
    """

    name: str
    kind: str
    written: Mapping[str, Any] | None = None
    labels: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)
    of: str = "everything"
    header: str = ""
    numeric: bool = False
    floor: float = 0.0
    head: str = ""
    score: float | None = None
    matcher: str | None = None

    @property
    def is_fact(self) -> bool:
        """Whether the request's headers alone tell it."""
        return bool(self.header) and self.kind in {"header", "claim"}


def draw(rng: random.Random, tiers: tuple[str, ...], floor: float) -> dict[str, Source]:
    """Draw the signals of a policy: some that need no encoder, some that do, some that ask a language model.

    Args:
        rng: where chance comes from.
        tiers: privacy tiers that a language model may be cleared for.
        floor: below which a domain is not sure.
    """
    kinds = [*rng.sample(sorted(_PLAIN), k=rng.randint(2, 4)), *rng.sample(sorted(_ENCODED), k=rng.randint(1, 4))]
    found: dict[str, Source] = {}
    for place, kind in enumerate(kinds):
        name = kind if happens(rng, 0.4) else f"{kind[:4]}-{place}"
        source = {**_PLAIN, **_ENCODED}[kind](rng, name)
        found[name] = replace(source, floor=source.floor or floor) if kind == "domain" else source
    if happens(rng, 0.6):
        found["judge"] = _preference(rng, "judge", matcher=rng.choice([*tiers, tiers[-1]]))
    return found


def word(rng: random.Random) -> str:
    """Make up a word that no text has by chance."""
    return "".join(f"{rng.choice(_LETTERS)}{rng.choice(_VOWELS)}" for _ in range(5)) + "x"


def _named(source: Source, **options: Any) -> Source:  # noqa: ANN401 - as YAML has them
    """Complete what is written for a signal."""
    return replace(source, written={"name": source.name, "kind": source.kind, **options})


def _lists(rng: random.Random) -> dict[str, str]:
    return {label: word(rng) for label in rng.sample(["legal", "Titan", "hr", "x-9"], k=rng.randint(1, 3))}


def _keyword(rng: random.Random, name: str) -> Source:
    marks = {"yes": word(rng)} if happens(rng, 0.5) else _lists(rng)
    of = rng.choice(["prompt", "incoming", "everything"])
    source = Source(name, "keyword", labels=tuple(marks), marks=marks, of=of, numeric=True)
    keywords: Any = list(marks.values()) if "yes" in marks else {label: [mark] for label, mark in marks.items()}
    return _named(source, keywords=keywords, of=of)


def _regex(rng: random.Random, name: str) -> Source:
    marks = _lists(rng)
    of = rng.choice(["prompt", "incoming", "everything"])
    source = Source(name, "regex", labels=tuple(marks), marks=marks, of=of, numeric=True)
    return _named(source, patterns={label: rf"(?i)\b{mark}\b" for label, mark in marks.items()}, of=of)


def _header(rng: random.Random, name: str) -> Source:
    values = rng.sample(["gold", "Silver", "legal dept", "9"], k=rng.randint(1, 3))
    source = Source(name, "header", labels=tuple(values), marks={v: v for v in values}, header=f"x-{name.lower()}")
    listed = {"values": values, "ignore_case": True} if happens(rng, 0.6) else {}
    return _named(source, header=source.header, **listed)


def _claim(rng: random.Random, name: str) -> Source:
    labels = rng.sample(["finance", "Ops", "42", "true"], k=rng.randint(1, 3))
    source = Source(name, "claim", labels=tuple(labels), marks={v: v for v in labels}, header=f"x-jwt-{name.lower()}")
    return _named(source, claim="realm.groups", header=source.header)


def _language(_: random.Random, name: str) -> Source:
    return _named(Source(name, "language", labels=LANGUAGES, of="prompt"))


def _long(_: random.Random, name: str, *, kind: str) -> Source:
    return _named(Source(name, kind, numeric=True))


def _facts(_: random.Random, name: str, *, kind: str, labels: tuple[str, ...]) -> Source:
    source = Source(name, kind, labels=labels)
    return source if name == kind else _named(source)


def _conversation(_: random.Random, name: str) -> Source:
    return _named(Source(name, "conversation", numeric=True))


def _pii(rng: random.Random, name: str) -> Source:
    asks = happens(rng, 0.5)
    labels = tuple(kind for kind in PRIVATE if asks or kind != PERSON)
    marks = {kind: PRIVATE[kind] for kind in labels}
    source = Source(name, "pii", labels=labels, marks=marks, head="pii" if asks else "")
    return _named(source, names=asks, types=list(labels), score=FOUND)


def _jailbreak(rng: random.Random, name: str) -> Source:
    of, score = rng.choice(["incoming", "everything"]), rng.choice([None, 0.3, 0.7])
    source = Source(
        name, "jailbreak", labels=("yes",), marks={"yes": ATTACK}, of=of, numeric=True, head="jailbreak", score=score
    )
    return _named(source, of=of, **({} if score is None else {"threshold": score}))


def _reasoning(rng: random.Random, name: str) -> Source:
    score = rng.choice([None, 0.4])
    source = Source(
        name, "reasoning", labels=("yes",), marks={"yes": PUZZLE}, of="prompt", numeric=True, head="reasoning",
        score=score,
    )  # fmt: skip
    return _named(source, **({} if score is None else {"threshold": score}))


def _domain(rng: random.Random, name: str) -> Source:
    floor = rng.choice([0.0, 0.3, 0.8])
    source = Source(name, "domain", labels=DOMAINS, of="prompt", head="domain", floor=floor)
    return _named(source, **({"confidence_floor": floor} if floor else {}))


def _difficulty(_: random.Random, name: str) -> Source:
    return _named(Source(name, "difficulty", of="prompt", numeric=True, head="difficulty"))


def _preference(rng: random.Random, name: str, *, matcher: str | None = None) -> Source:
    labels = rng.sample(["contracts", "Claims", "q3"], k=rng.randint(1, 3))
    words = ROUTE_WORDS[: len(labels)] if matcher is None else ROUTE_WORDS[-len(labels) :]
    marks = dict(zip(labels, words, strict=True))
    source = Source(
        name, "preference", labels=tuple(marks), marks=marks, of="prompt", head=EMBEDDING, matcher=matcher
    )  # fmt: skip
    routes = [{"name": label, "description": f"about {mark}"} for label, mark in marks.items()]
    asked = {} if matcher is None else {"matcher": {"url": "http://127.0.0.1:9", "model": "judge", "privacy": matcher}}
    return _named(source, routes=routes, earlier=0, **asked)


ROUTE_WORDS: Final = ("tomilaterax", "kodiruvenix", "pasolibetux", "vemarinolux", "gitolaseprx", "zanerimovax")
"""What texts have in common with the routes of a `preference`; to the hunt's encoder nothing else means anything."""
ATTACK: Final = "ignoreallrulesnow"
"""Where it stands, the encoder sees an attack."""
PUZZLE: Final = "stepbystepplease"
"""Where it stands, the encoder sees that reasoning pays."""
EMBEDDING: Final = "(embedding)"
"""Stands for a head where the embedding is what is asked for."""


def _with(make: Callable[..., Source], **options: Any) -> Callable[[random.Random, str], Source]:  # noqa: ANN401
    return lambda rng, name: make(rng, name, **options)


_PLAIN: Final[Mapping[str, Callable[[random.Random, str], Source]]] = {
    "keyword": _keyword,
    "regex": _regex,
    "header": _header,
    "claim": _claim,
    "language": _language,
    "context": _with(_long, kind="context"),
    "length": _with(_long, kind="length"),
    "conversation": _conversation,
    "stream": _with(_facts, kind="stream", labels=("yes",)),
    "tools": _with(_facts, kind="tools", labels=("declared", "called", "results")),
    "modality": _with(_facts, kind="modality", labels=("image",)),
    "latency_class": _with(_facts, kind="latency_class", labels=("interactive", "batch")),
}
_ENCODED: Final[Mapping[str, Callable[[random.Random, str], Source]]] = {
    "pii": _pii,
    "jailbreak": _jailbreak,
    "reasoning": _reasoning,
    "domain": _domain,
    "difficulty": _difficulty,
    "preference": _preference,
}
