"""The report as JUnit XML, with one test case per check, so that any CI system can show the verdicts."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from oauth_litmus.report.failure import plain_text, plain_text_under_load
from oauth_litmus.report.printable import xml_text
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from oauth_litmus.report.model import CheckRecord, Report, WaiverRecord


def junit_text(report: Report) -> str:
    """Return the report as one JUnit test suite."""
    suite = ET.Element("testsuite", name="oauth-litmus", timestamp=report.started.isoformat(timespec="seconds"))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ET.SubElement(properties, "property", name=name, value=xml_text(value))
    cases = [_case(check) for check in report.checks] + [_bad_waiver(waiver) for waiver in report.bad_waivers]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for attribute, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", f"{report.duration:.3f}")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _properties(report: Report) -> dict[str, str]:
    return {
        "target": report.target.given,
        "issuer": report.target.issuer,
        "run_id": report.run_id,
        "version": report.tool.version,
        "catalogue_revision": report.catalogue_revision,
        "core_checks_not_judged": str(report.core.not_judged),
    }


def _case(check: CheckRecord) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=f"oauth_litmus.{check.category}",
        name=xml_text(f"{check.id} {check.title}"),
        time=f"{check.duration:.3f}",
    )
    if check.waived is not None:
        _add(case, "skipped", f"waived ({check.verdict}): {check.waived}")
    elif check.red:
        tag = "error" if check.verdict in (Verdict.BLOCKED, Verdict.ERROR) else "failure"
        _add(case, tag, check.reason, kind=check.verdict, text=plain_text(check))
    elif check.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE):
        _add(case, "skipped", f"{check.verdict}: {check.reason}")
    elif check.verdict is Verdict.WARN:
        ET.SubElement(case, "system-out").text = xml_text(f"WARN\n{plain_text(check)}")
    if check.seen_under_load is not None:
        ET.SubElement(case, "system-err").text = xml_text(plain_text_under_load(check))
    return case


def _bad_waiver(waiver: WaiverRecord) -> ET.Element:
    case = ET.Element("testcase", classname="oauth_litmus.report.waivers", name=xml_text(waiver.id), time="0.000")
    _add(case, "failure", waiver.sentence, kind=waiver.state, text=waiver.sentence)
    return case


def _add(case: ET.Element, tag: str, message: str, *, kind: str = "", text: str = "") -> None:
    element = ET.SubElement(case, tag, message=xml_text(message))
    if kind:
        element.set("type", kind)
    if text:
        element.text = xml_text(text)
