from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc_router.policy.conditions import PENDING_SIGNAL, All, Always, AnyOf, Not, State, shown
from extproc_router.policy.conditions import Test as Asks  # pytest would take a `Test` for a class of tests
from extproc_router.types import Signal

if TYPE_CHECKING:
    from extproc_router.policy.conditions import Condition, Read

NO, YES, LOW, ABSENT, PENDING = State
ABSENT_SIGNAL = Signal("s", "", 0.0, absent="timeout")


def said(*labels: str, confidence: float = 0.9, number: float | None = None) -> Signal:
    return Signal("s", "+".join(labels), confidence, frozenset(labels), number)


def reading(**world: Signal) -> Read:
    return world.__getitem__


def fixed(state: State) -> Asks:
    """A condition that comes to a state, in the world of `every`."""
    return Asks(state.name, any_of=frozenset({"x"}), floor=0.5)


def every(name: str) -> Signal:
    """A world with a signal for each state of `fixed`."""
    table = {
        "NO": said("y"),
        "YES": said("x"),
        "LOW": said("x", confidence=0.1),
        "ABSENT": ABSENT_SIGNAL,
        "PENDING": PENDING_SIGNAL,
    }
    return table[name]


def eager(condition: Condition, read: Read) -> State:
    """Kleene's tables, every part evaluated."""
    match condition:
        case All(parts):
            states = [eager(part, read) for part in parts]
            return NO if NO in states else max(states)
        case AnyOf(parts):
            states = [eager(part, read) for part in parts]
            return YES if YES in states else max(states)
        case Not(part):
            state = eager(part, read)
            return {NO: YES, YES: NO}.get(state, state)
    return condition.state(read)


class TestOneSignal:
    @pytest.mark.parametrize(
        ("test", "signal", "state"),
        [
            ({"any_of": {"x", "y"}}, said("x"), YES),
            ({"any_of": {"x", "y"}}, said("z"), NO),
            ({"any_of": {"x"}}, said(), NO),
            ({"all_of": {"x", "y"}}, said("x", "y", "z"), YES),
            ({"all_of": {"x", "y"}}, said("x"), NO),
            ({"truth": True}, said("x"), YES),
            ({"truth": True}, said(), NO),
            ({"truth": False}, said(), YES),
            ({"truth": False}, said("x"), NO),
            ({"any_of": {"x"}, "all_of": {"y"}}, said("x"), NO),
            ({"any_of": {"x"}, "floor": 0.9}, said("x"), YES),
            ({"any_of": {"x"}, "floor": 0.91}, said("x"), LOW),
            ({"any_of": {"y"}, "floor": 0.91}, said("x"), LOW),
            ({"any_of": {"x"}, "floor": 0.91, "low": NO}, said("x"), NO),
            ({"any_of": {"x"}}, ABSENT_SIGNAL, ABSENT),
            ({"any_of": {"x"}}, PENDING_SIGNAL, PENDING),
        ],
    )
    def test_labels(self, test: dict[str, Any], signal: Signal, state: State) -> None:
        sets = {name: frozenset(value) if isinstance(value, set) else value for name, value in test.items()}
        assert Asks("s", **cast("Any", sets)).state(reading(s=signal)) is state

    @pytest.mark.parametrize(
        ("bounds", "inside", "outside"),
        [
            ({"above": 1.0}, 1.1, 1.0),
            ({"at_least": 1.0}, 1.0, 0.9),
            ({"below": 1.0}, 0.9, 1.0),
            ({"at_most": 1.0}, 1.0, 1.1),
            ({"above": 1.0, "at_most": 2.0}, 2.0, 2.1),
            ({"at_least": 1.0, "below": 2.0}, 1.0, 0.9),
        ],
    )
    def test_numbers(self, bounds: dict[str, Any], inside: float, outside: float) -> None:
        test = Asks("s", asks_labels=False, compares=True, floor=0.95, **bounds)
        assert test.state(reading(s=said(number=inside))) is YES
        assert test.state(reading(s=said(number=outside))) is NO

    def test_a_number_that_is_not_there_decides_nothing(self) -> None:
        test = Asks("s", above=1.0, asks_labels=False, compares=True)
        assert test.state(reading(s=said("x"))) is LOW

    def test_labels_and_numbers_both_have_to_hold(self) -> None:
        test = Asks("s", any_of=frozenset({"x"}), above=1.0, compares=True)
        assert test.state(reading(s=said("x", number=2))) is YES
        assert test.state(reading(s=said("x", number=1))) is NO
        assert test.state(reading(s=said("y", number=2))) is NO

    def test_without_a_test_it_asks_whether_the_signal_can_be_read(self) -> None:
        assert [Asks("s").state(reading(s=signal)) for signal in (said(), ABSENT_SIGNAL, PENDING_SIGNAL)] == [
            YES,
            ABSENT,
            PENDING,
        ]


