from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from extproc_router.envoyconf.proof import upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.envoyconf.conftest import Edit, Read
    from tests.envoyconf.proof.conftest import Attempt

HTTP = "type.googleapis.com/envoy.extensions.filters.http"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def filters(edit: Edit, cluster: str = "large") -> dict[str, dict[str, Any]]:
    """The configs of a cluster's own filters, by name."""
    [found] = [each for each in edit.data["static_resources"]["clusters"] if each["name"] == cluster]
    listed = found["typed_extension_protocol_options"][OPTIONS]["http_filters"]
    return {entry["name"]: entry["typed_config"] for entry in listed}


def verify(change: Callable[[dict[str, Any]], object]) -> Callable[[Edit], object]:
    return lambda edit: change(filters(edit)["llm.verify"])


def lua(change: Callable[[str], str]) -> Callable[[Edit], object]:
    def edit(edit: Edit) -> None:
        source = filters(edit)["llm.model"]["default_source_code"]
        source["inline_string"] = change(source["inline_string"])

    return edit


@pytest.mark.parametrize("text", ["cascades", "blocking cascades"])
def test_what_is_rendered_is_proved(attempt: Attempt, text: str) -> None:
    found = attempt(lambda _: None, text)
    assert (found.leaks, found.doubts) == ([], [])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lua(lambda text: text.replace("x-llm-next", "x-llm-nexu", 1)), "llm.model: it is not the program of"),
        (lua(lambda text: f"print(1)\n{text}"), "llm.model: it is not the program of"),
        (lambda e: filters(e)["llm.model"].update(source_codes={"a": {}}), "llm.model.source_codes"),
        (verify(lambda c: c["processing_mode"].update(request_body_mode="BUFFERED")), "is sent prompts"),
        (verify(lambda c: c["processing_mode"].update(request_body_mode=1)), "is sent prompts"),
        (verify(lambda c: c["processing_mode"].update(request_trailer_mode="SEND")), "is sent prompts"),
        (verify(lambda c: c.update(allow_mode_override=True)), "it may ask for prompts"),
        (verify(lambda c: c.update(http_service={})), "http_service"),
        (
            verify(lambda c: c["metadata_options"].update(receiving_namespaces={"untyped": ["extproc_router.chain"]})),
            "it may write metadata",
        ),
        (verify(lambda c: c.pop("mutation_rules")), "it may write x-selected-cluster, "),
        (verify(lambda c: c["mutation_rules"].update(allow_expression={"regex": "x-llm-.*"})), "x-llm-decision"),
        (verify(lambda c: c["mutation_rules"].update(allow_all_routing=True)), ":authority"),
        (
            lambda e: filters(e)["llm.model"].update({"@type": f"{HTTP}.tap.v3.Tap"}),
            "may send what it sees elsewhere",
        ),
    ],
)
def test_what_runs_in_front_of_a_server_is_looked_at(
    attempt: Attempt, change: Callable[[Edit], object], says: str
) -> None:
    found = attempt(change, "cascades")
    assert found.leaks == []
    assert any(says in doubt for doubt in found.doubts), found.doubts


@pytest.mark.parametrize("name", ["llm.model", "llm.verify"])
def test_filters_of_all_clusters_are_not_ours(attempt: Attempt, name: str) -> None:
    def change(edit: Edit) -> None:
        ours = {"name": name, "typed_config": filters(edit)[name]}
        edit.filters[-1]["typed_config"]["upstream_http_filters"] = [ours]

    doubts = attempt(change, "cascades").doubts
    assert any(doubt.endswith(f"upstream.http_filters.{name}: may send what it sees elsewhere") for doubt in doubts)


def test_what_the_verifier_may_do_besides(attempt: Attempt) -> None:
    assert attempt(verify(lambda c: c["processing_mode"].pop("request_body_mode")), "cascades").proved
    assert attempt(verify(lambda c: c.update(allow_mode_override=False)), "cascades").proved
    assert attempt(verify(lambda c: c.update(failure_mode_allow=False)), "cascades").proved
    assert attempt(verify(lambda c: c.pop("metadata_options")), "cascades").proved


@pytest.mark.parametrize(
    ("config", "rewrites"),
    [
        ({"@type": f"{HTTP}.upstream_codec.v3.UpstreamCodec"}, False),
        ({"@type": f"{HTTP}.header_mutation.v3.HeaderMutation", "mutations": [{"remove": ":path"}]}, True),
        ({"@type": f"{HTTP}.lua.v3.Lua", "default_source_code": {"inline_string": ":path"}}, False),
    ],
)
def test_servers_may_see_other_paths(read: Read, config: dict[str, Any], rewrites: bool) -> None:
    listed = read({"http_filters": [{"name": "x", "typed_config": config}]}).get("http_filters")
    assert upstream.rewrites(listed) is rewrites
    assert not upstream.rewrites(None)


def test_our_program_may_name_another_host(attempt: Attempt) -> None:
    """Behind another host a path that is none of the APIs' may be one."""

    def change(edit: Edit, host: str) -> None:
        clusters = edit.data["static_resources"]["clusters"]
        [large] = [cluster for cluster in clusters if cluster["name"] == "large"]
        lua(lambda text: text.replace('local HOST = ""', f'local HOST = "{host}"'))(edit)
        clusters.append({**large, "name": "dashboards"})
        match = {"prefix": "/dashboards/", "headers": [{"name": "x-privacy-tier", "present_match": False}]}
        edit.routes.insert(0, {"name": "new", "match": match, "route": {"cluster": "dashboards"}})

    assert attempt(lambda e: change(e, ""), "blocking cascades").proved
    [doubt] = attempt(lambda e: change(e, "b.example"), "blocking cascades").doubts
    assert "paths or hosts are rewritten on the way" in doubt
