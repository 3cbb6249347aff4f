from __future__ import annotations

from extproc_router.candidates import Reasoning, ReasoningStyle
from extproc_router.config import loader
from extproc_router.types import Modality

TEXT = """\
privacy_tiers: [public, internal, restricted]
models:
  - name: base
    cluster: gpu
    served_name: org/base-8b
    privacy: internal
    context_window: 32768
    cost: {input: 0.1, output: 0.3}
    latency: {ttft_ms: 100, tokens_per_second: 80}
    modalities: [image]
    tools: true
    apis: [chat_completions]
    quality: {default: 0.6, math: 0.4}
    reasoning: {style: reasoning_effort, effort_on: high, effort_off: minimal}
    tags: [fast]
    adapters:
      - {name: sql}
      - {name: law, served_name: law-v3, quality: 0.9, tags: [legal]}
      - {name: bare, tags: []}
  - {name: other, cluster: cpu, modalities: [], reasoning: anthropic, quality: {math: 1}}
routing: {default: base}
"""


def test_adapters_are_candidates_behind_their_base_and_like_it_but_for_what_they_say() -> None:
    base, sql, law, bare, other = loader.load(TEXT, "r.yaml").candidates
    assert [candidate.name for candidate in (base, sql, law, bare, other)] == ["base", "sql", "law", "bare", "other"]
    assert (base.cluster, base.served_name, base.clearance, base.window) == ("gpu", "org/base-8b", 1, 32768)
    assert (base.cost_input, base.cost_output, base.ttft_ms, base.tokens_per_second) == (0.1, 0.3, 100, 80)
    assert (base.modalities, base.tools, base.apis) == (
        frozenset({Modality.IMAGE}),
        True,
        frozenset({"chat_completions"}),
    )
    assert base.reasoning == Reasoning(ReasoningStyle.REASONING_EFFORT, "high", "minimal")
    for adapter in (sql, law, bare):
        assert (adapter.cluster, adapter.clearance, adapter.window, adapter.reasoning) == (
            "gpu",
            1,
            32768,
            base.reasoning,
        )
    assert [adapter.served_name for adapter in (sql, law, bare)] == ["sql", "law-v3", "bare"]
    assert [adapter.quality for adapter in (sql, law, bare)] == [base.quality, {"": 0.9}, base.quality]
    assert [set(adapter.tags) for adapter in (sql, law, bare)] == [{"fast"}, {"legal"}, set()]


def test_the_label_default_stands_for_all_others() -> None:
    base, *_, other = loader.load(TEXT, "r.yaml").candidates
    assert base.quality == {"": 0.6, "math": 0.4}
    assert other.quality == {"math": 1.0}


def test_what_is_left_out_is_unknown_and_not_none() -> None:
    *_, other = loader.load(TEXT, "r.yaml").candidates
    assert (other.clearance, other.window, other.tools, other.apis, other.ttft_ms) == (0, None, None, None, None)
    assert other.modalities == frozenset(), "an empty list says: text alone"
    assert other.reasoning == Reasoning(ReasoningStyle.ANTHROPIC)
    assert other.logprobs


def test_a_model_may_be_one_that_is_not_asked_for_log_probabilities() -> None:
    text = TEXT.replace("name: other, cluster: cpu", "name: other, cluster: cpu, logprobs: false")
    *_, other = loader.load(text, "r.yaml").candidates
    assert not other.logprobs
