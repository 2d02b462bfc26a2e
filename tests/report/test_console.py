"""What a command says in the end, and as lines in a log."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from jenkins_cd import masking
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError
from jenkins_cd.report import console
from jenkins_cd.report.progress import Lines
from jenkins_cd.report.text import cells
from tests.report import samples

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def coloured(monkeypatch: pytest.MonkeyPatch, say: Callable[[], None]) -> str:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", terminal)
    say()
    return terminal.getvalue()


def test_a_passed_run_ends_with_one_table_and_the_report(capsys: Said) -> None:
    console.ci_summary(samples.passed())
    said = capsys.readouterr().out
    assert "storefront 1.4.0 (5f0c1e9a7b3d): passed in 42.4 s" in said
    assert re.search(r"^unit-tests +passed +13 tests, 1 skipped, coverage 87.5 % +14.8 s$", said, re.MULTILINE)
    assert re.search(r"^sonar-scan +skipped +no SonarQube server in the platform file$", said, re.MULTILINE)
    assert said.endswith("report: .jenkins-cd/report/index.html\n")
    assert "first thing" not in said


def test_a_failed_run_says_what_to_look_at_first(capsys: Said) -> None:
    console.ci_summary(samples.failed())
    said = capsys.readouterr().out
    assert "first thing to look at: unit-tests: 2 of 15 tests failed\n  │ --- FAIL: TestDiscount0\n" in said
    assert "  log: .jenkins-cd/unit-tests.log\n" in said


def test_long_evidence_is_cut_and_the_rest_is_counted(capsys: Said) -> None:
    long = samples.stage("build", 0, 1, "failed", "it broke", evidence="\n".join(f"line {n}" for n in range(50)))
    console.ci_summary(replace(samples.failed(), stages=(long,)))
    said = capsys.readouterr().out
    assert "│ line 19\n  │ … 30 more lines\n" in said


def test_a_stopped_stage_is_looked_at_where_none_failed(capsys: Said) -> None:
    stopped = samples.stage("package", 0, 1, "stopped", "stopped before it was finished")
    console.ci_summary(replace(samples.failed(), stages=(samples.stages()[0], stopped)))
    assert "first thing to look at: package" in capsys.readouterr().out


def test_a_verified_deployment_is_told_with_its_phases_and_what_was_seen(capsys: Said) -> None:
    console.deployment_summary(samples.deployment())
    said = capsys.readouterr().out
    assert "deployment of storefront 1.4.0 to dev: verified in 21.5 s" in said
    assert re.search(r"^verify +passed +stable for 5 s +12.7 s$", said, re.MULTILINE)
    assert "seen last: http://127.0.0.1:8080/health answered 200, version 1.4.0 (2026-01-02T03:05:17Z)" in said
    assert "next:" not in said


def test_a_failed_deployment_shows_evidence_and_what_to_do_next(capsys: Said) -> None:
    console.deployment_summary(samples.broken_deployment())
    said = capsys.readouterr().out
    assert '  │ {"status":"database: refused"}' in said
    assert "evidence:\n  │ the newest process said:" in said
    assert "next: mend what the evidence shows" in said


def test_why_a_deployment_failed_stands_once_in_its_summary(capsys: Said) -> None:
    why = "the health endpoint did not report 1.4.0 within 2 min"
    phases = (replace(samples.phases(broken=True)[-1], status="failed", detail=why),)
    console.deployment_summary(replace(samples.broken_deployment(), reason=why, phases=phases))
    said = capsys.readouterr().out
    assert said.count(why) == 1
    assert said.splitlines()[1:3] == ["deployment of storefront 1.4.0 to test: failed in 21.5 s", why]


def test_where_others_say_why_it_failed_the_summary_says_what_ran(capsys: Said) -> None:
    failed = samples.broken_deployment()
    console.deployment_summary(failed, why=False)
    said = capsys.readouterr().out
    assert [one for one in (failed.reason, "evidence:", "next:") if one in said] == []
    assert "deployment of storefront 1.4.0 to test: failed in 21.5 s" in said
    assert re.search(r"^phase +status +what +time$", said, re.MULTILINE)


def test_a_failed_rollback_asks_for_a_hand(capsys: Said) -> None:
    console.deployment_summary(replace(samples.rollback(), outcome="failed"))
    assert "next: test runs no verified version" in capsys.readouterr().out


def test_an_endpoint_that_was_silent_is_told_so(capsys: Said) -> None:
    seen = samples.broken_deployment().observation
    assert seen is not None
    silent = replace(seen, status=None, error="connection refused")
    console.deployment_summary(replace(samples.broken_deployment(), observation=silent))
    assert "8081/health did not answer: connection refused" in capsys.readouterr().out


def test_a_plan_shows_the_versions_and_both_differences(capsys: Said) -> None:
    console.plan(samples.plan(running=None))
    said = capsys.readouterr().out
    assert said.startswith("dev: 1.3.0 → 1.4.0\n  declared 1.3.0\n  running  unknown\n")
    assert "changes in the deploy repository:\n--- a/dev" in said
    assert "changes in what Helm renders:" in said
    assert "\n-version: 1.3.0\n" in said


def test_a_plan_without_a_change_says_so(capsys: Said) -> None:
    console.plan(samples.plan(files="", manifests=""))
    assert "nothing to change" in capsys.readouterr().out


def test_a_bad_input_is_told_with_every_problem_and_the_hint(capsys: Said) -> None:
    console.error(BadInput("cd.yaml is wrong", "jenkins-cd validate", ["cd.yaml:3: no such key", "cd.yaml:9: a list"]))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "jenkins-cd: cd.yaml is wrong\n  cd.yaml:3: no such key\n  cd.yaml:9: a list\n  next: jenkins-cd validate\n"
    )


def test_an_error_without_a_hint_is_one_line(capsys: Said) -> None:
    console.error(ExternalFailure("the registry does not answer"))
    assert capsys.readouterr().err == "jenkins-cd: the registry does not answer\n"


def test_no_table_is_wider_than_the_terminal_and_no_word_is_lost(capsys: Said) -> None:
    console.table(("stage", "what", "time"), [("build", "a sentence " * 20, "3 s"), ("x" * 60, "你好" * 40, "4 s")])
    said = capsys.readouterr().out
    assert all(cells(line) <= 80 for line in said.splitlines())
    assert said.count("sentence") == 20
    assert said.count("x") == 60
    assert said.count("你") == 40


def test_an_empty_table_has_its_headers(capsys: Said) -> None:
    console.table(("app", "version"), [])
    assert capsys.readouterr().out == "app  version\n"


def test_a_status_has_its_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    said = coloured(monkeypatch, lambda: console.ci_summary(samples.failed()))
    assert "\x1b[31mfailed " in said
    assert "\x1b[32mpassed " in said
    assert "\x1b[31m-version: 1.3.0\x1b[0m" in coloured(monkeypatch, lambda: console.plan(samples.plan()))


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in coloured(monkeypatch, lambda: console.ci_summary(samples.failed()))
    assert "\x1b" not in coloured(monkeypatch, lambda: console.plan(samples.plan()))


def test_secrets_and_escapes_reach_no_summary(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masking, "_forms", set())
    bad = f"\x1b[2J{masking.register('s3cr3t-value')}\x07"
    stage = samples.stage("build", 0, 1, "failed", bad, evidence=bad, log="\x1b[2Jbuild.log\x07")
    console.ci_summary(replace(samples.failed(), app="\x1b[2Jshop\x07", stages=(stage,)))
    console.deployment_summary(replace(samples.broken_deployment(), reason=bad, evidence=bad))
    console.plan(samples.plan(files=f"+{bad}"))
    console.table((bad,), [(bad,)])
    console.error(BadInput(bad, bad, [bad]))
    with console.progress() as progress:
        progress.started(bad, bad)
        progress.note(bad, bad)
        progress.finished(bad, "failed", bad, 1.0)
    said = capsys.readouterr()
    for stream in (said.out, said.err):
        assert "s3cr3t" not in stream
        assert "****" in stream
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", stream)


def test_a_log_gets_a_line_an_event_with_its_time(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("JENKINS_URL", "https://jenkins.local/")
    with console.progress() as progress:
        progress.started("unit-tests", "go test ./...")
        progress.note("unit-tests", "one\ntwo")
        progress.finished("unit-tests", "passed", "41 tests,\n coverage 87.5 %", 3.21)
    said = capsys.readouterr()
    assert said.out == ""
    times, lines = zip(*(line.split("  ", 1) for line in said.err.splitlines()), strict=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time) for time in times)
    assert lines == (
        "unit-tests  started  go test ./...",
        "unit-tests  one",
        "unit-tests  two",
        "unit-tests  passed  41 tests, coverage 87.5 %  3.2 s",
    )


def test_lines_of_many_threads_are_never_mixed() -> None:
    stream = io.StringIO()
    lines = Lines(stream)

    def work(name: str) -> None:
        for _ in range(200):
            lines.note(name, name * 20)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = stream.getvalue().splitlines()
    assert len(said) == 800
    assert all(re.fullmatch(r"\S+Z  (\w)  \1{20}", line) for line in said)


def test_a_reader_that_has_gone_away_stops_no_work() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    Lines(Gone()).finished("build", "passed", "", 1.0)


def test_what_a_stream_cannot_encode_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    console.plan(samples.plan())
    assert raw.getvalue().startswith(b"dev: 1.3.0 ? 1.4.0\n")


def test_plain_output_loads_neither_rich_nor_jinja() -> None:
    script = (
        "import sys; from jenkins_cd.report import console; from tests.report import samples\n"
        "with console.progress() as progress: progress.started('build')\n"
        "console.ci_summary(samples.failed()); console.plan(samples.plan())\n"
        "sys.exit(' '.join({'rich', 'jinja2', 'msgspec', 'requests'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr


def test_every_error_class_can_be_told(capsys: Said) -> None:
    for kind in JenkinsCdError.__subclasses__():
        console.error(kind("it broke", "mend it"))
    assert capsys.readouterr().err.count("jenkins-cd: it broke\n  next: mend it\n") == len(
        JenkinsCdError.__subclasses__()
    )
