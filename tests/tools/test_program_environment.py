from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jenkins_cd.tools import process, program_environment

LOUD = {
    "FORCE_COLOR": "1",
    "CLICOLOR_FORCE": "1",
    "CLICOLOR": "1",
    "PY_COLORS": "1",
    "PYTHON_COLORS": "1",
    "MYPY_FORCE_COLOR": "1",
    "COLORTERM": "truecolor",
    "TERM": "xterm-256color",
    "COLUMNS": "20",
    "LC_ALL": "de_DE.ISO-8859-1",
    "LC_MESSAGES": "fr_FR",
    "LANG": "de_DE",
    "LANGUAGE": "de:fr",
    "PYTHONIOENCODING": "latin-1",
    "PYTHONWARNINGS": "ignore",
    "RUFF_OUTPUT_FILE": "elsewhere",
}
PRINT = "import os, sys; print(os.environ.get(sys.argv[1]))"


def seen(name: str, **kwargs: object) -> str:
    done = process.run([sys.executable, "-c", PRINT, name], **kwargs)  # type: ignore[arg-type]
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LOUD.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", LOUD)
def test_what_an_agent_likes_to_see_reaches_no_program(name: str) -> None:
    assert seen(name) == program_environment.FIXED.get(name, "None")


def test_programs_speak_english_in_utf8_and_without_colours() -> None:
    assert {name: seen(name) for name in ("LC_ALL", "NO_COLOR", "TERM")} == {
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    done = process.run([sys.executable, "-c", "print('gr\u00fcn \u2028')"])
    assert done.stdout == "gr\u00fcn \u2028\n"


def test_the_shell_of_a_command_has_the_same_environment(tmp_path: Path) -> None:
    done = process.shell('echo "$LC_ALL ${FORCE_COLOR-none} $TERM"', cwd=tmp_path)
    assert done.stdout == "C.UTF-8 none dumb\n"


def test_what_a_command_sets_for_itself_counts(tmp_path: Path) -> None:
    assert seen("FORCE_COLOR", env={"FORCE_COLOR": "3"}) == "3"


def test_everything_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_COLOR", "green")
    assert seen("APP_COLOR") == "green"


def test_a_program_finds_itself_in_the_folder_by_the_name_that_we_use(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert seen("PWD", cwd=tmp_path / "link") == str(tmp_path / "link")


def test_a_program_that_speaks_to_the_terminal_keeps_its_colours(capfd: pytest.CaptureFixture[str]) -> None:
    process.attached([sys.executable, "-c", PRINT, "FORCE_COLOR"])
    assert capfd.readouterr().out.strip() == "1"
