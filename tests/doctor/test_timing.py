"""A machine is measured before it times: what it cannot do is refused, with the setting that stands in the way."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from commands import autograde, refusal
from harness import Lab

from autograder.checks.measure.clock import CpuClock
from autograder.checks.measure.speed import Ratio
from autograder.doctor.cpu import Settings, cores, governors, quota_cores, read_settings
from autograder.doctor.timing import judge
from autograder.doctor.timing import refusal as sentence
from autograder.doctor.timing_probe import COARSE_S, TRIES, Measurement, measure
from autograder.sandbox.start import WorkerHandle

FREE = Settings(cores=4)
ONE = Ratio(1.004, 0.991, 1.012, 1e-3, 1e-3, 66)
OFF = Ratio(1.08, 1.05, 1.12, 1.08e-3, 1e-3, 66)
FOUND = Measurement(3.3e-7, 12.5e-6, (1.0e-4, 1.1e-4, 1.5e-4), 1.2e11, (ONE,))


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files of the kernel into a folder that stands for the root."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="ascii")
    return root


def texts(machine: Settings, found: Measurement, device: str = "cpu") -> dict[str, tuple[str, str]]:
    return {finding.name: (finding.state, finding.text) for finding in judge(machine, found, device=device)}


# -- what the kernel says ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        (
            {
                "proc/self/cgroup": "0::/pod/grader\n",
                "sys/fs/cgroup/pod/grader/cpu.max": "max 100000\n",
                "sys/fs/cgroup/pod/cpu.max": "150000 100000\n",
            },
            1.5,
        ),
        (
            {
                "proc/self/cgroup": "0::/pod/grader\n",
                "sys/fs/cgroup/pod/grader/cpu.max": "25000 100000\n",
                "sys/fs/cgroup/pod/cpu.max": "150000 100000\n",
            },
            0.25,
        ),
        ({"proc/self/cgroup": "0::/../other\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2.0),
        (
            {
                "proc/self/cgroup": "3:cpu,cpuacct:/docker/f00\n2:memory:/docker/f00\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "75000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            0.75,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu:/a\n0::/a\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "80000\n",
                "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "40000\n",
                "sys/fs/cgroup/unified/a/cpu.max": "max 100000\n",
            },
            2.0,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "nonsense\n"}, None),
    ],
    ids=["none", "v2 max", "v2", "v2 above", "v2 nested", "v2 outside", "v1 in docker", "v1 free", "both", "nonsense"],
)
def test_the_quota_is_the_least_of_all_groups_of_either_version(
    tmp_path: Path, files: dict[str, str], quota: float | None
) -> None:
    assert quota_cores(write(tmp_path, files)) == quota


def test_governors_are_told_each_once(tmp_path: Path) -> None:
    folder = "sys/devices/system/cpu"
    names = {0: "powersave", 1: "powersave", 10: "performance"}
    root = write(
        tmp_path, {f"{folder}/cpu{core}/cpufreq/scaling_governor": f"{name}\n" for core, name in names.items()}
    )

    assert governors(root) == ("performance", "powersave")


def test_a_machine_that_tells_nothing_has_neither_quota_nor_governors(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings(cores(), None, ())


# -- the judgement -----------------------------------------------------------------------------------------------------


def test_a_machine_that_can_time_is_described() -> None:
    findings = judge(FREE, FOUND)

    assert [(finding.name, finding.state, finding.text) for finding in findings] == [
        ("cores", "ok", "4"),
        ("frequency", "ok", "the kernel does not tell how it is chosen, as on most virtual machines"),
        ("clock", "ok", "CPU clock: steps of 12.5 µs or less, 0.33 µs to read"),
        ("noise", "ok", "the same work takes 10.0% longer than its least time in the median of 3, 50.0% at worst"),
        ("bandwidth", "ok", "a worker writes 120 GB/s on cpu"),
        ("identical code", "ok", "its ratio is 1.004, between 0.991 and 1.012, 66 pairs"),
    ]
    assert sentence(findings) == ""


def test_a_clock_that_does_not_advance_is_refused() -> None:
    findings = judge(FREE, Measurement(1e-6, None))

    assert sentence(findings) == "this machine cannot time: the worker's CPU clock does not advance; time on Linux"


def test_a_clock_of_coarse_steps_is_refused() -> None:
    findings = judge(FREE, Measurement(1e-6, 0.015625))

    assert sentence(findings) == "this machine cannot time: the worker's CPU clock steps by 15.6 ms; time on Linux"


def test_identical_code_that_is_not_equal_is_refused_with_the_settings_to_change() -> None:
    found = replace(FOUND, ratios=(OFF,) * TRIES)
    scaled = Settings(cores=1, quota_cores=0.5, governors=("ondemand", "performance"))

    misses = "the ratio of identical code misses 1 3 times: 1.08, between 1.05 and 1.12, 66 pairs"
    assert sentence(judge(FREE, found)) == f"this machine cannot time: {misses}; end what else runs on it"
    assert sentence(judge(scaled, found)) == (
        f"this machine cannot time: {misses}; change governor ondemand, a CPU quota of 0.5 of a core (cpu.max of its "
        "cgroup), a lone core (the affinity of this process)"
    )


def test_an_interval_that_missed_by_chance_is_said() -> None:
    state, text = texts(FREE, replace(FOUND, ratios=(OFF, ONE)))["identical code"]

    assert (state, text) == ("ok", "its ratio is 1.004, between 0.991 and 1.012, 66 pairs, in measurement 2")


@pytest.mark.parametrize(
    ("low", "high", "state"), [(1.009, 1.03, "ok"), (1.011, 1.03, "missing"), (0.97, 0.98, "missing")]
)
def test_a_hundredth_beside_the_interval_is_near_enough(low: float, high: float, state: str) -> None:
    ratio = replace(ONE, ratio=(low + high) / 2, low=low, high=high)

    assert texts(FREE, replace(FOUND, ratios=(ratio,)))["identical code"][0] == state


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Settings(cores=1), "a lone core (the affinity of this process)"),
        (Settings(cores=4, quota_cores=0.5), "a CPU quota of 0.5 of a core (cpu.max of its cgroup)"),
    ],
    ids=["lone core", "quota"],
)
def test_too_few_cores_are_refused_by_the_wall_clock_and_borne_by_the_cpu_clock(machine: Settings, words: str) -> None:
    by_cpu, by_wall = judge(machine, FOUND), judge(machine, FOUND, device="cuda")

    assert sentence(by_cpu) == ""
    assert (by_cpu[0].state, by_cpu[0].text) == (
        "warning",
        f"{words}: a worker's CPU clock stands while it waits; timing stays right and takes longer",
    )
    assert sentence(by_wall) == (
        f"this machine cannot time: {words}, and the wall clock goes on while a worker waits for it"
    )


def test_a_governor_other_than_performance_is_a_note_and_no_refusal() -> None:
    findings = judge(replace(FREE, governors=("performance", "schedutil")), FOUND)

    assert sentence(findings) == ""
    assert (findings[1].state, findings[1].text) == (
        "warning",
        "governor schedutil: student and baseline take turns, so the ratio bears it; performance is better",
    )
    assert texts(replace(FREE, governors=("performance",)), FOUND)["frequency"] == ("ok", "governor performance")


def test_a_large_quota_limits_the_jobs() -> None:
    assert texts(replace(FREE, quota_cores=2.5), FOUND)["cores"] == (
        "ok",
        "4, with a CPU quota of 2.5: no more --jobs than that",
    )


def test_noise_is_a_warning() -> None:
    state, text = texts(FREE, replace(FOUND, times_s=(1.0, 2.0, 3.0)))["noise"]

    assert state == "warning"
    assert text == (
        "the same work takes 100.0% longer than its least time in the median of 3, 200.0% at worst; other work is on "
        "this core or its twin: verdicts stay right and take longer"
    )


def test_a_measurement_that_failed_is_refused() -> None:
    assert sentence(judge(FREE, Measurement(0.0, None, failure="Crashed: the worker died"))) == (
        "this machine cannot time: the measurement failed (Crashed: the worker died)"
    )


# -- the measurement ---------------------------------------------------------------------------------------------------


class Ticking:
    """A CPU clock that shows only whole steps, as that of some systems; with steps of infinite length it stands."""

    stops = True

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._clock = CpuClock()

    def now(self, worker: WorkerHandle) -> float:
        """Return the seconds, rounded down to a step."""
        return self._clock.now(worker) // self._step_s * self._step_s if self._step_s < float("inf") else 0.0

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing."""
        yield

    def close(self) -> None:
        """Do nothing."""


