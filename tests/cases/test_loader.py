from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.cases import loader
from extproc_router.errors import ConfigError, StartupError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def mistakes(table: Callable[..., Any], *cases: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        table(*cases)
    return [f"{mistake.line}: {mistake.field}: {mistake.message}" for mistake in caught.value.mistakes]


def test_cases_are_loaded_in_order_with_their_lines(table: Callable[..., Any], tmp_path: Path) -> None:
    loaded = table("name: a, prompt: hi, expect: {action: route}", "name: b, body: {x: 1}, expect: {status: 400}")
    assert [(case.name, loaded.line(index)) for index, case in enumerate(loaded.cases)] == [("a", 2), ("b", 3)]
    assert loader.load_cases(tmp_path / "cases.yaml") == loaded.cases


def test_all_mistakes_come_at_once_each_with_its_line(table: Callable[..., Any]) -> None:
    found = mistakes(
        table,
        "name: a, promt: hi, expect: {modle: x}",
        "name: a, prompt: hi, expect: {}",
        "name: b, prompt: hi, messages: [{role: user}], expect: {action: rout}",
        "name: c, prompt: hi, signals: {domain: {lable: math}}, after: [{promp: x}], expect: {reason: rules}",
    )
    assert [line.partition(": ")[0] for line in found] == sorted(line.partition(": ")[0] for line in found)
    for part in (
        "2: cases.0.promt: unknown field (did you mean 'prompt'?)",
        "2: cases.0.expect.modle: unknown field (did you mean 'model'?)",
        "3: cases.1.expect: expects nothing",
        "did you mean 'route'?",
        "5: cases.3.signals.domain.lable: unknown field (did you mean 'label'?)",
        "5: cases.3.after.0.promp: unknown field (did you mean 'prompt'?)",
        "5: cases.3.expect.reason: unknown reason 'rules' (did you mean 'rule'?)",
    ):
        assert any(part in line for line in found), (part, found)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("name: a, expect: {action: route}", "2: cases.0: expected one of `prompt`, `messages` and `body`"),
        ("name: a, prompt: x, body: {}, expect: {action: route}", "2: cases.0: expected one of"),
        ("name: a, body: 3, expect: {action: route}", "`body` has to be a mapping, or a text"),
        ("name: a, body: {d: 2020-01-01}, expect: {action: route}", "cases.0.body: cannot be written as JSON"),
        ("name: a, body: {d: .nan}, expect: {action: route}", "cases.0.body: cannot be written as JSON"),
        ("name: a, body: {}, stream: true, expect: {action: route}", "`stream` is a member of `body`"),
        ("name: a, body: {}, after: [x], expect: {action: route}", "`after` goes with `prompt`"),
        ("name: a, prompt: x, path: /v1/embeddings, after: [y], expect: {action: route}", "takes one text"),
        ("name: a, prompt: x, path: v1, expect: {action: route}", "cases.0.path: "),
        ("name: a, prompt: x, signals: {domain: null}, expect: {action: route}", "expected true, false, a number"),
        ("name: a, prompt: x, headers: {x-a: 1}, expect: {action: route}", "cases.0.headers.x-a: "),
        ("name: a, prompt: x, expect: {status: 700}", "cases.0.expect.status: "),
        ("name: a, prompt: yes, expect: {action: route}", "put it in quotes"),
    ],
)
def test_what_cannot_be_meant_is_said(table: Callable[..., Any], case: str, said: str) -> None:
    [found] = mistakes(table, case)
    assert said in found


def test_names_are_there_once(table: Callable[..., Any]) -> None:
    case = "name: a, prompt: x, expect: {action: route}"
    assert mistakes(table, case, case) == ["3: cases.1.name: duplicate case 'a'; first on line 2"]


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="No such file"):
        loader.load_cases(tmp_path / "none.yaml")
    with pytest.raises(StartupError, match="null byte"):
        loader.load_cases(tmp_path / "a\0b")
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ConfigError, match="empty"):
        loader.load_cases(tmp_path / "empty.yaml")
    (tmp_path / "none.yaml").write_text("cases: []\n")
    with pytest.raises(ConfigError, match="cases"):
        loader.load_cases(tmp_path / "none.yaml")


WORDS = st.sampled_from(
    [
        "cases",
        "name",
        "prompt",
        "expect",
        "signals",
        "body",
        "after",
        "model",
        "[",
        "{",
        "}",
        ": ",
        "- ",
        "\n",
        "  ",
        "1",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=30))
def test_any_text_is_cases_or_mistakes(tmp_path: Path, parts: list[str]) -> None:
    path = tmp_path / "any.yaml"
    path.write_text("".join(parts))
    try:
        loader.load_cases(path)
    except ConfigError as error:
        assert error.mistakes
