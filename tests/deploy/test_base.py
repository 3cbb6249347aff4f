"""The objects by themselves and among each other."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy" / "k8s" / "base"
# The oldest that the manifests say they need, and the newest that the schemas know.
VERSIONS = ("1.30", kubernetes_validate.latest_version())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_what_its_schema_allows_and_nothing_more(objects: list[Any], version: str) -> None:
    for item in objects:
        kubernetes_validate.validate(item, version, strict=True)


def test_a_misspelt_field_would_be_found(one: Callable[[str], Any]) -> None:
    service = one("Service")
    misspelt = {**service, "spec": {**service["spec"], "selectors": {}}}
    with pytest.raises(kubernetes_validate.ValidationError, match="selectors"):
        kubernetes_validate.validate(misspelt, VERSIONS[-1], strict=True)


def test_it_consists_of_these(objects: list[Any]) -> None:
    kinds = sorted(item["kind"] for item in objects)
    assert kinds == [
        "ConfigMap",
        "ConfigMap",
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    ]


def test_the_user_chooses_the_namespace(objects: list[Any]) -> None:
    assert not [item["metadata"]["name"] for item in objects if "namespace" in item["metadata"]]


def test_every_selector_finds_the_pods(one: Callable[[str], Any], template: Any) -> None:
    deployment = one("Deployment")
    selectors = [
        deployment["spec"]["selector"]["matchLabels"],
        one("Service")["spec"]["selector"],
        one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(spread["labelSelector"]["matchLabels"] for spread in template["spec"]["topologySpreadConstraints"]),
    ]
    assert len(selectors) == 6
    for selector in selectors:
        assert selector
        assert selector.items() <= template["metadata"]["labels"].items()
        assert "app.kubernetes.io/version" not in selector  # a Deployment's selector can never be changed


def test_every_object_that_we_wrote_says_what_it_belongs_to(objects: list[Any]) -> None:
    for item in objects:
        if item["kind"] != "ConfigMap":
            assert item["metadata"]["labels"]["app.kubernetes.io/name"] == "extproc-router"
            assert item["metadata"]["labels"]["app.kubernetes.io/component"] == "gateway"


def test_the_service_leads_to_a_port_that_exists(one: Callable[[str], Any], envoy: Any) -> None:
    names = {port["name"] for port in envoy["ports"]}
    assert {port["targetPort"] for port in one("Service")["spec"]["ports"]} == names


def test_the_service_shows_neither_probes_nor_metrics(one: Callable[[str], Any]) -> None:
    assert [port["port"] for port in one("Service")["spec"]["ports"]] == [8080]


def test_prometheus_is_told_the_port_that_the_router_calls_metrics(template: Any, router: Any) -> None:
    [metrics] = [port["containerPort"] for port in router["ports"] if port["name"] == "metrics"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(metrics)


def test_an_eviction_leaves_a_pod_and_a_rollout_leaves_all(one: Callable[[str], Any]) -> None:
    deployment, budget = one("Deployment")["spec"], one("PodDisruptionBudget")["spec"]
    assert deployment["replicas"] > budget["maxUnavailable"]
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_pod_gets_no_token_and_no_variables_of_services(pod: Any, one: Callable[[str], Any]) -> None:
    account = one("ServiceAccount")
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    assert pod["automountServiceAccountToken"] is False
    assert account["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False


def test_the_overlay_of_the_documentation_replaces_config_and_images(
    render: Callable[[Path], list[Any]], tmp_path: Path
) -> None:
    document = (ROOT / "docs" / "deployment.md").read_text()
    [overlay] = re.findall(r"```yaml\n# overlay/kustomization\.yaml\n(.*?)```", document, re.DOTALL)
    overlay = overlay.replace("../deploy/k8s/base", os.path.relpath(BASE, tmp_path.resolve()))
    (tmp_path / "kustomization.yaml").write_text(overlay)
    (tmp_path / "router.yaml").write_text("mine: 1\n")
    (tmp_path / "envoy.yaml").write_text("mine: 2\n")

    objects = render(tmp_path)

    data = {tuple(item["data"].items()) for item in objects if item["kind"] == "ConfigMap"}
    assert data == {(("router.yaml", "mine: 1\n"),), (("envoy.yaml", "mine: 2\n"),)}
    [deployment] = [item for item in objects if item["kind"] == "Deployment"]
    names = {item["metadata"]["name"] for item in objects if item["kind"] == "ConfigMap"}
    pod = deployment["spec"]["template"]["spec"]
    assert {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume} == names
    assert pod["initContainers"][0]["image"].startswith("registry.example.com/")
    assert {item["metadata"]["namespace"] for item in objects} == {"llm"}