def test_this_machine_is_measured_and_its_cores_are_given_back(lab: Lab) -> None:
    before = os.sched_getaffinity(0)

    found = measure(lab.sandbox)

    assert found.failure == ""
    assert 0 < found.read_s < 1e-3
    assert found.step_s is not None and 0 < found.step_s < COARSE_S
    assert 0 < min(found.times_s) < 0.1
    assert 1e8 < found.bytes_per_s < 1e13
    assert 1 <= len(found.ratios) <= TRIES
    assert 0.8 < found.ratios[-1].ratio < 1.25
    assert os.sched_getaffinity(0) == before


def test_a_clock_that_stands_ends_the_measurement(lab: Lab) -> None:
    found = measure(lab.sandbox, Ticking(float("inf")))

    assert (found.step_s, found.times_s, found.ratios, found.failure) == (None, (), (), "")


def test_a_clock_of_coarse_steps_ends_the_measurement(lab: Lab) -> None:
    found = measure(lab.sandbox, Ticking(0.002))

    assert found.step_s is None or found.step_s > COARSE_S
    assert (found.times_s, found.ratios, found.failure) == ((), (), "")


# -- the command -------------------------------------------------------------------------------------------------------


def test_doctor_measures(lab: Lab) -> None:
    lab.make()

    result = autograde(lab, "doctor", "--measure", "--json")

    findings = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert list(findings) == ["cores", "frequency", "clock", "noise", "bandwidth", "identical code"]
    refused = any(finding["state"] == "missing" for finding in findings.values())
    assert result.exit_code == (1 if refused else 0)
    assert result.stderr.startswith("autograde: this machine cannot time: ") == refused


def test_a_device_that_is_not_there_cannot_be_measured(lab: Lab) -> None:
    import torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has one")

    lab.make()

    assert refusal(lab, "doctor", "--measure", "--device", "mps") == (
        "device mps: this machine has none; expected a machine with one; use --device cpu"
    )
