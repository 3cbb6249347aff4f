from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from extproc_router.encoder import recent
from extproc_router.encoder.recent import Recent
from extproc_router.types import Encoding


def answer(tokens: int) -> Encoding:
    return Encoding({}, {}, tokens, windowed=False)


def key(memory: Recent, text: str) -> bytes:
    found = memory.key(text, ["domain"], tiers=True, embedding=False)
    assert found is not None
    return found


def test_what_was_put_is_found() -> None:
    memory = Recent(2)
    assert memory.get(key(memory, "a")) is None
    memory.put(key(memory, "a"), answer(1))
    assert memory.get(key(memory, "a")) == answer(1)
    assert memory.hits == 1


def test_the_least_recently_used_goes_first() -> None:
    memory = Recent(2)
    for number, text in enumerate("ab"):
        memory.put(key(memory, text), answer(number))
    memory.get(key(memory, "a"))
    memory.put(key(memory, "c"), answer(2))
    assert [memory.get(key(memory, text)) for text in "abc"] == [answer(0), None, answer(2)]


def test_another_question_has_another_key() -> None:
    memory = Recent()
    keys = {
        memory.key(text, asked, tiers=tiers, embedding=embedding)
        for text in ("a", "b", "\ud800", "", "domain\0")
        for asked in ([], ["domain"], ["domain", "pii"], ["domainpii"])
        for tiers in (True, False)
        for embedding in (True, False)
    }
    assert len(keys) == 5 * 4 * 2 * 2
    assert memory.key("a", ["x", "y"], tiers=True, embedding=False) == memory.key(
        "a", ["y", "x"], tiers=True, embedding=False
    )


def test_a_huge_text_is_not_hashed() -> None:
    memory = Recent()
    assert memory.key("x" * (recent.LONGEST + 1), [], tiers=True, embedding=False) is None
    memory.put(None, answer(1))
    assert memory.get(None) is None


def test_no_entries_no_memory() -> None:
    assert Recent(0).key("a", [], tiers=True, embedding=False) is None


def test_threads_share_it() -> None:
    memory = Recent(8)

    def use(number: int) -> None:
        name = key(memory, str(number % 20))
        memory.put(name, answer(number % 20))
        found = memory.get(name)
        assert found is None or found.tokens == number % 20

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(2_000)))
    assert len(memory._kept) == 8
