"""What a shape cannot say: names that must be unique, names that must exist.

It reads the plain data, tolerantly, so that a misspelt field elsewhere does not hide these mistakes.
"""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from extproc_router.config.document import Document
    from extproc_router.types import Mistake

_RESERVED = frozenset({"all", "any", "not"})
_LONGEST, _COMPARED = 256, 1000  # characters of a name that is compared, names that it is compared with


def mistakes(document: Document, *, clusters: Collection[str] | None = None) -> Iterator[Mistake]:
    """Find every name that is used twice or refers to nothing.

    Args:
        document: the file.
        clusters: those that Envoy has; None where they are not known.
    """
    data = _mapping(document.data)
    models = [_mapping(model) for model in _sequence(data.get("models"))]
    auto = _texts(data.get("auto", ["auto"]))
    tiers = _texts(data.get("privacy_tiers", ["public"]))
    for field in ("auto", "privacy_tiers"):
        yield from _duplicates(document, (field,), _sequence(data.get(field)))
    yield from _tiers(document, _sequence(data.get("privacy_tiers")))
    yield from _model_names(document, models, auto)
    for index, model in enumerate(models):
        yield from _unknown(document, ("models", index, "privacy"), "privacy tier", model.get("privacy"), tiers or None)
        yield from _unknown(document, ("models", index, "cluster"), "cluster", model.get("cluster"), clusters)
    for section in ("safety", "rules"):
        yield from _same_names(document, section, data)
    yield from _signal_names(document, data)
    names = _known_models(models)
    fallback = _sequence(_mapping(data.get("fallback")).get("models"))
    yield from _duplicates(document, ("fallback", "models"), fallback)
    for index, name in enumerate(fallback):
        yield from _unknown(document, ("fallback", "models", index), "model", name, names)
    routing = _mapping(data.get("routing"))
    yield from _unknown(document, ("routing", "default"), "model", routing.get("default"), names)
    for label, name in _mapping(routing.get("domains")).items():
        yield from _unknown(document, ("routing", "domains", label), "model", name, names)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)`, or nothing where no known name is near."""
    if not isinstance(name, str) or len(name) > _LONGEST:
        return ""
    near = get_close_matches(name, list(islice(known, _COMPARED)), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def declared_signals(document: Document) -> frozenset[str]:
    """Return the names of the declared signals, of those with mistakes too."""
    declared = (_mapping(signal) for signal in _sequence(_mapping(document.data).get("signals")))
    return frozenset(name for signal in declared if (name := _signal_name(signal)[1]))


def _signal_name(signal: dict[Any, Any]) -> tuple[str, str]:
    """Return the member that names a signal, and the name; empty where there is none."""
    member = "name" if isinstance(signal.get("name"), str) else "kind"
    name = signal.get(member)
    return member, name if isinstance(name, str) else ""


def _mapping(value: object) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> dict[str, None]:
    """Return the texts of a list, in its order; entries of a wrong type are the shape's to report."""
    return dict.fromkeys(entry for entry in _sequence(value) if isinstance(entry, str))


def _unknown(
    document: Document, path: tuple[str | int, ...], what: str, name: object, known: Collection[str] | None
) -> Iterator[Mistake]:
    # A name of a wrong type is the shape's to report.
    if known is not None and isinstance(name, str) and name not in known:
        yield document.mistake(path, f"unknown {what} {name!r}{did_you_mean(name, known)}")


def _duplicates(document: Document, path: tuple[str, ...], values: list[Any]) -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if isinstance(value, str) and value in seen:
            yield document.mistake((*path, index), f"duplicate {value!r}")
        elif isinstance(value, str):
            seen.add(value)


def _tiers(document: Document, values: list[Any]) -> Iterator[Mistake]:
    """Find the tiers that no header `x-privacy-tier` can tell apart: it has no case, and commas between names."""
    seen: dict[str, str] = {}
    for index, value in enumerate(values):
        if not isinstance(value, str):
            continue
        if "," in value:
            yield document.mistake(("privacy_tiers", index), "a comma: in `x-privacy-tier` it stands between two names")
        like = seen.setdefault(value.casefold(), value)
        if like != value:
            yield document.mistake(("privacy_tiers", index), f"like {like!r}: `x-privacy-tier` is read without case")


def _names(models: list[dict[Any, Any]]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield where each model and adapter has its name, and the name."""
    for index, model in enumerate(models):
        if isinstance(model.get("name"), str):
            yield ("models", index, "name"), model["name"]
        for place, adapter in enumerate(_sequence(model.get("adapters"))):
            name = _mapping(adapter).get("name")
            if isinstance(name, str):
                yield ("models", index, "adapters", place, "name"), name


def _known_models(models: list[dict[Any, Any]]) -> Collection[str] | None:
    """Return the names that may be referred to; None where not every model has one that can be read."""
    written = [model.get("name") for model in models]
    written += (_mapping(adapter).get("name") for model in models for adapter in _sequence(model.get("adapters")))
    names = [name for name in written if isinstance(name, str)]
    return dict.fromkeys(names) if names and len(names) == len(written) else None


def _model_names(document: Document, models: list[dict[Any, Any]], auto: Collection[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for path, name in _names(models):
        if name in first:
            yield document.mistake(path, f"duplicate model {name!r}; first on line {first[name]}")
        if name in auto:
            yield document.mistake(path, f"{name!r} is an `auto` name: it cannot be a model too")
        first.setdefault(name, document.lines[tuple(map(str, path[:-1]))])


def _same_names(document: Document, section: str, data: dict[Any, Any]) -> Iterator[Mistake]:
    """Find rules that bear the name of an earlier one: decisions could not be told apart."""
    first: dict[str, int] = {}
    for index, rule in enumerate(_sequence(data.get(section))):
        name = _mapping(rule).get("name")
        if not isinstance(name, str):
            continue
        if name in first:
            yield document.mistake((section, index, "name"), f"duplicate rule {name!r}; first on line {first[name]}")
        first.setdefault(name, document.lines[(section, str(index))])


def _signal_names(document: Document, data: dict[Any, Any]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, signal in enumerate(_sequence(data.get("signals"))):
        member, name = _signal_name(_mapping(signal))
        if not name:
            continue
        path = ("signals", index, member)
        if name in first:
            yield document.mistake(path, f"duplicate signal {name!r}; first on line {first[name]}")
        if name in _RESERVED:
            yield document.mistake(path, f"{name!r} means something else in `when`: choose another name")
        first.setdefault(name, document.lines[("signals", str(index))])
