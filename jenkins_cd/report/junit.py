"""Tests, and deployments that failed, as JUnit XML in the shape that Jenkins reads: https://plugins.jenkins.io/junit/."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from jenkins_cd.masking import excerpt, mask
from jenkins_cd.model import Deployment, TestCase, TestReport
from jenkins_cd.report.text import clean


def xml(report: TestReport) -> bytes:
    """Return the tests as a document with one suite for each that they name; secrets are masked."""
    root = Element("testsuites")
    for name, cases in groupby(sorted(report.cases, key=lambda case: case.suite), key=lambda case: case.suite):
        _suite(root, name, list(cases))
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


def of_deployments(deployments: Iterable[Deployment]) -> TestReport:
    """Return the tests of deployments; one that failed without a failing test is a case named after its last phase."""
    cases: list[TestCase] = []
    for one in deployments:
        cases += one.tests.cases if one.tests else ()
        if one.outcome != "verified" and not (one.tests and one.tests.failed):
            phase = next((phase.name for phase in reversed(one.phases) if phase.status == "failed"), "verify")
            what, where = f"{phase} {one.app} {one.version}", f"{one.kind}.{one.environment}"
            cases.append(failed(what, where, f"{one.outcome}: {one.reason}\n{one.evidence}", one.seconds))
    return TestReport(cases=tuple(cases))


def failed(what: str, where: str, message: str, seconds: float = 0.0) -> TestCase:
    """Return a step of a deployment that failed, as a case: `verify storefront 1.4.0` in `deployment.dev`."""
    return TestCase(suite=where, name=what, seconds=seconds, outcome="failed", message=message.rstrip())


def _suite(root: Element, name: str, cases: list[TestCase]) -> None:
    counts = {
        "tests": len(cases),
        "failures": sum(case.outcome == "failed" for case in cases),
        "errors": sum(case.outcome == "error" for case in cases),
        "skipped": sum(case.outcome == "skipped" for case in cases),
    }
    numbers = {key: str(value) for key, value in counts.items()}
    suite = SubElement(root, "testsuite", {"name": _text(name), **numbers, "time": _seconds(cases)})
    for case in cases:
        one = SubElement(
            suite, "testcase", {"classname": _text(name), "name": _text(case.name), "time": f"{case.seconds:.3f}"}
        )
        if case.outcome != "passed":
            tag = "failure" if case.outcome == "failed" else case.outcome
            message = _text(case.message)
            SubElement(one, tag, {"message": excerpt(message.partition("\n")[0], 500)}).text = message


def _seconds(cases: list[TestCase]) -> str:
    return f"{sum(case.seconds for case in cases):.3f}"


def _text(value: str) -> str:
    return mask(clean(value))
