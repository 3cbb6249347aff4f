from __future__ import annotations

from extproc_router.config.verifier_schema import Verifier
from extproc_router.verifier import terms


def test_what_is_written_is_what_counts() -> None:
    written = Verifier.model_validate(
        {"refusal_phrases": ["computer says no"], "ignore": ["truncated"], "weights": {"hedges": -1.0}}
    )
    compiled = terms.of(written)
    assert compiled.refusal_phrases == ("computer says no",)
    assert compiled.ignore == {"truncated"}
    assert compiled.weights.hedges == -1.0


def test_nothing_written_is_the_default() -> None:
    assert terms.of(Verifier()) == terms.Terms()
