"""The page: what it says, that it is well made, and that nothing in a result can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jenkins_cd import masking, model, results
from jenkins_cd.model import CiResult, Deployment
from jenkins_cd.report import html
from tests.report import pages, samples
from tests.report.resources import broken

HOSTILE = (
    "<script>alert(1)</script></pre></table>\"'><img src=x onerror=alert(1)> {{ 7*7 }} &amp; \x1b[31m\x00\x0b\ud800"
)
BIDI = "access\u202e\u2066// admin\u2069"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".jenkins-cd" / "report"


def hostile() -> tuple[CiResult, Deployment]:
    finding = samples.finding(
        message=HOSTILE * 60,
        file=HOSTILE,
        rule=HOSTILE,
        tool=HOSTILE,
        source=(HOSTILE, BIDI, "x" * 10_000),
        source_start=17,
    )
    case = model.TestCase(suite=HOSTILE, name=HOSTILE, seconds=-1.0, outcome="failed", message=HOSTILE * 200)
    stage = samples.stage(
        "unit-tests", 0, 1, "failed", HOSTILE, findings=(finding,), tests=model.TestReport(cases=(case,)), log=HOSTILE,
        evidence=HOSTILE + BIDI,
    )  # fmt: skip
    phase = replace(samples.phases()[0], name=HOSTILE, detail=HOSTILE)
    broken = replace(samples.broken_deployment(), evidence=HOSTILE, reason=HOSTILE, diff=f"+{HOSTILE}", phases=(phase,))
    return replace(samples.failed(), app="a" * 300, stages=(stage,)), replace(broken, requested_by=HOSTILE, id=HOSTILE)


def write(folder: Path, kind: str) -> pages.Page:
    runs = {
        "passed": (samples.passed(), [samples.deployment()]),
        "failed": (samples.failed(), []),
        "rolled back": (samples.passed(), [samples.deployment(), samples.broken_deployment(), samples.rollback()]),
        "deployed only": (None, [samples.deployment()]),
        "hostile": (hostile()[0], [hostile()[1]]),
        "resources": (
            None,
            [replace(samples.broken_deployment(), resources=broken()), replace(hostile()[1], resources=broken())],
        ),
        "empty": (None, []),
    }
    return pages.read(html.write(folder, *runs[kind]))


KINDS = ("passed", "failed", "rolled back", "deployed only", "hostile", "resources", "empty")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_needs_nothing_that_jenkins_forbids(folder: Path, kind: str) -> None:
    page = write(folder, kind)
    assert not {"script", "style", "iframe", "object", "embed", "base", "svg"} & {tag for tag, _ in page.tags}
    names = {name for _, given in page.tags for name in given}
    assert "style" not in names
    assert not [name for name in names if name.startswith("on")]
    assert not [one for one in page.references() if re.match(r"(?i)\s*([a-z][a-z0-9+.-]*:|//)", one)]
    assert not re.search(r"url\(|@import|@font-face", (folder / "style.css").read_text())


@pytest.mark.parametrize("kind", KINDS)
def test_every_reference_leads_somewhere(folder: Path, kind: str) -> None:
    page = write(folder, kind)
    anchors = {given["id"] for _, given in page.tags if "id" in given}
    for reference in page.references():
        if reference.startswith("#"):
            assert reference[1:] in anchors
        else:
            assert (folder / reference).is_file(), reference


@pytest.mark.parametrize("kind", KINDS)
def test_the_tags_are_nested_and_each_id_is_there_once(folder: Path, kind: str) -> None:
    page = write(folder, kind)
    assert page.misnested == []
    assert page.open == []
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    assert page.count("h1") == 1
    assert page.count("caption") == page.count("table")
    assert all(given["alt"] for tag, given in page.tags if tag == "img")


@pytest.mark.parametrize("kind", KINDS)
def test_every_drawing_is_well_formed_and_has_no_style(folder: Path, kind: str) -> None:
    write(folder, kind)
    for file in folder.glob("*.svg"):
        elements = list(ElementTree.fromstring(file.read_bytes()).iter())  # noqa: S314 - ours
        assert not [one for one in elements if one.tag.endswith(("}style", "}script", "}image", "}foreignObject"))]
        assert not [one for one in elements if "style" in one.attrib or "class" in one.attrib]


def test_the_resources_of_a_deployment_that_failed_are_drawn_and_told(folder: Path) -> None:
    page = write(folder, "resources")
    images = {
        given["src"]: given["alt"] for tag, given in page.tags if tag == "img" and given["src"].startswith("tree-")
    }
    assert next(iter(images)) == "tree-20260102T031000Z-88aa.svg"
    assert "✗ Deployment/web Degraded" in images["tree-20260102T031000Z-88aa.svg"]
    assert len(images) == 2  # an ID that is no file name does no harm
    assert {one.parent for one in folder.rglob("tree-*")} == {folder}


def test_the_resources_of_one_that_went_well_are_not(folder: Path) -> None:
    html.write(folder, None, [samples.deployment(resources=broken())])
    assert not list(folder.glob("tree-*"))


def test_the_verdict_comes_first_and_names_the_first_thing_to_look_at(folder: Path) -> None:
    text = " ".join(write(folder, "failed").text.split())
    assert text.startswith(
        "failed: storefront 1.4.0 storefront 1.4.0 failed failed CI of 1.4.0 2 of 5 stages did not pass"
    )
    assert (
        text.index("First thing to look at: unit-tests") < text.index("--- FAIL: TestDiscount0") < text.index("Gates")
    )


def test_a_passed_run_has_nothing_to_look_at_first(folder: Path) -> None:
    page = write(folder, "passed")
    assert "First thing to look at" not in page.text
    assert page.count("span", "failed") == 0


def test_a_finding_shows_its_place_and_marks_the_line_that_is_meant(folder: Path) -> None:
    page = write(folder, "failed")
    assert "internal/basket/price.go:17:3" in page.text
    marked = re.findall(r'class="number">(\d+)</span><mark>(.*?)</mark>', (folder / "index.html").read_text())
    assert marked[:2] == [
        ("17", "\t\tfmt.Sprintf(&#34;%d&#34;, item.Name)"),
        ("18", "\t\tfmt.Sprintf(&#34;%d&#34;, item.Name)"),
    ]


def test_a_gate_shows_limit_and_actual_and_says_when_it_is_unknown(folder: Path) -> None:
    rows = re.findall(
        r"<tr>(.*?)</tr>", write(folder, "failed").text and (folder / "index.html").read_text(), re.DOTALL
    )
    gates = [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in rows]
    assert "unit-tests coverage 71.2 at least 80 failed lost in basket" in gates
    assert "compiler-warnings new unknown at most 0 failed no baseline" in gates


def test_failed_tests_stand_before_the_others(folder: Path) -> None:
    page = write(folder, "failed")
    assert page.text.index("TestDiscount1") < page.text.index("13 passed or skipped") < page.text.index("TestPrice0")


def test_the_release_is_told_with_its_digests(folder: Path) -> None:
    text = write(folder, "passed").text
    for part in (samples.VERSION, samples.COMMIT, samples.DIGEST, "127.0.0.1:5000/apps/storefront:1.4.0"):
        assert part in text


def test_a_failed_deployment_tells_what_was_seen_and_a_rollback_follows_it(folder: Path) -> None:
    page = write(folder, "rolled back")
    text = " ".join(page.text.split())
    assert "http://127.0.0.1:8081/health answered 503, version 1.4.0" in text
    assert "cannot reach database: connection refused" in text
    assert text.index("Deployment of 1.4.0 to test failed") < text.index("Rollback of 1.3.0 to test verified")
    assert page.count("header", "failed") == 1


def test_why_a_deployment_failed_does_not_stand_in_its_table_of_phases_too(folder: Path) -> None:
    why = "the health endpoint did not report 1.4.0 within 2 min"
    phases = tuple(replace(one, status="failed", detail=why) for one in samples.phases(broken=True)[-1:])
    broken = replace(samples.broken_deployment(), reason=why, phases=phases, evidence="")
    page = html.write(folder, None, [broken]).read_text(encoding="utf-8")
    table = page[page.index('<table class="steps">') :]
    assert why in page
    assert why not in table[: table.index("</table>")]


def test_a_diff_has_a_class_for_each_kind_of_line(folder: Path) -> None:
    page = write(folder, "deployed only")
    counts = {name: page.count("span", name) for name in ("file", "hunk", "added", "removed", "context")}
    assert counts == {"file": 2, "hunk": 1, "added": 2, "removed": 2, "context": 4}


def test_thousands_of_findings_are_cut_with_a_pointer_to_all_of_them(folder: Path) -> None:
    folder.parent.mkdir()
    (folder.parent / "dead-code.sarif").write_text("{}")
    many = samples.stage("dead-code", 0, 1, "failed", findings=tuple(samples.finding(number) for number in range(2000)))
    page = pages.read(html.write(folder, replace(samples.failed(), stages=(many,)), ()))
    assert page.count("article") == html.FINDINGS
    assert f"The first {html.FINDINGS} of 2,000 findings are shown; all are in .jenkins-cd/dead-code.sarif" in page.text
    assert "../dead-code.sarif" in page.references()


def test_errors_come_before_warnings_when_findings_are_cut(folder: Path) -> None:
    found = (
        *(samples.finding(n, level="warning") for n in range(html.FINDINGS)),
        samples.finding(999, message="the worst"),
    )
    ci = replace(samples.failed(), stages=(samples.stage("dead-code", 0, 1, "failed", findings=found),))
    assert "the worst" in pages.read(html.write(folder, ci, ())).text


def test_hostile_text_is_shown_and_not_obeyed(folder: Path) -> None:
    page = write(folder, "hostile")
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }} &amp;" in page.text
    assert page.count("img") == 2  # the two drawings
    assert "access<U+202E><U+2066>// admin<U+2069>" in page.text


def test_long_messages_are_cut_and_the_rest_is_counted(folder: Path) -> None:
    write(folder, "hostile")
    assert "more characters)" in (folder / "index.html").read_text()
    assert (folder / "index.html").stat().st_size < 100_000


def test_a_log_outside_the_results_is_named_but_not_linked(folder: Path) -> None:
    folder.parent.mkdir()
    (folder.parent.parent / "secret.txt").write_text("x")
    (folder.parent / "a #b.log").write_text("x")
    stages = samples.failed().stages
    for log, links in (
        ("secret.txt", 0),
        (".jenkins-cd/../secret.txt", 0),
        ("/etc/passwd", 0),
        (".jenkins-cd/a #b.log", 1),
    ):
        ci = replace(samples.failed(), stages=(replace(stages[1], log=log),))
        page = pages.read(html.write(folder, ci, ()))
        assert log in page.text
        assert sum(one.startswith("..") for one in page.references()) == links


def test_a_registered_secret_reaches_neither_page_nor_drawing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    secret = masking.register('p&ss<"w0rd')
    leaky = replace(samples.broken_deployment(), evidence=f"login {secret}", diff=f"+{secret}", phases=())
    ci = samples.failed()
    stage = replace(ci.stages[1], reason=secret, evidence="x" * 3995 + secret)
    html.write(folder, replace(ci, stages=(stage, *ci.stages)), (leaky,))
    for file in folder.iterdir():
        content = file.read_text()
        assert "w0rd" not in content, file
        assert "p&amp;ss" not in content, file
    assert "login ****" in (folder / "index.html").read_text()


def test_writing_again_replaces_the_page_and_leaves_no_other_file(folder: Path) -> None:
    write(folder, "rolled back")
    write(folder, "failed")
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    write(folder, "failed")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == first
    names = {"index.html", "style.css", "icon.svg"}
    assert set(first) == names | {f"timeline{end}.svg" for end in ("", "-dark", "-narrow", "-narrow-dark")}


def test_a_run_that_dies_before_the_page_leaves_the_old_page(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "passed")
    before = (folder / "index.html").read_bytes()
    real = results.write

    def dying(file: Path, data: bytes) -> None:
        if file.name == "index.html":
            raise KeyboardInterrupt
        real(file, data)

    monkeypatch.setattr(results, "write", dying)
    with pytest.raises(KeyboardInterrupt):
        write(folder, "failed")
    assert (folder / "index.html").read_bytes() == before
    assert all(
        (folder / one).is_file() for one in pages.read(folder / "index.html").references() if not one.startswith("#")
    )
