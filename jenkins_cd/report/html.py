"""The page of a run: `.jenkins-cd/report/index.html` with its style sheet and drawings beside it.

It has no script, no inline style and nothing from elsewhere, so that it works under the policy that Jenkins serves
archived pages with: `sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';`
(https://www.jenkins.io/doc/book/security/configuring-content-security-policy/).
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from jenkins_cd import __version__, results
from jenkins_cd.lines import split_lines
from jenkins_cd.model import CiResult, Deployment, Finding, TestCase, TestReport
from jenkins_cd.report import resource_tree, text, timeline
from jenkins_cd.report.verdict import detail, next_step, observed, took, verdict

if TYPE_CHECKING:
    from jinja2 import Environment

FINDINGS = 200  # of a stage that are shown; its SARIF file has them all
TESTS = 500
DIFF = 2000  # lines
_LEVELS = {"error": 0, "warning": 1, "note": 2}
_MARKS = {"+++": "file", "---": "file", "@@": "hunk", "+": "added", "-": "removed"}  # in order: the first that fits


def write(folder: Path, ci: CiResult | None, deployments: Sequence[Deployment]) -> Path:
    """Write the page of a run of CI and of deployments into `folder`; returns its path.

    The page is replaced last and at once: a killed run leaves the old page or the new one. Secrets are masked.
    """
    found = {stage.stage: len(stage.findings) for stage in ci.stages} if ci else {}
    ci, deployments = text.cleaned(_shown(ci) if ci else None), text.cleaned(tuple(deployments))
    drawings = dict(_drawings(ci, deployments))
    ruling = verdict(ci, deployments)
    files = {
        "style.css": (templates() / "style.css").read_text(encoding="utf-8"),
        "icon.svg": timeline.icon(ruling.status),
        **{
            f"{name}{end}.svg": timeline.draw(bars, end) for name, bars in drawings.items() for end in timeline.VARIANTS
        },
    }
    described = {name: timeline.described(bars) for name, bars in drawings.items()}
    for name, one in _trees(deployments):
        files |= {f"{name}{end}.svg": resource_tree.svg(one.resources, one.app, end) for end in resource_tree.VARIANTS}
        described[name] = resource_tree.described(one.resources, one.app)
    files["index.html"] = _page(
        ci,
        deployments,
        found=found,
        verdict=ruling,
        drawings=described,
        link=_Links(folder),
        drift=(folder / "drift.html").is_file(),
    )
    for name, content in files.items():
        results.write(folder / name, content.encode())
    for old in set(folder.glob("*.svg")) - {folder / name for name in files}:
        old.unlink(missing_ok=True)
    return folder / "index.html"


def _page(ci: CiResult | None, deployments: Sequence[Deployment], **more: object) -> str:
    release = next((one.release for one in ci.stages if one.release), None) if ci else None
    template = environment().get_template("index.html.j2")
    return template.render(ci=ci, deployments=deployments, release=release, version=__version__, **more)


class _Links:
    """Links from the page to the files of the run beside it, where they exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, file: str) -> str:
        """Return the way from the page to a file of the results folder (`.jenkins-cd/…`), or an empty string."""
        near = self._folder.parent.resolve()
        path = Path(os.path.normpath(near.parent / file)) if file else near
        if not path.is_relative_to(near) or not path.is_file():
            return ""
        return quote(f"../{path.relative_to(near).as_posix()}")

    def all_findings(self, stage: str) -> str:
        """Return the file that has all findings of a stage: its SARIF file, or else its result."""
        names = [f"{self._folder.parent.name}/{stage}{end}" for end in (".sarif", ".json")]
        return next((name for name in names if self(name)), names[0])


def warm() -> None:
    """Compile the templates. Who has to wait for something else can do so meanwhile: it takes a tenth of a second."""
    for name in environment().list_templates(["j2"]):
        environment().get_template(name)


@functools.cache
def environment() -> Environment:
    """Return the templates and the filters that they use."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(str(templates())),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        detail=detail,
        diff=_diff,
        duration=text.duration,
        failed_first=_failed_first,
        instant=lambda at: text.instant(at).replace("T", " "),
        next_step=next_step,
        number=text.number,
        observed=observed,
        shown=text.shown,
        sources=_sources,
        took=took,
        tree=_tree,
    )
    environment.globals.update(FINDINGS=FINDINGS, TESTS=TESTS, DIFF=DIFF)
    return environment


def templates() -> Path:
    """Return the folder of the templates and style sheets."""
    return Path(str(resources.files("jenkins_cd.report") / "templates"))


def _drawings(ci: CiResult | None, deployments: Sequence[Deployment]) -> Iterator[tuple[str, list[timeline.Bar]]]:
    """Yield the bars of each drawing by name: `timeline` of the stages, `deployment-1` … of the phases."""
    named = [("timeline", timeline.bars(ci.stages if ci else ()))]
    named += [(f"deployment-{index}", timeline.bars(one.phases)) for index, one in enumerate(deployments, 1)]
    yield from ((name, bars) for name, bars in named if bars)


def _trees(deployments: Sequence[Deployment]) -> Iterator[tuple[str, Deployment]]:
    """Yield the deployments whose resources are drawn, with the name of the drawing."""
    yield from ((_tree(one), one) for one in deployments if one.resources and one.outcome == "failed")


def _tree(deployment: Deployment) -> str:
    return "tree-" + re.sub(r"[^A-Za-z0-9.-]+", "_", deployment.id)[:80]


def _shown(ci: CiResult) -> CiResult:
    """Return a run with the findings of each stage that the page has room for, the worst first."""
    return replace(ci, stages=tuple(replace(stage, findings=_worst(stage.findings)) for stage in ci.stages))


def _worst(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(nsmallest(FINDINGS, findings, key=lambda found: (_LEVELS[found.level], found.file, found.line)))


def _failed_first(tests: TestReport) -> list[TestCase]:
    """Return what did not pass, and then the rest: failed, skipped, passed."""
    order = {"failed": 0, "error": 0, "skipped": 1, "passed": 2}
    return sorted(tests.cases, key=lambda case: order[case.outcome])


def _sources(finding: Finding) -> list[Mapping[str, object]]:
    """Return the source lines around a finding: number, text, and whether it is the one that is meant."""
    return [
        {"number": number, "text": text.shown(line, 300), "meant": number == finding.line}
        for number, line in enumerate(finding.source, finding.source_start)
    ]


def _diff(diff: str) -> list[tuple[str, str]]:
    """Return the lines of a unified diff with the class of each: file, hunk, added, removed, context."""
    return [
        (next((name for mark, name in _MARKS.items() if line.startswith(mark)), "context"), text.shown(line, 500))
        for line in split_lines(diff)
    ]
