from __future__ import annotations

import os
from pathlib import Path

import pytest

from jenkins_cd import model
from jenkins_cd.errors import UnreadableReport
from jenkins_cd.findings import junit


def read(folder: Path, content: str, encoding: str = "utf-8") -> model.TestReport:
    file = folder / "junit.xml"
    file.write_bytes(content.encode(encoding))
    return junit.read([file])


def told(report: model.TestReport) -> list[tuple[str, str, float, str, str]]:
    return [(case.suite, case.name, case.seconds, case.outcome, case.message) for case in report.cases]


def test_suites_nest_and_a_suite_alone_is_a_report_too(tmp_path: Path) -> None:
    inner = "<testsuite name='b'><testcase name='x' time='0.5'/></testsuite>"
    assert told(read(tmp_path, f"<testsuites><testsuite name='a'>{inner}</testsuite></testsuites>")) == [
        ("b", "x", 0.5, "passed", "")
    ]
    assert [case.suite for case in read(tmp_path, inner).cases] == ["b"]


def test_the_class_is_the_suite_where_a_case_names_one(tmp_path: Path) -> None:
    assert read(tmp_path, "<testsuite name='a'><testcase classname='C' name='x'/></testsuite>").cases[0].suite == "C"


@pytest.mark.parametrize(
    ("case", "outcome", "message"),
    [
        ("<testcase name='x'/>", "passed", ""),
        ("<testcase name='x'><failure message='1 is 2'>at a.c:3</failure></testcase>", "failed", "1 is 2\nat a.c:3"),
        ("<testcase name='x'><failure message='1'>E 1 is 2</failure></testcase>", "failed", "E 1 is 2"),
        ("<testcase name='x'><failure>a.c:3</failure></testcase>", "failed", "a.c:3"),
        ("<testcase name='x'><failure/></testcase>", "failed", ""),
        ("<testcase name='x'><error message='broke'/></testcase>", "error", "broke"),
        ("<testcase name='x'><failure/><error message='too'/></testcase>", "error", "too"),
        ("<testcase name='x'><skipped message='later'/></testcase>", "skipped", "later"),
        ("<testcase name='x'><skipped/></testcase>", "skipped", ""),
        ("<testcase name='x' status='notrun'/>", "skipped", "notrun"),
        ("<testcase name='x' status='run' result='suppressed'/>", "skipped", "suppressed"),
        ("<testcase name='x' status='failed'/>", "failed", "status failed"),
        ("<testcase name='x' status='run' result='Timeout'/>", "failed", "status timeout"),
        ("<testcase name='x' status='Skipped' result='failed'/>", "failed", "status failed"),
        ("<testcase name='x' failures='1'/>", "failed", "1 failures are counted but none is listed"),
        ("<testcase name='x'><failure>one</failure><failure>two</failure></testcase>", "failed", "one\ntwo"),
        ("<testcase name='x'><skipped/><failure>after all</failure></testcase>", "failed", "after all"),
        ("<testcase name='x'><rerunFailure>again</rerunFailure><failure>all</failure></testcase>", "failed", "all"),
        ("<testcase name='x'><flakyError message='once'/><flakyFailure/></testcase>", "passed", ""),
        ("<testcase/>", "passed", ""),
        ("<testcase name='x'><flakyFailure message='once'/></testcase>", "passed", ""),
        ("<testcase name='x'><system-out>failure</system-out></testcase>", "passed", ""),
        ("<testcase name='x'><failure><![CDATA[<b> & c]]></failure></testcase>", "failed", "<b> & c"),
    ],
)
def test_a_case_passed_failed_broke_or_was_skipped(tmp_path: Path, case: str, outcome: str, message: str) -> None:
    [found] = read(tmp_path, f"<testsuite>{case}</testsuite>").cases
    assert (found.outcome, found.message) == (outcome, message)


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("1.5", 1.5),
        ("1,234.5", 1234.5),
        ("", 0.0),
        ("1e-3", 0.001),
        ("soon", 0.0),
        ("-1", 0.0),
        ("nan", 0.0),
        ("2", 2.0),
    ],
)
def test_times_come_in_many_dialects(tmp_path: Path, time: str, seconds: float) -> None:
    assert read(tmp_path, f"<testsuite><testcase name='x' time='{time}'/></testsuite>").cases[0].seconds == seconds


