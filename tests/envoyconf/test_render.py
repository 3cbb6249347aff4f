from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from extproc_router import wiring
from extproc_router.config import loader
from extproc_router.envoyconf import binary, bootstrap, check, render
from extproc_router.envoyconf.render import typed

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.config.loader import Config
    from tests.envoyconf.conftest import Read

# Names that YAML, Lua, JSON or Envoy could take for something else.
RICH = r"""
privacy_tiers: ["ö\"p: {}", "no", restricted]
models:
- {name: a, cluster: "1", served_name: 'org/"ä😀', privacy: restricted}
- {name: b, cluster: big, adapters: [{name: ad, served_name: lora-1}]}
- {name: c, cluster: hosted}
rules: [{name: r, use: [a, b], cascade: {}}]
safety: [{name: s, when: {stream: true}, then: block}]
fallback: {on_context_length: true}
limits: {max_body_bytes: 33554432, encoder_deadline_ms: 400}
routing: {default: a}
endpoints:
  listen: "[::]:8081"
  workers: 2
  router: "unix:/run/x/ext-{worker}.sock"
  clusters:
    "1": {addresses: ["10.0.0.1:80", "10.0.0.2:80"], health_path: "/health?x=1#a:b"}
    big: {protocol: http2, max_retries: 99, health_path: "", addresses: ["unix:/run/big.sock"]}
    hosted: {addresses: ["api.example.com:443"], tls: true, host: api.example.com}
"""
# Without what `--plain` cannot say.
PLAIN = RICH.replace(", host: api.example.com", "")


def manager(text: str) -> dict[str, Any]:
    [listener] = yaml.safe_load(text)["static_resources"]["listeners"]
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][0]["typed_config"]
    return found


def routes(text: str) -> dict[str, Any]:
    [host] = manager(text)["route_config"]["virtual_hosts"]
    return {route["name"]: route for route in host["routes"]}


def test_the_file_that_ships_is_what_is_written_for_the_quickstart(root: Path, quickstart: Config) -> None:
    """Render it again: extproc-router envoy render --output envoy/envoy.yaml."""
    assert (root / "envoy/envoy.yaml").read_text() == render.bootstrap(quickstart)


@pytest.mark.parametrize(("text", "plain"), [(RICH, False), (PLAIN, False), (PLAIN, True)])
def test_what_is_written_fits_its_config(read: Read, text: str, *, plain: bool) -> None:
    config = loader.load(text, "r.yaml")
    written = render.bootstrap(config, plain=plain)
    assert written == render.bootstrap(config, plain=plain)
    assert written.endswith("\n")
    assert not [line for line in written.splitlines() if line != line.rstrip() or line.startswith("#:")]
    report = check.compare(config, read(written))
    assert report.mistakes == ()
    assert [note.message.split(":")[0] for note in report.notes] == ["chains are not walked"] * plain


def test_every_example_has_an_envoy_that_fits(root: Path, read: Read) -> None:
    for path in (root / "examples").glob("*/router.yaml"):
        config = wiring.read_config(path)
        report = check.compare(config, read(render.bootstrap(config)))
        assert (report.mistakes, report.notes) == ((), ()), path


@pytest.mark.envoy
@pytest.mark.parametrize(("text", "plain"), [(RICH, False), (PLAIN, False), (PLAIN, True)])
def test_envoy_accepts_it(tmp_path: Path, text: str, *, plain: bool) -> None:
    path = tmp_path / "envoy.yaml"
    path.write_text(render.bootstrap(loader.load(text, "r.yaml"), plain=plain))
    said = binary.validate(path)
    assert said.accepts, said.why


def test_routes_stand_in_the_order_in_which_they_count(quickstart: Config) -> None:
    assert list(routes(render.bootstrap(loader.load(RICH, "r.yaml")))) == [
        "cascade",
        "chain",
        "decided",
        "private_undecided",
        "passed",
        "undecided",
    ]
    assert list(routes(render.bootstrap(quickstart))) == ["chain", "decided", "private_undecided", "passed", "default"]
    plain = routes(render.bootstrap(quickstart, plain=True))
    assert list(plain) == ["decided", "private_undecided", "passed", "default"]


def test_answers_are_judged_on_one_route_alone() -> None:
    for name, route in routes(render.bootstrap(loader.load(RICH, "r.yaml"))).items():
        assert ("typed_per_filter_config" in route) == (name != "cascade")


def test_names_are_the_configs_own() -> None:
    text = render.bootstrap(loader.load(RICH, "r.yaml"))
    lowest = routes(text)["private_undecided"]["match"]["headers"][1]["string_match"]["exact"]
    assert lowest == 'ö"p: {}'
    assert routes(text)["passed"]["route"]["cluster"] == "1"
    assert text.isascii()


def test_the_router_is_where_its_workers_listen() -> None:
    clusters = {
        entry.name: entry
        for entry in typed.parse(render.bootstrap(loader.load(RICH, "r.yaml"))).static_resources.clusters
    }
    [group] = clusters["extproc_router"].load_assignment.endpoints
    assert [endpoint.endpoint.address.pipe.path for endpoint in group.lb_endpoints] == [
        "/run/x/ext-0.sock",
        "/run/x/ext-1.sock",
    ]
    assert render.VERIFIER in clusters


def test_limits_follow_the_configs() -> None:
    found = manager(render.bootstrap(loader.load(RICH, "r.yaml")))
    [host] = found["route_config"]["virtual_hosts"]
    assert host["request_body_buffer_limit"] == 32 * 1024**2 + 512 * 1024
    assert found["http_filters"][0]["typed_config"]["message_timeout"] == "0.75s"


def test_a_bootstrap_of_many_models_is_read_again(tmp_path: Path) -> None:
    models = "".join(f"- {{name: m{number}, cluster: c{number}}}\n" for number in range(200))
    path = tmp_path / "envoy.yaml"
    path.write_text(render.bootstrap(loader.load(f"models:\n{models}routing: {{default: m0}}\n", "r.yaml")))
    assert len(bootstrap.cluster_names(bootstrap.read(path))) == 202
