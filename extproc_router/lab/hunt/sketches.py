"""Random requests, before they are written down: who says what, and which signals are given something to find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.sources import LANGUAGES, PERSON, Source

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

# Long enough for its language to be told, and for no turn to be read together with the one before.
FILLER: Final[Mapping[str, str]] = {
    "en": "Please tell me how the weather usually changes over the course of a year in the mountains near the coast, "
    "and whether people who live there would rather plant their gardens early in spring or wait until the summer.",
    "de": "Bitte erklären Sie mir, wie sich das Wetter im Laufe eines Jahres in den Bergen nahe der Küste verändert, "
    "und ob die Leute, die dort wohnen, ihre Gärten lieber früh im Frühling oder erst im Sommer bepflanzen.",
    "fr": "Expliquez-moi comment le temps change au cours d'une année dans les montagnes près de la côte, et si les "
    "gens qui y habitent préfèrent planter leurs jardins tôt au printemps ou attendre plutôt le début de l'été.",
}
LONG_TIMES: Final = 70
"""Fillers in a long prompt."""

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "chat_completions": ("last", "earlier", "tool", "system", "assistant", "declared", "schema", "speaker"),
    "responses": ("last", "earlier", "tool", "system", "assistant", "declared", "schema"),
    "anthropic_messages": ("last", "earlier", "tool", "system", "assistant", "declared", "schema"),
    "completions": ("last",),
    "embeddings": ("last",),
}
"""API -> where in a body something can stand: `last` is what the user wants now, `schema` the form of the answer."""

_INCOMING: Final = frozenset({"last", "earlier", "tool"})
_UNSAID: Final = frozenset({"declared", "schema", "speaker"})
_SEEN: Final[Mapping[str, frozenset[str]]] = {
    "prompt": frozenset({"last"}),
    "incoming": _INCOMING | _UNSAID,
    "everything": _INCOMING | _UNSAID | {"system", "assistant"},
}


class Plant(Struct, frozen=True):
    """Something for a signal to find: its mark for a label, at a place."""

    source: str
    label: str
    place: str
    text: str


class Said(Struct, frozen=True):
    """One turn; roles are `system`, `user`, `assistant`, `call` (of a tool) and `tool` (what it brought)."""

    role: str
    text: str


class Sketch(Struct, frozen=True):
    """A request.

    Attributes:
        api: name of its dialect.
        turns: oldest first.
        plants: what is to be found in it.
        declared: what its tools say of themselves; none where it declares none.
        schema: what the form of the answer says of itself.
        speaker: name of who speaks, in chat.
        image: whether it carries one.
        stream: whether the answer is to be streamed.
        batch: whether its service tier says that it may take long.
        language: of its text.
        long: whether it is.
        ids: whether its prompt is token ids.
        silent: whether nobody says anything.
    """

    api: str
    turns: tuple[Said, ...]
    plants: tuple[Plant, ...] = ()
    declared: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    speaker: str = ""
    image: bool = False
    stream: bool = False
    batch: bool = False
    language: str = "en"
    long: bool = False
    ids: bool = False
    silent: bool = False


def sees(source: Source, place: str) -> bool:
    """Whether a signal reads what stands at a place."""
    if source.kind == "jailbreak" and source.of == "incoming":
        return place in _INCOMING  # what tools say of themselves is none of its turns
    return place in _SEEN[source.of]


def draw(rng: random.Random, sources: Mapping[str, Source]) -> Sketch:
    """Draw a request to an API."""
    api = rng.choice(["chat_completions"] * 4 + ["responses", "anthropic_messages", "completions", "embeddings"])
    has_turns = len(PLACES[api]) > 1
    if happens(rng, 0.04):
        return Sketch(api, (Said("user", ""),), silent=True, image=has_turns and happens(rng, 0.5))
    language = rng.choice(LANGUAGES)
    ids = not has_turns and happens(rng, 0.1)
    plants = () if ids else tuple(_plants(rng, api, sources))
    is_long = happens(rng, 0.03)
    at: dict[str, list[str]] = {}
    for plant in plants:
        at.setdefault(plant.place, []).append(plant.text)
    return Sketch(
        api,
        tuple(_turns(rng, FILLER[language] * (LONG_TIMES if is_long else 1), at, has_turns=has_turns)),
        plants,
        declared=(_join(at, "declared"),) if "declared" in at or (has_turns and happens(rng, 0.1)) else (),
        schema=(_join(at, "schema"),) if "schema" in at else (),
        speaker=_join(at, "speaker"),
        image=has_turns and happens(rng, 0.08),
        stream=happens(rng, 0.3),
        batch=happens(rng, 0.2),
        language=language,
        long=is_long,
        ids=ids,
    )


def _plants(rng: random.Random, api: str, sources: Mapping[str, Source]) -> list[Plant]:
    """Give some signals something to find; most requests are harmless."""
    found: list[Plant] = []
    for source in sources.values():
        if not source.marks or source.header or happens(rng, 0.65):
            continue
        label = rng.choice(source.labels)
        place = rng.choice(PLACES[api])
        if source.kind == "pii" and (label == PERSON or place in {"schema", "speaker"}):
            place = "last"  # where the encoder reads, and where nothing is left out of redaction
        found.append(Plant(source.name, label, place, spelled(rng, source, source.marks[label])))
    return found


def spelled(rng: random.Random, source: Source, mark: str) -> str:
    """Spell a mark in one of the ways that its signal has to see through."""
    if source.kind not in {"keyword", "regex"}:
        return mark
    middle = len(mark) // 2
    hidden = f"{mark[:middle]}\u00ad{mark[middle:]}"
    return rng.choice([mark, mark, mark.upper(), mark.title(), hidden])


def _join(at: Mapping[str, list[str]], place: str) -> str:
    return " ".join(at.get(place, ()))


def _turns(rng: random.Random, filler: str, at: Mapping[str, list[str]], *, has_turns: bool) -> list[Said]:
    last = " ".join((filler, *at.get("last", ())))
    if not has_turns:
        return [Said("user", last)]
    turns: list[Said] = []
    # Few conversations, so that many requests belong to one; what tells them apart is how they begin.
    opening = rng.randrange(3)
    if "system" in at or happens(rng, 0.3):
        turns.append(Said("system", f"You help with gardens. {_join(at, 'system')}".strip()))
    is_long = "earlier" in at or "tool" in at or "assistant" in at or happens(rng, 0.6)
    if is_long:
        turns.append(Said("user", f"Hello {'again ' * opening}and good morning to all of you out there in the garden."))
        turns.append(Said("assistant", f"Good morning. {_join(at, 'assistant')}".strip()))
    if "earlier" in at:
        turns.append(Said("user", f"Before that I wanted to ask something else. {_join(at, 'earlier')}"))
    if "tool" in at or happens(rng, 0.1):
        turns += [Said("call", "lookup"), Said("tool", f"nothing found {_join(at, 'tool')}".strip())]
    turns.append(Said("user", last))
    return turns
