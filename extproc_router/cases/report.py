"""Results of cases: for people, for machines, and as JUnit XML for those who show tests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import msgspec

from extproc_router.explaining.columns import columns, count, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from extproc_router.cases.running import Result

# What XML 1.0 has no way to write (section 2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def lines(result: Result, file: str) -> Iterator[str]:
    """Write one result: a line, and where it failed what differs and why.

    Args:
        result: of a case.
        file: that it stands in.
    """
    if not result.differences:
        yield from wrapped("ok    ", result.name)
        return
    yield from wrapped("FAIL  ", f"{result.name} ({file}:{result.line})")
    rows = [(found.what, f"expected {found.expected}", f"got {found.got}") for found in result.differences]
    yield from columns(rows, indent="        ")
    yield from wrapped("        why: ", result.why or "-")


def summary(results: Sequence[Result]) -> str:
    """Count them."""
    failed = _failed(results)
    return (
        f"{count(len(results), 'case')}, {count(failed, 'failure')}"
        if failed
        else f"{count(len(results), 'case')}, all as expected"
    )


def describe(results: Sequence[Result], file: str) -> dict[str, Any]:
    """Return plain data for JSON.

    Returns:
        {file, cases: [{name, line, passed, differences: [{what, expected, got}], why, seconds}], passed, failed}.
    """
    cases = [{**msgspec.to_builtins(result), "passed": not result.differences} for result in results]
    failed = _failed(results)
    return {"file": file, "cases": cases, "passed": len(results) - failed, "failed": failed}


def junit(results: Sequence[Result], file: str) -> bytes:
    """Write JUnit's XML: one suite, named for the file, with a case for each.

    Returns:
        UTF-8; characters that XML cannot have are left out.
    """
    whole = {
        "name": file,
        "tests": str(len(results)),
        "failures": str(_failed(results)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
    root = ET.Element("testsuites", _clean(whole))
    suite = ET.SubElement(root, "testsuite", _clean(whole))
    for result in results:
        known = {"name": result.name, "classname": file, "file": file, "line": str(result.line)}
        case = ET.SubElement(suite, "testcase", _clean(known | {"time": f"{result.seconds:.3f}"}))
        if result.differences:
            told = [str(found) for found in result.differences]
            failure = ET.SubElement(case, "failure", _clean({"message": "; ".join(told), "type": "difference"}))
            failure.text = _NO_XML.sub("", "\n".join([*told, f"why: {result.why or '-'}"]))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _failed(results: Sequence[Result]) -> int:
    return sum(bool(result.differences) for result in results)


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _NO_XML.sub("", value) for name, value in attributes.items()}
