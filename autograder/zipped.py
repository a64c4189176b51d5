"""Write zip archives, the same bytes from the same files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_TIME = (1980, 1, 1, 0, 0, 0)  # zip's first; the same files give the same bytes


def archive(files: Mapping[str, bytes], *, executable: tuple[str, ...] = (), private: tuple[str, ...] = ()) -> bytes:
    """Return a zip archive of files, byte for byte the same from the same ones.

    Args:
        files: Their bytes by name.
        executable: The names of those that may be run.
        private: The names of those that only their owner may read.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as result:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose permissions the next line holds
            mode = 0o755 if name in executable else 0o600 if name in private else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            result.writestr(entry, files[name])
    return packed.getvalue()
