"""Pod Security Standards, profile `restricted`, control by control, and what we hold ourselves to beyond it.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from typing import Any

import pytest

RESTRICTED_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}


@pytest.fixture(params=["router", "envoy"])
def container(request: pytest.FixtureRequest, pod: Any) -> Any:
    [container] = [item for item in [*pod["initContainers"], *pod["containers"]] if item["name"] == request.param]
    return container


def test_these_are_all_containers(pod: Any) -> None:
    assert [item["name"] for item in [*pod["initContainers"], *pod["containers"]]] == ["router", "envoy"]
    assert "ephemeralContainers" not in pod


def effective(pod: Any, container: Any, field: str) -> Any:
    return container["securityContext"].get(field, pod["securityContext"].get(field))


def test_nothing_of_the_host_is_shared(pod: Any) -> None:
    for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
        assert not pod.get(field)


def test_volumes_are_of_the_allowed_kinds(pod: Any) -> None:
    for volume in pod["volumes"]:
        assert set(volume) - {"name"} <= RESTRICTED_VOLUMES


def test_no_sysctls_selinux_or_windows_options(pod: Any) -> None:
    assert not {"sysctls", "seLinuxOptions", "windowsOptions", "appArmorProfile"} & set(pod["securityContext"])


def test_no_privilege(container: Any) -> None:
    context = container["securityContext"]
    assert not context.get("privileged")
    assert context["allowPrivilegeEscalation"] is False
    assert context.get("procMount", "Default") == "Default"


def test_no_capabilities(container: Any) -> None:
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_no_host_ports(container: Any) -> None:
    assert not [port for port in container["ports"] if "hostPort" in port]


def test_no_probe_or_hook_names_a_host(container: Any) -> None:
    hooks = [container.get(name, {}) for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    hooks += container.get("lifecycle", {}).values()
    for hook in hooks:
        for kind in ("httpGet", "tcpSocket"):
            assert "host" not in hook.get(kind, {})


def test_not_root(pod: Any, container: Any) -> None:
    assert effective(pod, container, "runAsNonRoot") is True
    assert effective(pod, container, "runAsUser") == 65532
    assert effective(pod, container, "runAsGroup") == 65532


def test_the_runtimes_seccomp_profile(pod: Any, container: Any) -> None:
    assert effective(pod, container, "seccompProfile") == {"type": "RuntimeDefault"}


def test_beyond_restricted_the_root_is_read_only(container: Any) -> None:
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_beyond_restricted_every_resource_has_a_bound(pod: Any, container: Any) -> None:
    for bounds in (container["resources"]["requests"], container["resources"]["limits"]):
        assert set(bounds) == {"cpu", "memory"}
    for volume in pod["volumes"]:
        if "emptyDir" in volume:
            assert volume["emptyDir"]["sizeLimit"]
