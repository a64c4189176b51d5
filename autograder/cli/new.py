"""The command that makes a new assignment."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import click

from autograder.cli.options import course_or_none
from autograder.errors import CourseError


@click.command()
@click.argument("name")
@click.option("--title", metavar="TITLE", help="Its title; by default its name.")
@click.option("--start-course", "course_title", metavar="TITLE", help="Make a course of this title here, too.")
@click.pass_context
def new(ctx: click.Context, name: str, title: str | None, course_title: str | None) -> None:
    """Make a new assignment that validates, to be changed into your own (instructors).

    Adds an entry at the end of course.yml, of which all else stays as it is, and writes assignments/NAME and
    solutions/NAME: a small exercise with a check of each kind, a reference solution, right and wrong solutions and
    attacks. Where anything cannot be written, nothing is.
    """
    from autograder.authoring.new.making import add_assignment, start_course

    course = course_or_none(ctx.obj)
    title = name.replace("_", " ").capitalize() if title is None else title
    if course_title is not None:
        if course is not None:
            found = f"--start-course: this folder lies in the course of {course.path}"
            raise CourseError(f"{found}; expected a folder in no course; leave it out to add to that one")
        root = Path.cwd()
        written = start_course(root, course_title, name=name, title=title)
    elif course is None:
        found = f"{Path.cwd()}: in no course; expected a course.yml here or in a folder above"
        raise CourseError(f"{found}; name one with --course, or start one here with --start-course TITLE")
    else:
        root = course.root
        written = add_assignment(course, name, title)
    for folder, files in groupby(written, key=lambda path: path.parent):
        click.echo(f"{root / folder}: {', '.join(file.name for file in files)}")
    click.echo(f"{name}: try `autograde validate {name}`, then change one file after the other into yours", err=True)


COMMANDS = (new,)
