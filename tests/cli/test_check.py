from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from extproc_router import cli

if TYPE_CHECKING:
    from pathlib import Path

Check = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str], root: Path, tmp_path: Path) -> Check:
    """Run `check` on a config and an envoy.yaml: the shipped ones, with a text replaced."""

    def run(
        config: tuple[str, str] | str = ("", ""), envoy: tuple[str, str] | str = ("", ""), *more: str
    ) -> tuple[int, str, list[str]]:
        argv = ["check", *more]
        for option, change, file in (
            ("--config", config, root / "examples/quickstart.yaml"),
            ("--envoy", envoy, root / "envoy/envoy.yaml"),
        ):
            path = tmp_path / file.name
            if isinstance(change, str):
                path.write_text(change)
            else:
                assert change[0] in file.read_text()
                path.write_text(file.read_text().replace(*change))
            argv += [option, str(path)]
        status = cli.main(argv)
        said = capsys.readouterr()
        return status, said.out, said.err.replace(f"{tmp_path}/", "").splitlines()

    return run


def test_files_that_fit_are_said_to(check: Check) -> None:
    status, out, err = check()
    assert (status, err) == (0, [])
    proved, fits = out.splitlines()
    assert proved == "privacy: proved: 2 tiers, 2 rules, 5 routes, 5 clusters"
    assert "no mistakes and fits" in fits


SMALL = "models: [{name: a, cluster: small}]\nrouting: {default: a}\n"
BLOCKS = f"{SMALL}safety: [{{name: no-tools, when: {{tools: true}}, then: block}}]\n"


def test_a_way_out_of_a_tier_is_a_mistake(check: Check) -> None:
    status, out, err = check(BLOCKS)
    assert (status, out) == (1, "")
    assert err[0].startswith("envoy.yaml:")
    assert err[0].endswith("unread by rule no-tools -> router down -> route default -> cluster small")
    assert err[-1] == "privacy: not proved (2)"


def test_one_tier_without_rules_is_nothing_to_prove(check: Check) -> None:
    status, out, _ = check(SMALL)
    assert status == 0
    assert out.splitlines()[0] == "privacy: nothing to prove: one tier, and no safety rule in force"


UNKNOWN = ("          http_filters:", "          a_field_of_1_50: {}\n          http_filters:")


def test_what_is_not_understood_is_not_proved(check: Check) -> None:
    status, out, err = check(envoy=UNKNOWN)
    assert (status, out) == (1, "")
    assert err[0].endswith("http_connection_manager.a_field_of_1_50: not proved: is not understood")
    assert err[1:] == ["privacy: not proved (1)"]


def test_who_answers_for_it_may_go_on(check: Check) -> None:
    status, out, err = check(("", ""), UNKNOWN, "--allow-unproved")
    assert (status, err) == (0, [])
    told, verdict, fits = out.splitlines()
    assert "not proved: is not understood" in told
    assert verdict == "privacy: not proved (1)"
    assert "no mistakes" in fits
    assert check(BLOCKS, UNKNOWN, "--allow-unproved")[0] == 1


LUA = """          http_filters:
          - name: lua
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}
"""


def test_a_filter_may_be_vouched_for_by_name(check: Check) -> None:
    filtered = ("          http_filters:\n", LUA)
    status, _, err = check(envoy=filtered)
    assert status == 1
    assert err[0].endswith("take it out, or look yourself and vouch for it (--trust lua)")
    status, out, err = check(("", ""), filtered, "--trust", "lua", "--trust=absent")
    assert (status, err) == (0, [])
    assert out.splitlines()[0] == "privacy: proved, trusting: lua: 2 tiers, 2 rules, 5 routes, 5 clusters"


def test_a_config_may_come_from_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    def piped(text: str) -> int:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return cli.main(["check", "--config", "-", "--envoy", str(root / "envoy/envoy.yaml")])

    assert piped(SMALL) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("<stdin>: 1 models, version ")
    assert piped("models: 3\n") == 1
    assert capsys.readouterr().err.startswith("<stdin>:1: models: ")
    assert piped("#" * (2 * 1024 * 1024)) == 1
    assert "<stdin>:1: (file): larger than 1048576 bytes" in capsys.readouterr().err


