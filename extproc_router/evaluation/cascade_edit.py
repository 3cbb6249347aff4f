"""What a calibration of a cascade changes in a policy file: the verifier's weights, and one rule's `accept_at`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from extproc_router.config.meaning import did_you_mean
from extproc_router.errors import StartupError
from extproc_router.evaluation import policy_edit

if TYPE_CHECKING:
    from extproc_router.evaluation.cascade_calibrate import CascadeCalibration

_VERIFIER, _WEIGHTS = "verifier", "weights"


def changed(text: str, rule: str, found: CascadeCalibration, file: str) -> str:
    """Return a policy's text with what was found in it; every other byte stays.

    Args:
        text: YAML.
        rule: name of the rule whose cascade it is.
        found: the calibration.
        file: its name, for errors.

    Raises:
        StartupError: not YAML, no such rule, or a place that cannot be changed.
    """
    data = _parsed(text, file)
    place = _place(data, rule, file)
    verifier = data.get(_VERIFIER)
    if verifier is None:
        text = policy_edit.spliced(text, _VERIFIER, {_WEIGHTS: found.weights}, file)
    elif not isinstance(verifier, dict) or verifier.get(_WEIGHTS) is None:
        text = policy_edit.spliced(text, f"{_VERIFIER}.{_WEIGHTS}", found.weights, file)
    else:
        for name, value in found.weights.items():
            text = policy_edit.spliced(text, f"{_VERIFIER}.{_WEIGHTS}.{name}", value, file)
    return policy_edit.spliced(text, f"rules.{place}.cascade.accept_at", found.accept_at, file)


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise StartupError(f"{file}: not YAML: {error}") from error
    if not isinstance(data, dict):
        raise StartupError(f"{file}: not a policy")
    return data


def _place(data: dict[str, Any], rule: str, file: str) -> int:
    rules = data.get("rules")
    written = [entry if isinstance(entry, dict) else {} for entry in rules] if isinstance(rules, list) else []
    names = [entry.get("name") for entry in written]
    if rule not in names:
        near = did_you_mean(rule, [str(name) for name in names])
        raise StartupError(f"{file}: there is no rule {rule!r}{near}")
    place = names.index(rule)
    if not isinstance(written[place].get("cascade"), dict):
        raise StartupError(
            f"{file}: the rule {rule!r} has no `cascade`: give it one, e.g. `cascade: {{accept_at: 0.5}}`"
        )
    return place
