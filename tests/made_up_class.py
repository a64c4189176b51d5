"""Reports of a made-up class, as grading would give them, for tests of what people look at."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from autograder.report.credit import score, share
from autograder.report.html.about import About
from autograder.report.html.findings import Findings
from autograder.report.model import CheckResult, Report
from autograder.report.ranking import rankings
from autograder.report.similarity import Copies, Pair
from autograder.submission.reading import Submission

ABOUT = About(
    name="echo",
    title="Give back what you get",
    course="A made-up course",
    feedback="hint",
    pass_mark=0.5,
    zone=UTC,
    due=datetime(2030, 1, 31, 23, 59, tzinfo=UTC),
)

SOURCE = (
    "import torch\n\n\ndef echo(x):\n    y = x.view(-1)\n    return y.cuda()\n\n\ndef twice(x):\n    return 2 * x\n"
)

# What a submission may print, raise or be called: markup, a template, terminal codes, an order to write backwards,
# half a surrogate pair, the end of a style and of a CDATA section, line ends of another system.
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7 * 7 }}{% if %}\x1b[2J\u202egpj\ud800</style>]]>&lt;\r"


def check(name: str, score: float, points: float, verdict: str = "passed", **fields: Any) -> CheckResult:
    """Return a check's result."""
    titles = {
        "values": "Echo returns what it got, along any dimension",
        "gradient": "The gradient of echo is that of the identity",
        "speed": "Echo takes little more time than a copy",
        "memory": "Echo keeps one copy of its input, and no more",
        "huge": "Echo works for a million elements",
    }
    return CheckResult(name, titles.get(name, f"The claim of {name}"), points, score, verdict, **fields)  # type: ignore[arg-type]


def timed(ratio: float, *, name: str = "speed", width: float = 0.03, **fields: Any) -> CheckResult:
    """Return the result of a speed check worth 4 points."""
    low, high, full, none = (
        ratio * (1 - width),
        ratio * (1 + width),
        fields.pop("full_at", 4.5),
        fields.pop("zero_at", 9.0),
    )
    measured = {"ratio": ratio, "ratio_low": low, "ratio_high": high, "pairs": 11.0, "full_at": full, "zero_at": none}
    words = f"took {ratio:.3g} times the baseline (9.15 ms against 1.58 ms, best of 11); full credit is at {full:g}, none at {none:g}"
    earned = score(4.0, share(low, full_at=full, zero_at=none))
    verdict = "passed" if earned else "failed"
    return check(name, earned, 4.0, verdict, message="" if earned == 4 else words, measured=measured, **fields)


def report(student: str, *checks: CheckResult, **fields: Any) -> Report:
    """Return a report with these checks in place of those of a right submission."""
    right = {
        "values": check("values", 4.0, 4.0),
        "gradient": check("gradient", 3.0, 3.0),
        "speed": timed(3.1),
        "memory": check("memory", 3.0, 3.0, measured={"memory": 1.02, "full_at": 1.2, "zero_at": 2.0}),
        "huge": check("huge", 6.0, 6.0, hidden=True, hint="think of what is larger than a batch"),
    }
    known: dict[str, Any] = {
        "assignment": "echo",
        "digest": f"sha256:{student.encode(errors='replace').hex():0<64.64}",
        "submitted_at": "2030-01-30T20:15:00+00:00",
        "device": "cpu",
        "sandbox": "namespaces",
        "seed": "5eed5eed5eed5eed",
        "seconds": 2.13,
        "flags": (),
    }
    results = tuple((right | {own.name: own for own in checks}).values())
    return Report(student=student, checks=results, **(known | fields))


LOST = check(
    "values",
    0.0,
    4.0,
    "raised",
    message="[(3, 4)] RuntimeError: view size is not compatible with input tensor's size and stride\n  echo.py, line 5, in echo: y = x.view(-1)\n(2 of 6 cases)",
    output="shape torch.Size([4, 3])\nstride (1, 4)\n",
    lines=(5,),
)
HIDDEN = check(
    "huge",
    0.0,
    6.0,
    "timed_out",
    hidden=True,
    message="[SECRET-CASE] used up its 20 s of CPU time",
    hint="think of what is larger than a batch",
    output="SECRET-OUTPUT\n",
    lines=(6,),
    measured={"SECRET_FIGURE": 123456.0},
)
FAILED = check(
    "gradient",
    0.0,
    3.0,
    "failed",
    message="[ties] the gradient is inf at [1, 0]; expected -0.36785114; 28 of 48 elements are off by up to inf",
    hint="what does the derivative of a maximum look like where two elements are equal?",
    output="".join(
        f"step {step:3}  loss {2.3 * 0.97**step:.6f}  " + "grad norm 0.123456789  " * 6 + "\n" for step in range(260)
    ),
)
NOT_LOADED = tuple(
    check(
        name,
        0.0,
        points,
        "not_run",
        message="echo.py does not load: SyntaxError: expected ':' (echo.py, line 4)",
        lines=(4,),
    )
    for name, points in (("values", 4.0), ("gradient", 3.0), ("speed", 4.0), ("memory", 3.0))
)

ADA = report(
    "ada",
    LOST,
    FAILED,
    timed(5.8),
    HIDDEN,
    flags=("FLAG-OF-ADA: look at it",),
    notes=("1 other file was not read",),
)
BOB = report("bob")
ODD = replace(report(HOSTILE, replace(LOST, message=HOSTILE, output=HOSTILE)), notes=(HOSTILE,), flags=(HOSTILE,))
CLASS = [
    report("Zoë Ångström", timed(7.5)),
    report("dana10", timed(3.0)),
    report("dana9", FAILED, timed(30.0, width=0.001)),
    BOB,
    ADA,
    report(
        "李雷",
        *NOT_LOADED,
        replace(HIDDEN, verdict="not_run", message=""),
        flags=("graded at sandbox level user; the course asks for namespaces",),
    ),
    report(
        "emil",
        check(
            "speed",
            0.0,
            4.0,
            "forbidden",
            message="called torch.clone, which this assignment forbids",
            measured={"ratio": 2.0, "full_at": 4.5, "zero_at": 9.0},
        ),
    ),
    report("Fatima", check("memory", 0.0, 3.0, "grader_error", message="KeyError: 'kept'")),
    report(
        "a-very-long-name-that-goes-on-and-on-without-a-single-space-until-the-end-of-the-line-and-further",
        timed(4.9),
    ),
    ODD,
    *(report(f"student {number:02}", timed(2.5 * 1.09**number)) for number in range(24)),
]
# A class with a check whose threshold is a speed-up.
FAST = report("fay", timed(0.02, full_at=0.0125, zero_at=0.05))


def findings(reports: list[Report] = CLASS) -> Findings:
    """Return what else is known of the class."""
    ada, bob, odd = (
        Submission(name, "echo", SOURCE, "sha256:1", f"{name}/echo.py") for name in ("ada", "bob", HOSTILE)
    )
    pairs = (Pair(ada, bob, 1.0, 40, identical=True), Pair(bob, odd, 0.73, 31))
    return Findings(Copies(pairs, (), 0), rankings(reports, ["speed"]), ["gregor", HOSTILE])


def no_number() -> CheckResult:
    """Return a check whose measure came to nothing."""
    return check("speed", 0.0, 4.0, "failed", measured={"ratio": math.nan, "full_at": 4.5, "zero_at": 9.0})