def test_mistakes_about_all_three_files_are_told_at_once(check: Check) -> None:
    config = """\
models: [{name: a, cluster: smal}]
routing:
  default: b
  domains: {maths: a}
rules:
  - {name: r, use: a, percent: 0}
  - {name: s, use: a, when: {domain: chemstry}}
"""
    status, _, err = check(config, ("request_body_mode: BUFFERED", "request_body_mode: NONE"))
    assert status == 1
    assert [line.split(": ")[0:2] for line in err[:5]] == [
        ["quickstart.yaml:1", "models.0.cluster"],
        ["quickstart.yaml:3", "routing.default"],
        ["quickstart.yaml:4", "routing.domains.maths"],
        ["quickstart.yaml:6", "rules.0.percent"],
        ["quickstart.yaml:7", "rules.1.when.domain"],
    ]
    assert len(err) == 6
    assert err[5].startswith("envoy.yaml:")
    assert "request_body_mode" in err[5]


def test_what_is_hardly_meant_is_a_warning_and_no_failure(check: Check) -> None:
    rules = "rules:\n  - {name: all, use: small-8b}\n  - {name: law, when: {domain: law}, use: large-70b}\nlimits:"
    status, out, err = check(("limits:", rules))
    assert (status, err) == (0, [])
    told = [line.partition("quickstart.yaml:")[2] for line in out.splitlines() if "warning" in line]
    assert told == [
        "24: warning: routing.domains: never reached: 'all' takes all of its requests before",
        "36: warning: rules.1: never reached: 'all' takes all of its requests before",
    ]
    assert "no mistakes" in out


def test_warnings_wait_until_there_are_no_mistakes(check: Check) -> None:
    rules = "rules:\n  - {name: all, use: small-8b}\n  - {name: law, use: large-70b, percent: 0}\nlimits:"
    status, out, err = check(("limits:", rules))
    assert (status, len(err)) == (1, 1)
    assert "warning" not in out


def test_limits_of_a_config_that_cannot_be_read_are_the_defaults(check: Check) -> None:
    status, _, err = check("models: 3\n", ("request_body_buffer_limit: 8912896", "request_body_buffer_limit: 1"))
    assert status == 1
    assert any("below limits.max_body_bytes (8388608)" in line for line in err)


def test_what_could_not_be_checked_is_a_note_and_no_failure(check: Check) -> None:
    status, out, err = check(envoy=("\nadmin:", "\ndynamic_resources: {cds_config: {ads: {}}}\nadmin:"))
    assert (status, err) == (0, [])
    assert "dynamic_resources" not in out
    assert "cds_config: not checked: " in out
    assert "no mistakes and fits" in out


@pytest.mark.parametrize(
    ("envoy", "says"),
    [
        ("a: &x [*x]\n", "an anchor holds itself"),
        ("a: " + "[" * 5000 + "]" * 5000, "nested deeper"),
        ("[]", "expected a mapping"),
    ],
)
def test_an_envoy_yaml_that_cannot_be_read_does_not_hide_the_config(check: Check, envoy: str, says: str) -> None:
    status, _, err = check(("default: small-8b", "default: small-9b"), envoy)
    assert status == 1
    assert "routing.default: unknown model 'small-9b'" in err[0]
    assert err[1].startswith("extproc-router: envoy.yaml")
    assert says in err[1]
    assert len(err) == 2


def test_an_artefact_that_is_not_there_does_not_hide_the_config(check: Check) -> None:
    status, _, err = check(("default: small-8b", "default: small-9b"), ("", ""), "--model", "/nowhere")
    assert status == 1
    assert "unknown model 'small-9b'" in err[0]
    assert "/nowhere" in err[1]


def test_a_directory_is_no_config(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["check", "--config", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"extproc-router: {tmp_path}: Is a directory\n"


def test_nor_is_a_file_that_nobody_wrote(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--config", "/nowhere/router.yaml"]) == 1
    assert capsys.readouterr().err == "extproc-router: /nowhere/router.yaml: No such file or directory\n"


def test_a_config_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "--config", "/nowhere/a\0b"]) == 1
    assert "null byte" in capsys.readouterr().err
