from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from extproc_router import signals
from extproc_router.config import signal_schema

WRITTEN: TypeAdapter[object] = TypeAdapter(signal_schema.WrittenSignal)


def test_each_kind_has_its_options_and_a_name() -> None:
    assert set(signal_schema.WRITTEN) == set(signals.KINDS)
    for kind, written in signal_schema.WRITTEN.items():
        assert issubclass(written, signals.KINDS[kind].options)
        assert "name" in written.model_fields


@pytest.mark.parametrize("kind", signals.BUILT_IN)
def test_what_exists_undeclared_takes_no_option_to_declare(kind: str) -> None:
    assert isinstance(WRITTEN.validate_python({"kind": kind}), signal_schema.WRITTEN[kind])


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 64])
def test_names_are_words(name: str) -> None:
    assert getattr(WRITTEN.validate_python({"kind": "length", "name": name}), "name", "") == name


@pytest.mark.parametrize("name", ["", "9a", "a b", "a.b", "é", "x" * 65, "a\n"])
def test_and_fit_into_metrics(name: str) -> None:
    with pytest.raises(ValidationError):
        WRITTEN.validate_python({"kind": "length", "name": name})


@pytest.mark.parametrize("written", [{}, {"kind": "no-such"}, {"kind": ["length"]}, "length", None, 3])
def test_anything_else_is_refused_not_raised_over(written: object) -> None:
    with pytest.raises(ValidationError) as caught:
        WRITTEN.validate_python(written)
    assert len(caught.value.errors()) == 1
