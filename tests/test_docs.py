"""What the pages say to type works, and what they say of commands and settings is what the code says.

A page's blocks marked ```shell are typed line by line, in order, by a reader with an empty home. What a page may say:

    # exits 1                    behind a command that does not end with 0 (`# exits 0 or 1` where that is open)
    <!-- not run: REASON -->     before a block that cannot be run here
    <!-- write: FILE -->         before a block that the reader saves as FILE
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import harness as lab
import pytest
from click.testing import CliRunner

from autograder.cli.main import main
from autograder.sandbox.levels import missing

ROOT = Path(__file__).resolve().parents[1]
# nbgrader opens a file of each student's and leaves closing it to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*timestamp.txt:ResourceWarning")

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = "shell"
BASH_SYNTAX = re.compile(r"[|&;<>$()*?`~\\]|^(cd|export|\w+=)")
EXITS = re.compile(r"#.*\bexits (\d+)(?: or (\d+))?")


# -- reading pages -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: The page, relative to the repository.
        line: Where its text begins.
        language: The word behind the fence.
        text: What stands in it.
        marker: The HTML comment right before it; empty if there is none.
    """

    page: str
    line: int
    language: str
    text: str
    marker: str

    @property
    def unrun(self) -> str | None:
        """Return why its commands are not run; None if they are."""
        found = re.fullmatch(r"not run:(.*)", self.marker)
        return found[1].strip() if found else None

    @property
    def file(self) -> str | None:
        """Return the file that a reader is to write it to; None if to none."""
        found = re.fullmatch(r"write: (\S+)", self.marker)
        return found[1] if found else None

    def commands(self) -> Iterator[tuple[int, str]]:
        """Yield its commands with their lines; a backslash at the end of a line goes on with the next."""
        whole = ""
        for number, line in enumerate(self.text.splitlines(), start=self.line):
            whole += line
            if whole.endswith("\\"):
                whole = whole[:-1]
            elif whole.strip() and not whole.lstrip().startswith("#"):
                yield number, whole
                whole = ""
            else:
                whole = ""


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    found, marker, start, fence, language = [], "", 0, "", ""
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.strip()
        if fence:
            if words == fence:
                text = "\n".join(lines[start : number - 1]) + "\n"
                found.append(Block(page.relative_to(ROOT).as_posix(), start + 1, language, text, marker))
                fence = marker = ""
        elif words.startswith("```"):
            fence, language, start = "```", words.removeprefix("```"), number
        elif comment := re.fullmatch(r"<!--\s*(.*?)\s*-->", words):
            marker = comment[1]
        elif words:
            marker = ""
    return found


BLOCKS = {page.relative_to(ROOT).as_posix(): blocks_of(page) for page in PAGES}
RUNNABLE = [
    name for name, blocks in BLOCKS.items() if any(block.language == SHELL and block.unrun is None for block in blocks)
]


def exit_codes(command: str) -> set[int]:
    """Return the exit codes that a command may end with, by the comment behind it."""
    found = EXITS.search(command)
    return {int(code) for code in found.groups() if code is not None} if found else {0}


# -- a reader who types what a page says -------------------------------------------------------------------------------


