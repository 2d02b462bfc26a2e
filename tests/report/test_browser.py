"""The page in a real browser, served with the policy that Jenkins serves archived pages with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.report import pages
from tests.report.test_html import write

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const back = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c; } return [255, 255, 255]; };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let worst = 21;
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim()) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
    worst = Math.min(worst, (a + .05) / (b + .05));
  }
  return worst;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("chromium is not installed, and the page must be seen in a browser: apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("archive")
    for kind in ("passed", "failed", "rolled back", "hostile", "resources", "empty"):
        write(folder / kind.replace(" ", "-") / ".jenkins-cd" / "report", kind)
    with pages.served(folder) as address:
        yield address


def opened(browser: Browser, archive: str, kind: str, width: int, scheme: str, complaints: list[str]) -> Page:
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(request.url))
    page.goto(f"{archive}/{kind}/.jenkins-cd/report/index.html")
    page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
    return page


@pytest.mark.parametrize("kind", ["passed", "failed", "rolled-back", "hostile", "resources", "empty"])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")])
def test_the_page_is_whole_under_the_policy(browser: Browser, archive: str, kind: str, width: int, scheme: str) -> None:
    complaints: list[str] = []
    page = opened(browser, archive, kind, width, scheme, complaints)
    ink = page.evaluate("getComputedStyle(document.body).color")
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    images = page.eval_on_selector_all("img", "all => all.map(one => [one.naturalWidth, one.currentSrc])")
    contrast = page.evaluate(CONTRAST)
    page.close()
    assert complaints == []
    assert ink == {"light": "rgb(28, 33, 39)", "dark": "rgb(227, 231, 235)"}[scheme]
    assert overflow <= 0
    assert len(images) == {"passed": 2, "failed": 1, "rolled-back": 4, "hostile": 2, "resources": 4, "empty": 0}[kind]
    assert all(size > 0 for size, _ in images)
    assert all(("dark" in name, "narrow" in name) == (scheme == "dark", width == 400) for _, name in images)
    assert contrast >= 4.5


def test_the_policy_is_at_work_in_this_test(browser: Browser, archive: str) -> None:
    complaints: list[str] = []
    page = opened(browser, archive, "passed", 1280, "light", complaints)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color: red\">x</p>')")
    page.close()
    assert any("Content Security Policy" in complaint for complaint in complaints)


def test_on_paper_the_page_is_light_even_for_a_reader_of_the_dark(browser: Browser, archive: str) -> None:
    page = opened(browser, archive, "failed", 1280, "dark", [])
    page.emulate_media(media="print", color_scheme="dark")
    ink = page.evaluate("getComputedStyle(document.body).color")
    page.close()
    assert ink == "rgb(28, 33, 39)"
