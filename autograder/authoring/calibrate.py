"""Time what is kept for an assignment, and say where the thresholds of its speed checks should lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.authoring.thresholds import Proposal, Sample, number, propose
from autograder.authoring.validate import Expectation, expectations
from autograder.course.check_list import Claim, claims_in
from autograder.course.loading import Assignment, Course, Threshold
from autograder.errors import CourseError
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.report.credit import score, share
from autograder.report.measure import timing_of, why_untimed
from autograder.report.model import CheckResult
from autograder.submission.reading import read_submission

_KINDS = ("reference", "right", "slow")


@dataclass(frozen=True)
class Calibration:
    """One check on one device: what was timed, and what follows from it.

    Attributes:
        check: The check's name.
        device: The device's name.
        points: What the check is worth.
        now: The bounds that `course.yml` has.
        samples: What was timed: reference, right, slow, each kind by its ratio.
        left_out: Submissions without a ratio that counts, each with the reason.
        proposal: The bounds to have.
    """

    check: str
    device: str
    points: float
    now: Threshold
    samples: tuple[Sample, ...]
    left_out: tuple[tuple[str, str], ...]
    proposal: Proposal

    def credit(self, sample: Sample, bounds: Threshold) -> float:
        """Return the points that a submission gets under some bounds."""
        return score(self.points, share(sample.timing.low, full_at=bounds.full_at, zero_at=bounds.zero_at))

    def yaml(self) -> str:
        """Return the lines for `thresholds` in `course.yml`, the present bounds as a comment; empty if none."""
        bounds = self.proposal.bounds
        if bounds is None:
            return ""
        entry = f"{self.device}: {{full_at: {number(bounds.full_at)}, zero_at: {number(bounds.zero_at)}}}"
        present = f"now full_at: {number(self.now.full_at)}, zero_at: {number(self.now.zero_at)}"
        return f"      {self.check}:\n        {entry}  # {present}\n"


def calibrate(
    course: Course, job: Job, *, jobs: int = 1, progress: Callable[[str], None] = lambda words: None
) -> list[Calibration]:
    """Time reference, right and slow solutions anew, and propose bounds for each check that has some on the device.

    Args:
        course: The course.
        job: The assignment, the device and the sandbox level.
        jobs: How many processes time at once.
        progress: Told of each submission that was timed.

    Raises:
        CourseError: If the assignment keeps no solutions, or no check has bounds to start from on this device.
    """
    assignment = course.assignment(job.assignment)
    kept = expectations(assignment)
    claims = [claim for claim in _claims(assignment) if job.device in assignment.thresholds.get(claim.name, {})]
    if not claims:
        raise CourseError(
            f"{assignment.name}: course.yml has no thresholds on {job.device}; expected some to start from, under the "
            f"name of each timed check; write for example "
            f"`{job.device}: {{full_at: 1.0, zero_at: 2.0}}` and calibrate again"
        )
    chosen = [item for item in kept if _kind(item) or any(_slow(item, claim) for claim in claims)]
    stub = assignment.stub.read_text(encoding="utf-8")
    submissions = [read_submission(item.path, name=assignment.name, student=item.name, stub=stub) for item in chosen]
    timed: list[tuple[Expectation, Mapping[str, CheckResult]]] = []
    select = tuple(claim.name for claim in claims)
    for place, report in grade_all(replace(job, select=select), submissions, jobs=jobs):
        timed.append((chosen[place], {check.name: check for check in report.checks}))
        progress(f"{chosen[place].kind} {chosen[place].name}: {report.seconds:.1f} s")
    return [_calibration(claim, job.device, assignment.thresholds[claim.name], timed) for claim in claims]


def _calibration(
    claim: Claim,
    device: str,
    bounds: Mapping[str, Threshold],
    timed: Sequence[tuple[Expectation, Mapping[str, CheckResult]]],
) -> Calibration:
    samples, left_out = [], []
    for item, checks in timed:
        kind = _kind(item) or ("slow" if _slow(item, claim) else "")
        timing = timing_of(checks[claim.name])
        if kind and timing is not None:
            samples.append(Sample(kind, item.name, timing))
        elif kind:
            left_out.append((item.name, why_untimed(checks[claim.name])))
        elif claim.name in item.fails:
            left_out.append((item.name, f"loses {claim.name} by losing {claim.needs}"))
    samples.sort(key=lambda sample: (_KINDS.index(sample.kind), sample.timing.ratio, sample.name))
    proposal = propose(samples)
    return Calibration(
        claim.name, device, claim.points, bounds[device], tuple(samples), tuple(sorted(left_out)), proposal
    )


def _claims(assignment: Assignment) -> Iterator[Claim]:
    root = assignment.solutions.parent.parent
    for file in (*assignment.check_files(), *assignment.hidden_check_files()):
        yield from claims_in(file, root)


def _kind(item: Expectation) -> str:
    """Return the kind of a submission that must get every point; empty for others."""
    return item.kind if item.kind in ("reference", "right") else ""


def _slow(item: Expectation, claim: Claim) -> bool:
    """Tell whether a wrong solution is kept for losing a check by itself, not by losing another that it needs."""
    return item.kind == "wrong" and claim.name in item.fails and claim.needs not in item.fails
