"""A whole policy file, run over prompts as `serve` would run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from extproc_router import wiring
from extproc_router.bulk.progress import Progress
from extproc_router.config.meaning import did_you_mean
from extproc_router.errors import ShedError, StartupError
from extproc_router.evaluation.arrays import Floats, Index
from extproc_router.types import Classification, HttpRequest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from extproc_router.encoder import Encoder
    from extproc_router.router import Router
    from extproc_router.types import Answer

_PATH = "/v1/chat/completions"
_DOMAIN = "domain"


class Verdicts(Struct, frozen=True):
    """What a policy chose; fewer rows than asked where Ctrl-C came before the end.

    Attributes:
        choice: intp [n], an index into the models that were asked about.
        preference: float64 [n, models], the probability that a domain rule sends the prompt there, were every domain
            believed: what the policy knows before its confidence floor cuts.
        confidence: float64 [n, models], the likeliest domain's probability under the model that its rule names, 0
            elsewhere: what the confidence floor cuts.
    """

    choice: Index
    preference: Floats
    confidence: Floats


def judge(policy: Path, model: Path, texts: Sequence[str], models: Sequence[str], names: Mapping[str, str]) -> Verdicts:
    """Decide every prompt, each sent as one user message that leaves the choice to the router.

    Args:
        policy: the policy file.
        model: the encoder artefact.
        texts: n prompts.
        models: what the data call their models.
        names: policy's model name -> the data's; a name that stands in `models` needs no entry.

    Raises:
        StartupError: the policy chose a model that is none of `models`; or the file cannot be read.
        ConfigError: the policy has mistakes.
        ArtefactError: the encoder cannot be loaded.
    """
    config = wiring.read_config(policy)
    encoder = wiring.load_encoder(model)
    router = wiring.build_router(config, encoder)
    place = _places(tuple(candidate.name for candidate in config.candidates), models, names)
    default = place.get(config.routing.default)
    rules = {label: place.get(name) for label, name in config.routing.domains.items()}
    choice = np.zeros(len(texts), dtype=np.intp)
    preference = np.zeros((len(texts), len(models)))
    confidence = np.zeros((len(texts), len(models)))
    done = 0
    try:
        with Progress("deciding", len(texts)) as progress:
            for row, text in enumerate(progress.over(texts)):
                answer, domain = _decide(router, encoder, config.auto[0], text)
                chosen = place.get(answer.decision.model)
                if chosen is None:
                    raise StartupError(
                        f"the policy chose {answer.decision.model or answer.decision.why!r}, which the data has no "
                        f"scores for; say which model it stands for with --as {answer.decision.model}=MODEL"
                    )
                choice[row] = chosen
                if domain is None:
                    preference[row, chosen] = confidence[row, chosen] = 1.0
                else:
                    _weigh(domain, rules, default, preference[row], confidence[row])
                done = row + 1
    except KeyboardInterrupt:
        if not done:
            raise
    return Verdicts(choice[:done], preference[:done], confidence[:done])


def _weigh(
    domain: Classification, rules: Mapping[str, int | None], default: int | None, preference: Floats, confidence: Floats
) -> None:
    """Fill in one row of each."""
    for label, p in domain.probs.items():
        target = rules.get(label, default)
        if target is not None:
            preference[target] += p
    ruled = rules.get(domain.label)
    if ruled is not None:
        confidence[ruled] = domain.confidence


def _places(candidates: Sequence[str], models: Sequence[str], names: Mapping[str, str]) -> dict[str, int]:
    for whose, given, known in (("the policy", names, candidates), ("the data", names.values(), models)):
        unknown = [name for name in given if name not in known]
        if unknown:
            near = did_you_mean(unknown[0], known)
            raise StartupError(f"--as: {whose} has no model {', '.join(unknown)}{near}; it has {', '.join(known)}")
    renamed = {name: names.get(name, name) for name in candidates}
    return {name: list(models).index(renamed[name]) for name in candidates if renamed[name] in models}


def _decide(router: Router, encoder: Encoder, auto: str, text: str) -> tuple[Answer, Classification | None]:
    # Half a surrogate pair is no valid JSON; a client could not have sent it.
    clean = text.encode(errors="replace").decode()
    body = json.dumps({"model": auto, "messages": [{"role": "user", "content": clean}]}).encode()
    answer, opened = wiring.decide(router, encoder, HttpRequest("POST", _PATH, {}, body))
    if opened is None:
        return answer, None
    for encoding in opened.readings.answers.encodings.values():
        domain = None if isinstance(encoding, ShedError) else encoding.heads.get(_DOMAIN)
        if isinstance(domain, Classification):
            return answer, domain
    return answer, None