def test_a_suite_that_broke_before_its_tests_is_an_error(tmp_path: Path) -> None:
    report = read(tmp_path, "<testsuite name='a' errors='1'><error message='no database'/></testsuite>")
    assert [(case.suite, case.outcome, case.message) for case in report.failed] == [("a", "error", "no database")]


@pytest.mark.parametrize(
    "content",
    [
        "<testsuites failures='2'><testsuite><testcase name='x'/></testsuite></testsuites>",
        "<testsuites><testsuite errors='2'><testcase name='x'/></testsuite></testsuites>",
        "<testsuite failures='1' errors='1'/>",
    ],
)
def test_failures_that_are_counted_but_not_listed_are_not_lost(tmp_path: Path, content: str) -> None:
    [case] = read(tmp_path, content).failed
    assert case.message == "2 failures are counted but none is listed"


FLAKY = "<testcase name='x'><flakyFailure message='once'/></testcase>"
AGAIN = "<testcase name='x'><failure/><rerunFailure/><rerunFailure/></testcase>"


@pytest.mark.parametrize(
    "content",
    [
        f"<testsuite failures='1' tests='1'>{FLAKY}</testsuite>",
        f"<testsuite failures='1' tests='2'>{FLAKY}</testsuite>",  # the attempt counts as a test
        f"<testsuite failures='0' flakes='1' tests='1'>{FLAKY}</testsuite>",
        f"<testsuites failures='1'><testsuite errors='1' failures='0'>{FLAKY}</testsuite></testsuites>",
        f"<testsuite failures='2'>{FLAKY}<testsuite failures='1'>{FLAKY}</testsuite></testsuite>",
    ],
)
def test_a_counter_of_attempts_that_failed_is_no_failure(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content).failed == ()


@pytest.mark.parametrize("told", [1, 3])
def test_a_case_that_failed_in_each_attempt_failed_once(tmp_path: Path, told: int) -> None:
    assert len(read(tmp_path, f"<testsuite failures='{told}'>{AGAIN}</testsuite>").failed) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"<testsuite failures='2' tests='1'>{FLAKY}</testsuite>", "2 failures are counted but none is listed"),
        (f"<testsuite failures='1' tests='9'>{FLAKY}</testsuite>", "1 failures are counted but none is listed"),
        (
            "<testsuite failures='3' tests='3'><testcase name='x'><failure/></testcase></testsuite>",
            "3 failures are counted but only 1 is listed",
        ),
        (
            "<testsuites><testsuite name='a'><testsuite name='b' errors='1'/></testsuite></testsuites>",
            "1 failures are counted but none is listed",
        ),
        (
            f"<testsuites failures='2'><testsuite>{FLAKY}</testsuite><testsuite failures='1'/></testsuites>",
            "1 failures are counted but none is listed",
        ),
    ],
)
def test_a_report_that_was_cut_tells_of_the_failures_that_it_lost(tmp_path: Path, content: str, said: str) -> None:
    assert said in [case.message for case in read(tmp_path, content).failed]


def test_a_loss_is_told_once_by_the_suite_that_lost_it(tmp_path: Path) -> None:
    inner = "<testsuite name='inner' failures='2'/>"
    report = read(tmp_path, f"<testsuites failures='2'><testsuite failures='2'>{inner}</testsuite></testsuites>")
    assert [(case.suite, case.message) for case in report.cases] == [
        ("inner", "2 failures are counted but none is listed")
    ]


