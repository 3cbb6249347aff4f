from __future__ import annotations

import json
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from extproc_router.cases import report
from extproc_router.cases.checking import Difference
from extproc_router.cases.running import Result
from extproc_router.explaining.columns import WIDTH

PASSED = Result("fine", 2, (), "why", 0.001)
FAILED = Result(
    "not <fine>", 5, (Difference("model", "large", "small"), Difference("rule", "maths", "-")), "no rule", 0.25
)


def test_a_case_that_passed_is_a_line() -> None:
    assert list(report.lines(PASSED, "c.yaml")) == ["ok    fine"]


def test_a_failure_is_a_diff_and_the_reason() -> None:
    assert list(report.lines(FAILED, "c.yaml")) == [
        "FAIL  not <fine> (c.yaml:5)",
        "        model  expected large  got small",
        "        rule   expected maths  got -",
        "        why: no rule",
    ]


def test_they_are_counted() -> None:
    assert report.summary([PASSED]) == "1 case, all as expected"
    assert report.summary([PASSED, FAILED]) == "2 cases, 1 failure"


def test_machines_get_all_of_it() -> None:
    told = json.loads(json.dumps(report.describe([PASSED, FAILED], "c.yaml")))
    assert (told["file"], told["passed"], told["failed"]) == ("c.yaml", 1, 1)
    assert told["cases"][1]["differences"][0] == {"what": "model", "expected": "large", "got": "small"}


def test_junit_has_a_case_for_each_and_what_failed() -> None:
    root = ET.fromstring(report.junit([PASSED, FAILED], "c.yaml"))  # noqa: S314 - our own
    assert root.tag == "testsuites"
    [suite] = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2", "1", "0.251")
    passed, failed = suite
    assert (passed.get("name"), passed.get("line"), len(passed)) == ("fine", "2", 0)
    [failure] = failed
    assert failure.get("message") == "model: expected large, got small; rule: expected maths, got -"
    assert "why: no rule" in (failure.text or "")


@given(st.text(alphabet=st.characters(codec=None)), st.text())
def test_whatever_is_in_it_junit_is_xml_and_lines_fit(name: str, got: str) -> None:
    result = Result(name, 1, (Difference("model", "x", got),), got, 0.0)
    [[case]] = ET.fromstring(report.junit([result], "f"))  # noqa: S314 - our own
    kept = report._NO_XML.sub("", name)
    # Attributes: a parser takes blanks for blanks.
    assert (case.get("name") or "").split() == kept.split()
    assert all(len(line) <= WIDTH and line.isprintable() for line in report.lines(result, "f"))