@dataclass
class Reader:
    """Somebody at a shell.

    Attributes:
        root: A folder of the reader's own, with everything that the reader makes.
        folder: Where the reader is.
        environment: The reader's variables.
    """

    root: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def type(self, command: str) -> tuple[int, str]:
        """Run a command and return its exit code and what it printed."""
        plain = re.sub(r"\s+#.*", "", command)
        if plain.startswith("autograde ") and not BASH_SYNTAX.search(plain):
            return self._autograde(shlex.split(plain)[1:])
        return self._bash(command)

    def _autograde(self, arguments: list[str]) -> tuple[int, str]:
        """Run one of our commands in this process, which saves it the import of torch."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return result.exit_code, result.output

    def _bash(self, command: str) -> tuple[int, str]:
        state = self.root / "state"
        after = f'code=$?; {{ pwd; env -0; }} > "{state}"; exit $code'
        done = subprocess.run(
            ["bash", "-c", f"{command}\n{after}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        folder, _, variables = state.read_text(encoding="utf-8").partition("\n")
        self.folder = Path(folder)
        self.environment = dict(entry.split("=", 1) for entry in variables.split("\0") if "=" in entry)
        return done.returncode, done.stdout


def at_home(root: Path) -> Reader:
    """Return a reader with an empty home, who has this package installed."""
    home = root / "home"
    home.mkdir()
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "160",
        "JUPYTER_CONFIG_DIR": str(home / ".jupyter"),
        "JUPYTER_DATA_DIR": str(home / ".jupyter" / "data"),
    }
    return Reader(root, home, environment)


def in_the_repository(root: Path) -> Reader:
    """Return a reader in a clone of this course."""
    reader = at_home(root)
    clone = root / "autograder"
    clone.mkdir()
    for name in ("course.yml", "nbgrader_config.py"):
        shutil.copy(ROOT / name, clone / name)
    for name in ("assignments", "solutions"):
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    reader.folder = clone
    return reader


def among_students(root: Path) -> Reader:
    """Return a student in a copy of this course in which nothing is fetched; one assignment is released."""
    reader = in_the_repository(root)
    course = reader.folder / "course.yml"
    course.write_text(course.read_text(encoding="utf-8") + f"\nexchange: {_exchange(root)}\n", encoding="utf-8")
    assert reader.type("autograde release logsoftmax")[0] == 0
    copy = root / "course"
    copy.mkdir()
    shutil.copy(course, copy / "course.yml")
    reader.folder = copy
    return reader


def in_a_made_up_course(root: Path) -> Reader:
    """Return a reader at home, where the course `made_up` lies, with the assignment `echo`, which is released."""
    reader = at_home(root)
    course = reader.folder / "made_up"
    text = lab.COURSE.format(level="namespaces") + f"course_id: made_up\nexchange: {_exchange(root)}\n"
    files = {
        "course.yml": text.lstrip("\n"),
        "nbgrader_config.py": (ROOT / "nbgrader_config.py").read_text(encoding="utf-8"),
        "assignments/echo/echo.py": lab.STUB.lstrip("\n"),
        "assignments/echo/README.md": "# Echo\n",
        "assignments/echo/check_echo.py": lab.CHECKS.lstrip("\n"),
        "solutions/echo/echo.py": lab.RIGHT.lstrip("\n"),
    }
    for name, words in files.items():
        (course / name).parent.mkdir(parents=True, exist_ok=True)
        (course / name).write_text(words, encoding="utf-8")
    reader.folder = course
    for command in ("build", "release echo"):
        assert reader.type(f"autograde {command}")[0] == 0
    reader.folder = course.parent
    return reader


def _exchange(root: Path) -> Path:
    exchange = root / "exchange"
    exchange.mkdir(exist_ok=True)
    exchange.chmod(0o777)
    return exchange


STARTS: dict[str, Callable[[Path], Reader]] = {
    "docs/students.md": among_students,
    "docs/nbgrader.md": in_a_made_up_course,
}
"""Where the reader of a page is; in a clone of this course if it does not say."""


@pytest.mark.parametrize("name", RUNNABLE)
def test_every_command_of_a_page_does_what_it_says(name: str, tmp_path: Path) -> None:
    if missing("namespaces"):
        pytest.skip(f"official grading needs level namespaces: {missing('namespaces')}")
    reader = STARTS.get(name, in_the_repository)(tmp_path)

    for block in BLOCKS[name]:
        if block.file is not None:
            (reader.folder / block.file).write_text(block.text, encoding="utf-8")
        if block.language != SHELL or block.unrun is not None:
            continue
        for line, command in block.commands():
            code, printed = reader.type(command.replace("/srv/exchange", str(tmp_path / "exchange")))
            if code not in exit_codes(command):
                pytest.fail(f"{name}:{line}: `{command}` exits {code}\n{printed}")


def test_what_is_not_run_says_why() -> None:
    unrun = [block for blocks in BLOCKS.values() for block in blocks if block.unrun is not None]
    for block in unrun:
        print(f"{block.page}:{block.line}: not run: {block.unrun}")

    assert [f"{block.page}:{block.line}" for block in unrun if not block.unrun] == []


def test_shell_blocks_have_one_name() -> None:
    other = [
        f"{block.page}:{block.line}: ```{block.language}; write ```{SHELL}"
        for blocks in BLOCKS.values()
        for block in blocks
        if block.language in ("sh", "bash", "console", "zsh")
    ]

    assert other == []


# -- what pages say of commands without running them -------------------------------------------------------------------


def mentioned() -> Iterator[tuple[str, str]]:
    """Yield each mention of one of our commands, in a block or in a line, with its place."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
            for words in re.findall(r"`(autograde [^`]+)`", line) + re.findall(r"^(?:\$ )?(autograde .+)", line):
                yield f"{name}:{number}", words


def test_commands_and_options_that_pages_mention_exist() -> None:
    unknown = []
    for place, words in mentioned():
        name, *arguments = re.sub(r"\s#.*", "", words).split()[1:]
        if not re.fullmatch(r"[a-z][a-z-]*", name):
            continue  # an option of the group, or COMMAND
        command = main.commands.get(name)
        params = command.params if command is not None else []
        known = {"--help"} | {option for param in params for option in (*param.opts, *param.secondary_opts)}
        named = [found[1] for word in arguments if (found := re.match(r"\[?(--[a-z][a-z0-9-]+)", word))]
        unknown += [f"{place}: autograde {name}"] if command is None else []
        unknown += [f"{place}: {option} of {name}" for option in named if command is not None and option not in known]

    assert unknown == []


# -- pages made from the code, and the site ----------------------------------------------------------------------------


def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_reference", ROOT / "docs" / "site" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_what_the_code_says() -> None:
    stale = [path.name for path in reference().stale_pages()]

    assert stale == [], "run `make docs`"


def test_every_key_of_the_course_and_every_option_is_explained() -> None:
    pages = reference().pages()

    assert re.findall(r"^\| `\w+` \| *\|.*", pages["course.md"], re.MULTILINE) == []
    assert re.findall(r"^- `[^`]*`: *$", pages["commands.md"], re.MULTILINE) == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    # With --quiet it would not see its own warnings.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "students" / "index.html").is_file()


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_for_developers_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    named = set(re.findall(r"`((?:autograder|tests|docs|bench)/[\w/.]+)`", text))

    assert len(named) > 4
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_architecture_describes_every_room() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "autograder").glob("*/__init__.py")}

    assert set(re.findall(r"(?m)^\| `autograder/(\w+)` \|", text)) == rooms
