from __future__ import annotations

from msgspec.structs import replace

from extproc_router.lab.hunt import running
from extproc_router.lab.hunt.story import tell
from extproc_router.lab.hunt.walking import Walk


def test_a_story_has_all_that_matters() -> None:
    played = next(iter(running.play(1, 2)))
    story = tell(replace(played, found=("it is gone",)))
    lines = story.splitlines()
    assert lines[0].startswith("tiers: ")
    assert lines[-1] == "LEAK: it is gone"
    assert all(repr(name) in lines[1] for name in played.policy.servers)
    assert f"request: {played.case.http.method} {played.case.http.path}" in story
    assert all(guard.name in story for guard in played.policy.guards)


def test_a_case_without_an_answer_has_a_story() -> None:
    played = next(iter(running.play(1, 2)))
    assert "answer: none (Broken)" in tell(replace(played, walked=Walk(None, (), "Broken")))


def test_what_is_sent_and_what_is_answered_differ() -> None:
    stories = [tell(played) for group in range(3) for played in running.play(1, group)]
    assert any("Envoy is told: " in story for story in stories)
    assert any("the client is answered: " in story for story in stories)
