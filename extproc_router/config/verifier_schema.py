"""`verifier`, as it is written: what a cascade's first answer is judged by."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from extproc_router.options import Section

SignName: TypeAlias = Literal["refusal", "empty", "truncated", "json", "tool_call", "broken"]
"""What makes an answer doubtful whatever its numbers say."""
Phrase: TypeAlias = Annotated[str, StringConstraints(min_length=3, max_length=200, pattern=r"[^\W_]{2}")]
Weight: TypeAlias = Annotated[float, Field(ge=-1000, le=1000)]


class Weights(Section):
    """The head on prompt and answer: the logit that an answer is good is their sum over what is known of it.

    The defaults are no fit to real answers: `intercept` and `mean_logprob` are fitted to simulated log-probabilities,
    `difficulty` to outcomes with such ones, and `hedges` is set by hand (docs/decisions/0017-judging-answers.md).
    `extproc-router calibrate --cascade` fits all of them to your own answers.
    """

    intercept: Annotated[Weight, Field(description="the logit of an answer that is average in everything")] = 0.9
    mean_logprob: Annotated[Weight, Field(description="for each nat of the tokens' mean log-probability")] = 12.8
    min_logprob: Annotated[Weight, Field(description="for each nat of the least likely token's")] = 0.0
    low_share: Annotated[Weight, Field(description="for the share of tokens below probability 0.2")] = 0.0
    hedges: Annotated[Weight, Field(description="for each stated doubt (`I'm not sure`) in 100 words")] = -0.25
    length: Annotated[Weight, Field(description="for each unit of ln(1 + words)")] = 0.0
    difficulty: Annotated[Weight, Field(description="for the prompt's difficulty, from 0 to 1")] = -0.7
    no_logprobs: Annotated[Weight, Field(description="where the server gives no log-probabilities")] = 0.0
    no_length: Annotated[Weight, Field(description="where the answer's end is not known yet: a stream's start")] = 0.0
    no_difficulty: Annotated[Weight, Field(description="where the prompt's difficulty is not known")] = 0.0


class Verifier(Section):
    """How the first answer of a cascade is judged."""

    refusal_phrases: Annotated[
        list[Phrase],
        Field(max_length=200, description="beginnings of answers that are refusals too, beside those that are known"),
    ] = Field(default_factory=list)
    ignore: Annotated[
        list[SignName], Field(max_length=6, description="signs that do not count; default: all of them do")
    ] = Field(default_factory=list)
    weights: Annotated[Weights, Field(description="of the head on prompt and answer")] = Weights()
