"""The pytest plugin: collects check files, gives them their fixtures, and records verdicts.

``autograde grade`` runs pytest with this plugin and a ``Grading`` of its own; plain ``pytest assignments/<name>``
makes one for the module that lies in the folder, so that students may use the pytest they know.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from autograder.checks.points import points_of
from autograder.errors import AutograderError, CourseError

if TYPE_CHECKING:
    import torch

    from autograder.checks.check_run import CheckRun
    from autograder.checks.measure.memory import Memory
    from autograder.checks.measure.speed import Speed
    from autograder.checks.pictures import Pictures
    from autograder.checks.session import Grading
    from autograder.checks.student import Probe, Student
    from autograder.report.credit import Credit

GRADING: pytest.StashKey[Grading] = pytest.StashKey()
_COURSE = pytest.StashKey[Path]()
_CHECK: pytest.StashKey[CheckRun] = pytest.StashKey()
_SKIPPED = pytest.StashKey[bool]()
_PREFIX = "check_"
_HIDDEN_FOLDER = "solutions"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of plain ``pytest assignments/<name>``."""
    group = parser.getgroup("autograder")
    group.addoption(
        "--submission", metavar="PATH", help="the submission to check, in place of the module in the folder"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect check files where a course is at hand; elsewhere the plugin does nothing."""
    from autograder.course.loading import find_course

    starts = [Path(str(argument).partition("::")[0]) for argument in config.args] or [config.invocation_params.dir]
    try:
        course = find_course(starts[0].absolute())
    except AutograderError:
        return
    config.stash[_COURSE] = course
    config.addinivalue_line("python_files", f"{_PREFIX}*.py")
    config.addinivalue_line("python_functions", _PREFIX)


def _is_check_file(path: Path) -> bool:
    return path.name.startswith(_PREFIX) and path.suffix == ".py"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Register the fixtures that the check files of an assignment share."""
    if not _is_check_file(file_path) or _COURSE not in parent.config.stash:
        return
    root = parent.config.stash[_COURSE].parent
    fixtures = root / "assignments" / file_path.parent.name / "fixtures.py"
    name = f"autograder_fixtures_{file_path.parent.name}"
    manager = parent.config.pluginmanager
    if fixtures.is_file() and not manager.has_plugin(name):
        manager.register(_import(fixtures, name), name)


def _import(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CourseError(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> Any:
    """Take functions ``check_*`` for checks in check files only, and insist on title and points there."""
    if not name.startswith(_PREFIX):
        return None
    if not _is_check_file(Path(collector.path)):
        return [] if _COURSE in collector.config.stash else None
    if callable(obj) and getattr(obj, "__module__", "") == collector.obj.__name__:
        line = obj.__code__.co_firstlineno if hasattr(obj, "__code__") else 1
        where = f"{Path(collector.path).name}:{line}: {name}"
        if points_of(obj) is None:
            raise pytest.UsageError(f"{where} has no points; put @points(...) above it")
        if not (obj.__doc__ or "").strip():
            raise pytest.UsageError(f"{where} has no docstring; its first line is the title that students read")
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fix the checks and their number before the first one runs."""
    owners: dict[str, Any] = {}
    for item in items:
        function: Any = getattr(item, "function", None)
        marked = points_of(function)
        if marked is None or not _is_check_file(item.path):
            continue
        grading = _grading_of(item)
        name = function.__name__.removeprefix(_PREFIX)
        hidden = item.path.parent.parent.name == _HIDDEN_FOLDER
        if owners.setdefault(f"{item.path.parent.name}/{name}", function) is not function:
            raise pytest.UsageError(f"{item.path.name}: there is another check_{name}; rename one")
        check = next((check for check in grading.checks if check.name == name), None)
        if check is None:
            from autograder.checks.check_run import CheckRun

            title = (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
            check = CheckRun(name, title, marked, hidden)
            grading.checks.append(check)
        check.cases += 1
        item.stash[_CHECK] = check


def _grading_of(item: pytest.Item) -> Grading:
    stash = item.config.stash
    if GRADING in stash:
        return stash[GRADING]
    holder = item.config.stash.setdefault(_OWN, {})
    folder = item.path.parent
    if folder.name not in holder:
        holder[folder.name] = _own_grading(item, folder)
    return holder[folder.name]


_OWN: pytest.StashKey[dict[str, Grading]] = pytest.StashKey()


def _own_grading(item: pytest.Item, folder: Path) -> Grading:
    """Prepare a grading for plain pytest: the module in the folder, or the one that ``--submission`` names."""
    from autograder.checks.device import choose_device
    from autograder.checks.session import make_grading, preloaded
    from autograder.course.loading import load_course
    from autograder.sandbox.levels import best_level
    from autograder.sandbox.start import make_sandbox
    from autograder.submission.reading import other_stub, read_submission

    course = load_course(item.config.stash[_COURSE])
    assignment = course.assignment(folder.name)
    wanted = item.config.getoption("--submission")
    path = Path(wanted) if wanted else assignment.folder
    submission = read_submission(path, name=assignment.name, stub=other_stub(assignment, path))
    sandbox = make_sandbox(best_level(), preloaded(assignment), assignment.forbidden, device=choose_device(course))
    item.config.add_cleanup(sandbox.close)
    hidden = bool(assignment.hidden_check_files())
    grading = make_grading(course, submission, sandbox, hidden=hidden)
    grading.try_loading()
    item.config.add_cleanup(grading.close)
    return grading


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, Any, Any]:
    """Open and close the check that a case belongs to."""
    check = item.stash.get(_CHECK, None)
    if check is None:
        return (yield)
    grading = _grading_of(item)
    item.stash[_SKIPPED] = not grading.begin(check, _case(item))
    try:
        return (yield)
    finally:
        if item.stash[_SKIPPED]:
            grading.skip_case(check)
        if check.done >= check.cases:
            grading.finish_check(check)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out a case whose check has its verdict already."""
    if item.stash.get(_SKIPPED, False):
        pytest.skip(item.stash[_CHECK].message)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Record the verdict of a case."""
    report: Any = yield
    check = item.stash.get(_CHECK, None)
    if check is None or item.stash.get(_SKIPPED, False):
        return report
    error = call.excinfo.value if call.excinfo is not None else None
    if call.when == "call" or (call.when == "setup" and error is not None):
        _grading_of(item).finish_case(check, _case(item), error)
        if check.verdict not in (None, "grader_error") and report.failed:
            report.longrepr = check.message
    elif call.when == "teardown" and error is not None:
        check.lose("grader_error", f"{type(error).__name__}: {error}", final=True)
    return report


def _case(item: pytest.Item) -> str:
    return str(item.callspec.id) if hasattr(item, "callspec") else ""


# -- fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def grading(request: pytest.FixtureRequest) -> Grading:
    """The grading that this check belongs to."""
    return _grading_of(request.node)


@pytest.fixture
def student(grading: Grading) -> Student:
    """The submission, in a worker that the cases of this check share."""
    return grading.student()


@pytest.fixture
def probe(grading: Grading) -> Probe:
    """The functions of ``probes.py``, beside ``student`` in its worker."""
    from autograder.checks.student import Probe

    return Probe(grading.student())


@pytest.fixture
def rng(grading: Grading, request: pytest.FixtureRequest) -> torch.Generator:
    """A generator with a secret seed, fresh for every case and submission."""
    import torch

    generator = torch.Generator()
    generator.manual_seed(grading.seed(grading.running.name, _case(request.node)))
    return generator


@pytest.fixture
def device(grading: Grading) -> torch.device:
    """The device that the submission is graded on."""
    return grading.device


@pytest.fixture
def credit(grading: Grading) -> Credit:
    """Gives part of the points by a measure."""
    return grading.running.credit


@pytest.fixture
def speed(grading: Grading) -> Speed:
    """Times the submission against the baseline."""
    from autograder.checks.measure.speed import PAIRS, Speed

    name = grading.running.name
    bounds = grading.threshold(name)
    return Speed(
        grading.workers,
        grading.running.credit,
        bounds,
        clock=grading.clock,
        name=name,
        pictures=grading.pictures,
        pairs=grading.pairs or PAIRS,
    )


@pytest.fixture
def pictures(grading: Grading) -> Pictures:
    """Draws pictures for people, where they are wanted: on a student's own machine."""
    return grading.pictures


@pytest.fixture
def memory(grading: Grading) -> Memory:
    """Measures the submission's memory in fresh workers."""
    from autograder.checks.measure.memory import Memory

    return Memory(grading.workers)


@pytest.fixture(scope="session")
def session_grading(request: pytest.FixtureRequest) -> Grading:
    """The grading of this run, for fixtures that several checks share."""
    if GRADING in request.config.stash:
        return request.config.stash[GRADING]
    return next(iter(request.config.stash[_OWN].values()))


@pytest.fixture(scope="session")
def new_student(session_grading: Grading) -> Callable[..., Student]:
    """Start workers that outlive their check: ``new_student(time_s=..., memory_bytes=..., module=...)``."""
    from autograder.checks.student import Student

    def start(*, time_s: float | None = None, memory_bytes: int | None = None, module: str = "submission") -> Student:
        worker = session_grading.workers.start(module, time_s=time_s, memory_bytes=memory_bytes)
        return session_grading.keep(Student(worker, session_grading.workers))

    return start


@pytest.fixture(scope="session")
def source(session_grading: Grading) -> str:
    """The text of the submission."""
    return session_grading.submission.source
