from __future__ import annotations

import msgspec
import pytest

from extproc_router.evaluation import rows


def read(line: str) -> rows.Row:
    return rows.decoder().decode(line)


@pytest.mark.parametrize(
    ("line", "scores"),
    [
        ('{"scores": {"a": 0.5, "b": 1, "c": null}}', {"a": 0.5, "b": 1.0}),
        ('{"correct": {"a": 0, "b": true}}', {"a": 0.0, "b": 1.0}),
        ('{"weak_model": "w", "strong_model": "s", "weak_correct": 0, "strong_correct": 1}', {"w": 0.0, "s": 1.0}),
        ('{"model_a": "x", "model_b": "y", "winner": "model_b"}', {"x": 0.0, "y": 1.0}),
        ('{"model_a": "x", "model_b": "y", "winner": "x"}', {"x": 1.0, "y": 0.0}),
        ('{"model_a": "x", "model_b": "y", "winner": "tie (bothbad)"}', {"x": 0.5, "y": 0.5}),
    ],
)
def test_every_shape_of_scores(line: str, scores: dict[str, float]) -> None:
    assert rows.scores_of(read(line)) == scores
    assert rows.has_scores(read(line))


@pytest.mark.parametrize("line", ["{}", '{"weak_correct": 1}', '{"model_a": "x", "model_b": "y", "winner": "z"}'])
def test_no_scores_is_said(line: str) -> None:
    with pytest.raises(ValueError, match=r"winner|scores"):
        rows.scores_of(read(line))


@pytest.mark.parametrize("value", ["1e308", "-1e308", "1000000000001"])
def test_numbers_beyond_all_measure_are_bad(value: str) -> None:
    for member, numbers in (("scores", rows.scores_of), ("costs", rows.costs_of)):
        with pytest.raises(ValueError, match=r"of a is .*beyond"):
            numbers(read(f'{{"{member}": {{"a": {value}}}}}'))


def test_a_model_against_itself_is_bad() -> None:
    with pytest.raises(ValueError, match="both 'x'"):
        rows.scores_of(read('{"model_a": "x", "model_b": "x", "winner": "tie"}'))


def test_text_is_the_prompt_or_what_the_user_says() -> None:
    messages = (
        '{"messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "a"},'
        ' {"role": "user", "content": [{"type": "text", "text": "b"}, {"type": "image_url"}]}]}'
    )
    assert rows.text_of(read('{"prompt": "p"}')) == "p"
    assert rows.text_of(read(messages)) == "a\nb"
    with pytest.raises(ValueError, match="prompt"):
        rows.text_of(read("{}"))


def test_group_is_the_first_known_or_the_one_asked_for() -> None:
    row = read('{"task": "t", "subject": 3}')
    assert rows.group_of(row) == "3"
    assert rows.group_of(row, "task") == "t"
    assert rows.group_of(read("{}")) == ""


def test_columns_become_members() -> None:
    row = rows.decoder(("mine",)).decode('{"prompt": "p", "mine": 2}')
    assert getattr(row, "mine") == 2  # noqa: B009 - the member is made at run time


@pytest.mark.parametrize("name", ["prompt", "a b", "_x", "1"])
def test_columns_with_impossible_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a column"):
        rows.decoder((name,))


@pytest.mark.parametrize("line", ["[]", '{"scores": {"a": "1"}}', '{"scores": {"a": NaN}}', '{"prompt": 3}', "{"])
def test_other_lines_are_no_rows(line: str) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(line)
