from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd import ci as runner
from jenkins_cd.model import Purpose, StageResult
from jenkins_cd.stages import Build, commands
from tests import programs
from tests.stages.projects import build

APP = """\
app: greeter
project: shop
toolchain: custom
package: {image: {enabled: false}}
ci:
  build: {run: "echo build >> order"}
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """An app of nothing but commands, committed and tagged."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / ".gitignore").write_text("order\n*.xml\npid\n")
    write(folder, APP)
    git(folder, "init", "-q", "-b", "main")
    commit(folder)
    git(folder, "tag", "v1.0.0")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "change", "--allow-empty")


def write(folder: Path, text: str) -> None:
    (folder / "cd.yaml").write_text(text)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "jenkins_cd", "ci", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ci(folder: Path, *arguments: str) -> tuple[int, str, str]:
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def stages(folder: Path, *arguments: str) -> dict[str, Any]:
    _, out, _ = ci(folder, *arguments, "--json")
    return {stage["stage"]: stage for stage in json.loads(out)["stages"]}


CHECKS = ("build", "unit-tests", "compiler-warnings", "dead-code", "code-standard")


def test_the_plan_shows_order_and_what_runs_at_once_and_runs_nothing(app: Path) -> None:
    code, out, _ = ci(app, "--plan", "--json")
    plan = json.loads(out)
    waves = {step["stage"]: step["wave"] for step in plan["steps"]}
    assert code == 0
    assert plan["schema"] == "jenkins_cd/ci-plan/v1"
    assert plan["version"] == "1.0.0"
    assert waves["build"] == waves["compiler-warnings"] == waves["dead-code"] == waves["code-standard"] == 0
    assert waves["build"] < waves["unit-tests"] < waves["sonar-scan"] < waves["upload"]
    assert waves["build"] < waves["package"] < waves["upload"]
    assert not (app / "order").exists()


def test_the_plan_is_readable_in_80_columns(app: Path) -> None:
    code, out, _ = ci(app, "--plan")
    assert code == 0
    assert "skipped: no SonarQube server in the platform file" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_stages_that_do_not_wait_for_one_another_run_at_the_same_time(app: Path) -> None:
    # Each waits until the other has begun: were they run one after the other, both would fail.
    meet = "touch {own}.xml; for i in $(seq 600); do [ -e {other}.xml ] && exit 0; sleep 0.1; done; exit 7"
    write(
        app,
        APP + f"  dead-code: {{run: '{meet.format(own='a', other='b')}', format: text}}\n"
        f"  code-standard: {{run: '{meet.format(own='b', other='a')}', format: text}}\n",
    )
    result = stages(app, "dead-code", "code-standard")
    assert {stage["status"] for stage in result.values()} == {"passed"}


class Noted:
    """A stage that notes when it begins and when it has ended."""

    NEEDS: tuple[str, ...] = ()

    def __init__(self, name: str, credentials: tuple[Purpose, ...], noted: list[str]) -> None:
        self.name, self.CREDENTIALS, self.noted = name, credentials, noted

    def skip_reason(self, build: Build) -> str:
        del build
        return ""

    def run(self, build: Build) -> StageResult:
        self.noted.append(f"{self.name} begins")
        time.sleep(0.3)
        self.noted.append(f"{self.name} ended")
        return commands.finish(commands.begin(build, self.name, build.config.app.ci.build), "passed", "")


@pytest.mark.parametrize("secret", [True, False])
def test_where_there_are_secrets_a_stage_that_uses_some_runs_beside_none_of_the_apps_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: bool
) -> None:
    if secret:
        monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "canary-of-ci")
    noted: list[str] = []
    stages = {"package": Noted("package", ("git",), noted), "unit-tests": Noted("unit-tests", (), noted)}
    result = runner.run(build(tmp_path, "", "custom"), stages)
    assert result.status == "passed"
    assert (noted[:2] == ["unit-tests begins", "unit-tests ended"]) == secret


