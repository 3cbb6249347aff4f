"""Each measured on Envoy 1.40: `envoy --mode validate`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from extproc_router.envoyconf import scalars


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, True) for word in ("y", "Y", "yes", "Yes", "YES", "on", "On", "true", "True", "TRUE")),
        *((word, False) for word in ("n", "N", "no", "No", "off", "OFF", "false", "False", "FALSE")),
        *((word, None) for word in ("~", "null", "Null", "NULL", "")),
        *((word, word) for word in ("yEs", "oN", "t", "nULL", "1.5", "1e3", ".inf", "1_000", "0o10", "08", "0b1")),
        *((word, word) for word in ("2024-01-01", "1:30", "=", "9" * 30, "9" * 19, "+", "0x")),
        ("0", 0),
        ("12", 12),
        ("+5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("-010", -8),
        ("2147483647", 2**31 - 1),
        ("2147483648", "2147483648"),
        ("0x80000000", "2147483648"),
        ("-2147483648", -(2**31)),
        ("'y'", "y"),
        ('"1"', "1"),
        ("''", ""),
        ("|\n y", "y"),
    ],
)
def test_plain_words_and_quoted_ones(text: str, value: Any) -> None:
    root = yaml.compose(f"a: {text}\n", Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    node = root.value[0][1]
    read = scalars.read(node)
    assert (type(read), read if node.style != "|" else str(read).strip()) == (type(value), value)


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        *((word, True) for word in (True, "true", "TRUE", "t", "yes", "yEs", "y", "1")),
        *((word, False) for word in (False, "false", "F", "no", "n", "0")),
        *((word, None) for word in ("on", "off", " true", "", "2", "\u017f")),
        (None, None),
        (1, None),
        (0.0, None),
        ([], None),
    ],
)
def test_what_stands_where_a_truth_is_wanted(value: object, truth: bool | None) -> None:
    assert scalars.truth(value) is truth
