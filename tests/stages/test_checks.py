from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import toolchains
from jenkins_cd.errors import BadInput, MissingTool
from jenkins_cd.findings import baseline
from jenkins_cd.model import Finding, StageResult
from jenkins_cd.results import write as write_file
from jenkins_cd.stages import Stage, code_standard, compiler_warnings, dead_code, sonar_scan, unit_tests
from jenkins_cd.stages import build as build_stage
from tests.stages import projects
from tests.stages.projects import CLEAN_GO, CLEAN_PYTHON, GO, PYTHON, Notes, build, write

STAGES: dict[str, Stage] = {
    "build": build_stage,
    "unit-tests": unit_tests,
    "sonar-scan": sonar_scan,
    "compiler-warnings": compiler_warnings,
    "dead-code": dead_code,
    "code-standard": code_standard,
}
# toolchain and stage → (tool, rule, level, file, line) of each finding that the real tools make
EXPECTED = {
    ("go", "compiler-warnings"): {
        ("go vet", "printf", "error", "main.go", 6),
        ("go vet", "assign", "warning", "main.go", 8),
        ("Staticcheck", "SA5009", "error", "main.go", 6),
        ("Staticcheck", "SA4018", "warning", "main.go", 8),
        ("Staticcheck", "U1000", "warning", "main.go", 16),
    },
    ("go", "dead-code"): {("deadcode", "unreachable-function", "warning", "main.go", 16)},
    ("go", "code-standard"): {("gofmt", "format", "error", "main.go", 13)},
    ("python", "compiler-warnings"): {
        ("python3", "DeprecationWarning", "warning", "shop.py", 12),
        ("mypy", "return-value", "error", "shop.py", 9),
    },
    ("python", "dead-code"): {
        ("vulture", "unused-import", "warning", "shop.py", 1),
        ("vulture", "unused-function", "warning", "shop.py", 8),
        ("vulture", "unused-variable", "warning", "shop.py", 12),
    },
    ("python", "code-standard"): {
        ("ruff", "F401", "error", "shop.py", 1),
        ("ruff", "format", "error", "shop.py", 5),
        ("ruff", "W605", "error", "shop.py", 12),
    },
}
FLAWED, CLEAN = {"go": GO, "python": PYTHON}, {"go": CLEAN_GO, "python": CLEAN_PYTHON}
ANY_WARNING = "ci: {dead-code: {gate: {errors: 0, new: 100}}}"
CUSTOM = "toolchain: custom\nci:\n  dead-code:\n    format: text\n"


def told(findings: tuple[Finding, ...]) -> set[tuple[str, str, str, str, int]]:
    # Newer versions of Python give an invalid escape sequence another class of warning, which is not our business.
    rules = {"SyntaxWarning": "DeprecationWarning"}
    return {(item.tool, rules.get(item.rule, item.rule), item.level, item.file, item.line) for item in findings}


def run_dead_code(workspace: Path, cd: str) -> StageResult:
    return STAGES["dead-code"].run(build(workspace, CUSTOM + cd, "custom"))


def sarif(workspace: Path, stage: str) -> dict[str, Any]:
    log: dict[str, Any] = json.loads((workspace / ".jenkins-cd" / f"{stage}.sarif").read_text(encoding="utf-8"))
    return log


@pytest.mark.parametrize(("toolchain", "stage"), EXPECTED)
def test_the_real_tools_find_the_flaws_and_each_is_placed(tmp_path: Path, toolchain: str, stage: str) -> None:
    result = STAGES[stage].run(build(write(tmp_path, FLAWED[toolchain]), ANY_WARNING))
    assert told(result.findings) == EXPECTED[toolchain, stage], result.evidence
    assert all(item.message and item.source[item.line - item.source_start].strip() for item in result.findings)
    assert len({item.fingerprint for item in result.findings}) == len(result.findings)
    assert result.status == ("failed" if any(item.level == "error" for item in result.findings) else "passed")


@pytest.mark.parametrize(("toolchain", "stage"), EXPECTED)
def test_the_real_tools_find_the_same_whatever_an_agent_likes_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, toolchain: str, stage: str
) -> None:
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "MYPY_FORCE_COLOR"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    odd = tmp_path / "a [b] (c) é"
    odd.mkdir()
    result = STAGES[stage].run(build(write(odd, FLAWED[toolchain]), ANY_WARNING))
    assert told(result.findings) == EXPECTED[toolchain, stage], result.evidence


@pytest.mark.parametrize(("toolchain", "stage"), EXPECTED)
def test_a_clean_project_passes_and_the_log_names_the_tools_that_found_nothing(
    tmp_path: Path, toolchain: str, stage: str
) -> None:
    result = STAGES[stage].run(build(write(tmp_path, CLEAN[toolchain]), ANY_WARNING))
    errors = [item for item in result.findings if item.level == "error"]
    assert (result.status, errors) == ("passed", []), result.evidence
    assert all(gate.passed for gate in result.gates)
    steps = getattr(toolchains.load(toolchain).stages, stage.replace("-", "_"))
    names = {run["tool"]["driver"]["name"] for run in sarif(tmp_path, stage)["runs"]}
    assert names >= {step.name for step in steps}, names


