from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.model import StageResult
from jenkins_cd.stages import unit_tests
from tests.stages.projects import CLEAN_GO, CLEAN_PYTHON, build, write

PASSED = "<testsuite><testcase name='adds' classname='shop' time='0.1'/></testsuite>"
FAILED = "<testsuite><testcase name='adds' classname='shop'><failure message='1 is not 2'/></testcase></testsuite>"
COBERTURA = "<coverage lines-valid='4' lines-covered='3'/>"


def run(workspace: Path, run: str, **keys: object) -> StageResult:
    lines = [f"    {key}: {value}\n" for key, value in keys.items()]
    cd = f"toolchain: custom\nci:\n  unit-tests:\n    run: |\n      {run}\n" + "".join(lines)
    return unit_tests.run(build(workspace, cd, "custom"))


@pytest.mark.parametrize("project", [CLEAN_GO, CLEAN_PYTHON], ids=["go", "python"])
def test_real_tests_pass_and_their_coverage_is_measured(tmp_path: Path, project: dict[str, str]) -> None:
    result = unit_tests.run(build(write(tmp_path, project), "ci: {unit-tests: {coverage: {minimum: 40}}}"))
    assert result.status == "passed", result.evidence
    assert result.tests is not None
    assert [(case.name, case.outcome) for case in result.tests.cases] in (
        [("TestAdd", "passed")],
        [("test_add", "passed")],
    )
    assert result.coverage is not None
    assert 40 <= result.coverage <= 100
    assert {gate.name: gate.passed for gate in result.gates} == {"tests": True, "coverage": True}
    assert result.reason == f"1 test, {result.coverage:.1f} % covered"


@pytest.mark.parametrize(
    ("project", "change", "place"),
    [
        (CLEAN_GO, {"main_test.go": CLEAN_GO["main_test.go"].replace("!= 3", "!= 4")}, "main_test.go:7"),
        (CLEAN_PYTHON, {"test_shop.py": CLEAN_PYTHON["test_shop.py"].replace("== 3", "== 4")}, "test_shop.py:5"),
    ],
    ids=["go", "python"],
)
def test_a_real_failing_test_fails_and_is_the_first_thing_to_look_at(
    tmp_path: Path, project: dict[str, str], change: dict[str, str], place: str
) -> None:
    result = unit_tests.run(build(write(tmp_path, project | change)))
    assert (result.status, result.reason) == ("failed", "1 failed test, 0 allowed")
    assert place in result.evidence


@pytest.mark.parametrize(
    ("project", "change", "words"),
    [
        (CLEAN_GO, {"main.go": "package main\n\nfunc main() { add(1) }\n"}, "build failed"),
        (CLEAN_PYTHON, {"test_shop.py": "import nowhere\n"}, "nowhere"),
        (CLEAN_PYTHON, {"test_shop.py": "\n"}, "no tests ran"),
    ],
    ids=["go", "python", "python without tests"],
)
def test_tests_that_cannot_run_fail_with_the_tools_own_words(
    tmp_path: Path, project: dict[str, str], change: dict[str, str], words: str
) -> None:
    result = unit_tests.run(build(write(tmp_path, project | change)))
    assert result.status == "failed"
    assert words in result.evidence


def test_a_go_module_without_tests_does_not_pass(tmp_path: Path) -> None:
    files = {name: text for name, text in CLEAN_GO.items() if name != "main_test.go"}
    result = unit_tests.run(build(write(tmp_path, files)))
    assert result.status == "failed"
    assert result.reason.startswith("no test ran: ")
    assert result.reason.endswith("junit.xml names none")


def test_a_missing_python_module_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = write(tmp_path / "bin", {"python3": '#!/bin/sh\necho "$0: No module named pytest" >&2; exit 1\n'})
    (fake / "python3").chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake}:/usr/bin:/bin")
    result = unit_tests.run(build(write(tmp_path / "app", CLEAN_PYTHON)))
    assert "pytest is not installed; install it: python3 -m pip install pytest pytest-cov" in result.reason


def test_too_little_coverage_fails(tmp_path: Path) -> None:
    write(tmp_path, {"good.xml": PASSED, "c.xml": COBERTURA})
    keys = {"junit": "out/*.xml", "coverage": "{minimum: 80, report: out.xml, format: cobertura}"}
    result = run(tmp_path, "mkdir -p out && cp good.xml out/a.xml && cp c.xml out.xml", **keys)
    assert (result.status, result.coverage) == ("failed", 75.0)
    assert result.reason == "75.0 % covered, 80 % wanted"


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "out.xml is missing"), ("<coverage>", "out.xml is no XML"), ("<x/>", "out.xml is no Cobertura report")],
)
def test_coverage_that_cannot_be_known_fails_where_a_minimum_is_wanted(
    tmp_path: Path, content: str | None, why: str
) -> None:
    write(tmp_path, {"content": content or ""})
    command = "true" if content is None else "cp content out.xml"
    wanted = run(tmp_path, command, coverage="{minimum: 1, report: out.xml, format: cobertura}")
    assert wanted.status == "failed"
    assert [(gate.name, gate.actual) for gate in wanted.gates] == [("coverage", None)]
    assert why in wanted.reason
    assert run(tmp_path, "true", coverage="{minimum: 1}").status == "failed"
    assert run(tmp_path, "true", coverage="{report: out.xml, format: cobertura}").status == "passed"


