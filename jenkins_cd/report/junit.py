"""Tests as JUnit XML, in the shape that Jenkins reads (https://plugins.jenkins.io/junit/)."""

from __future__ import annotations

from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, tostring

from jenkins_cd.masking import mask
from jenkins_cd.model import TestCase, TestReport
from jenkins_cd.report.text import clean


def xml(report: TestReport) -> bytes:
    """Return the tests as a document with one suite for each that they name; secrets are masked."""
    root = Element("testsuites")
    for name, cases in groupby(sorted(report.cases, key=lambda case: case.suite), key=lambda case: case.suite):
        _suite(root, name, list(cases))
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))


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
            SubElement(one, tag, {"message": message.partition("\n")[0][:500]}).text = message


def _seconds(cases: list[TestCase]) -> str:
    return f"{sum(case.seconds for case in cases):.3f}"


def _text(value: str) -> str:
    return mask(clean(value))