@pytest.mark.parametrize("stage", ["compiler-warnings", "dead-code", "code-standard"])
def test_go_code_that_does_not_compile_fails_with_the_tools_own_words(tmp_path: Path, stage: str) -> None:
    broken = {**CLEAN_GO, "main.go": "package main\n\nfunc main() {\n"}
    result = STAGES[stage].run(build(write(tmp_path, broken)))
    assert result.status == "failed"
    assert [gate.name for gate in result.gates if not gate.passed]
    assert "main.go:3" in result.evidence


@pytest.mark.parametrize("stage", ["compiler-warnings", "dead-code", "code-standard"])
def test_python_code_that_does_not_compile_fails_with_the_tools_own_words(tmp_path: Path, stage: str) -> None:
    result = STAGES[stage].run(build(write(tmp_path, {**CLEAN_PYTHON, "shop.py": "def add(:\n"})))
    assert result.status == "failed"
    assert "shop.py" in result.evidence


def test_foreign_code_inside_the_checkout_is_nobodys_finding(tmp_path: Path) -> None:
    foreign = {f"{folder}/x/shop.py": PYTHON["shop.py"] for folder in ("venv", ".venv", "build", "node_modules")}
    write(tmp_path, CLEAN_PYTHON | foreign)
    for stage in ("compiler-warnings", "dead-code", "code-standard"):
        result = STAGES[stage].run(build(tmp_path))
        assert {item.file for item in result.findings} <= {"shop.py", "test_shop.py"}, stage
    vendored = tmp_path / "go"
    write(vendored, CLEAN_GO | {"vendor/example.com/x/x.go": "package x\nfunc  X( ) {}\n"})
    assert STAGES["code-standard"].run(build(vendored)).findings == ()


def test_the_checks_leave_the_checkout_as_it_was_but_for_the_tools_own_caches(tmp_path: Path) -> None:
    write(tmp_path, PYTHON)
    for stage in ("build", "unit-tests", "compiler-warnings", "dead-code", "code-standard"):
        STAGES[stage].run(build(tmp_path))
    caches = {".jenkins-cd", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"}
    assert {path.name for path in tmp_path.iterdir()} - caches == set(PYTHON)


def test_a_command_of_cd_yaml_replaces_the_toolchains(tmp_path: Path) -> None:
    run = "ci: {dead-code: {run: 'echo shop.py:3: warning: old', format: text, gate: {warnings: 0}}}"
    result = STAGES["dead-code"].run(build(write(tmp_path, PYTHON), run))
    assert [(item.file, item.line, item.message, item.tool) for item in result.findings] == [
        ("shop.py", 3, "old", "dead-code")
    ]
    assert [command.line for command in result.commands] == ["echo shop.py:3: warning: old"]
    assert result.reason == "1 warning, 0 allowed"


def test_a_command_without_a_format_is_bad_input_that_names_the_key(tmp_path: Path) -> None:
    cd = "ci: {dead-code: {run: 'true'}}"
    with pytest.raises(BadInput, match=r"ci\.dead-code\.format is missing"):
        STAGES["dead-code"].run(build(tmp_path, cd, "custom"))


def test_a_report_file_is_read_instead_of_standard_output(tmp_path: Path) -> None:
    result = run_dead_code(
        tmp_path, "    run: 'echo a.c:1: error: bad > out.txt; echo b.c:1: error: no'\n    report: out.txt\n"
    )
    assert [item.file for item in result.findings] == ["a.c"]


def test_a_report_that_nothing_wrote_fails_the_gate_and_is_named(tmp_path: Path) -> None:
    result = run_dead_code(tmp_path, "    run: 'true'\n    report: out.txt\n")
    assert result.status == "failed"
    assert [(gate.name, gate.passed, gate.actual) for gate in result.gates] == [("report", False, None)]
    assert f"{tmp_path}/out.txt is missing" in result.reason


def test_a_report_of_an_earlier_run_does_not_pass(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("", encoding="utf-8")
    result = run_dead_code(tmp_path, "    run: 'true'\n    report: out.txt\n")
    assert "out.txt is of an earlier run" in result.reason
    assert (tmp_path / "out.txt").exists(), "nothing of the user's is deleted"


def test_a_report_of_another_format_fails_the_gate(tmp_path: Path) -> None:
    cd = "toolchain: custom\nci: {dead-code: {run: 'echo Traceback', format: sarif}}"
    result = STAGES["dead-code"].run(build(tmp_path, cd, "custom"))
    assert result.status == "failed"
    assert "the output of echo Traceback is no SARIF report" in result.reason
    assert sarif(tmp_path, "dead-code")["runs"] == []


@pytest.mark.parametrize(("code", "why"), [(1, "holds no finding"), (2, "exit code 2"), (127, "exit code 127")])
def test_a_command_that_fails_and_finds_nothing_does_not_pass(tmp_path: Path, code: int, why: str) -> None:
    result = run_dead_code(tmp_path, f"    run: 'echo out of memory >&2; exit {code}'\n")
    assert result.status == "failed"
    assert why in result.reason
    assert "out of memory" in result.evidence


def test_an_exit_code_that_is_not_expected_fails_whatever_was_found(tmp_path: Path) -> None:
    crash = "    run: 'echo a.c:1: note: fine; exit 3'\n    gate: {new: 1}\n"
    assert run_dead_code(tmp_path, crash).status == "failed"
    assert run_dead_code(tmp_path, crash + "    exit_codes: [0, 3]\n").status == "passed"


def test_a_command_that_takes_too_long_is_ended_and_the_key_is_named(tmp_path: Path) -> None:
    result = run_dead_code(tmp_path, "    run: sleep 60\n    timeout: 200ms\n")
    assert result.status == "failed"
    assert "ci.dead-code.timeout is 200ms" in result.reason
    assert result.seconds < 30


def test_a_missing_tool_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="vulture is not installed") as caught:
        STAGES["dead-code"].run(build(write(tmp_path, PYTHON)))
    assert caught.value.hint == "python3 -m pip install vulture"


def test_known_findings_pass_the_gate_new_and_others_do_not(tmp_path: Path) -> None:
    cd = "    run: cat findings\n    gate: {new: 0}\n"
    write(tmp_path, {"findings": "a.c:1: warning: old\n", "a.c": "int old;\nint young;\n"})
    first = run_dead_code(tmp_path, cd)
    assert (first.status, first.reason) == ("failed", "1 new finding, 0 allowed")
    change = baseline.compare((), first.findings, accept=True)
    write_file(tmp_path / "findings-baseline.json", baseline.to_json({"dead-code": change.entries}))
    assert run_dead_code(tmp_path, cd).status == "passed"
    write(tmp_path, {"findings": "a.c:4: warning: old\na.c:5: warning: young\n", "a.c": "\n\n\nint old;\nint young;\n"})
    moved = run_dead_code(tmp_path, cd)
    assert moved.gates[0].actual == 1
    assert moved.evidence.startswith("a.c:5: warning: young")
    assert "int young;" in moved.evidence


def test_a_broken_baseline_fails_the_gate_and_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"findings-baseline.json": "{"})
    result = run_dead_code(tmp_path, "    run: 'true'\n    gate: {new: 0}\n")
    assert result.status == "failed"
    assert f"{tmp_path}/findings-baseline.json is no findings baseline" in result.reason


