"""Random configs and Envoy files: where the proof says that they are safe, requests try to leave their tier."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from extproc_router.envoyconf import bootstrap as bootstraps
from extproc_router.envoyconf.proof import Proof, prove
from extproc_router.lab.hunt import envoy_edits, envoy_files, envoy_oracle, envoy_requests, envoy_site
from extproc_router.lab.hunt.chance import happens
from extproc_router.lab.hunt.envoy_model import Model
from extproc_router.lab.hunt.envoy_parts import Part
from extproc_router.lab.hunt.envoy_site import Site
from extproc_router.lab.hunt.tally import Leak, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.lab.hunt.envoy_request import Outcome, Sent

REQUESTS = 40
"""Thrown at every file that is proved."""
_UNTOUCHED = 0.3  # of the files have no edit


class Case(Struct, frozen=True):
    """A config, a file, what was changed in it (nothing in a safe one), and whether it is proved."""

    site: Site
    file: Part
    edits: tuple[str, ...]
    proof: Proof


def run(cases: int, seed: int) -> Tally:
    """Try files; each is one case, replayed alone by its seed and place."""
    return Tally(cases, tuple(leak for place in range(cases) for leak in leaks(f"{seed}:{place}")))


def survey(cases: int, seed: int) -> Counter[str]:
    """Count what became of files: `safe`, `safe proved`, `edited`, `edited proved`."""
    counted: Counter[str] = Counter()
    for place in range(cases):
        case = draw(f"{seed}:{place}")
        kind = "edited" if case.edits else "safe"
        counted.update([kind] + [f"{kind} proved"] * case.proof.proved)
    return counted


def draw(seed: str) -> Case:
    """Draw a case and try to prove it."""
    rng = Random(seed)
    site = envoy_site.draw(rng)
    file, edits = envoy_files.draw(rng, site), tuple[str, ...]()
    if not happens(rng, _UNTOUCHED):
        file, edits = envoy_edits.apply(rng, site, file)
    file = envoy_files.camel(rng, file)
    return Case(site, file, edits, judged(site, file))


def judged(site: Site, file: Part) -> Proof:
    """Read a file as `extproc-router check` does, and try to prove it."""
    config, policy = site.compile()
    with tempfile.TemporaryDirectory(prefix="hunt-") as directory:
        path = Path(directory) / "envoy.yaml"
        path.write_bytes(msgspec.json.encode(file))  # JSON is YAML, and quicker
        return prove(config, policy, bootstraps.read(path))


def leaks(seed: str, requests: int = REQUESTS) -> Iterator[Leak]:
    """Yield the first leak of a case, if there is any."""
    case = draw(seed)
    if case.proof.proved:
        for sent, outcome in attempts(case.site, case.file, Random(f"{seed}:requests"), requests):
            if wrong := envoy_oracle.leaked(case.site, sent, outcome):
                yield Leak(f"envoy file {seed}", story(case, sent, wrong))
                return


def attempts(site: Site, file: Part, rng: Random, requests: int) -> Iterator[tuple[Sent, Outcome]]:
    """Yield random requests and what the model of Envoy makes of them.

    Raises:
        NotImplementedError: the file holds what the model does not know.
    """
    model = Model(file)
    for _ in range(requests):
        sent = envoy_requests.draw(rng, site, model.listeners, model.tiers)
        yield sent, model.run(sent, partial(site.answer, sent))


def story(case: Case, sent: Sent, wrong: frozenset[str]) -> str:
    """Tell a leak."""
    return "\n".join(
        (
            f"{'proved, and yet' if case.proof.proved else 'not proved:'} {', '.join(sorted(wrong))} may be reached",
            f"edits: {', '.join(case.edits) or 'none'}",
            f"request: {sent}",
            case.site.text(),
            msgspec.json.encode(case.file).decode(),
        )
    )
