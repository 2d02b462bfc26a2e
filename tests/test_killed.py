"""Runs that end in the middle: killed without a word, or told to stop. The next run completes the work."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.demo import site
from tests.user import FAST, User, eventually

DEPLOY = ("deploy", "--app", "storefront", "--environment", "dev", "--version")
# Stands before a real program in PATH, and stops at the moment that a test wants to look at.
TRAP = """\
#!/bin/sh
case "$*" in
{pattern})
    {before}
    echo "$$" >{marker}.part && mv {marker}.part {marker}
    exec sleep 600 ;;
esac
exec {program} "$@"
"""


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user of a site where 1.0.0 runs on dev."""
    with site.start(tmp_path_factory.mktemp("killed"), patience="60s") as here:
        user = User(here)
        user.must("common-chart", "publish")
        user.release("1.0.0")
        user.must(*DEPLOY, "1.0.0")
        yield user


class Trap:
    """A program that hangs at a certain point."""

    def __init__(self, folder: Path, name: str, pattern: str, before: str = ":") -> None:
        self.folder, self.marker = folder / "trap", folder / "reached"
        self.folder.mkdir()
        program = shutil.which(name)
        script = TRAP.format(
            pattern=pattern, before=before.format(program=program), marker=self.marker, program=program
        )
        (self.folder / name).write_text(script, encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def kills(self, user: User, *arguments: str) -> None:
        """Start jenkins-cd, and kill -9 it once it is in the trap."""
        env = {"PATH": f"{self.folder}{os.pathsep}{user.site.env['PATH']}"}
        process = user.start(*arguments, env=env)
        try:
            eventually(lambda: self.marker.exists() or process.poll() is not None, 60)
        finally:
            process.kill()
            stdout, stderr = process.communicate()
        assert self.marker.exists(), stdout + stderr
        os.killpg(os.getpgid(int(self.marker.read_text(encoding="utf-8"))), signal.SIGKILL)


def prepare(user: User, version: str) -> None:
    user.git("commit", "--quiet", "--allow-empty", "--message", f"Version {version}")
    user.git("tag", f"v{version}")
    user.git("push", "--quiet", "origin", "main", f"v{version}")


@pytest.mark.parametrize(
    ("version", "program", "pattern"),
    [
        ("2.0.0", "buildah", "*push*"),
        ("2.0.1", "helm", "push*"),
        ("2.0.2", "git", "*push*"),
    ],
    ids=["before the image is up", "between image and chart", "before the ledger knows it"],
)
def test_an_upload_that_was_killed_is_completed(
    user: User, tmp_path: Path, version: str, program: str, pattern: str
) -> None:
    prepare(user, version)
    Trap(tmp_path, program, pattern).kills(user, "ci", *FAST)
    assert version not in user.releases()

    user.must("ci", *FAST)
    assert user.releases().count(version) == 1
    user.must(*DEPLOY, version)
    assert user.versions()["dev"] == version


def test_an_upload_that_was_killed_after_the_ledger_took_it_is_completed(user: User, tmp_path: Path) -> None:
    prepare(user, "2.1.0")
    Trap(tmp_path, "git", "*push*", before='{program} "$@"').kills(user, "ci", *FAST)
    assert "2.1.0" in user.releases()
    assert "published already with the same content" in user.must("ci", *FAST).all


@pytest.mark.parametrize(
    ("version", "before", "written"),
    [("3.0.0", ":", 0), ("3.0.1", '{program} "$@"', 1)],
    ids=["before the commit is pushed", "after the commit is pushed"],
)
def test_a_deployment_that_was_killed_at_its_commit_is_completed(
    user: User, tmp_path: Path, version: str, before: str, written: int
) -> None:
    user.release(version)
    commits = len(user.commits())
    Trap(tmp_path, "git", "*push*:refs/heads/main*", before).kills(user, *DEPLOY, version)
    assert len(user.commits()) == commits + written

    user.must(*DEPLOY, version)
    assert user.versions()["dev"] == version
    assert len(user.commits()) == commits + 1
    assert user.history()[-1] == ("dev", version, "deployment", "verified")


def test_a_deployment_that_was_killed_while_it_verified_is_completed(user: User) -> None:
    user.release("3.1.0")
    commits = len(user.commits())
    process = user.start(*DEPLOY, "3.1.0")
    assert process.stderr
    for line in process.stderr:
        if "verify" in line and "started" in line:
            break
    process.kill()
    process.communicate()
    assert ("dev", "3.1.0", "deployment", "verified") not in user.history()

    user.must(*DEPLOY, "3.1.0")
    assert len(user.commits()) == commits + 1
    assert user.history()[-1] == ("dev", "3.1.0", "deployment", "verified")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_ci_that_is_told_to_stop_ends_its_children_and_says_what_was_unfinished(
    user: User, number: signal.Signals
) -> None:
    marker = user.site.folder / f"reached-{number}"
    process = user.start("ci", "--set", f"ci.build.run=touch {marker}; sleep 600 & sleep 600; wait", "build")
    eventually(lambda: marker.exists() or process.poll() is not None)
    assert user.processes()

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stdout + stderr
    assert "unfinished: build" in stderr
    eventually(lambda: not user.processes(), 5)


def test_two_runs_of_ci_at_once_in_two_checkouts_do_not_meet(user: User, tmp_path: Path) -> None:
    runs = []
    for version in ("4.0.0", "4.0.1"):
        prepare(user, version)
        checkout = tmp_path / version
        user.git("clone", "--quiet", "--branch", f"v{version}", user.git("remote", "get-url", "origin"), str(checkout))
        runs.append(user.start("ci", "--directory", str(checkout), *FAST))
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert {"4.0.0", "4.0.1"} <= set(user.releases())


def test_two_deployments_at_once_both_end_with_a_verdict(user: User) -> None:
    for version in ("5.0.0", "5.0.1"):
        user.release(version)
    runs = [user.start(*DEPLOY, version) for version in ("5.0.0", "5.0.1")]
    for run in runs:
        run.communicate(timeout=120)
    assert 0 in [run.returncode for run in runs]
    ran = user.versions()["dev"]
    assert ran in ("5.0.0", "5.0.1")
    assert ("dev", ran, "deployment", "verified") in user.history()
    outcomes = {one[3] for one in user.history() if one[1] in ("5.0.0", "5.0.1")}
    assert outcomes <= {"verified", "superseded"}
