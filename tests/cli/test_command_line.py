from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jenkins_cd import __version__
from jenkins_cd.cli import COMMANDS, LazyGroup, main

HEAVY = ("requests", "git", "jenkins", "rich", "jinja2", "msgspec", "tenacity")


def jenkins_cd(*arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "jenkins_cd", *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded(*arguments: str, cwd: Path | None = None) -> set[str]:
    """Return the heavy modules that a command line has loaded."""
    program = (
        "import sys\n"
        "from jenkins_cd.__main__ import main\n"
        f"sys.argv[1:] = {list(arguments)!r}\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', *(name for name in {HEAVY!r} if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def commands() -> dict[str, click.Command]:
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in COMMANDS}
    inner = {
        f"{name} {sub}": one
        for name, command in found.items()
        if isinstance(command, click.Group)
        for sub, one in command.commands.items()
    }
    return {name: one for name, one in {**found, **inner}.items() if one and not isinstance(one, click.Group)}


def test_every_command_with_json_leaves_its_document_too() -> None:
    """`options.report` does both; whoever printed JSON in another way would leave nothing for Jenkins."""
    offered = {name: one for name, one in commands().items() if any(p.name == "as_json" for p in one.params)}
    assert {"status", "history", "doctor", "validate", "explain", "baseline"} <= offered.keys()
    for name, command in offered.items():
        source = inspect.getsource(sys.modules[command.callback.__module__])
        assert "options.report" in source or "deployments.carry_out(" in source, name
        assert "to_json" not in source, name


def test_the_version_is_told_without_loading_anything_heavy() -> None:
    assert jenkins_cd("--version").stdout == f"jenkins-cd {__version__}\n"
    assert loaded("--version") == set()


def test_help_and_validate_load_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "cd.yaml").write_text("app: storefront\nproject: shop\ntoolchain: custom\n")
    assert loaded("--help") == set()
    assert loaded("validate", cwd=tmp_path) == set()


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_listed_explained_and_has_an_example(name: str) -> None:
    help_ = jenkins_cd(*name.split(), "--help").stdout
    assert f"jenkins-cd {name}" in help_.partition("Example")[2], help_
    assert max(map(len, help_.splitlines())) <= 80


def test_every_command_that_reports_something_has_json() -> None:
    silent = {"init", "schema", "completion", "demo", "common-chart path", "logs"}
    without = {
        name for name, command in commands().items() if "--json" not in {o for p in command.params for o in p.opts}
    }
    assert without <= silent


def test_the_list_of_commands_matches_what_they_say_of_themselves() -> None:
    assert isinstance(main, LazyGroup)
    listed = jenkins_cd("--help").stdout
    assert all(name in listed for name in COMMANDS)
    assert "Exit codes: 0 passed" in listed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["delpoy"], "did you mean deploy?"),
        (["deploy"], "Missing option '--app'"),
        (["ci", "--no-such-option"], "No such option"),
        (["deploy", "--app", "a", "--version", "$(id)", "--environment", "dev"], "is no version"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_is_wrong(arguments: list[str], message: str) -> None:
    done = jenkins_cd(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_printed_for_each_shell(shell: str) -> None:
    done = jenkins_cd("completion", shell)
    assert done.returncode == 0
    assert "_JENKINS_CD_COMPLETE" in done.stdout


def test_completion_knows_the_commands_and_the_stages() -> None:
    asked = {"_JENKINS_CD_COMPLETE": "bash_complete", "COMP_CWORD": "1", "COMP_WORDS": "jenkins-cd pro"}
    program = "import sys; sys.argv[0] = 'jenkins-cd'; from jenkins_cd.cli import main; main(prog_name='jenkins-cd')"
    import os

    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert "promote" in done.stdout
    asked |= {"COMP_CWORD": "2", "COMP_WORDS": "jenkins-cd ci unit"}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert "unit-tests" in done.stdout


def test_a_reader_that_goes_away_is_no_error() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m jenkins_cd schema platform | head -1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
