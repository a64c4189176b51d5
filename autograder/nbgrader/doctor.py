"""Look at the nbgrader side of a course: its version, exchange, gradebook, configuration and lab extensions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from jupyter_core.paths import jupyter_config_path, jupyter_path

from autograder.course.loading import Course
from autograder.errors import ExchangeError
from autograder.nbgrader.config import gradebook_url
from autograder.nbgrader.exchange.location import Place, find_place

Looked = tuple[str, Literal["ok", "warning"], str]
"""What was looked at, its state, and a sentence. Checking and grading files works without any of it."""
TESTED = "0.9."
EXTENSIONS = {
    "formgrader": "Formgrader",
    "assignment-list": "assignment list",
    "course-list": "course list",
    "validate-assignment": "Validate button",
}
"""nbgrader's plug-ins of JupyterLab. Source: the `activate` calls of its lab extension @jupyter/nbgrader."""


def examine_nbgrader(course: Course) -> Iterator[Looked]:
    """Yield what was found, each with what to do where something is wrong."""
    try:
        version = importlib.metadata.version("nbgrader")
    except importlib.metadata.PackageNotFoundError:
        yield "nbgrader", "warning", "not installed; to release, collect and return, run `pip install nbgrader`"
        return
    if version.startswith(TESTED):
        yield "nbgrader", "ok", version
    else:
        yield "nbgrader", "warning", f"{version}; tested with {TESTED}x; install that if something goes wrong"
    if sys.platform == "win32":
        yield "exchange", "warning", "nbgrader has none on Windows; run the course's side on Linux or macOS"
    else:
        try:
            yield from _exchange(course, find_place(course))
        except ExchangeError as error:
            yield "exchange", "warning", str(error)
    if (course.root / "solutions").is_dir():
        yield _configuration(course)
        yield _gradebook(gradebook_url(course))
    yield from _lab()


def _exchange(course: Course, place: Place) -> Iterator[Looked]:
    instructor = (course.root / "solutions").is_dir()
    root = place.root
    if not root.is_dir():
        todo = f"run `mkdir -p {root} && chmod 777 {root}`, or set `exchange` in course.yml"
        yield "exchange", "warning", f"{root} does not exist; {todo if instructor else 'ask your instructor'}"
        return
    # Source: nbgrader.exchange.default.release_assignment, ensure_root and init_dest.
    wanted = ((root, 0o777, "exchange"), (place.inbound, 0o733, "inbound"), (place.outbound, 0o755, "outbound"))
    for folder, mode, name in wanted:
        try:
            found = stat.S_IMODE(folder.stat().st_mode)
        except OSError:
            text = f"{folder} is not there yet; the first `autograde release NAME` makes it"
            yield name, "warning" if not instructor else "ok", text
            continue
        if found & mode != mode:
            text = f"{folder} has mode {found & 0o777:o}; nbgrader needs {mode:o}; run `chmod {mode:o} '{folder}'`"
            yield name, "warning", text
        elif name == "inbound" and found & 0o044:
            text = f"{folder} can be listed by others, who can then read submissions; run `chmod {mode:o} '{folder}'`"
            yield name, "warning", text
        else:
            yield name, "ok", str(folder)


def _configuration(course: Course) -> Looked:
    path = course.root / "nbgrader_config.py"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        todo = "copy it from the autograder's repository, or plain nbgrader commands grade with kernels"
        return "nbgrader_config.py", "warning", f"{path} is missing; {todo}"
    if "configure(" not in text or "autograder.nbgrader" not in text:
        todo = "let it call autograder.nbgrader.config.configure"
        return "nbgrader_config.py", "warning", f"{path} does not use course.yml; {todo}"
    return "nbgrader_config.py", "ok", str(path)


def _gradebook(url: str) -> Looked:
    """Open the gradebook's database, making none."""
    from sqlalchemy import create_engine, inspect
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        parsed = make_url(url)
        shown = parsed.render_as_string(hide_password=True)
        if parsed.get_backend_name() == "sqlite" and parsed.database and not Path(parsed.database).exists():
            folder = Path(parsed.database).parent
            if os.access(folder, os.W_OK):
                return "gradebook", "ok", f"none yet; the first release writes {parsed.database}"
            return "gradebook", "warning", f"{folder} cannot be written; set `gradebook` in course.yml"
        engine = create_engine(parsed)
        try:
            tables = len(inspect(engine).get_table_names())
        finally:
            engine.dispose()
    except ArgumentError:
        return (
            "gradebook",
            "warning",
            "its URL cannot be read; correct `gradebook` in course.yml or AUTOGRADE_GRADEBOOK",
        )
    except ModuleNotFoundError as error:
        return "gradebook", "warning", f"{shown}: its driver is not installed; run `pip install {error.name}`"
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        return "gradebook", "warning", f"{shown}: {reason}; start the database, or correct its URL and password"
    return "gradebook", "ok", f"{shown}, {tables} tables"


def _lab() -> Iterator[Looked]:
    """Say whether JupyterLab shows nbgrader's buttons and its server answers them."""
    if importlib.util.find_spec("jupyterlab") is None:
        yield "JupyterLab", "warning", "not installed; for the buttons run `pip install jupyterlab`"
        return
    yield "JupyterLab", "ok", importlib.metadata.version("jupyterlab")
    if not any(
        Path(folder, "labextensions", "@jupyter", "nbgrader", "package.json").is_file() for folder in jupyter_path()
    ):
        yield "lab extension", "warning", "@jupyter/nbgrader is not installed; reinstall nbgrader in this environment"
        return
    enabled, disabled = _server_extensions(), _disabled()
    for plugin, words in EXTENSIONS.items():
        off = [name for name in ("@jupyter/nbgrader", f"@jupyter/nbgrader:{plugin}") if disabled.get(name)]
        server = f"nbgrader.server_extensions.{plugin.replace('-', '_')}"
        if not (enabled.get("nbgrader") is True or enabled.get(server) is True):
            todo = f"run `jupyter server extension enable --sys-prefix {server}`"
            yield words, "warning", f"its server extension is not enabled; {todo}"
        elif off:
            yield words, "warning", f"disabled; run `jupyter labextension enable --level=sys_prefix {off[0]}`"
        else:
            yield words, "ok", "enabled"


def _server_extensions() -> dict[str, Any]:
    """Return which extensions Jupyter's server loads, as its configuration says; later folders rank lower."""
    enabled: dict[str, Any] = {}
    for folder in map(Path, reversed(jupyter_config_path())):
        parts = sorted((folder / "jupyter_server_config.d").glob("*.json"))
        for path in (*parts, folder / "jupyter_server_config.json"):
            enabled |= _section(_section(_json(path), "ServerApp"), "jpserver_extensions")
    return enabled


def _disabled() -> dict[str, Any]:
    """Return which extensions and plug-ins of JupyterLab were disabled, each with true or false."""
    disabled: dict[str, Any] = {}
    places = [Path(folder, "lab", "settings") for folder in reversed(jupyter_path())]
    places += [Path(folder, "labconfig") for folder in reversed(jupyter_config_path())]
    for place in places:
        found = _json(place / "page_config.json").get("disabledExtensions", {})
        disabled |= dict.fromkeys(found, True) if isinstance(found, list) else found if isinstance(found, dict) else {}
    return disabled


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _section(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
