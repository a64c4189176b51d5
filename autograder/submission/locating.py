"""Find the file of a submission: the path itself, or a file in the folder or archive that the path names."""

import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.submission.archive import ARCHIVE_BYTES, ARCHIVE_SUFFIXES, Member, archive_members, kind_of
from autograder.submission.folder import folder_levels, is_junk, read_regular_file, unreadable
from autograder.submission.source import shown

SOURCE_SUFFIXES = (".py", ".ipynb")
SUFFIXES = (*SOURCE_SUFFIXES, *ARCHIVE_SUFFIXES)


@dataclass(frozen=True)
class Candidates:
    """A module, a notebook, or both side by side, under their names as shown to people.

    `ignored` counts the files beside them, which will not be read; nbgrader's `timestamp.txt` is not one of them.
    """

    members: tuple[Member, ...]
    ignored: int = 0


def suffix_of(file_name: str) -> str:
    """Return which of the known suffixes the file's name ends with, in lower case, or nothing."""
    return next((suffix for suffix in SUFFIXES if file_name.lower().endswith(suffix)), "")


def stem_of(file_name: str) -> str:
    """Return the file's name without its known suffix: `ada` for `ada.tar.gz`."""
    return file_name[: len(file_name) - len(suffix_of(file_name))]


def find_candidates(path: Path, name: str) -> Candidates:
    """Find what the submission for assignment `name` at `path` consists of, reading nothing but an archive.

    In a folder or archive it is `<name>.py` and `<name>.ipynb` where they lie least deep; without those the only
    module or notebook under another name; without that, in a folder, the only archive.

    Raises:
        SubmissionError: There is no such file, or more than one that could be meant.
    """
    base, parts = (path, ()) if path.name in {"", ".."} else (path.parent, (path.name,))
    where, suffix = shown(str(path)), suffix_of(path.name)
    try:
        mode = path.lstat().st_mode if parts else stat.S_IFDIR
    except (OSError, ValueError) as error:
        raise unreadable(where, error) from None
    if stat.S_ISDIR(mode):
        found = _find(folder_levels(base, parts), name, where)
        return _in_archive(found.members[0], name) if _is_archive(found.members[0]) else found
    if not stat.S_ISREG(mode):
        raise SubmissionError(
            f"{where}: is {kind_of(mode)}; expected a regular file or a folder; submit the file itself"
        )
    if not suffix:
        raise SubmissionError(
            f"{where}: is no .py, .ipynb, .zip, .tar.gz or .tgz; expected {name}.py or {name}.ipynb, alone, in a "
            "folder or in an archive; submit one of these"
        )
    member = Member(where, partial(read_regular_file, base, parts))
    return _in_archive(member, name) if _is_archive(member) else Candidates((member,))


def load(member: Member, limit_bytes: int, advice: str) -> bytes:
    """Read a member whole.

    Raises:
        SubmissionError: It is larger than `limit_bytes` or cannot be read.
    """
    data = member.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        limit_mib = limit_bytes >> 20
        raise SubmissionError(f"{member.name}: is larger than {limit_mib} MiB; expected at most that; {advice}")
    return data


def _is_archive(member: Member) -> bool:
    return suffix_of(member.name) in ARCHIVE_SUFFIXES


def _in_archive(archive: Member, name: str) -> Candidates:
    data = load(archive, ARCHIVE_BYTES, "pack the module alone")
    found = _find(_by_depth(archive_members(data, where=archive.name)), name, archive.name)
    if _is_archive(found.members[0]):
        raise SubmissionError(
            f"{found.members[0].name}: is an archive in an archive; expected {name}.py or {name}.ipynb; "
            "pack the module alone"
        )
    return found


def _by_depth(members: list[Member]) -> Iterator[list[Member]]:
    wanted = [member for member in members if not any(map(is_junk, member.name.split("/")))]
    for depth in sorted({member.name.count("/") for member in wanted}):
        yield sorted((m for m in wanted if m.name.count("/") == depth), key=lambda member: member.name)


def _find(levels: Iterable[list[Member]], name: str, where: str) -> Candidates:
    """Choose among the files of a folder or archive, given level by level, and look no deeper than needed."""
    seen: list[Member] = []
    chosen: list[Member] = []
    for level in levels:
        seen += level
        chosen = [member for member in level if _folder_and_file(member)[1] in {f"{name}.py", f"{name}.ipynb"}]
        if chosen:
            break
    chosen = chosen or _least_deep_sources(seen) or [member for member in seen if _is_archive(member)]
    if not chosen:
        raise SubmissionError(f"{where}: holds no module; expected {name}.py or {name}.ipynb; put it there")
    if len(chosen) > 1 and not _is_pair(chosen):
        more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
        names = ", ".join(shown(member.name) for member in chosen[:3])
        raise SubmissionError(
            f"{where}: holds {names}{more}; expected one {name}.py or {name}.ipynb; submit only the file that counts"
        )
    beside = [member for member in seen if _folder_and_file(member)[0] == _folder_and_file(chosen[0])[0]]
    ignored = sum(1 for m in beside if m not in chosen and _folder_and_file(m)[1] != "timestamp.txt")
    return Candidates(tuple(Member(f"{where}/{shown(member.name)}", member.read) for member in chosen), ignored)


def _folder_and_file(member: Member) -> tuple[str, str]:
    folder, _, file_name = member.name.rpartition("/")
    return folder, file_name


def _least_deep_sources(seen: list[Member]) -> list[Member]:
    """Return the modules and notebooks least deep, but for `other/other.py`, which is another assignment's."""
    sources = []
    for member in seen:
        folder, file_name = _folder_and_file(member)
        if suffix_of(file_name) in SOURCE_SUFFIXES and folder.rpartition("/")[2] != stem_of(file_name):
            sources.append(member)
    depth = min((member.name.count("/") for member in sources), default=0)
    return [member for member in sources if member.name.count("/") == depth]


def _is_pair(chosen: list[Member]) -> bool:
    stems = {stem_of(member.name) for member in chosen}
    suffixes = sorted(suffix_of(member.name) for member in chosen)
    return len(stems) == 1 and suffixes == sorted(SOURCE_SUFFIXES)