class TestKleene:
    """S. C. Kleene's strong tables, with three values in the place of his third."""

    @pytest.mark.parametrize(
        ("first", "second", "both", "either"),
        [
            (NO, NO, NO, NO),
            (NO, YES, NO, YES),
            (YES, YES, YES, YES),
            (NO, LOW, NO, LOW),
            (YES, LOW, LOW, YES),
            (NO, ABSENT, NO, ABSENT),
            (YES, ABSENT, ABSENT, YES),
            (NO, PENDING, NO, PENDING),
            (YES, PENDING, PENDING, YES),
            (LOW, ABSENT, ABSENT, ABSENT),
            (LOW, PENDING, PENDING, PENDING),
            (ABSENT, PENDING, PENDING, PENDING),
        ],
    )
    def test_tables(self, first: State, second: State, both: State, either: State) -> None:
        for parts in ((fixed(first), fixed(second)), (fixed(second), fixed(first))):
            assert All(parts).state(every) is both
            assert AnyOf(parts).state(every) is either

    def test_not(self) -> None:
        assert [Not(fixed(state)).state(every) for state in State] == [YES, NO, LOW, ABSENT, PENDING]

    def test_always(self) -> None:
        assert Always().state(every) is YES
        assert Always().names == Always().pending(every) == frozenset()

    @given(st.data())
    def test_de_morgan(self, logic: Any, data: st.DataObject) -> None:
        parts = tuple(data.draw(st.lists(logic.conditions(), min_size=1, max_size=3)))
        read = logic.Reads(data.draw(logic.worlds(absent=True, pending=True)))
        negated = tuple(map(Not, parts))
        assert Not(All(parts)).state(read) is AnyOf(negated).state(read)
        assert Not(AnyOf(parts)).state(read) is All(negated).state(read)
        assert Not(negated[0]).state(read) is parts[0].state(read)

    @given(st.data())
    def test_order_does_not_matter(self, logic: Any, data: st.DataObject) -> None:
        parts = data.draw(st.lists(logic.conditions(), min_size=2, max_size=4))
        other = data.draw(st.permutations(parts))
        read = logic.Reads(data.draw(logic.worlds(absent=True, pending=True)))
        assert All(tuple(parts)).state(read) is All(tuple(other)).state(read)
        assert AnyOf(tuple(parts)).state(read) is AnyOf(tuple(other)).state(read)

    @given(st.data())
    def test_laziness_never_changes_the_outcome(self, logic: Any, data: st.DataObject) -> None:
        condition = data.draw(logic.conditions())
        read = logic.Reads(data.draw(logic.worlds(absent=True, pending=True)))
        assert condition.state(read) is eager(condition, read.world.__getitem__)
        assert read.names <= condition.names

    @pytest.mark.parametrize("hole", [ABSENT, PENDING])
    @given(st.data())
    def test_what_is_settled_stays_so_whatever_comes_to_light(
        self, logic: Any, hole: State, data: st.DataObject
    ) -> None:
        """A condition that does not come to `hole` did not need what is missing."""
        condition = data.draw(logic.conditions(data.draw(st.sampled_from([LOW, NO]))))
        world = data.draw(logic.worlds(absent=True, pending=hole is PENDING))
        state = condition.state(world.__getitem__)
        full = data.draw(logic.fill(world, hole))
        if state is not hole:
            assert condition.state(full.__getitem__) is state


