"""Judge whether this machine can time, by its settings and by what was measured on it."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.checks.device import require_device
from autograder.checks.measure.speed import Ratio
from autograder.doctor.cpu import Settings, read_settings
from autograder.doctor.machine import Finding, State
from autograder.doctor.timing_probe import COARSE_S, Measurement, holds_one, measure
from autograder.sandbox.levels import best_level
from autograder.sandbox.start import make_sandbox

NOISY = 0.25
"""A median so far above the least time is worth a word: verdicts take more pairs and longer."""


def examine_timing(device: str = "cpu") -> list[Finding]:
    """Measure this machine at its strongest sandbox level, and say what was found.

    Args:
        device: The device's name.

    Raises:
        CourseError: If this machine does not have the device.
        SandboxError: If no worker starts, or the device's lock cannot be opened.
    """
    require_device(device)
    machine = read_settings()  # first: whoever measures stays on one core
    sandbox = make_sandbox(best_level(), device=device)
    try:
        return judge(machine, measure(sandbox), device=device)
    finally:
        sandbox.close()


def judge(machine: Settings, found: Measurement, *, device: str = "cpu") -> list[Finding]:
    """Say what was found, and what stands in the way of timing: the findings in state `missing`.

    Args:
        machine: The machine's settings.
        found: What was measured.
        device: The device's name.
    """
    wall = device != "cpu"
    findings = [_cores(machine, wall), _governor(machine)]
    if found.failure:
        return [*findings, Finding("timing", "missing", f"the measurement failed ({found.failure})")]
    findings.append(_clock(found, "wall clock" if wall else "CPU clock"))
    if not found.times_s:
        return findings
    median, longest = found.spread
    text = f"the same work takes {median:.1%} longer than its least time in the median of {len(found.times_s)}, "
    text += f"{longest:.1%} at worst"
    noisy = "; other work is on this core or its twin: verdicts stay right and take longer" if median > NOISY else ""
    findings.append(Finding("noise", "warning" if noisy else "ok", text + noisy))
    findings.append(Finding("bandwidth", "ok", f"a worker writes {found.bytes_per_s / 1e9:.3g} GB/s on {device}"))
    return [*findings, _identity(found.ratios, machine)]


def refusal(findings: Sequence[Finding]) -> str:
    """Return the sentence with which this machine is refused; empty if it can time."""
    reasons = [finding.text for finding in findings if finding.state == "missing"]
    return f"this machine cannot time: {'; '.join(reasons)}" if reasons else ""


def _cores(machine: Settings, wall: bool) -> Finding:
    """Judge what the wall clock minds, and what the CPU clock of a worker does not: waiting for a core."""
    suspects = _few_cores(machine)
    if suspects and wall:
        return Finding("cores", "missing", f"{suspects[0]}, and the wall clock goes on while a worker waits for it")
    if suspects:
        text = f"{suspects[0]}: a worker's CPU clock stands while it waits; timing stays right and takes longer"
        return Finding("cores", "warning", text)
    quota = machine.quota_cores
    allowed = "" if quota is None else f", with a CPU quota of {quota:.3g}: no more --jobs than that"
    return Finding("cores", "ok", f"{machine.cores}{allowed}")


def _few_cores(machine: Settings) -> list[str]:
    """Name the settings that leave less than two cores, or less than one core's time."""
    quota = machine.quota_cores
    lone = ["a lone core (the affinity of this process)"] if machine.cores < 2 else []
    little = (
        [f"a CPU quota of {quota:.2g} of a core (cpu.max of its cgroup)"] if quota is not None and quota < 1 else []
    )
    return little + lone


def _governor(machine: Settings) -> Finding:
    if not machine.governors:
        return Finding("frequency", "ok", "the kernel does not tell how it is chosen, as on most virtual machines")
    others = [name for name in machine.governors if name != "performance"]
    if not others:
        return Finding("frequency", "ok", "governor performance")
    text = (
        f"governor {', '.join(others)}: student and baseline take turns, so the ratio bears it; performance is better"
    )
    return Finding("frequency", "warning", text)


def _clock(found: Measurement, name: str) -> Finding:
    if found.step_s is None:
        return Finding("clock", "missing", f"the worker's {name} does not advance; time on Linux")
    text = f"{name}: steps of {_microseconds(found.step_s)} or less, {_microseconds(found.read_s)} to read"
    if found.step_s > COARSE_S:
        return Finding("clock", "missing", f"the worker's {name} steps by {found.step_s * 1e3:.3g} ms; time on Linux")
    return Finding("clock", "ok", text)


def _identity(ratios: Sequence[Ratio], machine: Settings) -> Finding:
    last = ratios[-1]
    words = f"{last.ratio:.4g}, between {last.low:.4g} and {last.high:.4g}, {last.pairs} pairs"
    state: State = "ok" if holds_one(last) else "missing"
    if state == "ok":
        again = f", in measurement {len(ratios)}" if len(ratios) > 1 else ""
        return Finding("identical code", state, f"its ratio is {words}{again}")
    suspects = [*(f"governor {name}" for name in machine.governors if name != "performance"), *_few_cores(machine)]
    todo = f"change {', '.join(suspects)}" if suspects else "end what else runs on it"
    return Finding(
        "identical code", state, f"the ratio of identical code misses 1 {len(ratios)} times: {words}; {todo}"
    )


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs"
