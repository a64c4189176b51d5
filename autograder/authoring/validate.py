"""Grade the grader: stub, reference, right variants, wrong solutions and attacks of an assignment."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.authoring.notebooks import claims_of
from autograder.checks.session import OWN_WORK
from autograder.course.loading import Assignment, Course
from autograder.errors import CourseError
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.report.model import Report
from autograder.submission.reading import Submission, read_submission

QUICK_PAIRS = 4
QUICK_NUMBERS = {"right": 4, "attack": 5}
KINDS = ("stub", "reference", "right", "wrong", "attack")


@dataclass(frozen=True)
class Expectation:
    """A kept submission and what it must get.

    Attributes:
        kind: One of ``KINDS``.
        name: The file's stem.
        path: The file.
        fails: For a wrong solution the checks that it must lose, and no others.
        earns: For an attack the checks that it earns honestly.
        stub_score: For the stub its score.
        slow: Whether it takes minutes: it is left out of quick runs (``SLOW = True`` in the file).
    """

    kind: str
    name: str
    path: Path
    fails: tuple[str, ...] = ()
    earns: tuple[str, ...] = ()
    stub_score: float = 0.0
    slow: bool = False

    def problem(self, report: Report) -> str:
        """Say what is wrong with a report; empty if it is as expected."""
        if report.error:
            return f"cannot be read: {report.error}"
        broken = [check.name for check in report.checks if check.verdict == "grader_error"]
        if broken:
            return f"grader_error in {', '.join(broken)}: {report.check(broken[0]).message}"
        if self.kind == "stub":
            return "" if report.score == self.stub_score else f"earned {report.score:g}, not {self.stub_score:g}"
        lost = {check.name for check in report.checks if not check.full}
        if self.kind == "attack":
            earned = {check.name for check in report.checks if check.score > 0}
            extra = sorted(earned - set(self.earns))
            short = sorted(set(self.earns) & lost)
            return _words("earned", extra) or _words("did not earn", short)
        must = set(self.fails) if self.kind == "wrong" else set()
        problems = [_words("lost", sorted(lost - must)), _words("kept", sorted(must - lost))]
        return "; ".join(words for words in problems if words)


def _words(verb: str, names: list[str]) -> str:
    return f"{verb} {', '.join(names)}" if names else ""


def expectations(assignment: Assignment) -> list[Expectation]:
    """Return the kept submissions of an assignment.

    Raises:
        CourseError: If a wrong solution does not say what it must lose, or a name in it is no check.
    """
    solutions = assignment.solutions
    if not solutions.is_dir():
        raise CourseError(
            f"{assignment.name}: there is no solutions/{assignment.name}; validate runs where solutions are"
        )
    found = [Expectation("stub", "stub", assignment.stub, stub_score=assignment.stub_score)]
    found.append(Expectation("reference", "reference", solutions / f"{assignment.name}.py"))
    names = set(assignment.check_names())
    for kind, folder in (("right", "right"), ("wrong", "wrong"), ("attack", "attacks")):
        for path in sorted((solutions / folder).glob("*.py")):
            fails, earns = _literal(path, "FAILS"), _literal(path, "EARNS")
            unknown = sorted({*(fails or ()), *(earns or ())} - names)
            if unknown:
                raise CourseError(
                    f"{path.name}: names the checks {', '.join(unknown)}; expected some of {sorted(names)}"
                )
            if kind == "wrong" and not fails:
                raise CourseError(f"{path.name}: has no FAILS = [...]; name the checks that it must lose")
            slow = bool(_value(path, "SLOW"))
            found.append(Expectation(kind, path.stem, path, fails=fails or (), earns=earns or (), slow=slow))
    return found


def _literal(path: Path, name: str) -> tuple[str, ...] | None:
    """Read ``NAME = [...]`` from a module without running it; None if it has no such line."""
    value = _value(path, name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CourseError(f"{path.name}: {name} is {value!r}; expected a list of check names")
    return tuple(value)


def _value(path: Path, name: str) -> object:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return None
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                raise CourseError(f"{path.name}:{node.lineno}: {name} is no literal; write it out") from None
    return None


def uncovered(assignment: Assignment, found: list[Expectation]) -> list[str]:
    """Return the checks that no wrong solution loses."""
    covered = {name for item in found for name in item.fails}
    return [name for name in assignment.check_names() if name not in covered]


@dataclass(frozen=True)
class NeverAlone:
    """A check that no wrong solution loses alone.

    Attributes:
        check: The check's name.
        others: The checks that every wrong solution that loses it loses, too.
        reason: Why another check falls with it, as far as the check files say.
    """

    check: str
    others: tuple[str, ...]
    reason: str


def never_alone(assignment: Assignment, found: list[Expectation]) -> list[NeverAlone]:
    """Return the checks that have wrong solutions, but none that loses this check and no other."""
    needs = {claim.name: claim.needs for claim in claims_of(assignment)}
    losses = [set(item.fails) for item in found if item.kind == "wrong"]
    result = []
    for name in assignment.check_names():
        having = [checks for checks in losses if name in checks]
        if not having or {name} in having:
            continue
        others = sorted(set.intersection(*having) - {name})
        needing = [other for other in others if needs.get(other) == name]
        if needing:
            reason = f"{', '.join(needing)} counts only with full credit for it"
        elif name == OWN_WORK:
            reason = "a forbidden call also costs the check in which it is made"
        elif others:
            reason = f"every wrong solution that loses it also loses {', '.join(others)}"
        else:
            reason = "each wrong solution that loses it loses some other check; write one that loses it alone"
        result.append(NeverAlone(name, tuple(others), reason))
    return result


def representatives(found: list[Expectation]) -> list[Expectation]:
    """Choose what a quick run grades; nothing that takes minutes.

    Stub and reference; wrong solutions that together lose every check, those first that lose the fewest; a few right
    variants and attacks, spread evenly over all of them.
    """
    quick = [item for item in found if not item.slow]
    chosen, covered = [item for item in quick if item.kind in ("stub", "reference")], set[str]()
    for item in sorted((item for item in quick if item.kind == "wrong"), key=lambda item: len(item.fails)):
        if not covered.issuperset(item.fails):
            chosen.append(item)
            covered.update(item.fails)
    for kind, most in QUICK_NUMBERS.items():
        every = [item for item in quick if item.kind == kind]
        chosen += [every[place * len(every) // most] for place in range(most)] if len(every) > most else every
    return [item for item in found if item in chosen]


def validate(
    course: Course,
    assignment: Assignment,
    *,
    level: str,
    jobs: int = 1,
    quick: bool = False,
    keep: Callable[[Expectation], bool] = lambda item: True,
) -> Iterator[tuple[Expectation, Report, str]]:
    """Grade the kept submissions and yield each with its report and what is wrong with it.

    Args:
        course: The course.
        assignment: The assignment.
        level: The sandbox level.
        jobs: How many processes grade at once.
        quick: Grade the representatives only, and time fewer pairs; what is not as expected then is graded in full.
        keep: Chooses among the kept submissions.
    """
    found = expectations(assignment)
    chosen = [item for item in (representatives(found) if quick else found) if keep(item)]
    stub = assignment.stub.read_text(encoding="utf-8")
    submissions: list[Submission] = [
        read_submission(item.path, name=assignment.name, student=item.name, stub=stub) for item in chosen
    ]
    job = Job(course.path, assignment.name, level)
    doubtful: list[int] = []
    for place, report in grade_all(replace(job, pairs=QUICK_PAIRS) if quick else job, submissions, jobs=jobs):
        problem = chosen[place].problem(report)
        if quick and problem:
            doubtful.append(place)  # few pairs are a screening; the judgement takes the usual number
        else:
            yield chosen[place], report, problem
    for place, report in grade_all(job, [submissions[place] for place in doubtful], jobs=1):
        item = chosen[doubtful[place]]
        yield item, report, item.problem(report)
