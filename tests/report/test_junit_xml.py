from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jenkins_cd import masking
from jenkins_cd.findings import junit as reader
from jenkins_cd.model import TestCase, TestReport
from jenkins_cd.report import junit

CASES = (
    TestCase(suite="dev", name="smoke", seconds=1.25, outcome="passed"),
    TestCase(suite="dev.orders", name="total", seconds=0.5, outcome="failed", message="3 is not 4\nat orders.py:7"),
    TestCase(suite="dev", name="stock", seconds=0.0, outcome="error", message="no connection"),
    TestCase(suite="dev.orders", name="later", seconds=0.0, outcome="skipped", message="not yet"),
)


def one(**changes: Any) -> TestReport:
    case = {"suite": "dev", "name": "smoke", "seconds": 0.0, "outcome": "failed", "message": "x", **changes}
    return TestReport(cases=(TestCase(**case),))


def parsed(report: TestReport) -> ElementTree.Element:
    return ElementTree.fromstring(junit.xml(report))  # noqa: S314 - we wrote it


def read_back(report: TestReport, folder: Path) -> TestReport:
    file = folder / "junit.xml"
    file.write_bytes(junit.xml(report))
    return reader.read([file])


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    back = read_back(TestReport(cases=CASES), tmp_path)
    assert sorted(back.cases, key=lambda case: case.name) == sorted(CASES, key=lambda case: case.name)
    assert back.summary == TestReport(cases=CASES).summary


def test_there_is_one_suite_for_each_that_is_named_with_its_counts() -> None:
    root = parsed(TestReport(cases=CASES))
    assert root.tag == "testsuites"
    counts = {suite.get("name"): {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped", "time")}
              for suite in root}  # fmt: skip
    assert counts == {
        "dev": {"tests": "2", "failures": "0", "errors": "1", "skipped": "0", "time": "1.250"},
        "dev.orders": {"tests": "2", "failures": "1", "errors": "0", "skipped": "1", "time": "0.500"},
    }


def test_a_failure_has_its_first_line_as_message_and_all_as_text() -> None:
    failure = parsed(TestReport(cases=CASES)).find(".//failure")
    assert failure is not None
    assert failure.get("message") == "3 is not 4"
    assert failure.text == "3 is not 4\nat orders.py:7"


def test_no_tests_are_a_document_too(tmp_path: Path) -> None:
    assert read_back(TestReport(), tmp_path) == TestReport()


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "\x1b[31mred\x1b[0m",
        "bell\x07",
        "\ufffe\uffff",
        "\ud800",
        "\u202eevil",
        "\x85next",
        "a\rb",
        "\x0b\x0c",
    ],
)
def test_characters_that_xml_cannot_hold_break_nothing(tmp_path: Path, text: str) -> None:
    back = read_back(one(suite=f"s{text}", name=f"n{text}", message=f"m{text}"), tmp_path)
    (case,) = back.cases
    assert (case.suite[0], case.name[0], case.message[0]) == ("s", "n", "m")
    data = (tmp_path / "junit.xml").read_text(encoding="utf-8")
    assert not [char for char in data if ord(char) < 32 and char not in "\n\t"]
    assert "\u202e" not in data


@pytest.mark.parametrize("text", ["<b>&amp;]]>", "\"quoted\" 'too'", "größer – 日本", "]]>", "<!-- -->", "tab\there"])
def test_markup_and_other_scripts_stay_as_they_are(tmp_path: Path, text: str) -> None:
    (case,) = read_back(one(suite=text, name=text, message=text), tmp_path).cases
    assert (case.suite, case.message) == (text, text)
    assert case.name.split() == text.split()


def test_secrets_are_masked_wherever_they_are(tmp_path: Path) -> None:
    secret = masking.register("horse-battery-9")
    report = one(suite=f"s {secret}", name=f"n {secret}", message=f"m {secret}\nhttps://jane:hunter22@git.local/x")
    (case,) = read_back(report, tmp_path).cases
    assert (case.suite, case.name) == ("s ****", "n ****")
    data = (tmp_path / "junit.xml").read_text()
    assert secret not in data
    assert "hunter22" not in data


def test_a_secret_at_the_edge_of_a_long_message_is_masked_too() -> None:
    secret = masking.register("staple-horse-77")
    data = junit.xml(one(message="x" * 495 + secret)).decode()
    assert "stapl" not in data


def test_a_message_of_a_megabyte_is_kept_but_not_as_an_attribute() -> None:
    failure = parsed(one(message="x" * 1_000_000)).find(".//failure")
    assert failure is not None
    assert len(failure.get("message") or "") == 500