def test_a_log_of_an_earlier_run_is_replaced_and_has_each_command_and_its_output(tmp_path: Path) -> None:
    run_dead_code(tmp_path, "    run: echo first\n")
    result = run_dead_code(tmp_path, "    run: echo second; echo third >&2\n")
    log = (tmp_path / result.log).read_text(encoding="utf-8")
    assert result.log == ".jenkins-cd/logs/dead-code.log"
    assert "first" not in log
    assert log.startswith("$ echo second; echo third >&2\n")
    assert {"second", "third"} <= set(log.splitlines())


def test_a_stage_without_a_command_is_skipped_and_says_so(tmp_path: Path) -> None:
    for stage in ("build", "unit-tests", "compiler-warnings", "dead-code", "code-standard"):
        reason = STAGES[stage].skip_reason(build(tmp_path, toolchain="custom"))
        assert reason == f"the toolchain custom has no command for it: set ci.{stage}.run"
        own = build(tmp_path, f"ci: {{{stage}: {{run: 'true'}}}}", "custom")
        assert STAGES[stage].skip_reason(own) == ""


def test_a_stage_that_is_switched_off_says_by_which_key(tmp_path: Path) -> None:
    off = build(write(tmp_path, CLEAN_GO), "ci: {code-standard: {enabled: false}, sonar-scan: {enabled: false}}")
    assert STAGES["code-standard"].skip_reason(off) == "switched off by ci.code-standard.enabled"
    assert STAGES["sonar-scan"].skip_reason(off) == "switched off by ci.sonar-scan.enabled"


def test_each_command_is_told_to_whoever_watches(tmp_path: Path) -> None:
    work = build(write(tmp_path, CLEAN_GO))
    STAGES["code-standard"].run(work)
    assert isinstance(work.progress, Notes)
    assert work.progress.lines == ["code-standard: gofmt -d ."]


def test_the_projects_of_these_tests_are_of_the_toolchains_they_are_meant_for(tmp_path: Path) -> None:
    assert build(write(tmp_path / "go", projects.GO)).toolchain.name == "go"
    assert build(write(tmp_path / "py", projects.PYTHON)).toolchain.name == "python"
