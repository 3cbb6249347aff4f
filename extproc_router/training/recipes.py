"""What each shipped head is fitted to: labels, inputs, how much each source counts. Chosen on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from extproc_router.encoder.head_file import Input
from extproc_router.training.rows import DIFFICULTY, DOMAIN, JAILBREAK, REASONING, Row
from extproc_router.training.selection import NOISY

WEAK: Final = "mistralai/Mixtral-8x7B-Instruct-v0.1"
STRONG: Final = "gpt-4-1106-preview"


class Recipe(Struct, frozen=True):
    """A head's data.

    Attributes:
        name: of the head.
        inputs: what it reads.
        label: a row's label, or None where the row has none.
        weights: source -> how much one training row counts; sources that are not named are left out. A name that ends
            with `/` stands for all that begin with it.
        calibration: source -> share of the say in temperature, floor and threshold, however many validation rows it
            has.
        enabled: whether it is computed unasked.
    """

    name: str
    inputs: tuple[Input, ...]
    label: Callable[[Row], str | bool | tuple[bool, bool] | None]
    weights: Mapping[str, float]
    calibration: Mapping[str, float]
    enabled: bool = True

    def weight(self, source: str) -> float:
        """How much one training row of the source counts."""
        return _of(self.weights, source)

    def share(self, source: str) -> float:
        """The source's share of the calibration."""
        return _of(self.calibration, source)


def _of(table: Mapping[str, float], source: str) -> float:
    return table.get(source, table.get(source.partition("/")[0] + "/", 0.0))


def _reasoning(row: Row) -> bool | None:
    return None if row.reasoning is None else row.reasoning > 0.5  # noqa: PLR2004


def _jailbreak(row: Row) -> bool | None:
    return None if row.jailbreak is None else row.jailbreak > 0.5  # noqa: PLR2004


# Pairs of a weak and a strong model that stand for ours where ours were not asked.
_STAND_INS: Final = {
    "llmrouter/gsm8k": ("router/mistral-7b-instruct-v0.3", "router/llama-3.1-nemotron-51b-instruct"),
}


def _pair(row: Row) -> tuple[bool, bool] | None:
    weak, strong = _STAND_INS.get(row.source, (WEAK, STRONG))
    outcomes = row.outcomes or {}
    if weak not in outcomes or strong not in outcomes:
        return None
    return outcomes[strong] > 0.5, outcomes[weak] > 0.5  # noqa: PLR2004


RECIPES: Final = (
    Recipe(
        name=DOMAIN,
        inputs=("mean", "focus"),
        label=lambda row: row.domain,
        weights={
            "exam": 0.5,
            "half_a": 0.7,
            "mmlu_pro": 0.5,
            "natural": 4.0,
            f"natural{NOISY}": 3.0,
            "topic": 1.0,
            "programming": 1.0,
            "trivia": 0.5,
            "clinc150": 0.75,
            "gsm8k": 0.3,
            "llmrouter/": 0.3,
            "own/domain_multilingual": 3.0,
            f"own/domain_multilingual{NOISY}": 1.5,
        },
        calibration={
            "exam": 0.25,
            "half_a": 0.15,
            "mmlu_pro": 0.1,
            "natural": 0.2,
            f"natural{NOISY}": 0.15,
            "clinc150": 0.05,
            "arena": 0.05,
            "own/domain_multilingual": 0.05,
        },
    ),
    Recipe(
        name=REASONING,
        inputs=("mean", "focus"),
        label=_reasoning,
        weights={
            "own/reasoning": 4.0,
            f"own/reasoning{NOISY}": 3.0,
            "own/difficulty": 2.0,
            "gsm8k": 0.3,
            "llmrouter/": 0.3,
            "mmlu_pro": 0.05,
            "clinc150": 0.3,
            "banking77": 0.3,
            "trivia": 0.3,
            "natural": 2.0,
        },
        calibration={
            "own/reasoning": 0.5,
            f"own/reasoning{NOISY}": 0.25,
            "gsm8k": 0.05,
            "llmrouter/": 0.1,
            "clinc150": 0.05,
            "trivia": 0.05,
        },
    ),
    Recipe(
        name=JAILBREAK,
        inputs=("mean", "focus"),
        label=_jailbreak,
        weights={
            "own/jailbreak": 4.0,
            f"own/jailbreak{NOISY}": 2.0,
            "own/lookalikes": 4.0,
            f"own/lookalikes{NOISY}": 2.0,
            "inthewild": 1.0,
            "inthewild+excerpt": 1.0,
            "giskard_pi": 1.0,
            "giskard_pi+excerpt": 1.0,
            "composed": 1.0,
            "awesome_prompts": 1.0,
            "own/reasoning": 0.5,
            "own/difficulty": 0.5,
            "own/domain_multilingual": 0.5,
            "natural": 0.5,
            f"natural{NOISY}": 0.5,
            "own/pii": 0.3,
            "presidio": 0.3,
            "clinc150": 0.2,
            "banking77": 0.2,
            "trivia": 0.1,
            "topic": 0.1,
            "exam": 0.05,
            "half_a": 0.05,
            "mmlu_pro": 0.05,
            "llmrouter/": 0.05,
        },
        calibration={
            "own/jailbreak": 0.2,
            f"own/jailbreak{NOISY}": 0.1,
            "own/lookalikes": 0.2,
            f"own/lookalikes{NOISY}": 0.1,
            "inthewild": 0.05,
            "inthewild+excerpt": 0.05,
            "composed": 0.08,
            "awesome_prompts": 0.05,
            "arena": 0.05,
            "natural": 0.05,
            "own/reasoning": 0.05,
            "own/pii": 0.02,
        },
    ),
    Recipe(
        name=DIFFICULTY,
        inputs=("mean", "focus", "surface"),
        label=_pair,
        # Weights for MMLU-Pro's pair cost 0.06 APGR on half A; GSM8K's teach that long word problems are harder, which
        # half A alone gets backwards.
        weights={"half_a": 1.0, "llmrouter/gsm8k": 1.0},
        calibration={"half_a": 1.0},
    ),
)
