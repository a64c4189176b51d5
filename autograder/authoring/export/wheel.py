"""Make a wheel of this package as it is installed here, without a network and without build tools.

A wheel of pure Python is an archive of the package's files and of four texts about them. Source: the specification
"Binary distribution format" of the Python Packaging User Guide, and "Recording installed projects" for `RECORD`.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from autograder.course.digest import CACHE_FOLDERS, LITTER
from autograder.errors import CourseError
from autograder.files import archive

PACKAGE = "autograder"
ROOT = Path(__file__).parents[2]
# What `autograde new` copies holds a solution, hidden checks and attacks, and students get the wheel.
_LEFT_OUT = "authoring/new/example"
_WHEEL = "Wheel-Version: 1.0\nGenerator: autograde\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel() -> tuple[str, bytes]:
    """Return the name and the bytes of a wheel that installs this package.

    Raises:
        CourseError: If this package runs without being installed, so that nobody knows what it needs.
    """
    installed = _installed()
    files = {f"{PACKAGE}/{name}": (ROOT / name).read_bytes() for name in package_files()}
    # Another content is another version to pip, which otherwise leaves alone what is installed already.
    version = f"{installed.version.partition('+')[0]}+{_digest(files)}"
    stem = f"{PACKAGE}-{version}"
    about = f"{stem}.dist-info"
    texts = {"METADATA": _metadata(installed, version), "WHEEL": _WHEEL}
    for name in ("entry_points.txt", "licenses/LICENSE"):
        texts[name] = installed.read_text(name) or ""
    files |= {f"{about}/{name}": text.encode() for name, text in texts.items() if text}
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD").encode()
    return f"{stem}-py3-none-any.whl", archive(files)


def package_files() -> list[str]:
    """Return the names of this package's files that a wheel holds, those that are no Python among them."""
    found = []
    for top, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - CACHE_FOLDERS)
        if Path(top) == (ROOT / _LEFT_OUT).parent:
            folders.remove(Path(_LEFT_OUT).name)
        kept = [name for name in names if name not in LITTER and not name.endswith((".pyc", ".pyo", "~"))]
        found += [(Path(top) / name).relative_to(ROOT).as_posix() for name in kept]
    return sorted(found)


def requirements() -> list[str]:
    """Return what this package needs: as `pyproject.toml` beside it says now, else as it was installed.

    Raises:
        CourseError: If this package runs without being installed.
    """
    source = ROOT.parent / "pyproject.toml"
    try:
        project = tomllib.loads(source.read_text(encoding="utf-8"))["project"]
        if project["name"] == PACKAGE:
            return list(project["dependencies"])
    except (OSError, ValueError, KeyError):  # installed from a wheel: what lies beside it is somebody else's
        pass
    return list(_installed().requires or ())


def _installed() -> Distribution:
    try:
        return distribution(PACKAGE)
    except PackageNotFoundError:
        found = f"{ROOT}: runs without being installed"
        raise CourseError(f"{found}; expected an installed package, to know what it needs; pip install it") from None


def _digest(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256("\n".join(requirements()).encode())
    for name, data in files.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    return digest.hexdigest()[:8]


def _metadata(installed: Distribution, version: str) -> str:
    """Return what pip reads of a package; version and requirements are those of now."""
    text = installed.read_text("METADATA") or installed.read_text("PKG-INFO") or ""
    header, _, description = text.partition("\n\n")
    lines = [line for line in header.splitlines() if not line.startswith("Requires-Dist:") or "extra ==" in line]
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in lines]
    lines += [f"Requires-Dist: {one}" for one in requirements() if "extra ==" not in one]
    return "\n".join(lines) + "\n\n" + description


def _record(files: Mapping[str, bytes], own: str) -> str:
    def lines() -> Iterator[str]:
        for name, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            yield f"{name},sha256={digest},{len(data)}\n"
        yield f"{own},,\n"

    return "".join(lines())
