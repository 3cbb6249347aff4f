from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from extproc_router import dialects
from extproc_router.errors import RouterError
from extproc_router.lab.hunt import requests, sources
from extproc_router.lab.hunt.requests import MAX_BODY, TIER_HEADER, Shape
from extproc_router.router import paths

if TYPE_CHECKING:
    from extproc_router.types import HttpRequest


def readable(http: HttpRequest) -> bool:
    """Whether the router's own parts can read it."""
    dialect = dialects.find(paths.route(http.path)) if http.method == "POST" else None
    if dialect is None or not http.body or paths.is_multipart(http):
        return False
    try:
        dialect.read(dialects.decode(http.body, http.headers.get("content-encoding", ""), MAX_BODY))
    except RouterError:
        return False
    return True


def test_shapes_are_what_they_say() -> None:
    rng = random.Random(0)
    found = sources.draw(rng, ("low", "high"), 0.5)
    seen: Counter[Shape] = Counter()
    for _ in range(500):
        case = requests.draw(rng, found, ("low", "high"), ("auto", "", "m"))
        seen[case.shape] += 1
        assert readable(case.http) is (case.shape is Shape.READ or case.faults.no_room)
        assert (case.shape is Shape.EMPTY) is not paths.may_have_body(case.http)
        on_a_path = case.http.method == "POST" and dialects.find(paths.route(case.http.path)) is not None
        assert on_a_path or case.shape in {Shape.OTHER, Shape.EMPTY}
    assert set(seen) == set(Shape)
    assert seen[Shape.READ] > 300


def test_tiers_are_written_oddly() -> None:
    rng = random.Random(0)
    written = Counter(
        requests.draw(rng, {}, ("public", "Secret"), ("auto",)).http.headers.get(TIER_HEADER) for _ in range(600)
    )
    assert {None, "", " \t", "public", "Secret", "sECRET", " Secret\t", "Secre", "unheard of"} <= written.keys()
    assert any("," in (value or "") for value in written)