class TestLaziness:
    def test_the_first_no_ends_all_and_the_first_yes_ends_any(self, logic: Any) -> None:
        read = logic.Reads({"a": said("y"), "b": said("x")})
        a, b = (Asks(name, any_of=frozenset({"x"})) for name in "ab")
        assert All((a, b)).state(read) is NO
        assert AnyOf((Not(a), b)).state(read) is YES
        assert read.names == {"a"}

    def test_what_waits_is_named_and_nothing_else(self) -> None:
        parts = (fixed(LOW), fixed(PENDING), fixed(ABSENT), fixed(YES))
        assert All(parts).pending(every) == {"PENDING"}
        assert AnyOf(parts[:3]).pending(every) == {"PENDING"}
        assert Not(All(parts)).pending(every) == {"PENDING"}

    @given(st.data())
    def test_pending_names_what_waits_and_that_settles_it(self, logic: Any, data: st.DataObject) -> None:
        condition = data.draw(logic.conditions())
        world = data.draw(logic.worlds(absent=True, pending=True))
        if condition.state(world.__getitem__) is not PENDING:
            return
        pending = condition.pending(world.__getitem__)
        assert pending
        assert all(world[name] is PENDING_SIGNAL for name in pending)
        answered = world | {name: data.draw(logic.values(name)) for name in pending}
        assert condition.state(answered.__getitem__) is not PENDING


class TestExplain:
    @pytest.mark.parametrize(
        ("test", "signal", "words"),
        [
            (Asks("s", any_of=frozenset({"x"})), said("x"), "s is x (0.90)"),
            (Asks("s", any_of=frozenset({"x"})), said("x", confidence=1), "s is x"),
            (Asks("s", any_of=frozenset({"y"})), said("x"), "s is x (0.90), not y"),
            (Asks("s", any_of=frozenset("zy")), said("x"), "s is x (0.90), not one of y, z"),
            (Asks("s", all_of=frozenset("yx")), said("x"), "s is x (0.90), not all of x, y"),
            (Asks("s", truth=True), said(), "s is nothing, not set"),
            (Asks("s", truth=False), said("x"), "s is x (0.90), not unset"),
            (Asks("s", any_of=frozenset({"x"}), floor=0.95), said("x"), "s is x (0.90), below the floor 0.95"),
            (Asks("s", above=0.5, asks_labels=False, compares=True), said(number=0.7123456), "s is 0.7123"),
            (Asks("s", above=1, below=2, compares=True), said(number=2), "s is 2, not above 1 and below 2"),
            (Asks("s", at_least=1, compares=True), said("x", number=0), "s is 0, not at least 1"),
            (Asks("s", at_most=1, compares=True), said("x"), "s is x (0.90), not at most 1"),
            (Asks("s"), ABSENT_SIGNAL, "s is absent (timeout)"),
            (Asks("s"), PENDING_SIGNAL, "s was not read"),
            (Not(Asks("s", any_of=frozenset({"x"}))), said("x"), "s is x (0.90)"),
        ],
    )  # fmt: skip
    def test_words(self, test: Condition, signal: Signal, words: str) -> None:
        assert test.explain(reading(s=signal)) == words

    def test_a_number_is_shown_where_it_matters(self) -> None:
        signal = said("x", number=1234.5678)
        assert [shown(signal, number=matters) for matters in (True, False)] == ["1235", "x (0.90)"]

    def test_the_part_that_settled_it_is_named(self) -> None:
        yes, no, absent = fixed(YES), fixed(NO), fixed(ABSENT)
        assert All((yes, no)).explain(every) == "NO is y (0.90), not x"
        assert All((yes, absent)).explain(every) == "ABSENT is absent (timeout)"
        assert All((yes, Always())).explain(every) == "YES is x (0.90) and it holds for every request"
        assert AnyOf((no, yes)).explain(every) == "YES is x (0.90)"
        assert AnyOf((no, Not(yes))).explain(every) == "NO is y (0.90), not x and YES is x (0.90)"
        assert All((yes, yes)).explain(every) == "YES is x (0.90)"

    @given(st.data())
    def test_it_reads_nothing_that_deciding_did_not_read(self, logic: Any, data: st.DataObject) -> None:
        condition = data.draw(logic.conditions())
        world = data.draw(logic.worlds(absent=True, pending=True))
        deciding, telling = logic.Reads(world), logic.Reads(world)
        condition.state(deciding)
        assert condition.explain(telling)
        assert telling.names <= deciding.names
