"""JUnit XML: no standard, many dialects (Ant, Surefire, pytest, gotestsum, CTest, googletest, Jest, …)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import markup
from jenkins_cd.masking import mask
from jenkins_cd.model import TestCase, TestReport

LONGEST = 4000  # characters of a message that are kept
_WORST_FIRST: tuple[tuple[str, Literal["error", "failed"]], ...] = (("error", "error"), ("failure", "failed"))
_FAILED = frozenset(
    {"failed", "failure", "fail", "failing", "error", "errored", "broken", "crashed", "crash", "aborted", "killed"}
    | {"timeout", "timedout", "timed out", "undefined", "invalid", "not ok"}
)
_SKIPPED = frozenset({"skipped", "skip", "disabled", "notrun", "not run", "suppressed", "ignored", "pending"})
_ATTEMPTS = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})  # of Surefire
_SUITES_AND_CASES = frozenset({"testsuite", "testcase"})
_TEXTS = frozenset({"failure", "error", "skipped", "properties", "system-out", "system-err"})
_NUMBER = re.compile(r"\d{1,12}(\.\d*)?([eE][-+]?\d{1,2})?")


def read(paths: Sequence[Path]) -> TestReport:
    """Return the tests of JUnit files. Times are in seconds.

    A suite that counts more failures than it lists gets a case of its own that says so. Raises UnreadableReport,
    naming the file.
    """
    return TestReport(cases=tuple(case for path in paths for case in _file(path)))


def _file(path: Path) -> Iterator[TestCase]:
    root = markup.read(path)
    if _tag(root) not in ("testsuites", "testsuite"):
        raise UnreadableReport(f"{path} is no JUnit report: its root is <{_tag(root)[:80]}>, expected <testsuites>")
    yield from _suite(root)


@dataclass(kw_only=True)
class _Tally:
    """What a suite counts, and what it and the suites inside it list."""

    suite: Element
    name: str
    outer: _Tally | None = None
    cases: int = 0
    failures: int = 0
    attempts: int = 0  # failed ones of cases that were tried again

    @property
    def unlisted(self) -> int:
        """Return how many failures are counted and not listed.

        Some count attempts that failed among the failures (and the tests), which no case then lists as its outcome.
        """
        told, tests = _count(self.suite, "failures", "errors"), _count(self.suite, "tests")
        explained = told <= self.failures + self.attempts and tests <= self.cases + self.attempts
        return 0 if explained else max(told - self.failures, 0)


def _suite(root: Element) -> Iterator[TestCase]:
    """Yield the cases of a suite and of those inside it, without recursion: a file may nest without end."""
    first = _Tally(suite=root, name=root.get("name") or "")
    tallies, pending = [first], [(child, first) for child in reversed(root)]
    while pending:
        element, tally = pending.pop()
        tag = _tag(element)
        if tag == "testcase":
            yield _counted(_case(element, tally.name), element, tally)
        elif tag in ("failure", "error"):
            tally.failures += 1
            yield _broken(tally.name, _text(element))
        elif tag == "testsuite":
            tally = _Tally(suite=element, name=element.get("name") or tally.name, outer=tally)
            tallies.append(tally)
        if tag not in _TEXTS:
            inside = (child for child in reversed(element) if tag != "testcase" or _tag(child) in _SUITES_AND_CASES)
            pending += [(child, tally) for child in inside]
    yield from _unlisted(tallies)


def _counted(case: TestCase, element: Element, tally: _Tally) -> TestCase:
    tags = [_tag(child) for child in element]
    tally.cases += 1
    listed = sum(tag in ("failure", "error") for tag in tags)
    tally.failures += max(listed, case.outcome in ("failed", "error"))
    tally.attempts += sum(tag in _ATTEMPTS for tag in tags)
    return case


def _unlisted(tallies: Sequence[_Tally]) -> Iterator[TestCase]:
    """Yield a case for each innermost suite that counts more failures than are listed in it."""
    for tally in reversed(tallies):  # those inside come behind those around them
        if more := tally.unlisted:
            known = f"only {tally.failures}" if tally.failures else "none"
            what = f"{more + tally.failures} failures are counted but {known} is listed"
            tally.failures += more
            yield _broken(tally.name or "report", what)
        if outer := tally.outer:
            outer.cases += tally.cases
            outer.failures += tally.failures
            outer.attempts += tally.attempts


def _count(element: Element, *names: str) -> int:
    return sum(int(_number(element.get(name, ""))) for name in names)


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
    for tag, outcome in _WORST_FIRST:
        if told := [_text(child) for child in element if _tag(child) == tag]:
            return outcome, "\n".join(filter(None, told))[:LONGEST]
    said = [(element.get(name) or "").lower() for name in ("result", "status")]
    if bad := next((word for word in said if word in _FAILED), ""):
        return "failed", f"status {bad}"
    if counted := _count(element, "failures", "errors"):
        return "failed", f"{counted} failures are counted but none is listed"
    if skipped := [_text(child) for child in element if _tag(child) == "skipped"]:
        return "skipped", skipped[-1]
    if skipped := [word for word in said if word in _SKIPPED]:
        return "skipped", skipped[0]
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
