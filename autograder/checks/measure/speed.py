"""Time a submission against a baseline by a clock that a busy machine does not change.

Student and baseline run in two equal workers on one core and take turns, each block with inputs that its worker has
never seen. On the CPU the grader reads the CPU clock of the worker: when it says "go", and, once the worker has
said "done", when it has been stopped and its clock stands. The result's bytes are read while it is stopped, so
nothing can be filled in later. The ratio is minimum ÷ minimum over the pairs. Its interval says whether more of them
could change the score; `docs/measuring.md` has the method and its measured errors.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.checks.comparison import assert_close
from autograder.checks.launcher import Launcher
from autograder.checks.measure import bandwidth as floor
from autograder.checks.measure.clock import Clock, believable
from autograder.checks.pictures import Pictures
from autograder.checks.student import note_call
from autograder.course.loading import Threshold
from autograder.report.credit import Credit
from autograder.sandbox.start import WorkerHandle
from autograder.verdicts import Crashed
from autograder.wire import frames, values

PAIRS = 11
MOST_PAIRS = 66
MOST_S = 2.0
"""Seconds in the timed parts and before them, of both sides, after which an open verdict stays open."""
WARM_UP_PAIRS = 2
PICTURE_TURNS = 4
_GROUPS = 5
# A thread is shown as stopped a moment before it leaves its core for good, and on a busy machine it may have to wait
# for that moment; it runs none of its own code any more.
_STOPPING_S = 1e-3
# What staging may cost beyond the baseline's: more is work that belongs into the timed part.
_STAGING_FACTOR, _STAGING_SLACK_S = 1.1, 30e-6


@dataclass
class Side:
    """One worker of a pair and its times.

    Attributes:
        worker: The worker.
        timed_s: For each pair the seconds of the timed part.
        staging_s: For each pair the seconds of unpacking the inputs, which is not timed.
    """

    worker: WorkerHandle
    timed_s: list[float] = field(default_factory=list)
    staging_s: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Ratio:
    """The student's time ÷ the baseline's.

    Attributes:
        ratio: Minimum ÷ minimum over all pairs.
        low: The lower end of its interval.
        high: The upper end.
        student_s: The student's least time of a block.
        baseline_s: The baseline's least time of a block.
        pairs: How many pairs were timed.
    """

    ratio: float
    low: float
    high: float
    student_s: float
    baseline_s: float
    pairs: int


def ratio_of(student_s: list[float], baseline_s: list[float]) -> Ratio:
    """Return the ratio of two lists of times with its interval.

    The interval spans the ratios of five interleaved groups of pairs: each is an independent measurement of the same
    ratio by the same estimator.
    """
    student_s, baseline_s = believable(student_s), believable(baseline_s)
    least, baseline = min(student_s), min(baseline_s)
    ratios = [
        min(student_s[group::_GROUPS]) / min(baseline_s[group::_GROUPS])
        for group in range(min(_GROUPS, len(student_s)))
    ]
    ratio = least / baseline
    return Ratio(ratio, min(ratio, *ratios), max(ratio, *ratios), least, baseline, len(student_s))


class Speed:
    """Times the submission in a check; see the module's words.

    Attributes:
        threshold: The bounds of the check that runs; None if ``course.yml`` has none for this device.
    """

    def __init__(
        self,
        workers: Launcher,
        credit: Credit,
        threshold: Threshold | None,
        *,
        clock: Clock,
        name: str,
        pictures: Pictures | None = None,
        pairs: int = PAIRS,
    ) -> None:
        self.threshold = threshold
        self._pairs = pairs
        self._pictures = pictures or Pictures()
        self._workers = workers
        self._credit = credit
        self._clock = clock
        self._name = name

    def __call__(
        self,
        target: str,
        inputs: Callable[[], tuple[Any, ...]],
        expected: Callable[..., Any],
        *,
        compare: Callable[[Any, Any], None] = assert_close,
        calls: int = 1,
        threshold: Threshold | None = None,
        sizes: Mapping[int, Callable[[], tuple[Any, ...]]] | None = None,
    ) -> Ratio:
        """Time a function and credit its ratio to the baseline's; the worst of several calls counts.

        Args:
            target: A function of ``probes.py``, called ``target(module, *inputs)``; if there is none of that name, a
                function of the module, called ``target(*inputs)``.
            inputs: Makes the arguments of one call, fresh each time.
            expected: The oracle: takes the arguments, returns what the call must return.
            compare: Compares a result with the oracle's; raises AssertionError.
            calls: Calls in a timed block, each with arguments of its own.
            threshold: Bounds in place of ``course.yml``'s.
            sizes: Makes arguments of several sizes; where pictures are wanted, both sides are timed on them too and
                the times are drawn against the size.

        Raises:
            AssertionError: If a result is wrong or the ratio earns nothing.
            CallFailed: If the worker is lost or made a forbidden call.
        """
        bounds = threshold or self.threshold
        if bounds is None:
            raise LookupError(f"course.yml has no thresholds for {self._name} on {self._workers.device.type}")
        with self._clock.alone():
            student, baseline = Side(self._workers.start()), Side(self._workers.start("baseline"))
            core = _timing_core()
            for side in (student, baseline):
                side.worker.process.pin(core)
            role = self._workers.target(target)
            note_call(target)
            pair = 0
            while True:
                arguments = [inputs() for _ in range(calls)]
                order = (student, baseline) if pair % 2 else (baseline, student)
                counted = pair >= WARM_UP_PAIRS
                results = {id(side): self._block(side, role, arguments, counted) for side in order}
                written = 0
                for args, result in zip(arguments, results[id(student)], strict=True):
                    wanted = expected(*args)
                    compare(result, wanted)
                    written += floor.written_bytes(wanted, args)
                pair += 1
                if pair < WARM_UP_PAIRS + self._pairs:
                    continue
                ratio = _with_staging(student, baseline)
                settled = self._credit.same_score(ratio.low, ratio.high, full_at=bounds.full_at, zero_at=bounds.zero_at)
                if settled or ratio.pairs >= self._pairs * MOST_PAIRS // PAIRS or _spent_s(student, baseline) >= MOST_S:
                    break
            self._require_possible(ratio, written, baseline)
            if sizes and self._pictures.wanted:
                self._draw(student, baseline, role, sizes, calls)
            for side in (student, baseline):
                self._workers.end(side.worker)
        self._credit(
            ratio.ratio,
            full_at=bounds.full_at,
            zero_at=bounds.zero_at,
            low=ratio.low,
            high=ratio.high,
            count={"pairs": ratio.pairs},
            text=_words(ratio, bounds, calls, settled=settled),
        )
        return ratio

    def _require_possible(self, ratio: Ratio, written_bytes: int, baseline: Side) -> None:
        """Refuse a time in which this machine cannot even have written the results."""
        rate = floor.bandwidth(baseline.worker, self._clock, self._workers.device)
        least_s = written_bytes / rate
        if ratio.student_s < floor.SHARE * least_s:
            times = f"{_milliseconds(ratio.student_s)} for {written_bytes} bytes of results"
            words = f"{times}, which takes {_milliseconds(least_s)} to write here at {rate / 1e9:.0f} GB/s"
            self._credit.flags.append(f"too fast to be true: {words}; needs review")
            raise AssertionError(
                f"too fast to be true: {words}; it earns nothing until your instructor has reviewed it"
            )

    def _draw(
        self,
        student: Side,
        baseline: Side,
        role: str,
        sizes: Mapping[int, Callable[[], tuple[Any, ...]]],
        calls: int,
    ) -> None:
        curves: dict[str, list[tuple[float, float]]] = {"yours": [], "baseline": []}
        for size, inputs in sorted(sizes.items()):
            for label, worker in (("yours", student.worker), ("baseline", baseline.worker)):
                side = Side(worker)
                for turn in range(PICTURE_TURNS):
                    self._block(side, role, [inputs() for _ in range(calls)], counted=turn > 0)
                curves[label].append((size, min(side.timed_s) / calls))
        self._pictures.curves(self._name, f"{self._name}: time against size", curves, "size|CPU seconds a call")

    def _block(self, side: Side, role: str, arguments: list[tuple[Any, ...]], counted: bool) -> list[Any]:
        worker = side.worker
        worker.request("collect", trim=False)
        body = values.Body()
        nodes = [[values.encode(value, body, keep_strides=True) for value in args] for args in arguments]
        before = self._clock.now(worker)
        # The warm-up runs under every net against forbidden calls; the timed part under those that cost nothing.
        worker.request("stage", body.buffers, target=role, calls=nodes, watch=not counted)
        staged = self._clock.now(worker)
        pointers = self._clock.stops and worker.process.readable
        header, buffers = worker.exchange(lambda: worker.send("go", trim=False, pointers=pointers))
        end = worker.process.stop() if pointers else self._clock.now(worker)
        try:
            worker.judge(header)
            memory = worker.process.read_memory if pointers else None
            results = values.Decoder(buffers, memory=memory, device=self._workers.device).decode(header.get("result"))
            if pointers and worker.process.cpu_time_s() - end > _STOPPING_S:
                raise Crashed("the worker went on after it was stopped")
        except frames.WireError as error:
            raise worker.malformed(error) from error
        finally:
            if pointers:
                worker.process.resume()
        if not isinstance(results, list) or len(results) != len(arguments):
            raise worker.malformed(frames.WireError("a block has the wrong number of results"))
        if counted:
            side.timed_s.append(end - staged)
            side.staging_s.append(staged - before)
        return results


def _with_staging(student: Side, baseline: Side) -> Ratio:
    allowed = min(baseline.staging_s) * _STAGING_FACTOR + _STAGING_SLACK_S
    surplus = [max(0.0, staging - allowed) for staging in student.staging_s]
    times = [timed + extra for timed, extra in zip(student.timed_s, surplus, strict=True)]
    return ratio_of(times, baseline.timed_s)


def _spent_s(*sides: Side) -> float:
    return sum(sum(side.timed_s) + sum(side.staging_s) for side in sides)


def _timing_core() -> set[int]:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return {cores[-1]} if cores else set()


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _words(ratio: Ratio, bounds: Threshold, calls: int, *, settled: bool) -> str:
    times = f"{_milliseconds(ratio.student_s / calls)} against {_milliseconds(ratio.baseline_s / calls)}"
    if bounds.zero_at < 1:
        found = f"{1 / ratio.ratio:.3g} times as fast as the baseline"
        low, high, full, none = 1 / ratio.high, 1 / ratio.low, f"{1 / bounds.full_at:.3g}", f"{1 / bounds.zero_at:.3g}"
        counts = high
    else:
        found = f"took {ratio.ratio:.3g} times the baseline"
        low, high, full, none = ratio.low, ratio.high, f"{bounds.full_at:g}", f"{bounds.zero_at:g}"
        counts = low
    interval = "" if settled else f"; between {low:.3g} and {high:.3g}, of which {counts:.3g} counts"
    return f"{found} ({times}, best of {ratio.pairs}{interval}); full credit is at {full}, none at {none}"
