from __future__ import annotations

from extproc_router.lab.hunt import running
from extproc_router.lab.hunt.engines import MUTANTS

SEED = 0
CASES = 3000


def test_nothing_leaks() -> None:
    tally = running.hunt(SEED, range(CASES))
    assert tally.cases == CASES
    assert [leak.story for leak in tally.leaks] == []


def test_most_of_what_matters_happens() -> None:
    """A hunt in which nothing is private, or nothing is sent, would find nothing either."""
    played = [one for group in range(50) for one in running.play(SEED, group)]
    sent = [one for one in played if one.walked.answer and one.walked.answer.decision.model]
    decisions = [one.walked.answer.decision for one in sent if one.walked.answer]
    assert len(sent) > len(played) / 4
    private = [it for it, one in zip(decisions, sent, strict=True) if it.privacy_tier != one.policy.tiers[0]]
    assert len(private) > len(sent) / 3
    assert sum(len(decision.chain) > 1 for decision in decisions) > 50
    assert sum(bool(decision.cascade) for decision in decisions) > 10
    assert sum(decision.sticky == "held" for decision in decisions) > 5
    assert sum(decision.sticky == "yielded" for decision in decisions) > 2
    assert sum(bool(one.walked.rounds) for one in played) > len(played) / 5
    assert sum(bool(each.questions) for one in played for each in one.walked.rounds) > 10


def test_a_policy_changes_on_the_way() -> None:
    texts = [{played.policy.text for played in running.play(SEED, group)} for group in range(20)]
    assert any(len(two) > 1 for two in texts)


def test_a_case_is_replayed_as_it_was() -> None:
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "a conversation keeps its model")
    with mutant.installed():
        leak = running.hunt(SEED, range(1000)).leaks[0]
        number = int(leak.case.rpartition("=")[2])
        assert leak.case == running.name(SEED, number)
        assert running.replay(SEED, number) == (leak.story, True)
    assert not running.replay(SEED, number)[1]


def test_a_range_that_is_no_whole_group_has_its_cases_alone() -> None:
    with MUTANTS[6].installed():
        numbers = {leak.case for leak in running.hunt(SEED, range(40, 52)).leaks}
        whole = {leak.case for leak in running.hunt(SEED, range(40, 60)).leaks}
    assert numbers == {case for case in whole if int(case.rpartition("=")[2]) < 52}
