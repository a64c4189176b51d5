"""Pages in a browser: on a phone, in the dark, by keyboard alone, without scripts, and on paper."""

from __future__ import annotations

import io
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from harness import CHECKS, COURSE
from made_up_class import ADA, CLASS, FAST, HOSTILE, ODD, SOURCE, findings
from PIL import Image

from autograder.course.loading import load_course
from autograder.report.html.folder import Graded, write_pages
from autograder.report.text import readable
from autograder.submission.reading import Submission

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed; it is among the dev extras")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; install it (apt-get install chromium)")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
PHONE, DESKTOP = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
NAMES = ("ada", "fay", "odd", "class")

# Returns every piece of text whose contrast with what lies behind it is under 4.5 (WCAG 2.2, 1.4.3), with the contrast.
FAINT = """() => {
  const channels = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const color = channels(getComputedStyle(each).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
      if (color[3] !== 0) throw new Error("half transparent: " + each.outerHTML.slice(0, 100));
    }
    return [255, 255, 255];
  };
  const faint = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim(), element = walker.currentNode.parentElement;
    if (!text || element.closest("title, desc")) continue;
    const style = getComputedStyle(element);
    const front = channels(element.closest("svg") ? style.fill : style.color);
    const [dark, light] = [luminance(front), luminance(behind(element))].sort((a, b) => a - b);
    const contrast = (light + 0.05) / (dark + 0.05);
    seen += 1;
    if (contrast < 4.5 || style.opacity !== "1") faint.push([text.slice(0, 40), contrast]);
  }
  return {faint, seen};
}"""
# Returns what is reached by keyboard, in the order in which it is read.
REACHABLE = """() => [...document.querySelectorAll("a[href], summary, [tabindex='0']")]
  .filter(each => !each.closest("details:not([open]) > :not(summary)"))
  .map((each, index) => { each.dataset.stop = index; return each.outerHTML.slice(0, 80); })"""
FOCUSED = """() => {
  const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
  return {
    stop: element.dataset.stop ?? null,
    outlined: style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2,
    inside: box.bottom > 0 && box.top < innerHeight,
  };
}"""
# Returns text that paper would not show: without a box, cut off at an edge, or beyond the page.
UNPRINTED = """() => {
  const missing = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement;
    if (!node.data.trim() || element.closest("title, desc, nav")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (!box.width || (!element.closest(".unseen") && box.right > innerWidth + 1)) missing.push(node.data.slice(0, 60));
  }
  return missing;
}"""


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Write the pages of a class and return the addresses of some."""
    root = tmp_path_factory.mktemp("pages")
    (root / "course.yml").write_text(COURSE.format(level="process"), encoding="utf-8")
    (root / "assignments" / "echo").mkdir(parents=True)
    (root / "assignments" / "echo" / "check_echo.py").write_text(CHECKS, encoding="utf-8")
    reports = [ADA, FAST, ODD, *(report for report in CLASS if report not in (ADA, ODD))]
    sources = [Submission(each.student, "echo", SOURCE, each.digest, "echo.py") for each in (ADA, ODD)]
    graded = Graded(reports, sources, findings=findings(reports))
    paths = write_pages(root / "out", graded, course=load_course(root / "course.yml"), name="echo")
    return dict(zip(NAMES, (path.as_uri() for path in (*paths[:3], paths[-1])), strict=True))


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    """Start one browser for all tests."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def show(browser: sync_api.Browser, addresses: dict[str, str]) -> Iterator[Any]:
    """Return what opens a page without scripts; what a browser complains of or asks for fails the test."""
    contexts: list[sync_api.BrowserContext] = []
    asked: list[str] = []
    said: list[str] = []

    def open_page(name: str, *, viewport: dict[str, int] = DESKTOP, scheme: str = "light") -> sync_api.Page:
        contexts.append(
            context := browser.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=False)
        )
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(addresses[name])
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} <= set(addresses.values())


