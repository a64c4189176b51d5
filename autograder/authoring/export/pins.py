"""Name the versions that are installed here, so that others install the same ones."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from autograder.authoring.export.wheel import PACKAGE, requirements


def installed_versions() -> dict[str, str]:
    """Return the version of each package that this one needs, directly or not, as it is installed here.

    A version's local part is left out: `+cpu` says for what a build was made, and another machine needs another.

    Raises:
        CourseError: If this package runs without being installed.
    """
    todo = [("", text) for text in requirements()]
    seen: set[tuple[str, str]] = set()
    versions: dict[str, str] = {}
    while todo:
        extra, text = todo.pop()
        needed = Requirement(text)
        if needed.marker is not None and not needed.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(needed.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # needed on another system, or by an extra that nobody installed here
        if name != PACKAGE:
            versions[name] = Version(found.version).public
        for wanted in ("", *sorted(needed.extras)):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                todo += [(wanted, requirement) for requirement in found.requires or ()]
    return dict(sorted(versions.items()))


def constraints() -> str:
    """Return pip's constraints file for these versions.

    Raises:
        CourseError: If this package runs without being installed.
    """
    return "".join(f"{name}=={version}\n" for name, version in installed_versions().items())
