"""Define what `course.yml` may say: its entries as frozen dataclasses, checked by pydantic.

Each field carries, as its pydantic description, the words that a message uses for what was expected there. What it
means stands in its class's docstring; `docs/reference/course.md` is made from both. Objects made in Python are not
checked, so that tests of the engine can ask for limits that no course may set.
"""

from __future__ import annotations

import dataclasses
import keyword
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Strict, TypeAdapter
from pydantic_core import PydanticCustomError

DEVICES = ("cpu", "cuda", "mps")
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30

_STRICT = ConfigDict(extra="forbid")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_BYTES = {"B": 1.0, "KiB": float(KIB), "MiB": float(MIB), "GiB": float(GIB)}
_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([A-Za-z]{1,3})")
_DUE = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?( ?(Z|[+-][0-9]{2}:[0-9]{2}))?")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_COURSE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
_CHECK = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_CALL = re.compile(r"([A-Za-z_]\w*::)?[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(\.\*)?", re.ASCII)

TAKEN_NAMES = sys.stdlib_module_names | {
    *("autograder", "baseline", "conftest", "functorch", "nbgrader", "numpy", "probes", "pytest", "scipy"),
    *("solutions", "submission", "torch", "torchaudio", "torchgen", "torchvision"),
}
"""Module names that a submission would shadow, or that the worker uses itself."""


def _quantity(units: Mapping[str, float]) -> Callable[[object], object]:
    """Return a validator that turns '20 s' into 20.0; what is no such text passes through to the next one."""

    def convert(value: object) -> object:
        match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
        return float(match[1]) * units[match[2]] if match and match[2] in units else value

    return convert


def _whole(value: float) -> int:
    return round(value)


def _require(holds: Callable[[str], object]) -> AfterValidator:
    """Return a validator that refuses the texts for which `holds` is false."""

    def check(value: str) -> str:
        if not holds(value):
            raise ValueError("does not hold")
        return value

    return AfterValidator(check)


def is_text(text: str) -> bool:
    """Say whether a text is one line that people can read."""
    return bool(text.strip()) and text.isprintable() and len(text) <= 200


def is_module_name(name: str) -> bool:
    """Say whether an assignment may bear a name, but for names that are taken."""
    return bool(_NAME.fullmatch(name)) and not keyword.iskeyword(name)


def _due(value: object) -> object:
    """Return a date and time, naive where the text names no offset."""
    if value is None:
        return None
    if not isinstance(value, str) or not _DUE.fullmatch(value):
        raise ValueError("not a date and time")
    return datetime.fromisoformat(value.replace(" ", "T", 1).replace(" ", ""))


def _without_password(url: str | None) -> str | None:
    """Refuse a URL that is none, or that holds a password, for students get `course.yml`."""
    if url is None:
        return None
    parts = urlsplit(url)
    if not parts.scheme or "://" not in url or parts.password is not None:
        raise ValueError("no URL, or one with a password")
    return url


def _in_order(threshold: Threshold) -> Threshold:
    if threshold.full_at >= threshold.zero_at:
        bounds = f"full_at is {threshold.full_at:g} and zero_at is {threshold.zero_at:g}"
        todo = "both are the student's time divided by the baseline's, so raise zero_at or lower full_at"
        raise PydanticCustomError("sentence", "{text}", {"text": f"{bounds}; expected full_at below zero_at; {todo}"})
    return threshold


def _expect(words: str, alias: str | None = None) -> Any:
    """Return a field whose messages say that `words` were expected; `alias` is its key in YAML."""
    return Field(description=words, validation_alias=alias)


Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, Strict(), Field(ge=1, le=4096)]
Text = Annotated[str, Strict(), _require(is_text)]
Seconds = Annotated[Number, BeforeValidator(_quantity(_SECONDS)), Field(ge=10, le=86_400)]
Size = Annotated[int, BeforeValidator(_quantity(_BYTES))]
FilePath = Annotated[Path, BeforeValidator(lambda value: Path(_text_adapter().validate_python(value)))]
CheckName = Annotated[Text, _require(_CHECK.fullmatch)]
Device = Annotated[str, Strict(), _require(DEVICES.__contains__)]
GradingsPerDay = Count | None
HiddenFeedback = Literal["none", "verdict", "hint"]


@cache
def _text_adapter() -> TypeAdapter[str]:
    return TypeAdapter(Text)


