from __future__ import annotations

from typing import Any

import pytest

from extproc_router.lab.hunt import envoy_mutations

CEL = "%CEL(request.headers['x-t'])%"


def append(value: str, action: str = "OVERWRITE_IF_EXISTS", key: str = "x-t", **more: Any) -> dict[str, Any]:
    return {"append": {"header": {"key": key, "value": value}, "append_action": action, **more}}


def remove(**key_matcher: Any) -> dict[str, Any]:
    return {"remove_on_match": {"key_matcher": key_matcher}}


@pytest.mark.parametrize(
    ("mutation", "before", "after"),
    [
        (append(CEL), ["a", "b"], ["a,b"]),
        (append(CEL), ["", "a"], [",a"]),
        (append(CEL, key="X-T"), ["a", "b"], ["a,b"]),
        (append(CEL), [""], [""]),
        (append(CEL), [], []),
        (append("%CEL(request.headers['x-other'])%"), ["a", "b"], ["a", "b"]),
        (append("%REQ(x-t)%"), ["a", "b"], ["a"]),
        (append("%REQ(x-t)%"), ["", "a"], ["", "a"]),
        (append("z"), ["a", "b"], ["z"]),
        (append("z"), [], []),
        (append("z", "OVERWRITE_IF_EXISTS_OR_ADD"), [], ["z"]),
        (append("z", "ADD_IF_ABSENT"), ["a"], ["a"]),
        (append("z", "ADD_IF_ABSENT"), [], ["z"]),
        (append("z", "APPEND_IF_EXISTS_OR_ADD"), ["a"], ["a", "z"]),
        (append(""), ["a"], ["a"]),
        (append("", keep_empty_value=True), ["a"], [""]),
        ({"remove": "X-T"}, ["a"], []),
        (remove(prefix="x-"), ["a"], []),
        (remove(prefix="X-"), ["a"], ["a"]),
        (remove(exact="X-T", ignore_case=True), ["a"], []),
        (remove(safe_regex={"regex": "x-"}), ["a"], ["a"]),
    ],
)
def test_mutations(mutation: dict[str, Any], before: list[str], after: list[str]) -> None:
    headers = {"x-t": before} if before else {}
    envoy_mutations.apply([mutation], headers)
    assert headers.get("x-t", []) == after


@pytest.mark.parametrize("mutation", [append("%START_TIME%"), append("a", "LATER"), {"move": "x-t"}])
def test_what_is_not_known_is_not_guessed(mutation: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError):
        envoy_mutations.apply([mutation], {"x-t": ["a"]})
