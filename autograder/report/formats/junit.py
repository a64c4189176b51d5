"""Write reports as JUnit XML, which GitLab, Jenkins, Azure Pipelines and most other CI services read.

Source: the XSD that Jenkins' xUnit plugin publishes (`junit-10.xsd`), the strictest that is in wide use. It knows
properties of a suite only, not of a case, so that the points of each check stand there, as `points.NAME`.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from autograder.report.model import CheckResult, Report
from autograder.report.student_view import for_students, points_of, reason
from autograder.report.text import number, readable

_FAILURES = ("failed", "forbidden")
"""Verdicts about the answer. The others but `passed`, where there was none to judge, are errors."""


def junit(reports: Sequence[Report], *, feedback: str) -> str:
    """Write reports: a suite for each submission, a case for each check.

    Args:
        reports: The reports.
        feedback: How much is said of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    root = ElementTree.Element("testsuites", name="autograde")
    suites = [_suite(for_students(report, feedback)) for report in reports]
    root.extend(suites)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", f"{sum(report.seconds for report in reports):.3f}")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _suite(report: Report) -> ElementTree.Element:
    kinds = [_kind(check) for check in report.checks]
    suite = ElementTree.Element(
        "testsuite",
        name=readable(report.student) or "-",
        package=report.assignment,
        tests=str(len(kinds)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped="0",
        time=f"{report.seconds:.3f}",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(report).items():
        ElementTree.SubElement(properties, "property", name=name, value=readable(value))
    suite.extend(_case(check, report.assignment) for check in report.checks)
    if report.notes:
        ElementTree.SubElement(suite, "system-out").text = readable("\n".join(report.notes))
    if report.error:
        ElementTree.SubElement(suite, "system-err").text = readable(report.error)
    return suite


def _properties(report: Report) -> dict[str, str]:
    found = {
        "score": number(report.score),
        "max_score": number(report.max_score),
        "digest": report.digest,
        "device": report.device,
        "sandbox": report.sandbox,
    }
    if report.submitted_at is not None:
        found["submitted_at"] = report.submitted_at
    for check in report.checks:
        name = check.name.replace(" ", "_")
        found[f"score.{name}"] = number(check.score)
        found[f"points.{name}"] = number(check.points)
        found[f"verdict.{name}"] = check.verdict
    return found


def _kind(check: CheckResult) -> str:
    """Return the element that says how a check ended; none where it passed, with part of its points or all."""
    if check.verdict == "passed":
        return ""
    return "failure" if check.verdict in _FAILURES else "error"


def _case(check: CheckResult, assignment: str) -> ElementTree.Element:
    case = ElementTree.Element("testcase", classname=assignment, name=check.name, time=f"{check.seconds:.3f}")
    lines = [points_of(check), *reason(check)]
    if kind := _kind(check):
        message = f"{lines[0]}: {lines[1]}" if len(lines) > 1 else lines[0]
        ElementTree.SubElement(case, kind, type=check.verdict, message=message).text = "\n".join(lines)
    else:
        ElementTree.SubElement(case, "system-out").text = "\n".join(lines)
    return case
