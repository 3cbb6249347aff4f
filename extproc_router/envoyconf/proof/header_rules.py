"""Which headers an ext_proc may write, by its `HeaderMutationRules`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import patterns
from extproc_router.envoyconf.proof.message import members, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from extproc_router.envoyconf.place import Place

# They open doors beside the two expressions, or close some that are shut already.
_OPENING = frozenset({"allow_all_routing", "allow_envoy"})


def surely(rules: Mapping[str, Place], header: str) -> bool:
    """Whether a header surely may be written."""
    if _matches(rules.get("disallow_expression"), header) is not False:
        return False
    return _matches(rules.get("allow_expression"), header) is True or not _refuses(rules)


def never(rules: Mapping[str, Place], header: str) -> bool:
    """Whether a header surely may not be written."""
    if _matches(rules.get("disallow_expression"), header) is True:
        return True
    opens = any(rules[name].truth() is not False for name in rules.keys() & _OPENING)
    return _refuses(rules) and not opens and _matches(rules.get("allow_expression"), header) is False


def _refuses(rules: Mapping[str, Place]) -> bool:
    return "disallow_all" in rules and rules["disallow_all"].truth() is True


def _matches(matcher: Place | None, header: str) -> bool | None:
    if matcher is None:
        return False
    try:
        return patterns.compiled(text(members(matcher).get("regex"))).fullmatch(header) is not None
    except patterns.BadPattern:
        return None
