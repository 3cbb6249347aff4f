from __future__ import annotations

from typing import TYPE_CHECKING, Any

from extproc_router import wiring
from extproc_router.explaining.given import Given, fresh, memory
from extproc_router.types import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from extproc_router.router import Router
    from extproc_router.types import HttpRequest


def given(router: Router, name: str, *labels: str, number: float | None = None, absent: str = "") -> Given:
    signal = Signal(name, "given", 1.0, frozenset(labels), number, absent)
    return Given(signal, router.terms.readers[name])


def test_a_given_signal_is_that_and_its_reader_in_all_else(router: Router) -> None:
    reader = router.terms.readers["domain"]
    one = given(router, "domain", "math")
    assert (one.name, one.cost, one.known, one.numeric, one.floor) == (
        reader.name,
        reader.cost,
        reader.known,
        reader.numeric,
        reader.floor,
    )


def test_it_decides_without_the_encoder(
    router: Router, post: Callable[..., HttpRequest], scripted_encoder: Any
) -> None:
    signals = [given(router, "domain", "math"), given(router, "difficulty", number=0.9)]
    answer, opened = wiring.decide(fresh(router, signals), scripted_encoder, post("hello"))
    assert (answer.decision.rule, answer.decision.model) == ("maths", "large")
    assert opened
    [asked] = [set(encoding.heads) for encoding in opened.readings.answers.encodings.values()]  # type: ignore[union-attr]
    assert asked == {"jailbreak", "pii", "reasoning"}


def test_an_absent_one_makes_the_outcome_stricter(
    router: Router, post: Callable[..., HttpRequest], scripted_encoder: Any
) -> None:
    absent = given(router, "jailbreak", absent="timeout")
    answer, _ = wiring.decide(fresh(router, [absent]), scripted_encoder, post("hello"))
    assert answer.decision.status == 503


def test_what_redacts_still_finds(router: Router, post: Callable[..., HttpRequest], scripted_encoder: Any) -> None:
    cards = given(router, "pii", "CREDIT_CARD", number=1)
    answer, _ = wiring.decide(fresh(router, [cards]), scripted_encoder, post("my card is 4111 1111 1111 1111"))
    assert b"<CREDIT_CARD_1>" in answer.action.body  # type: ignore[operator]


def test_memory_is_shared_where_it_is_given_and_else_is_new(
    router: Router, post: Callable[..., HttpRequest], scripted_encoder: Any
) -> None:
    turns = [{"role": role, "content": "math hard"} for role in ("user", "assistant", "user")]
    held, http = memory(), post("", messages=turns)
    sticky = [
        wiring.decide(fresh(router, held=shared), scripted_encoder, http)[0].decision.sticky
        for shared in (held, held, None)
    ]
    assert sticky == ["", "held", ""]
