"""What has Envoy make another attempt, where it goes, and how many there may be at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from extproc_router.envoyconf import matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from extproc_router.envoyconf.expected import Expected
    from extproc_router.envoyconf.place import Finding, Place
    from extproc_router.envoyconf.table import Host, Route

ESCALATE, NEXT = "x-cascade-escalate", "x-llm-next"
"""Response headers that mean the next model: of the verifier, and of Lua."""

_ENOUGH = 1024
_CODES = (429, 500, 502, 503, 504)
_FAILED = {"5xx", "gateway-error", "reset"}
_MEANT = {"5xx": (500, 502, 503, 504), "gateway-error": (502, 503, 504)}
_DEFAULTS = (None, "DEFAULT")


def findings(host: Host, judged: list[Route], walking: list[Route], expected: Expected) -> Iterator[Finding]:
    """Judge the policies of one virtual host.

    Args:
        host: its routes.
        judged: those that take cascades, or would if the config had some.
        walking: those that walk chains, cascades' included.
        expected: what the config expects.
    """
    for route in walking:
        yield from _walks(host, route, expected)
        yield from _waits(host, route)
    for route in judged:
        policy = _policy(host, route)
        if expected.cascades and not _heeds(policy, ESCALATE):
            told = f"lacks {ESCALATE} (or retry_on lacks retriable-headers): an answer that is doubted is served"
            yield policy.get("retriable_headers").mistake(f"{host.field(route)}.retry_policy.retriable_headers", told)
    for route in host.routes:
        allowed = {ESCALATE, NEXT} if route in judged else {NEXT} if route in walking else set()
        policy = _policy(host, route)
        if route.upstream and (loose := [name for name in _headers(policy) if name not in allowed]):
            told = f"names {', '.join(loose)}: where a model server sends it, the request is made again, and paid twice"
            yield policy.get("retriable_headers").mistake(f"{host.field(route)}.retry_policy.retriable_headers", told)


def breakers(bootstrap: Place, expected: Expected) -> Iterator[Finding]:
    """Judge how many attempts at once may move on from each model."""
    wanted = {served.cluster: min(served.max_retries, _ENOUGH) for served in expected.served}
    for cluster in bootstrap.get("static_resources").each("clusters"):
        name = cluster.text("name")
        if name not in wanted:
            continue
        breaker = cluster.get("circuit_breakers")
        thresholds = [entry for entry in breaker.each("thresholds") if entry.get("priority").value in _DEFAULTS]
        found = next((entry for entry in thresholds), breaker)
        if found.get("retry_budget").present:
            yield found.unchecked(f"clusters.{name}.circuit_breakers", "how many retries a retry_budget allows at once")
            continue
        retries = found.get("max_retries")
        allowed = retries.whole() if retries.present else None
        if allowed is None or allowed < wanted[name]:
            said = "is Envoy's default, 3" if not retries.present else f"is {retries.value}"
            told = f"{said}: of the attempts at once that move on from here, those beyond it end: the client gets the "
            doubted = " or the answer that was doubted" if expected.cascades else ""
            yield retries.mistake(
                f"clusters.{name}.circuit_breakers.max_retries", f"{told}first model's error{doubted}"
            )


def _walks(host: Host, route: Route, expected: Expected) -> Iterator[Finding]:
    policy, field = _policy(host, route), f"{host.field(route)}.retry_policy"
    if not policy.present:
        yield route.place.mistake(field, "there is none: where the first model fails, the client gets its error")
        return
    terms = _terms(policy)
    if not terms & _FAILED:
        told = "lacks reset: where a model is down, hangs up or is silent, the client gets an error"
        yield policy.get("retry_on").mistake(f"{field}.retry_on", told)
    codes = policy.get("retriable_status_codes")
    listed = {place.whole() for place in codes.children()} if "retriable-status-codes" in terms else set()
    covered = listed | {code for term in terms for code in _MEANT.get(term, ())}
    if lacking := [code for code in _CODES if code not in covered]:
        told = f"lacks {', '.join(map(str, lacking))}: where a model answers so, the client gets that"
        yield codes.mistake(f"{field}.retriable_status_codes", told)
    if policy.get("refresh_cluster_on_retry").truth() is not True:
        told = "is not true: the next attempt goes to the same model again, and no other is asked"
        yield policy.get("refresh_cluster_on_retry").mistake(f"{field}.refresh_cluster_on_retry", told)
    if expected.on_context_length and not _heeds(policy, NEXT):
        told = f"lacks {NEXT} (or retry_on lacks retriable-headers): a prompt too long for the model is a 400"
        yield policy.get("retriable_headers").mistake(f"{field}.retriable_headers.{NEXT}", told)


def _waits(host: Host, route: Route) -> Iterator[Finding]:
    """Find what has a client wait for a model that failed, though another one could be asked."""
    for scope in (route.place.get("route"), host.place):
        if (hedging := scope.get("hedge_policy")).present:
            # Measured on Envoy 1.40: a hedged attempt does not refresh its cluster.
            told = (
                "a model that is silent is asked again while it is waited for, and no other; an answer that is doubted "
                "meanwhile ends Envoy 1.40, for all requests"
            )
            yield hedging.mistake(f"{host.field(route)}.hedge_policy", told)
    limited = _policy(host, route).get("rate_limited_retry_back_off")
    if limited.present:
        told = "a model that is full is waited for as long as it says (retry-after), though another one could be asked"
        yield limited.mistake(f"{host.field(route)}.retry_policy.rate_limited_retry_back_off", told)


def _heeds(policy: Place, name: str) -> bool:
    """Whether another attempt is made where an answer has this header."""
    named = [header for header in policy.each("retriable_headers") if header.text("name").lower() == name]
    return "retriable-headers" in _terms(policy) and any(matching.header(header, "1") is not False for header in named)


def _policy(host: Host, route: Route) -> Place:
    own = route.place.get("route").get("retry_policy")
    return own if own.present else host.place.get("retry_policy")


def _terms(policy: Place) -> set[str]:
    return {term.strip() for term in policy.text("retry_on").split(",")}


def _headers(policy: Place) -> list[str]:
    return [header.text("name").lower() for header in policy.each("retriable_headers")]
