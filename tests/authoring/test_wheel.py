"""The wheel holds the package, all of it and nothing else."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from autograder import __version__
from autograder.authoring.export.pins import constraints, installed_versions
from autograder.authoring.export.wheel import make_wheel, package_files, requirements
from autograder.course.digest import CACHE_FOLDERS

ROOT = Path(__file__).parents[2]
COPIED = ("assignments", "autograder", "bench", "docs", "solutions", "tests")
BUILD = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
# Files that the package reads while it runs.
NEEDED = (
    "autograder/checks/checks.ini",
    "autograder/py.typed",
    "autograder/authoring/export/templates/students/check.yml",
    "autograder/authoring/export/templates/students/gitignore",
    "autograder/authoring/export/templates/students/README.md",
    "autograder/authoring/export/templates/gradescope/setup.sh",
    "autograder/authoring/export/templates/gradescope/run_autograder",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """What setuptools builds from a copy of the repository."""
    copy = tmp_path_factory.mktemp("wheel") / "repository"
    copy.mkdir()
    caches = shutil.ignore_patterns(*CACHE_FOLDERS)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, copy)
        elif path.name in COPIED:
            shutil.copytree(path, copy / path.name, ignore=caches)
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(copy / "dist" / done.stdout.split()[-1])


@pytest.fixture(scope="module")
def made() -> zipfile.ZipFile:
    """What this package makes of itself."""
    _, data = make_wheel()
    return zipfile.ZipFile(io.BytesIO(data))


def of_package(wheel: zipfile.ZipFile) -> list[str]:
    return sorted(name for name in wheel.namelist() if ".dist-info/" not in name)


def test_the_wheel_holds_the_package_and_its_metadata_and_nothing_else(built: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in built.namelist()}

    assert tops == {"autograder", f"autograder-{__version__}.dist-info"}


def test_every_file_of_the_package_is_in_the_wheel(built: zipfile.ZipFile) -> None:
    assert of_package(built) == [f"autograder/{name}" for name in package_files()]
    assert set(NEEDED) <= set(of_package(built))


def test_no_solution_no_hidden_check_no_attack_and_no_test_is_in_the_wheel(built: zipfile.ZipFile) -> None:
    inside = {built.read(name) for name in of_package(built)}
    secret = [
        path
        for part in ("solutions", "tests", "autograder/scaffold/example")
        for path in (ROOT / part).rglob("*.py")
        if path.stat().st_size
    ]

    assert len(secret) > 100
    assert [name for name in built.namelist() if {"solutions", "attacks", "tests"} & set(Path(name).parts)] == []
    assert [name for name in built.namelist() if Path(name).stem.endswith("_hidden")] == []
    assert [path for path in secret if path.read_bytes() in inside] == []


def test_the_wheel_that_is_made_here_holds_what_a_built_one_holds(
    built: zipfile.ZipFile, made: zipfile.ZipFile
) -> None:
    assert of_package(made) == of_package(built)
    assert all(made.read(name) == built.read(name) for name in of_package(built))


def test_the_wheel_that_is_made_here_says_of_itself_what_a_built_one_says(
    built: zipfile.ZipFile, made: zipfile.ZipFile
) -> None:
    def about(wheel: zipfile.ZipFile, name: str) -> bytes:
        return next(wheel.read(member) for member in wheel.namelist() if member.endswith(f".dist-info/{name}"))

    built_says, made_says = (message_from_bytes(about(wheel, "METADATA")) for wheel in (built, made))
    needs = [
        {str(Requirement(text)) for text in says.get_all("Requires-Dist", []) if "extra ==" not in text}
        for says in (built_says, made_says)
    ]

    assert needs[0] == needs[1]
    assert made_says["Version"].partition("+")[0] == built_says["Version"]
    assert made_says["Requires-Python"] == built_says["Requires-Python"]
    assert about(made, "entry_points.txt") == about(built, "entry_points.txt")
    assert b"autograde = autograder.cli.main:main\n" in about(built, "entry_points.txt")


def test_pip_takes_the_wheel_that_is_made_here(tmp_path: Path) -> None:
    name, data = make_wheel()
    (tmp_path / name).write_bytes(data)
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]

    done = subprocess.run(
        [*pip, "--no-compile", "--target", target, tmp_path / name], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    program = subprocess.run(
        [sys.executable, target / "bin" / "autograde", "--version"],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (program.returncode, program.stdout) == (0, f"autograde, version {__version__}\n"), program.stderr
    where = "import autograder, autograder.cli.main; print(autograder.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == f"{target}/autograder/__init__.py\n"


def test_another_content_is_another_version_and_the_same_one_the_same_bytes() -> None:
    name, data = make_wheel()

    assert make_wheel() == (name, data)
    stem, digest = name.removesuffix("-py3-none-any.whl").split("+")
    assert stem == f"autograder-{__version__}"
    assert len(digest) == 8


def test_the_pinned_versions_are_those_that_are_installed_and_reach_whatever_is_needed() -> None:
    versions = installed_versions()
    direct = {Requirement(text) for text in requirements()}

    for needed in direct:
        if needed.marker is None or needed.marker.evaluate():
            assert versions[needed.name.lower()] in needed.specifier
    assert versions["torch"] == version("torch").partition("+")[0]
    assert "autograder" not in versions
    assert "typing-extensions" in versions  # torch needs it, and we do not
    assert f"torch=={versions['torch']}\n" in constraints()
