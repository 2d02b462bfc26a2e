"""scripts/bootstrap in a checkout of its own, with a PATH in which a test decides what there is."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What any Debian has, besides the programs that the script looks for.
SYSTEM = (
    "bash",
    "cat",
    "cut",
    "dirname",
    "env",
    "flock",
    "grep",
    "ln",
    "mkdir",
    "mktemp",
    "mv",
    "rm",
    "sha256sum",
    "tail",
)
BUILD = 'name="${@: -1:1}"; name="${name%@*}"; printf "#!/bin/sh\\n# whole\\n" >"$GOBIN/${name##*/}"'
FOR_TESTS = ("chromium", "javac", "mvn", "sshd", "openssl", "iptables", "ip", "ssh-keygen", "redis-check-rdb")
GO_TOOLS = ("helm", "staticcheck", "deadcode", "gotestsum")


class Checkout:
    """A folder with the script, and the programs that it will find."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bin, self.cache = folder / "checkout", folder / "bin", folder / "cache"
        for made in (self.folder / "scripts", self.bin):
            made.mkdir(parents=True)
        shutil.copy(ROOT / "scripts/bootstrap", self.folder / "scripts")
        for name in ("setup.cfg", "pyproject.toml"):
            (self.folder / name).write_text(f"# {name}\n", encoding="utf-8")
        for name in SYSTEM:
            (self.bin / name).symlink_to(str(shutil.which(name)))
        for name in ("git", "curl", "buildah", "docker-registry", *FOR_TESTS):
            self.program(name, "exit 0")
        self.program("id", "echo 1000")
        # Makes an environment whose pip notes what it is told.
        self.program(
            "python3",
            f"""
            case "$*" in
            "-m venv --clear "*)
                mkdir -p "$4/bin"
                for name in pip python; do
                    printf '#!%s/bin/bash\\necho "$@" >>{folder}/pip.log\\n' "$4" >"$4/bin/$name"
                done
                ln -s "$(type -P bash)" "$4/bin/bash"
                {shutil.which("chmod")} +x "$4/bin/pip" "$4/bin/python" ;;
            esac""",
        )
        self.go(BUILD)
        self.pip_log = folder / "pip.log"

    def go(self, script: str) -> None:
        self.program("go", f'{script}\n{shutil.which("chmod")} -R +x "$GOBIN"')

    def program(self, name: str, script: str) -> None:
        file = self.bin / name
        file.write_text(f"#!{self.bin}/bash\n{script}\n", encoding="utf-8")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": str(self.bin), "HOME": str(self.folder), "XDG_CACHE_HOME": str(self.cache)}
        env["SBIN"] = str(self.bin)  # not this machine's
        env["TMPDIR"] = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - where mktemp puts its logs
        command = [str(self.bin / "bash"), str(self.folder / "scripts/bootstrap"), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_new_checkout_gets_everything_and_says_what_takes_time(checkout: Checkout) -> None:
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    for name in GO_TOOLS:
        assert os.access(checkout.folder / ".venv/bin" / name, os.X_OK)
        assert f"building {name} v" in done.stdout
    assert "making .venv: done in" in done.stdout
    assert "--editable .[dev]" in checkout.pip_log.read_text(encoding="utf-8")


def test_a_second_run_finds_everything_and_says_one_line(checkout: Checkout) -> None:
    assert checkout.run().returncode == 0
    done = checkout.run()
    assert done.stdout.count("\n") == 1
    assert "everything is there" in done.stdout


def test_a_changed_setup_is_installed_again(checkout: Checkout) -> None:
    checkout.run()
    (checkout.folder / "setup.cfg").write_text("# changed\n", encoding="utf-8")
    done = checkout.run()
    assert "installing jenkins_cd" in done.stdout
    assert "making .venv" not in done.stdout


def test_a_checkout_that_was_moved_gets_a_new_environment(checkout: Checkout) -> None:
    checkout.run()
    checkout.folder = checkout.folder.rename(checkout.folder.parent / "elsewhere")
    assert "making .venv" in checkout.run().stdout


def test_without_root_the_missing_packages_are_named_as_the_command_to_type(checkout: Checkout) -> None:
    for name in ("buildah", "curl"):
        (checkout.bin / name).unlink()
    checkout.program("apt-get", "exit 1")
    done = checkout.run()
    assert done.returncode == 1
    assert "sudo apt-get update && sudo apt-get install --yes --no-install-recommends curl buildah\n" in done.stderr


def test_root_gets_the_missing_packages_and_only_those(checkout: Checkout) -> None:
    (checkout.bin / "docker-registry").unlink()
    checkout.program("id", "echo 0")
    log = checkout.folder.parent / "apt.log"
    checkout.program("apt-get", f'echo "$@" >>{log}')
    assert checkout.run().returncode == 0
    wanted = "update\ninstall --yes --no-install-recommends docker-registry\n"
    assert log.read_text(encoding="utf-8") == wanted


def test_packages_that_bring_a_service_start_none(checkout: Checkout) -> None:
    for name in ("docker-registry", "sshd"):
        (checkout.bin / name).unlink()
    log = checkout.folder.parent / "log"
    for name in ("apt-get", "systemctl"):
        checkout.program(name, f'echo "{name} $1" >>{log}')
    told = checkout.run("tests").stderr
    assert "sudo systemctl mask docker-registry ssh && sudo apt-get update && sudo apt-get install" in told

    checkout.program("id", "echo 0")
    assert checkout.run("tests").returncode == 0
    assert log.read_text(encoding="utf-8") == "apt-get update\nsystemctl mask\napt-get install\n"


def test_only_who_needs_it_gets_the_lab_sonarqube_and_what_runs_groovy(checkout: Checkout) -> None:
    groovy, lab, sonarqube = (
        "-m tests.jenkins.build_tools --check",
        "-m tests.lab build",
        "-m tests.lab build-sonarqube",
    )
    for purpose, built in (("demo", []), ("lab", [lab]), ("tests", [groovy, lab, sonarqube])):
        checkout.pip_log.unlink(missing_ok=True)
        assert checkout.run(purpose).returncode == 0
        told = checkout.pip_log.read_text(encoding="utf-8").splitlines() if checkout.pip_log.exists() else []
        assert [line for line in told if line.startswith("-m tests.")] == built


def test_a_machine_without_apt_is_told_what_is_missing(checkout: Checkout) -> None:
    (checkout.bin / "buildah").unlink()
    done = checkout.run()
    assert done.returncode == 1
    assert "no apt-get to install them with: buildah" in done.stderr


def test_only_the_tests_need_a_browser(checkout: Checkout) -> None:
    (checkout.bin / "chromium").unlink()
    assert checkout.run().returncode == 0
    assert "chromium" in checkout.run("tests").stderr


def test_a_build_that_fails_shows_why_and_leaves_nothing(checkout: Checkout) -> None:
    checkout.go('echo half >"$GOBIN/helm"; echo "no such module" >&2; exit 1')
    done = checkout.run()
    assert done.returncode == 1
    assert "no such module" in done.stderr
    assert "building helm v" in done.stderr
    assert list((checkout.cache / "jenkins-cd/tools/helm").iterdir()) == []


def test_a_build_that_is_killed_is_not_taken_for_a_tool(checkout: Checkout) -> None:
    checkout.go('echo half >"$GOBIN/helm"; kill -9 "$PPID" $$')
    assert checkout.run().returncode != 0
    checkout.go(BUILD)
    assert checkout.run().returncode == 0
    assert "whole" in (checkout.folder / ".venv/bin/helm").read_text(encoding="utf-8")


def test_a_python_that_is_too_old_is_refused(checkout: Checkout) -> None:
    checkout.program("python3", 'case "$*" in --version) echo Python 3.9.2 ;; *ensurepip*) ;; *) exit 1 ;; esac')
    done = checkout.run()
    assert done.returncode == 1
    assert "Python 3.10 or newer is needed, and python3 is: Python 3.9.2" in done.stderr


def test_without_go_its_missing_is_told(checkout: Checkout) -> None:
    (checkout.bin / "go").unlink()
    done = checkout.run()
    assert done.returncode == 1
    assert "Go 1.21 or newer is needed to build helm" in done.stderr
