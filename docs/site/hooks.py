"""Let pages of the site link to files of the repository that lie outside docs/.

mkdocs calls these functions while it builds. Without them such a link, right for who reads the files, would be a
warning, and `--strict` takes warnings for errors.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
# Pages of the site that are files of the repository.
PAGES = {"bench/README.md": "bench.md", "CHANGELOG.md": "changelog.md"}
_LINK = re.compile(r"\[([^]]*)\]\(((?:\.\./)+)([^)#]+)(#[^)]*)?\)")


def on_files(files: Files, *, config: Any) -> Files:
    """Add the pages that lie outside docs/."""
    for path, place in PAGES.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Files) -> str:
    """Turn a link to a file outside docs/ into one to its page, or into plain words where it has none."""
    depth = page.file.src_uri.count("/")

    def replaced(match: re.Match[str]) -> str:
        words, up, path, anchor = match.groups(default="")
        if up.count("../") <= depth or not (ROOT / path).exists():
            return match.group(0)  # within docs/, or dead: mkdocs tells
        return f"[{words}]({'../' * depth}{PAGES[path]}{anchor})" if path in PAGES else words

    return _LINK.sub(replaced, markdown)