def test_what_an_apps_command_leaves_running_ends_with_its_stage_and_finds_no_secret(
    app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_GIT_PASSWORD", "canary-of-ci")
    (app / "build.sh").write_text(
        "tr '\\0' '\\n' </proc/$PPID/environ | rev >seen.xml 2>&1; env >>seen.xml\n"
        "setsid sh -c 'echo $$ >pid; exec sleep 300' >/dev/null 2>&1 &\n"
        "while ! [ -s pid ]; do sleep 0.05; done\n"
    )
    write(app, APP.replace("echo build >> order", ". ./build.sh"))
    assert stages(app, "build")["build"]["status"] == "passed"
    assert not Path(f"/proc/{(app / 'pid').read_text().strip()}/cmdline").exists()
    seen = (app / "seen.xml").read_text(errors="replace")
    assert "JENKINS_CD_VERSION=" in seen
    assert "canary-of-ci" not in seen
    assert "canary-of-ci"[::-1] not in seen


def test_a_failure_stops_what_depends_on_it_and_lets_the_rest_finish(app: Path) -> None:
    write(app, APP.replace("echo build >> order", "exit 9") + "  dead-code: {run: 'sleep 1', format: text}\n")
    code, _, _ = ci(app, *CHECKS)
    result = stages(app, *CHECKS)
    assert code == 1
    assert result["build"]["status"] == "failed"
    assert result["unit-tests"]["status"] == "stopped"
    assert "build did not pass" in result["unit-tests"]["reason"]
    assert result["dead-code"]["status"] == "passed"


def test_fail_fast_stops_the_others(app: Path) -> None:
    write(app, APP.replace("echo build >> order", "exit 9") + "  dead-code: {run: 'sleep 300', format: text}\n")
    begun = time.monotonic()
    result = stages(app, "build", "dead-code", "--fail-fast")
    assert time.monotonic() - begun < 100
    assert (result["build"]["status"], result["dead-code"]["status"]) == ("failed", "stopped")


def test_only_the_named_stages_run(app: Path) -> None:
    assert set(stages(app, "build")) == {"build"}
    assert (app / "order").read_text() == "build\n"


def test_an_unknown_stage_is_an_error_with_the_nearest_name(app: Path) -> None:
    code, _, err = ci(app, "unit-test", "bild")
    assert code == 2
    assert "unit-test: no such stage (did you mean unit-tests?)" in err
    assert "bild: no such stage (did you mean build?)" in err


def test_what_failed_is_shown_first_with_what_the_program_said(app: Path) -> None:
    write(app, APP.replace("echo build >> order", "echo no space left on device >&2; exit 9"))
    code, out, _ = ci(app, "build")
    assert code == 1
    assert "first thing to look at: build" in out
    assert "no space left on device" in out
    assert (app / ".jenkins-cd" / "report" / "index.html").exists()


def test_the_report_keeps_what_other_runs_found_for_the_same_commit(app: Path) -> None:
    ci(app, "build")
    ci(app, "unit-tests")
    recorded = json.loads((app / ".jenkins-cd" / "ci.json").read_text())
    assert [stage["stage"] for stage in recorded["stages"]] == ["build", "unit-tests"]
    commit(app)
    ci(app, "unit-tests")
    recorded = json.loads((app / ".jenkins-cd" / "ci.json").read_text())
    assert [stage["stage"] for stage in recorded["stages"]] == ["unit-tests"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_children_and_says_what_was_unfinished(app: Path, number: signal.Signals) -> None:
    write(app, APP.replace("echo build >> order", "sleep 300 & echo $! > pid; wait"))
    process = start(app, "build", "unit-tests")
    while not (app / "pid").exists() or not (app / "pid").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "unfinished: build, unit-tests" in err
    assert "jenkins-cd ci build unit-tests" in err
    assert "Traceback" not in err
    child = int((app / "pid").read_text())
    for _ in range(200):
        if not Path(f"/proc/{child}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()


def test_a_folder_that_is_no_repository_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    write(tmp_path, APP)
    code, _, err = ci(tmp_path, "build")
    assert code in (2, 3)
    assert "jenkins-cd:" in err


def test_in_a_log_each_line_has_its_time_and_no_colour(app: Path) -> None:
    _, _, err = ci(app, "build")
    assert "\x1b" not in err
    lines = [line for line in err.splitlines() if "build" in line]
    assert all(line[:4].isdigit() and line[10] == "T" for line in lines), err


def test_the_tools_are_run_from_the_path_of_whoever_starts_it(app: Path) -> None:
    write(app, APP.replace("echo build >> order", "greet > order"))
    tools = app / "tools"
    tools.mkdir()
    (tools / "greet").write_text("#!/bin/sh\necho hello\n")
    (tools / "greet").chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "jenkins_cd", "ci", "build"],
        cwd=app,
        env={**os.environ, "PATH": path},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (app / "order").read_text() == "hello\n"


SLEEPS = "sleep 300 & echo $! > {name}.pid; wait $!; {after}"


def aborted(app: Path, stages: dict[str, str], **env: str) -> tuple[str, dict[str, str]]:
    """Run stages and end them as Jenkins does: one process after another, leaves first, each waited for.

    Returns what was said and the status of each stage.
    """
    forms = {name: "" if name == "build" else ", format: text" for name in stages}
    lines = [f"  {name}: {{run: '{run}'{forms[name]}}}\n" for name, run in stages.items()]
    write(app, APP.partition("  build:")[0] + "".join(lines))
    command = [sys.executable, "-m", "jenkins_cd", "ci", *stages]
    running = subprocess.Popen(
        command, cwd=app, env={**os.environ, **env}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    files = [app / f"{name}.pid" for name in stages]
    while not all(file.exists() and file.read_text() for file in files):
        assert running.poll() is None
        time.sleep(0.02)
    for file in files:
        leaf = int(file.read_text())
        os.kill(leaf, signal.SIGTERM)
        while programs.runs(leaf):
            time.sleep(0.02)
    time.sleep(0.02)  # in which whoever waited for the leaf goes on
    running.send_signal(signal.SIGTERM)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 130
    saved = {name: json.loads((app / f".jenkins-cd/{name}.json").read_text())["status"] for name in stages}
    return said, saved


@pytest.mark.parametrize("after", ["true", "exit 3", "exit 143", "kill $$"])
def test_a_stage_that_an_abort_of_jenkins_has_ended_is_stopped_whatever_it_exits_with(app: Path, after: str) -> None:
    said, saved = aborted(app, {"build": SLEEPS.format(name="build", after=after)}, JENKINS_SERVER_COOKIE="durable-1")
    assert saved == {"build": "stopped"}
    assert "passed" not in said
    assert "unfinished: build" in said


def test_a_stage_that_an_abort_ended_while_others_took_their_time_is_stopped_too(app: Path) -> None:
    slow = 'sh -c "echo \\$\\$ > dead-code.pid; trap \\"sleep 1; exit 0\\" TERM; while :; do sleep 0.1; done"'
    stages = {"build": SLEEPS.format(name="build", after="true"), "dead-code": slow}
    said, saved = aborted(app, stages, BUILD_TAG="jenkins-shop-1")
    assert saved == {"build": "stopped", "dead-code": "stopped"}
    assert "unfinished: build, dead-code" in said


def test_ctrl_c_leaves_what_has_passed_as_it_was(app: Path) -> None:
    write(app, APP + "  unit-tests: {run: 'touch begun.xml; sleep 300'}\n")
    running = subprocess.Popen([sys.executable, "-m", "jenkins_cd", "ci", "build", "unit-tests"], cwd=app,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    while not (app / "begun.xml").exists():
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert "unfinished: unit-tests" in said
    saved = {name: json.loads((app / f".jenkins-cd/{name}.json").read_text()) for name in ("build", "unit-tests")}
    assert {name: one["status"] for name, one in saved.items()} == {"build": "passed", "unit-tests": "stopped"}
