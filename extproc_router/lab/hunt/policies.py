"""Random policies: their text, and what of it a hunt has to know to judge what comes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import yaml
from msgspec import Struct
from msgspec.structs import replace

from extproc_router.lab.hunt import clauses, sources
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.clauses import Clause, Every, Isnt, Says, Some
from extproc_router.lab.hunt.requests import MAX_BODY
from extproc_router.lab.hunt.sources import LONG, Source

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_TIERS: Final = (
    "public", "Internal", "RESTRICTED", "0", "7b", "geheim", "geheim 2", "Straße", "top secret", "t1", "T-1",
    "eu; strict",
)  # fmt: skip
_NAMES: Final = ("small", "Large-70b", "gpt/4o", "edge", "m-1", "M-1x", "qwen 3", "local", "öffentlich", "z9")
_TAGS: Final = ("cheap", "near")
_APIS: Final = ("chat_completions", "completions", "responses", "embeddings", "anthropic_messages")
_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class Server(Struct, frozen=True):
    """A model: where it runs, what it is called there, and the rank of the highest tier that it may see."""

    name: str
    cluster: str
    served: str
    clearance: int


class Guard(Struct, frozen=True):
    """A safety rule.

    Attributes:
        action: as `then` has it.
        clause: when it applies; None for always.
        tier: rank that it restricts to.
        strict: whether it applies where what it needs cannot be read.
        shadow: whether it is only told.
        signal: that redacts.
        types: of personal data that it redacts.
    """

    name: str
    action: str
    clause: Clause | None
    tier: int = 0
    strict: bool = True
    shadow: bool = False
    signal: str = ""
    types: tuple[str, ...] = ()


class Policy(Struct, frozen=True):
    """A policy.

    Attributes:
        text: YAML.
        tiers: lowest first.
        servers: by name.
        asked: names that requests ask for; many mean that the choice is ours.
        guards: its safety rules.
        sources: its signals, by name.
        lets_through: whether requests on other paths pass whatever they hold, because it says so.
        floor: below which a domain is not sure; None for the artefact's own.
    """

    text: str
    tiers: tuple[str, ...]
    servers: Mapping[str, Server]
    asked: tuple[str, ...]
    guards: tuple[Guard, ...]
    sources: Mapping[str, Source]
    lets_through: bool
    floor: float | None


def draw(rng: random.Random) -> Policy:
    """Draw a policy."""
    tiers = tuple(rng.sample(_TIERS, k=rng.choice([1, 2, 2, 3, 3, 3, 4])))
    floor = rng.choice([None, None, 0.2, 0.7])
    found = sources.draw(rng, tiers, sources.ARTEFACT_FLOOR if floor is None else floor)
    return compose(rng, tiers, found, floor)


def compose(rng: random.Random, tiers: tuple[str, ...], found: Mapping[str, Source], floor: float | None) -> Policy:
    """Draw a policy over given tiers and signals.

    Args:
        rng: where chance comes from.
        tiers: lowest first.
        found: the signals, by name.
        floor: below which a domain is not sure; None for the artefact's own.
    """
    models = _models(rng, tiers)
    servers = {server.name: server for model in models for server in _servers(model, tiers)}
    names = list(servers)
    auto = rng.choice([["auto"], ["auto", "Any"]])
    guards = tuple(_guard(rng, place, tiers, found) for place in range(rng.choice([0, 1, 2, 2, 3, 3, 4, 5])))
    unrouted = rng.choice([None, None, None, "pass", "refuse"])
    routing: dict[str, Any] = {"default": rng.choice(names)}
    routing |= {} if unrouted is None else {"unrouted": unrouted}
    routing |= {} if floor is None else {"confidence_floor": floor}
    if "domain" not in found or found["domain"].kind == "domain":
        routing["domains"] = {label: rng.choice(names) for label in rng.sample(sources.DOMAINS, k=rng.randint(0, 3))}
    routing["sticky_by"] = rng.choice(["conversation", "conversation", "header:x-user", "none"])
    rules = [_rule(rng, place, models, names, found) for place in range(rng.choice([0, 1, 2, 3, 4, 6]))]
    fallback = _fallback(rng, names)
    if fallback.get("attempts") != 1:
        for rule in rules:
            _cascade(rng, rule, names)
    file = {
        "auto": auto,
        "privacy_tiers": list(tiers),
        "models": models,
        "signals": [dict(source.written) for source in found.values() if source.written is not None],
        "safety": [_written(guard, tiers) for guard in guards],
        "rules": rules,
        "routing": routing,
        "fallback": fallback,
        "limits": {"max_body_bytes": MAX_BODY, "sticky_conversations": rng.choice([3, 1000])},
    }
    file = {section: entry for section, entry in file.items() if entry}
    return Policy(
        json.dumps(file, ensure_ascii=False)
        if happens(rng, 0.5)
        else yaml.dump(file, Dumper=_Dumper, allow_unicode=True, sort_keys=False),
        tiers,
        servers,
        (*auto, *auto, "", "", *auto, *auto, *names[:3], "nobody", auto[0].upper() + "s"),
        guards,
        found,
        lets_through=unrouted == "pass",
        floor=floor,
    )


def _models(rng: random.Random, tiers: Sequence[str]) -> list[dict[str, Any]]:
    """Write models; each states what every strategy weighs."""
    models: list[dict[str, Any]] = []
    for name in rng.sample(_NAMES, k=rng.randint(1, 7)):
        model: dict[str, Any] = {
            "name": name,
            "cluster": rng.choice(["shared", "shared-2", f"on-{len(models)}", f"on-{len(models)}"]),
            "cost": {"input": rng.choice([0.1, 1.0, 5.0]), "output": rng.choice([0.2, 2.0])},
            "quality": rng.choice([0.3, 0.6, {"default": 0.5, rng.choice(sources.DOMAINS): 0.9}]),
            "latency": {"ttft_ms": float(rng.choice([50, 200, 900])), "tokens_per_second": 40.0},
        }
        if happens(rng, 0.85):
            model["privacy"] = rng.choice([*tiers, tiers[-1]])
        if happens(rng, 0.4):
            model["served_name"] = rng.choice([f"org/{len(models)}", "same-name"])
        if happens(rng, 0.15):
            model["adapters"] = [{"name": f"{name}-lora", "tags": ["near"]}]
        if happens(rng, 0.2):
            model["context_window"] = rng.choice([64, 1000, 100_000])
        if happens(rng, 0.2):
            model["modalities"] = rng.choice([[], ["image"]])
        if happens(rng, 0.2):
            model["tools"] = happens(rng, 0.5)
        if happens(rng, 0.2):
            model["apis"] = rng.sample(_APIS, k=rng.randint(1, 5))
        if happens(rng, 0.3):
            model["reasoning"] = rng.choice(["enable_thinking", "reasoning_effort", "anthropic"])
        model["tags"] = rng.sample(_TAGS, k=rng.randint(0, 2))
        models.append(model)
    return models


def _servers(model: Mapping[str, Any], tiers: Sequence[str]) -> list[Server]:
    clearance = tiers.index(model["privacy"]) if "privacy" in model else 0
    name, cluster = model["name"], model["cluster"]
    base = Server(name, cluster, model.get("served_name", name), clearance)
    return [base, *(Server(each["name"], cluster, each["name"], clearance) for each in model.get("adapters", ()))]


def _guard(rng: random.Random, place: int, tiers: Sequence[str], found: Mapping[str, Source]) -> Guard:
    readers = [source for source in found.values() if source.matcher is None]
    redactor = next((source for source in readers if source.kind == "pii"), None)
    actions = ["restrict"] * 5 * (len(tiers) > 1) + ["block", "refuse", "flag"] + ["redact"] * 2 * bool(redactor)
    action = rng.choice(actions)
    is_open = action in {"restrict", "redact", "flag"} and happens(rng, 0.1)
    clause = None if is_open else _clause(rng, readers)
    types: tuple[str, ...] = ()
    if action == "redact" and redactor and happens(rng, 0.5):
        types = tuple(rng.sample(redactor.labels, k=rng.randint(1, len(redactor.labels))))
    return Guard(
        f"guard {place}",
        action,
        clause,
        tier=rng.randint(1, len(tiers) - 1) if action == "restrict" else 0,
        strict=happens(rng, 0.75),
        shadow=happens(rng, 0.12),
        signal=redactor.name if action == "redact" and redactor else "",
        types=types,
    )


def _written(guard: Guard, tiers: Sequence[str]) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": guard.name, "then": guard.action}
    rule |= {} if guard.clause is None else {"when": clauses.written(guard.clause)}
    rule |= {"tier": tiers[guard.tier]} if 0 < guard.tier < len(tiers) - 1 else {}  # the highest goes without saying
    rule |= {} if guard.strict else {"when_absent": "skip"}
    rule |= {"shadow": True} if guard.shadow else {}
    rule |= {"signal": guard.signal} if guard.signal else {}
    return rule | ({"types": list(guard.types)} if guard.types else {})


def _clause(rng: random.Random, readers: Sequence[Source], depth: int = 0) -> Clause:
    """Draw a condition over some signals, nested now and then."""
    kind = rng.choice([Says] * 6 + [Isnt] + [Some] * 2 + [Every])
    if depth > 1 or kind is Says:
        return _says(rng, rng.choice(readers))
    if kind is Isnt:
        return Isnt(_clause(rng, readers, depth + 1))
    parts = tuple(_clause(rng, readers, depth + 1) for _ in range(rng.randint(2, 3)))
    return Some(parts) if kind is Some else Every(parts)


def _says(rng: random.Random, source: Source) -> Says:
    """Draw a test that a signal can pass."""
    if source.numeric and (not source.labels or happens(rng, 0.15)):
        bar = {"context": LONG, "length": LONG, "conversation": 2.0, "keyword": 1.0, "regex": 1.0}.get(source.kind, 0.5)
        return Says(source.name, at_least=bar) if happens(rng, 0.7) else Says(source.name, below=bar)
    labels = tuple(rng.sample(source.labels, k=rng.randint(1, min(3, len(source.labels)))))
    confidence = rng.choice([0.3, 0.5, 0.8]) if happens(rng, 0.25) else None
    says = Says(source.name, source.floor, confidence=confidence)
    kind = rng.choice(["any_of", "any_of", "any_of", "all_of", "none_of", "flag"])
    if kind == "flag":
        # Norwegian is `no`: languages cannot be asked for a plain false.
        return replace(says, flag=source.kind == "language" or happens(rng, 0.8), confidence=None)
    if kind == "all_of" and source.kind in {"domain", "language", "latency_class", "preference"}:
        labels = labels[:1]
    return replace(says, **{kind: labels})


def _rule(
    rng: random.Random,
    place: int,
    models: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    found: Mapping[str, Source],
) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": f"rule {place}", "use": _use(rng, models, names, found)}
    if happens(rng, 0.75):
        # What asks a language model is looked at often.
        judges = [source for source in found.values() if source.matcher is not None]
        rule["when"] = clauses.written(_clause(rng, judges if judges and happens(rng, 0.3) else [*found.values()]))
    if happens(rng, 0.25):
        rule |= {
            "percent": rng.choice([1.0, 50.0, 99.9]),
            "by": rng.choice(["conversation", "request", "header:x-user"]),
        }
    if happens(rng, 0.2):
        rule["shadow"] = True
    if happens(rng, 0.3):
        rule |= {"max_tokens": 64, "system_prefix": "Be kind.", "include_usage": True}
    return rule


def _fallback(rng: random.Random, names: Sequence[str]) -> dict[str, Any]:
    """Write what is tried where a model fails; for many policies nothing."""
    if happens(rng, 0.4):
        return {}
    written: dict[str, Any] = {"models": rng.sample(names, k=rng.randint(0, min(3, len(names))))}
    written |= {"attempts": rng.choice([1, 2, 4, 8])} if happens(rng, 0.5) else {}
    return written | ({"on_context_length": True} if happens(rng, 0.2) else {})


def _cascade(rng: random.Random, rule: dict[str, Any], names: Sequence[str]) -> None:
    """Let some rules judge their first answer: those of which it is plain that they have a second model."""
    use = rule["use"]
    some = use.get("among", names) if isinstance(use, dict) else use
    if isinstance(some, list) and len(some) > 1 and happens(rng, 0.8):
        rule["cascade"] = {"accept_at": 0.7, "first_tokens": 8} if happens(rng, 0.5) else {}


def _use(
    rng: random.Random, models: Sequence[Mapping[str, Any]], names: Sequence[str], found: Mapping[str, Source]
) -> Any:  # noqa: ANN401 - a name, names or a mapping
    some = rng.sample(names, k=rng.randint(1, len(names)))
    tagged = [tag for tag in _TAGS if any(tag in model["tags"] for model in models)]
    among: Any = {"tags": [rng.choice(tagged)]} if tagged and happens(rng, 0.3) else some
    pick = rng.choice(["one", "some", "static", "threshold", "cheapest", "weighted", "split", "hash", "least_loaded"])
    if pick in {"one", "some"} or (pick in {"threshold", "split"} and len(some) < 2):  # noqa: PLR2004 - two at least
        return some[0] if pick == "one" else some
    numbers = [source.name for source in found.values() if source.kind in {"difficulty", "jailbreak", "reasoning"}]
    uses: dict[str, dict[str, Any]] = {
        "static": {"pick": "static", "among": among},
        "threshold": {"pick": "threshold", "strong": some[0], "weak": some[-1], "at": 0.5, "among": some},
        "cheapest": {"pick": "cheapest_above", "quality": 0.5, "among": among},
        "weighted": {"pick": "weighted", "weights": {"cost": 1.0, "quality": 1.0, "latency": 1.0}, "among": among},
        "split": {"pick": "split", "shares": {some[0]: 70.0, some[-1]: 30.0}, "by": "conversation"},
        "hash": {"pick": "hash", "by": rng.choice(["request", "header:x-user"]), "among": among},
        "least_loaded": {"pick": "least_loaded"},
    }
    return uses[pick] | ({"signal": rng.choice(numbers)} if pick == "threshold" and numbers else {})
