"""Reports of a made-up submission, and the published rules of the formats that CI services read."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from autograder.report.formats.classroom50 import VARIABLES
from autograder.report.model import CheckResult, Report

RUNNER = {name: f"the {name}" for name in VARIABLES} | {"SUBMISSION_TAG": "submit/1"}

RIGHT = CheckResult("values", "It agrees with PyTorch", 3.0, 3.0, "passed", seconds=0.25)
RAISED = CheckResult(
    "grad", "Its gradient is right", 2.5, 0.0, "raised", "ValueError: no", output="hello\n", lines=(7,)
)
PARTLY = CheckResult(
    "speed",
    "It is fast",
    4.0,
    2.1,
    "passed",
    "took 5.8 times the baseline",
    measured={"ratio": 5.81234, "ratio_low": 5.6, "ratio_high": 5.9, "full_at": 4.0, "zero_at": 8.0},
)
SECRET = CheckResult(
    "secret",
    "It holds for any input",
    5.0,
    0.0,
    "failed",
    "expected 4711",
    hidden=True,
    hint="think of empty inputs",
    output="got 4712\n",
    lines=(3,),
    measured={"ratio": 9.0, "full_at": 4.0, "zero_at": 8.0},
)
REPORT = Report(
    student="ada",
    assignment="echo",
    digest="sha256:0",
    submitted_at="2030-01-30T10:00:00+01:00",
    device="cpu",
    sandbox="namespaces",
    seed="00ff",
    seconds=1.23456,
    flags=("look here",),
    checks=(RIGHT, RAISED, PARTLY, SECRET),
    notes=("one line was left out",),
)
OURS = replace(REPORT, checks=(RIGHT, replace(RAISED, verdict="grader_error", message="our fault")))

# What the XSD of Jenkins' xUnit plugin (junit-10.xsd) says of each element that we use: the attributes that it must
# have, those that it may have, the elements that it may hold, and whether it may hold text.
JUNIT_RULES: dict[str, tuple[set[str], set[str], set[str], bool]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}, False),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        False,
    ),
    "properties": (set(), set(), {"property"}, False),
    "property": ({"name", "value"}, set(), set(), False),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
        False,
    ),
    **dict.fromkeys(("failure", "error", "skipped"), (set(), {"type", "message"}, set(), True)),
    **dict.fromkeys(("system-out", "system-err"), (set(), set(), set(), True)),
}
SECONDS = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def suites_of(text: str) -> ElementTree.Element:
    """Return the root of a JUnit document that keeps the rules."""
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children, mixed = JUNIT_RULES[element.tag]
        assert required <= set(element.keys()) <= required | optional, element.tag
        assert {child.tag for child in element} <= children, element.tag
        assert mixed or not (element.text or "").strip(), element.tag
        if element.tag.startswith("testsuite"):
            assert SECONDS.fullmatch(element.get("time", "")), element.get("time")
    return root


def command_in(line: str) -> tuple[str, dict[str, str], str] | None:
    """Read a line of a log as GitHub's runner does, in the present form of commands or in the older one."""
    line = line.lstrip()
    if line.startswith("::") and (end := line.find("::", 2)) > 0:
        name, _, rest = line[2:end].partition(" ")
        pairs = [pair.split("=", 1) for pair in rest.strip().split(",") if "=" in pair]
        properties = {key: unescaped(value, ":,") for key, value in pairs}
        return name, properties, unescaped(line[end + 2 :])
    if (start := line.find("##[")) >= 0 and (end := line.find("]", start)) > 0:
        return line[start + 3 : end], {}, line[end + 1 :]
    return None


def unescaped(text: str, more: str = "") -> str:
    """Undo the escapes of a command, `%` last."""
    for char in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(char):02X}", char)
    return text