@pytest.mark.parametrize(
    "content",
    [
        "<testsuites><group><testsuite>{}</testsuite></group></testsuites>",
        "<testsuites>{}</testsuites>",
        "<testsuite><testcase name='outer'>{}</testcase></testsuite>",
        "<testsuite><testcase name='outer'><testsuite>{}</testsuite></testcase></testsuite>",
    ],
)
def test_a_case_counts_wherever_it_stands(tmp_path: Path, content: str) -> None:
    report = read(tmp_path, content.format("<testcase name='x'><failure>here</failure></testcase>"))
    assert [(case.name, case.message) for case in report.failed] == [("x", "here")]


def test_what_a_test_printed_is_no_case(tmp_path: Path) -> None:
    printed = "<system-out><testcase name='y'><failure/></testcase></system-out>"
    assert told(read(tmp_path, f"<testsuite><testcase name='x'>{printed}</testcase>{printed}</testsuite>")) == [
        ("", "x", 0.0, "passed", "")
    ]


def test_cases_of_one_name_are_all_kept(tmp_path: Path) -> None:
    cases = "<testcase name='x'><failure/></testcase><testcase name='x'/><testcase name='x'><failure/></testcase>"
    assert [case.outcome for case in read(tmp_path, f"<testsuite>{cases}</testsuite>").cases] == [
        "failed",
        "passed",
        "failed",
    ]


def test_namespaces_and_encodings_do_not_matter(tmp_path: Path) -> None:
    content = "<?xml version='1.0' encoding='{}'?><j:testsuite xmlns:j='x'><j:testcase name='é'/></j:testsuite>"
    for encoding in ("utf-8", "iso-8859-1", "utf-16"):
        assert read(tmp_path, content.format(encoding), encoding).cases[0].name == "é"


def test_several_files_are_one_report(tmp_path: Path) -> None:
    files = [tmp_path / "a.xml", tmp_path / "b.xml"]
    for file in files:
        file.write_text(f"<testsuite><testcase name='{file.stem}'/></testsuite>", encoding="utf-8")
    assert [case.name for case in junit.read(files).cases] == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "is no XML"),
        ("<testsuite><testcase", "is no XML: .*line 1"),
        ("<testsuite></testsuites>", "is no XML: mismatched tag"),
        ("<testsuite>\x1b[31m</testsuite>", "is no XML"),
        ("<?xml version='1.0' encoding='no-such'?><testsuite/>", "is no XML"),
        ("<html/>", "is no JUnit report: its root is <html>"),
    ],
)
def test_what_is_no_junit_report_is_refused_and_named(tmp_path: Path, content: str, why: str) -> None:
    with pytest.raises(UnreadableReport, match=rf"^{tmp_path}/junit\.xml {why}"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "declaration",
    ['<!ENTITY x SYSTEM "file:///etc/hostname">', '<!ENTITY x "laugh">', '<!ENTITY % x SYSTEM "http://127.0.0.1:9/">'],
)
def test_entities_are_refused_before_they_can_name_a_file_or_grow(tmp_path: Path, declaration: str) -> None:
    with pytest.raises(UnreadableReport, match="declares the entity 'x'"):
        read(tmp_path, f"<!DOCTYPE t [{declaration}]><testsuite><testcase name='&x;'/></testsuite>")


def test_a_document_type_of_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    content = "<!DOCTYPE testsuite SYSTEM 'http://127.0.0.1:9/x.dtd'><testsuite><testcase name='x'/></testsuite>"
    assert len(read(tmp_path, content).cases) == 1


def test_suites_without_end_are_survived(tmp_path: Path) -> None:
    assert read(tmp_path, "<testsuite>" * 20_000 + "<testcase name='x'/>" + "</testsuite>" * 20_000).cases


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableReport, match=r"gone\.xml cannot be read: No such file"):
        junit.read([tmp_path / "gone.xml"])
    huge = tmp_path / "huge.xml"
    huge.touch()
    os.truncate(huge, 300_000_000)
    with pytest.raises(UnreadableReport, match="is larger than 200 MB"):
        junit.read([huge])
