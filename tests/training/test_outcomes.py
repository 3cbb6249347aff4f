from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
import pytest

from extproc_router import encoder, surface
from extproc_router.encoder import manifest
from extproc_router.encoder.manifest import FileRecord
from extproc_router.errors import ArtefactError, StartupError
from extproc_router.training import outcomes
from extproc_router.types import Classification

if TYPE_CHECKING:
    from pathlib import Path

PROMPTS = tuple(f"What is {number} times {number + 1}?" for number in range(60))


def test_features_are_what_the_server_would_read(shipped: Path, tmp_path: Path) -> None:
    prompts = ["Sue a neighbour over a fence", "integrate x squared", "mitosis or meiosis?"]
    told: list[int] = []
    features = outcomes.read_features(prompts, outcomes.open_reader(shipped), cache=tmp_path, progress=told.append)
    served = encoder.load(shipped)
    for row, prompt in enumerate(prompts):
        np.testing.assert_array_equal(features.embeddings[row], served.embed(prompt))
        answer = served.encode(prompt, ["domain"], tiers=False).heads["domain"]
        assert isinstance(answer, Classification)
        probs = answer.probs
        assert features.domains[row].tolist() == pytest.approx([probs[label] for label in served.labels])
        assert features.surface[row].tolist() == pytest.approx(surface.read(prompt))
    assert told[-1] == 3


def test_the_features_version_follows_what_features_depend_on(shipped: Path) -> None:
    contents = manifest.read(shipped)
    version = outcomes.features_version(contents)
    domain = contents.heads["domain"]

    def with_file(name: str) -> str:
        files = {**contents.files, name: FileRecord(sha256="0" * 64, size=1)}
        return outcomes.features_version(msgspec.structs.replace(contents, files=files))

    assert outcomes.open_reader(shipped).version == version
    parts = (contents.words, *contents.stages, contents.tokenizer, domain)
    assert len({version, *map(with_file, parts)}) == 1 + len(parts)
    window = msgspec.structs.replace(contents.geometry, max_tokens=64)
    assert outcomes.features_version(msgspec.structs.replace(contents, geometry=window)) != version
    # A head for something else, a new name, another provenance: the same features.
    more = {**contents.files, "heads/pii.json": FileRecord(sha256="1" * 64, size=1)}
    other = msgspec.structs.replace(
        contents, files=more, heads={**contents.heads, "pii": "heads/pii.json"}, name="x", version="y", provenance={}
    )
    assert outcomes.features_version(other) == version


def test_without_a_domain_head_there_are_no_features(shipped: Path) -> None:
    contents = manifest.read(shipped)
    with pytest.raises(ArtefactError, match="no head `domain`"):
        outcomes.features_version(msgspec.structs.replace(contents, heads={"pii": "heads/pii.json"}))


def test_scores_are_scaled_and_untried_models_stay_untried() -> None:
    scores = np.tile([1.0, 10.0], (60, 1))
    scores[0, 1] = np.nan
    scores[1, 1] = 5.5
    prepared = outcomes.prepare(PROMPTS, ("a", "b"), scores, low=1, high=10)
    assert prepared.quality[1].tolist() == [0.0, 0.5]
    assert np.isnan(prepared.quality[0, 1])
    assert prepared.quality[2].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("rows", "scores", "why"),
    [
        (49, 0.5, "49 rows are too few"),
        (60, 1.5, r"scores from 0.5 to 1.5 do not lie in \[0, 1\]"),
        (60, -0.5, "do not lie in"),
        (60, np.nan, "fewer than 10 answers of b"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(rows: int, scores: float, why: str) -> None:
    table = np.stack([np.full(rows, 0.5), np.full(rows, scores)], axis=1)
    with pytest.raises(StartupError, match=why):
        outcomes.prepare(PROMPTS[:rows], ("a", "b"), table, low=0, high=1)


def test_too_many_models_are_refused() -> None:
    with pytest.raises(StartupError, match="257 models are too many"):
        outcomes.prepare(PROMPTS, tuple(map(str, range(257))), np.full((60, 257), 0.5), low=0, high=1)


def test_one_question_many_times_is_refused() -> None:
    with pytest.raises(StartupError, match="only 1 different questions"):
        outcomes.prepare(["Why?"] * 60, ("a", "b"), np.full((60, 2), 0.5), low=0, high=1)


def test_a_falling_scale_is_refused() -> None:
    with pytest.raises(StartupError, match="must rise"):
        outcomes.prepare(PROMPTS, ("a", "b"), np.full((60, 2), 0.5), low=1, high=1)


@pytest.mark.parametrize("scale", [(0.0, np.inf), (-np.inf, 1.0), (-1.7e308, 1.7e308)])
def test_an_endless_scale_is_refused(scale: tuple[float, float]) -> None:
    with pytest.raises(StartupError, match="must be finite"):
        outcomes.prepare(PROMPTS, ("a", "b"), np.full((60, 2), 0.5), low=scale[0], high=scale[1])


@pytest.mark.parametrize(
    ("scores", "scale"),
    [
        ([0.2, 0.9, np.nan], (0.0, 1.0)),
        ([np.nan, np.nan, np.nan], (0.0, 1.0)),
        ([1.0, 5.0, np.nan], (1.0, 5.0)),
        ([-0.5, 0.5, 0.2], (-0.5, 0.5)),
        ([7.0, 7.0, 7.0], (6.5, 7.5)),
    ],
)
def test_the_scale_of_scores_is_their_own_where_they_leave_0_to_1(
    scores: list[float], scale: tuple[float, float]
) -> None:
    assert outcomes.range_of(np.array([scores])) == scale


def test_models_with_enough_answers_are_learnt_about() -> None:
    scores = np.ones((60, 3))
    scores[9:, 1] = np.nan
    scores[10:, 2] = np.nan
    assert outcomes.taught(scores) == [0, 2]


def test_prompts_of_one_question_share_a_group() -> None:
    groups = outcomes.question_groups(
        [
            "What is 2+2?\nA. 3\nB. 4\nAnswer:",
            "what is 2 + 2?",
            "What is 2+2?\n(A) 5\n(B) 4",
            "What is 2+3?\nA. 3\nB. 4",
            "???",
            "!!!",
        ]
    )
    assert groups.tolist() == [0, 0, 0, 1, 2, 3]
