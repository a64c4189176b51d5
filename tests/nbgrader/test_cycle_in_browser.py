"""One whole cycle in a browser: the formgrader for the instructor, JupyterLab for the student.

Judging runs inside the Jupyter server here, and checks in a real kernel: neither is reached by the tests of commands.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exchange_world import World, make_course
from harness import RIGHT

from autograder.sandbox.levels import missing

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it is among the dev extras")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install it (apt-get install chromium)"),
    pytest.mark.skipif(bool(missing("namespaces")), reason=f"no level namespaces here: {missing('namespaces')}"),
]
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PATIENCE_S = 30


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def jupyter_lab(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a JupyterLab over a folder and yield its address."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}"),
        *("--IdentityProvider.token=", "--PasswordIdentityProvider.hashed_password=", f"--ServerApp.root_dir={folder}"),
    ]
    own = {**os.environ, **environment, "HOME": str(folder)}
    with open(folder.parent / f"{folder.name}.log", "wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=own, stdout=log, stderr=log)
        try:
            wait_for(f"{url}/api", server)
            yield url
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers."""
    for _ in range(10 * PATIENCE_S):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
    raise AssertionError(f"{url} does not answer")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A course with one assignment, and a student whose nbgrader knows the exchange."""
    world = make_course(tmp_path, level="namespaces", due={"echo": "2030-01-31 23:59"})
    assert world.instructor("build").exit_code == 0
    settings = Path(world.environment("ada")["JUPYTER_CONFIG_DIR"])
    settings.mkdir(parents=True)
    (settings / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.CourseDirectory.course_id, c.CourseDirectory.student_id = 'made_up', 'ada'\n"
        f"c.Exchange.root = {str(world.exchange)!r}\n",
        encoding="utf-8",
    )
    return world


class Browser:
    """Pages of one browser, each as wide as a laptop's screen."""

    def __init__(self, browser: sync_api.Browser) -> None:
        self._context = browser.new_context(viewport={"width": 1400, "height": 1000})
        self._context.set_default_timeout(1000 * PATIENCE_S)

    def open(self, url: str) -> sync_api.Page:
        """Open a page."""
        page = self._context.new_page()
        page.goto(url)
        return page


def done(page: sync_api.Page, words: str) -> None:
    """Wait for the formgrader's word that something is done, and close it."""
    message = page.locator(".modal-body", has_text=words)
    message.wait_for()
    page.locator(".modal [data-dismiss=modal]").first.click()
    page.locator(".modal").wait_for(state="detached")


def press(page: sync_api.Page, row: str, column: str, words: str) -> None:
    """Press a button in a row of the formgrader, and wait for its success."""
    page.locator("tr", has_text=row).first.locator(f"td.{column} a").click()
    done(page, words)


def solve(browser: Browser, url: str) -> str:
    """Write the solution into the notebook, run a check, save, and return what the check showed."""
    page = browser.open(f"{url}/lab/tree/echo/echo.ipynb")

    def run(words: str, source: str | None = None) -> sync_api.Locator:
        cell = page.locator(".jp-CodeCell", has_text=words).first
        cell.locator(".cm-content").click()
        if source is not None:
            page.keyboard.press("Control+a")
            page.keyboard.insert_text(source)
        page.keyboard.press("Shift+Enter")
        cell.locator(".jp-InputPrompt", has_text=re.compile(r"\d")).wait_for()
        return cell

    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    run("import checks")
    run("def echo", RIGHT.strip())
    output = run("Echo returns").locator(".jp-OutputArea-output").first
    output.wait_for()
    shown = output.inner_text()
    page.keyboard.press("Control+s")
    page.locator(".jp-mod-dirty").wait_for(state="detached")
    return str(shown)


def test_a_cycle_in_the_browser(world: World) -> None:
    home = world.home("ada")
    with (
        jupyter_lab(world.course, world.environment()) as instructors,
        jupyter_lab(home, world.environment("ada")) as students,
        sync_api.sync_playwright() as playwright,
    ):
        browser = Browser(playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS))

        formgrader = browser.open(f"{instructors}/formgrader/manage_assignments")
        press(formgrader, "echo", "assign", "Successfully created the student version of 'echo'")
        press(formgrader, "echo", "release", "Successfully released 'echo'")

        lab = browser.open(f"{students}/lab")
        lab.locator(".jp-Launcher").wait_for()
        lab.keyboard.press("Control+Shift+c")
        lab.locator(".lm-CommandPalette-input").fill("Assignment List")
        lab.locator(".lm-CommandPalette-item", has_text="Assignment List").first.click()
        released = lab.locator("#released_assignments_list .list_item", has_text="echo")
        released.get_by_role("button", name="Fetch").click()
        fetched = lab.locator("#fetched_assignments_list .list_item", has_text="echo").first
        fetched.get_by_role("button", name="Submit").wait_for()

        shown = solve(browser, students)

        assert shown.startswith("✓ passed echo, 2 of 2 points")

        fetched.locator("a").first.click()
        lab.get_by_role("button", name="Validate").first.click()
        lab.get_by_text("Success! Your notebook passes all the tests.").wait_for()
        lab.locator(".jp-Dialog").get_by_role("button").last.click()
        lab.locator(".jp-Dialog").wait_for(state="detached")
        fetched.get_by_role("button", name="Submit").click()
        lab.locator("#submitted_assignments_list .list_item", has_text="echo").first.wait_for()

        formgrader.reload()
        press(formgrader, "echo", "collect", "Successfully collected submissions of 'echo'")
        formgrader.goto(f"{instructors}/formgrader/manage_submissions/echo")
        press(formgrader, "ada", "autograde", "Successfully autograded 'echo' for student 'ada'")

        row = formgrader.locator("tr", has_text="ada").first
        assert row.locator("td.status").inner_text() == "graded"
        assert row.locator("td.score").inner_text() == "3 / 3"

        press(formgrader, "ada", "generate-feedback", "Successfully generated feedback")
        press(formgrader, "ada", "release-feedback", "Successfully released feedback")
        submitted = lab.locator("#submitted_assignments_list .list_item", has_text="echo").first
        lab.locator("#refresh_assignments_list").click()
        submitted.get_by_role("button", name="Fetch Feedback").click()
        submitted.get_by_text("view feedback").first.wait_for(state="attached")
        (feedback,) = home.glob("echo/feedback/*/echo.html")
        page = browser.open(feedback.as_uri())

        assert "Score: 3.0 / 3.0" in page.locator("body").inner_text()
        assert page.get_by_text("echo: passed, 2 of 2 points").is_visible()