def test_all_files_of_the_glob_that_this_run_wrote_are_read_and_no_others(tmp_path: Path) -> None:
    write(tmp_path, {"out/old.xml": FAILED, "pom.xml": "<project/>"})
    result = run(tmp_path, f'echo "{PASSED}" > out/a.xml; echo "{PASSED}" > out/b.xml', junit="'**/*.xml'")
    assert result.status == "passed", result.evidence
    assert result.tests is not None
    assert len(result.tests.cases) == 2
    assert (tmp_path / "pom.xml").exists()


def test_what_jenkins_is_given_is_what_this_run_has_read(tmp_path: Path) -> None:
    write(tmp_path, {"out/old.xml": FAILED, ".jenkins-cd/unit-tests/junit.xml": FAILED})
    file = tmp_path / ".jenkins-cd/unit-tests/junit.xml"
    run(tmp_path, f'echo "{PASSED}" > out/a.xml; echo "{PASSED}" > out/b.xml', junit="out/*.xml")
    assert file.read_text(encoding="utf-8").count("<testcase") == 2
    assert "<failure" not in file.read_text(encoding="utf-8")
    run(tmp_path, "echo '<testsuite' > out/a.xml", junit="out/*.xml")
    assert not file.exists()


def test_a_report_that_cannot_be_read_is_not_given_to_jenkins(tmp_path: Path) -> None:
    """The tool's own file may be where ours would be."""
    run(tmp_path, "echo '<testsuite' > .jenkins-cd/unit-tests/junit.xml", junit=".jenkins-cd/unit-tests/junit.xml")
    assert not (tmp_path / ".jenkins-cd/unit-tests/junit.xml").exists()


def test_a_junit_file_of_an_earlier_run_does_not_pass(tmp_path: Path) -> None:
    write(tmp_path, {"out/a.xml": PASSED})
    result = run(tmp_path, "true", junit="out/*.xml")
    assert result.status == "failed"
    assert "is of an earlier run" in result.reason


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("true", "out.xml is missing"),
        ("echo '<testsuite>' > out.xml", "out.xml is no XML"),
        ("echo '<testsuite/>' > out.xml", "no test ran"),
        (f'echo "{PASSED}" > out.xml; exit 3', "no report names a failed test"),
        (f'echo "{PASSED}" > out.xml; exit 127', "exit code 127"),
        (f'echo "{FAILED}" > out.xml', "1 failed test, 0 allowed"),
        (f'echo "{FAILED}" > out.xml; exit 9', "1 failed test, 0 allowed"),
    ],
)
def test_what_is_no_proof_of_passed_tests_fails(tmp_path: Path, command: str, why: str) -> None:
    result = run(tmp_path, command, junit="out.xml")
    assert result.status == "failed"
    assert why in result.reason


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("mkfifo out/a.xml", "a.xml is no file"),
        ("ln -s /dev/zero out/a.xml", "is a link out of"),
        ("ln -s / out/a", "is a link out of"),
        ("truncate -s 300M out/a.xml", "larger than 200 MB"),
    ],
)
@pytest.mark.parametrize("pattern", ["out/**", "out/a*", "**/*"])
def test_what_is_no_file_of_the_checkout_is_not_read(tmp_path: Path, command: str, why: str, pattern: str) -> None:
    result = run(tmp_path, f"mkdir out; {command}; exit 0", junit=f"'{pattern}'")
    assert result.status == "failed"
    assert why in result.reason


def test_a_link_to_a_folder_above_is_no_way_without_end(tmp_path: Path) -> None:
    result = run(
        tmp_path, f'mkdir out; ln -s .. out/up; ln -s . out/here; echo "{PASSED}" > out/a.xml', junit="'**/*.xml'"
    )
    assert (result.status, len(result.tests.cases if result.tests else ())) == ("passed", 1)


def test_a_command_without_reports_passes_by_its_exit_code_alone(tmp_path: Path) -> None:
    passed = run(tmp_path, "true")
    assert (passed.status, passed.reason) == ("passed", "the command passed; no report tells of its tests")
    failed = run(tmp_path, "echo no >&2; exit 4")
    assert failed.status == "failed"
    assert failed.evidence.endswith("no")


def test_a_coverage_report_without_a_format_is_bad_input_that_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"ci\.unit-tests\.coverage\.format is missing"):
        run(tmp_path, "true", coverage="{report: out.xml}")


def test_the_tests_wait_for_the_build() -> None:
    assert unit_tests.NEEDS == ("build",)