@pytest.mark.parametrize("name", NAMES)
def test_no_page_scrolls_sideways(show: Any, name: str) -> None:
    page = show(name, viewport=PHONE)

    widths = (320, 360, 768, 1280)
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 740})
        found.append(page.evaluate("document.documentElement.scrollWidth"))

    assert found == list(widths)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_every_text_stands_out_from_what_is_behind_it(show: Any, name: str, scheme: str) -> None:
    page = show(name, scheme=scheme)

    found = page.evaluate(FAINT)

    assert found["faint"] == []
    assert found["seen"] > 40
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("name", ["ada", "class"])
def test_the_tab_key_reaches_everything_in_the_order_of_reading(show: Any, name: str, viewport: dict[str, int]) -> None:
    page = show(name, viewport=viewport)
    reachable = page.evaluate(REACHABLE)

    stops = []
    for _ in reachable:
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        assert focused["outlined"] and focused["inside"], reachable[len(stops)]
        stops.append(focused["stop"])

    assert len(reachable) > 3
    assert stops == [str(index) for index in range(len(reachable))]


def test_outputs_open_and_close_by_keyboard_without_scripts(show: Any) -> None:
    page = show("ada", viewport=PHONE)
    printed = page.get_by_text("shape torch.Size([4, 3])")

    before = printed.is_visible()
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert not before
    assert printed.is_visible()


def test_wide_content_scrolls_in_its_own_region_by_keyboard(show: Any) -> None:
    page = show("class", viewport=PHONE)
    region = page.get_by_role("region", name="Checks, the hardest first", exact=True).locator("xpath=self::div")

    region.focus()
    page.keyboard.press("ArrowRight")

    # Scrolling takes a few frames; without scripts nothing can tell when they are over.
    assert any(region.evaluate("each => each.scrollLeft") > 0 for _ in range(500))


def test_pictures_have_names_and_descriptions_for_screen_readers(show: Any) -> None:
    page = show("ada")

    picture = page.get_by_role("img", name="speed: 5.8 times the baseline's time")
    assert picture.count() == 1
    assert page.get_by_role("img", name="5.8 of 20 points").count() == 1
    assert show("class").get_by_role("img", name="Distribution of scores").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screenshot_shows_the_drawn_marks_in_the_page_s_own_colour(show: Any, scheme: str) -> None:
    page = show("ada", scheme=scheme)
    figure = page.get_by_role("img", name="speed: 5.8 times the baseline's time")
    accent, paper = (
        tuple(int(part) for part in re.findall(r"\d+", page.evaluate(f"getComputedStyle({element}).{colour}"))[:3])
        for element, colour in (("document.querySelector('.dot')", "fill"), ("document.body", "backgroundColor"))
    )

    with Image.open(io.BytesIO(figure.screenshot())) as picture:
        colours = Counter(picture.convert("RGB").get_flattened_data())

    assert colours[accent] > 30  # the dot and the line of the value
    assert colours[paper] > sum(colours.values()) / 2


def test_what_was_written_stays_text_in_a_browser_that_runs_scripts(
    browser: sync_api.Browser, addresses: dict[str, str]
) -> None:
    context = browser.new_context()
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))

    for name in ("odd", "class"):
        page.goto(addresses[name])

        assert readable(HOSTILE).strip() in page.locator("body").inner_text()
        assert page.locator("script, img, main [onerror]").count() == 0
    context.close()

    assert dialogs == []


@pytest.mark.parametrize("name", NAMES)
def test_paper_shows_every_text_of_a_page(show: Any, name: str) -> None:
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed; it is among the dev extras")
    page = show(name)
    texts = page.locator("main").evaluate("each => each.textContent")

    paper = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))

    def letters(text: str) -> set[str]:
        # How a line is broken is the paper's business, and so are ligatures.
        return set(re.findall(r"[A-Za-z0-9]{3,}", unicodedata.normalize("NFKC", text)))

    printed = "\n".join(sheet.extract_text() for sheet in paper.pages)
    packed = re.sub(r"\s", "", unicodedata.normalize("NFKC", printed))
    assert {word for word in letters(texts) if word not in packed} - letters(hidden_texts(page)) == set()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 680, "height": 960})
    assert page.evaluate(UNPRINTED) == []


def hidden_texts(page: sync_api.Page) -> str:
    """Return what only screen readers are told."""
    return " ".join(page.locator(".unseen, title, desc").all_text_contents())


def test_no_row_of_a_table_is_cut_by_the_end_of_a_sheet(show: Any) -> None:
    page = show("class")
    page.emulate_media(media="print")

    rules = page.evaluate("[...document.querySelectorAll('tr')].map(row => getComputedStyle(row).breakInside)")

    assert len(rules) > 40
    assert set(rules) == {"avoid"}
