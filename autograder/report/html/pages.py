"""Turn what stands on a page into HTML. What students wrote is text there and never markup."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from autograder.report.html.class_page import ClassPage
from autograder.report.html.student_page import StudentPage
from autograder.report.text import number, readable

_TAB = 8
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a page may load and do: nothing but apply its own style."""


def student_html(page: StudentPage) -> str:
    """Return a student's page."""
    return _render("student.html.jinja", page=page)


def class_html(page: ClassPage) -> str:
    """Return the page of a class."""
    return _render("class.html.jinja", page=page)


def sign(assignment: str) -> str:
    """Return the line by which a page of an assignment is known as one that autograde wrote."""
    return str(Markup('<meta name="generator" content="autograde, reports of {}" />').format(assignment))


def _render(template: str, *, page: StudentPage | ClassPage) -> str:
    text = _environment().get_template(template).render(page=page, policy=POLICY, sign=Markup(sign(page.about.name)))
    return text.rstrip() + "\n"


@functools.cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalize(value: Any) -> Any:
    """Prepare whatever a template puts into a page; that it is escaped afterwards is left to autoescaping."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return readable(value.expandtabs(_TAB))
    return number(round(value, 2)) if isinstance(value, float) else value