_PROMISE = "at least 10 s (which students are promised) and at most 24 h, such as 30 s or 2 min"


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bound what a submission may use in one check; times are CPU time.

    Attributes:
        time_s: The time of one check. Both limits on time are enforced from outside, by the worker's CPU clock.
        load_time_s: The time that loading the module may take.
        wall_factor: By the clock on the wall a check may take so many times as long; it ends those that wait.
        memory_bytes: Memory of the worker, files on its own disk included.
        processes: Processes, its own included. More than one never where time or memory is graded.
        threads: Threads.
        output_bytes: What it may print; the rest is cut off.
        disk_bytes: The size of each of the worker's own file systems.
    """

    __pydantic_config__ = _STRICT

    time_s: Annotated[Seconds, _expect(_PROMISE, "time")] = 30.0
    load_time_s: Annotated[Seconds, _expect(_PROMISE, "load_time")] = 30.0
    wall_factor: Annotated[
        Annotated[Number, Field(ge=2, le=100)], _expect("a number from 2 to 100 (wall clock / CPU time), such as 4")
    ] = 4.0
    memory_bytes: Annotated[
        Annotated[Size, Field(ge=4 * GIB, le=1 << 50), AfterValidator(_whole)],
        _expect("at least 4 GiB (which students are promised), such as 4 GiB or 6 GiB", "memory"),
    ] = 4 * GIB
    processes: Annotated[Count, _expect("a whole number from 1 to 4096")] = 1
    threads: Annotated[Count, _expect("a whole number from 1 to 4096")] = 64
    output_bytes: Annotated[
        Annotated[Size, Field(ge=KIB, le=GIB), AfterValidator(_whole)],
        _expect("a size from 1 KiB to 1 GiB, such as 1 MiB", "output"),
    ] = MIB
    disk_bytes: Annotated[
        Annotated[Size, Field(ge=MIB, le=1 << 40), AfterValidator(_whole)],
        _expect("a size of at least 1 MiB, such as 64 MiB", "disk"),
    ] = 64 * MIB


@dataclasses.dataclass(frozen=True)
class Threshold:
    """Bound the ratio of a speed check, the student's time divided by the baseline's.

    Attributes:
        full_at: All points at or below it.
        zero_at: No points at or above it. Between the two the points fall with the logarithm of the ratio.
    """

    __pydantic_config__ = _STRICT

    full_at: Annotated[Annotated[Number, Field(gt=0)], _expect("a number above 0, such as 4.5")]
    zero_at: Annotated[Annotated[Number, Field(gt=0)], _expect("a number above full_at, such as 9")]


@dataclasses.dataclass(frozen=True)
class LatePolicy:
    """Say what a late day costs, as shares of the score.

    Attributes:
        grace_days: Days after the due date that cost nothing.
        penalty_per_day: What each further day that has started costs.
        cap: The most that lateness costs.
    """

    __pydantic_config__ = _STRICT

    grace_days: Annotated[Annotated[Number, Field(ge=0, le=366)], _expect("a number of days from 0 to 366")] = 0.0
    penalty_per_day: Annotated[Share, _expect("a share from 0 to 1, such as 0.1 for a tenth of the score a day")] = 0.0
    cap: Annotated[Share, _expect("a share from 0 to 1, the most that lateness may cost, such as 0.5")] = 1.0


Thresholds = Mapping[CheckName, Mapping[Device, Annotated[Threshold, AfterValidator(_in_order)]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class AssignmentEntry:
    """Hold what `course.yml` says about one assignment.

    Attributes:
        name: The name of its folders under `assignments/` and `solutions/`, and of the module that students write.
        title: What people read.
        due: When it is due, in the course's time zone unless the date has an offset.
        late: What a late day costs.
        hidden_feedback: What students read about hidden checks: nothing but the points, the verdict, or also the hint.
        gradings_per_day: How many different submissions of one student are graded officially on one day.
        forbidden: Calls that a submission may not make: dotted names, where `.*` at the end stands for all names in a
            module, and families of names: `softmax`, `matrix_products`.
        thresholds: The bounds of the speed checks, for each device.
        limits: What a submission may use.
        stub_score: What the unchanged stub earns, for `autograde validate`.
        preload: Modules to import before workers are forked, each of which would otherwise import them anew.
    """

    __pydantic_config__ = _STRICT

    name: Annotated[
        Annotated[str, Strict(), _require(is_module_name)],
        _expect("a lower-case Python name of at most 60 characters, such as logsoftmax"),
    ]
    title: Annotated[Text, _expect("one line of text, in quotes where YAML takes it for something else")]
    due: Annotated[
        Annotated[datetime | None, BeforeValidator(_due)],
        _expect("a date with its time of day, such as 2026-12-04 23:59 or 2026-12-04 23:59 +01:00"),
    ] = None
    late: Annotated[LatePolicy, _expect("the keys grace_days, penalty_per_day and cap")] = LatePolicy()
    hidden_feedback: Annotated[HiddenFeedback, _expect("none, verdict or hint")] = "hint"
    gradings_per_day: Annotated[GradingsPerDay, _expect("a whole number from 1 to 4096")] = None
    forbidden: Annotated[
        tuple[Annotated[Text, _require(_CALL.fullmatch)], ...],
        _expect("a list of families and dotted names such as matrix_products, torch.matmul or aten::mm"),
    ] = ()
    thresholds: Annotated[
        Thresholds,
        _expect("a check's name, under it cpu, cuda or mps, under that full_at and zero_at"),
    ] = dataclasses.field(default_factory=dict)
    limits: Annotated[Limits, _expect("keys such as time and memory")] = Limits()
    stub_score: Annotated[
        Annotated[Number, Field(ge=0)], _expect("the points that the unchanged stub earns, such as 0 or 6")
    ] = 0.0
    preload: Annotated[
        tuple[Annotated[Text, _require(_DOTTED.fullmatch)], ...], _expect("a list of modules such as torchvision")
    ] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class CourseEntry:
    """Hold what `course.yml` says.

    `late`, `hidden_feedback`, `gradings_per_day` and `limits` are the defaults of every assignment.

    Attributes:
        title: What people read.
        assignments: The assignments, in order.
        pass_mark: The share of the points from which `check` and `grade` exit 0.
        device: Where submissions run; `auto` is a GPU of NVIDIA's where there is one, else the CPU.
        sandbox: The level that official grading demands.
        timezone: The time zone of due dates.
        data: The folder of data sets; what it lacks is looked for where the variable `AUTOGRADE_DATA` says.
        secret_file: The file of the secret behind the random inputs, made where it is missing; the variable
            `AUTOGRADE_SECRET` overrides it.
        course_id: nbgrader's name of the course.
        exchange: nbgrader's exchange folder; nbgrader's own default if absent.
        gradebook: The URL of nbgrader's gradebook; `gradebook.db` beside `course.yml` if absent. The variable
            `AUTOGRADE_GRADEBOOK` overrides it and may hold a password.
        late: What a late day costs.
        hidden_feedback: What students read about hidden checks: nothing but the points, the verdict, or also the hint.
        gradings_per_day: How many different submissions of one student are graded officially on one day.
        limits: What a submission may use.
    """

    __pydantic_config__ = _STRICT

    title: Annotated[Text, _expect("one line of text, in quotes where YAML takes it for something else")]
    assignments: Annotated[tuple[AssignmentEntry, ...], _expect("a list of entries that begin with '- name: ...'")]
    pass_mark: Annotated[Share, _expect("a share of the points from 0 to 1, such as 0.5")] = 0.5
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], _expect("auto, cpu, cuda or mps")] = "auto"
    sandbox: Annotated[Literal["namespaces", "user", "process"], _expect("namespaces, user or process")] = "namespaces"
    timezone: Annotated[Text, _expect("a name of the time zone database such as Europe/Vienna")] = "UTC"
    data: Annotated[FilePath | None, _expect("a folder, relative to course.yml")] = None
    secret_file: Annotated[FilePath, _expect("a file, relative to course.yml")] = Path(".autograde/secret")
    course_id: Annotated[
        Annotated[Text, _require(_COURSE_ID.fullmatch)],
        _expect("nbgrader's name of the course: at most 60 letters, digits, dots, dashes and underscores"),
    ] = "course"
    exchange: Annotated[FilePath | None, _expect("nbgrader's exchange folder, relative to course.yml")] = None
    gradebook: Annotated[
        Annotated[Text | None, AfterValidator(_without_password)],
        _expect("a database URL without a password, such as postgresql+psycopg://grader@localhost/gradebook"),
    ] = None
    late: Annotated[LatePolicy, _expect("the keys grace_days, penalty_per_day and cap")] = LatePolicy()
    hidden_feedback: Annotated[HiddenFeedback, _expect("none, verdict or hint")] = "hint"
    gradings_per_day: Annotated[GradingsPerDay, _expect("a whole number from 1 to 4096")] = None
    limits: Annotated[Limits, _expect("keys such as time and memory")] = Limits()
