"""JUnit XML: no standard, many dialects (Ant, Surefire, pytest, gotestsum, CTest, googletest, Jest, …)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import markup
from jenkins_cd.masking import mask
from jenkins_cd.model import TestCase, TestReport

LONGEST = 4000  # characters of a message that are kept
_NUMBER = re.compile(r"\d{1,12}(\.\d*)?([eE][-+]?\d{1,2})?")


def read(paths: Sequence[Path]) -> TestReport:
    """Return the tests of JUnit files. Times are in seconds.

    A report that counts failures but lists none gets a case of its own that says so. Raises UnreadableReport,
    naming the file.
    """
    return TestReport(cases=tuple(case for path in paths for case in _file(path)))


def _file(path: Path) -> Iterator[TestCase]:
    root = markup.read(path)
    if _tag(root) not in ("testsuites", "testsuite"):
        raise UnreadableReport(f"{path} is no JUnit report: its root is <{_tag(root)[:80]}>, expected <testsuites>")
    yield from _suite(root, "")


def _suite(root: Element, name: str) -> Iterator[TestCase]:
    """Yield the cases of a suite and of those inside it, without recursion: a file may nest without end."""
    pending = [(root, name)]
    listed = 0
    while pending:
        suite, outer = pending.pop()
        name = suite.get("name") or outer
        for child in suite:
            if _tag(child) == "testsuite":
                pending.append((child, name))
            elif _tag(child) == "testcase":
                case = _case(child, name)
                listed += case.outcome in ("failed", "error")
                yield case
            elif _tag(child) in ("failure", "error"):
                listed += 1
                yield _broken(name, _text(child))
    told = _failures(root)
    if told and not listed:
        yield _broken(root.get("name") or "report", f"{told} failures are counted but none is listed")


def _failures(root: Element) -> int:
    """Return how many failures a report counts: the highest of its root and of the sum of its suites."""
    suites = [root] if _tag(root) == "testsuite" else [child for child in root if _tag(child) == "testsuite"]
    return max(_count(root), sum(_count(suite) for suite in suites))


def _count(suite: Element) -> int:
    return int(_number(suite.get("failures", ""))) + int(_number(suite.get("errors", "")))


def _case(element: Element, suite: str) -> TestCase:
    outcome, message = _outcome(element)
    return TestCase(
        suite=element.get("classname") or suite,
        name=element.get("name") or "unnamed",
        seconds=_number(element.get("time", "")),
        outcome=outcome,
        message=message,
    )


def _outcome(element: Element) -> tuple[Literal["passed", "failed", "error", "skipped"], str]:
    """Return the worst that a case says. Surefire's flakyFailure and rerunFailure are of attempts, not of the case."""
    children = {_tag(child): child for child in element}
    if "error" in children:
        return "error", _text(children["error"])
    if "failure" in children:
        return "failed", _text(children["failure"])
    status = (element.get("result") or element.get("status") or "").lower()
    if status in ("failed", "failure", "fail", "error"):
        return "failed", f"status {status}"
    if "skipped" in children or status in ("skipped", "disabled", "notrun", "suppressed", "ignored"):
        return "skipped", _text(children["skipped"]) if "skipped" in children else status
    return "passed", ""


def _broken(suite: str, message: str) -> TestCase:
    return TestCase(suite=suite, name="(the suite itself)", seconds=0.0, outcome="error", message=message)


def _text(element: Element) -> str:
    """Return what a failure says: its text, which has the place in it, led by its message where that is not in it."""
    message, text = (element.get("message") or "").strip(), (element.text or "").strip()
    both = text if message in text or message == "Failed" else f"{message}\n{text}".strip()
    return mask(both or message)[:LONGEST]


def _number(text: str) -> float:
    """Return a number such as `1,234.5`; 0 where there is none."""
    plain = text.strip().replace(",", "")
    return float(plain) if _NUMBER.fullmatch(plain) else 0.0


def _tag(element: Element) -> str:
    return element.tag.rpartition(":")[2]
