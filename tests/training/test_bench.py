from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.errors import EncoderFailed
from extproc_router.training import bench
from extproc_router.training.bench import Cell
from extproc_router.types import Encoding, Flag

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Watch:
    """A clock that systems move on."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[tuple[str, int]] = []

    def system(self, name: str, *seconds: float) -> Callable[[int], Callable[[], object]]:
        """The first call takes the first number of seconds, and so on; the last stays."""

        def prepare(tokens: int) -> Callable[[], object]:
            left = list(seconds)

            def call() -> None:
                self.calls.append((name, tokens))
                self.now += left.pop(0) if len(left) > 1 else left[0]

            return call

        return prepare


def test_systems_take_turns_and_the_first_run_does_not_count() -> None:
    watch = Watch()
    systems = {"a": watch.system("a", 9, 1, 2, 3), "b": watch.system("b", 9, 4)}
    cells = bench.measure(systems, (16, 32), lambda *_: 3, clock=lambda: watch.now)
    assert cells == [Cell(name, tokens, ms, 3) for tokens in (16, 32) for name, ms in (("a", 2000.0), ("b", 4000.0))]
    assert watch.calls[:4] == [("a", 16), ("b", 16), ("a", 16), ("b", 16)]


def test_what_runs_once_is_counted_and_what_runs_never_says_why() -> None:
    watch = Watch()
    systems: dict[str, Callable[[int], Callable[[], object] | str]] = {}
    systems |= {"once": watch.system("once", 9, 1), "never": watch.system("never", 1), "big": lambda _: "too big"}
    runs = {"once": 1, "never": 0, "big": 2}
    cells = bench.measure(systems, (16,), lambda name, _: runs[name], clock=lambda: watch.now)
    assert cells == [
        Cell("once", 16, 9000.0, 1),
        Cell("never", 16, None, 0, "left out"),
        Cell("big", 16, None, 0, "too big"),
    ]
    assert watch.calls == [("once", 16)]


def test_the_large_one_runs_less_where_it_takes_minutes() -> None:
    runs, quick = bench._runs(20, quick=False), bench._runs(20, quick=True)
    assert [runs(bench.LARGE[0], tokens) for tokens in (512, 1024, 2048, 8000)] == [20, 3, 1, 1]
    assert [quick(bench.LARGE[0], tokens) for tokens in (512, 1024, 2048)] == [20, 3, 0]
    assert quick(bench.WHOLE, 8000) == 20


def test_the_table_gives_ratios_and_reasons() -> None:
    fp32, int8 = bench.LARGE
    text = bench.table(
        [
            Cell("tier 0", 16, 0.05, 20),
            Cell(bench.WHOLE, 16, 2.0, 20),
            Cell(fp32, 16, 50.0, 1),
            Cell(int8, 16, None, 0, "left out"),
        ]
    )
    assert "fp32 / whole" in text
    assert "25.0x" in text
    assert f"{int8} at 16: left out" in text
    assert f"{fp32} at 16: one run" in text


def test_a_text_has_as_many_words_as_it_needs_beside_the_special_tokens() -> None:
    assert len(bench._text(16).split()) == 14
    assert bench._text(16) == bench._text(16)


def test_the_sample_is_mixed_held_out_and_always_the_same() -> None:
    texts = bench.sample()
    assert texts == bench.sample()
    assert 200 < len(texts) <= 600
    assert len(set(texts)) == len(texts)


class Model:
    """Two tiers; the second where a text is long."""

    tiers = 2

    def encode(self, text: str) -> Encoding:
        return Encoding({"x": Flag(0.5, raised=False)}, {"x": int(len(text) > 3)}, tokens=3, windowed=False)


def test_the_mixed_sample_counts_the_last_tier() -> None:
    moments = iter(range(100))
    found = bench.mixed(Model(), ["a", "b", "long", "c"], clock=lambda: next(moments) / 1000)  # type: ignore[arg-type]
    assert found == bench.Mixed(4, 1.0, 1.0, 1.0, {"0": 0.75, "1": 0.25})


def test_a_failure_is_stated(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> str:
        raise EncoderFailed("out of luck")

    monkeypatch.setattr(bench, "run", fail)
    assert bench.main(["--model", "/nowhere"]) == 1
    assert "out of luck" in capsys.readouterr().err


def test_a_missing_model_is_a_stated_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--model", "/nowhere"]) == 1
    assert "/nowhere" in capsys.readouterr().err
