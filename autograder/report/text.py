"""Make text that people read: numbers, and what a submission wrote, so that nothing that shows it obeys it."""

from __future__ import annotations

import os
import re

CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables of the environment, one of which CI services set."""
# Source: the documentation of GitHub Actions ("Workflow commands"), Azure Pipelines ("Logging commands") and TeamCity
# ("Service messages"): `::name::`, `##[name]`, `##vso[name]`, `##teamcity[name]`.
_COMMAND_SIGN = re.compile(r"([:#])(?=\1)")


def readable(text: str) -> str:
    """Return text in which every character prints: controls and lone surrogates are escapes, line ends stay."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def parted(text: str) -> str:
    """Return text without the signs that begin commands of CI services, ``::`` and ``##``.

    They are parted by a character without width.
    """
    return _COMMAND_SIGN.sub("\\1\u200b", text)


def plain(text: str) -> str:
    """Return a submission's text so that nothing that shows it obeys it: no terminal, no log of a CI service."""
    return parted(readable(text)) if any(name in os.environ for name in CI_VARIABLES) else readable(text)


def number(value: float) -> str:
    """Show points without needless zeros."""
    return f"{value:.10g}"
