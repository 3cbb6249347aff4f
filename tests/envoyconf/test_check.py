from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc_router.envoyconf import bootstrap, check

if TYPE_CHECKING:
    from pathlib import Path

    from extproc_router.config.loader import Config
    from tests.envoyconf.conftest import Edit, Judge, Read


def test_the_shipped_files_fit(root: Path, quickstart: Config) -> None:
    report = check.compare(quickstart, bootstrap.read(root / "envoy/envoy.yaml"))
    assert (report.mistakes, report.notes) == ((), ())


def test_mistakes_stand_at_their_lines_in_the_file_that_was_written(
    root: Path, quickstart: Config, tmp_path: Path
) -> None:
    text = (root / "envoy/envoy.yaml").read_text()
    changes = [
        ("cluster_header: x-selected-cluster", "cluster_header: x-cluster"),
        ("request_body_mode: BUFFERED", "request_body_mode: STREAMED"),
        (f"prefix: /}}\n{' ' * 16}route: {{cluster: small,", f"prefix: /}}\n{' ' * 16}route: {{cluster: large,"),
        ("request_body_buffer_limit: 8912896", "request_body_buffer_limit: 1024"),
        ("message_timeout: 0.5s", "message_timeout: 0.1s"),
    ]
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path = tmp_path / "envoy.yaml"
    path.write_text(text)
    lines = text.splitlines()
    found = {lines[mistake.line - 1].strip() for mistake in check.compare(quickstart, bootstrap.read(path)).mistakes}
    starts = {"- name: decided", *(new.splitlines()[-1].strip() for _, new in changes[1:])}
    assert len(found) == len(starts)
    assert all(any(line.startswith(start) for line in found) for start in starts), found


def test_everything_is_told_at_once_and_in_order(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.manager.pop("early_header_mutation_extensions")
        edit.routes.remove(edit.route("decided"))
        edit.ext_proc.update(route_cache_action="RETAIN", message_timeout="0.05s")

    mistakes = judge(change).mistakes
    assert [mistake.field for mistake in mistakes] == [
        "early_header_mutation_extensions",
        "virtual_hosts.llm.routes.private_undecided",
        "virtual_hosts.llm.routes.passed",
        "ext_proc.message_timeout",
        "ext_proc.route_cache_action",
    ]
    assert [mistake.line for mistake in mistakes] == sorted(mistake.line for mistake in mistakes)


def test_no_ext_proc_at_all_is_a_mistake(judge: Judge) -> None:
    [mistake] = judge(lambda e: e.filters.remove(e.filter)).mistakes
    assert "never asked" in mistake.message


def test_an_ext_proc_of_a_cluster_is_not_the_routers(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.filters.remove(edit.filter)
        edit.data["static_resources"]["clusters"][0]["x"] = {"http_filters": [edit.filter]}

    report = judge(change)
    assert ["never asked" in mistake.message for mistake in report.mistakes] == [True]
    assert len(report.notes) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: e.manager.update(rds=e.manager.pop("route_config")), "RDS"),
        (lambda e: e.manager["route_config"].update(vhds={}), "VHDS"),
        (lambda e: e.data.update(dynamic_resources={"lds_config": {}}), "LDS"),
        (lambda e: e.data.update(dynamic_resources={"cds_config": {}}), "CDS"),
    ],
)
def test_what_comes_from_a_control_plane_is_noted(judge: Judge, change: Any, says: str) -> None:
    report = judge(change)
    assert report.mistakes == ()
    assert [says in note.message and note.message.startswith("not checked: ") for note in report.notes] == [True]


def test_listeners_that_are_discovered_may_hold_the_router(judge: Judge) -> None:
    def change(edit: Edit) -> None:
        edit.data["static_resources"]["listeners"] = []
        edit.data["dynamic_resources"] = {"lds_config": {}}

    assert judge(change).mistakes == ()


def test_clusters_are_known_unless_they_are_discovered(read: Read) -> None:
    static = {"clusters": [{"name": "a"}]}
    assert check.clusters(read({"static_resources": static})) == frozenset({"a"})
    assert check.clusters(read({"static_resources": static, "dynamic_resources": {"cds_config": {}}})) is None


JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"x": None}, [{}], {"@type": "x"}]
)


@given(data=st.data())
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_junk_in_any_place_is_no_crash(judge: Judge, data: st.DataObject) -> None:
    def change(edit: Edit) -> None:
        at: Any = edit.data["static_resources"]
        if data.draw(st.booleans()):
            at = edit.manager
        while True:
            entries = [key for key in (at if isinstance(at, dict) else range(len(at))) if key != "@type"]
            key = data.draw(st.sampled_from(entries))
            if not at[key] or not isinstance(at[key], dict | list) or data.draw(st.integers(0, 5)) == 0:
                at[key] = data.draw(JUNK)
                return
            at = at[key]
            if not [key for key in (at if isinstance(at, dict) else range(len(at))) if key != "@type"]:
                return

    report = judge(change)
    assert all(mistake.line >= 1 and mistake.message for mistake in (*report.mistakes, *report.notes))
