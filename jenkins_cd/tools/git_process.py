"""Start Git, through GitPython, with exactly the environment that is wanted, and wait for its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.errors import MissingTool
from jenkins_cd.tools import orphans, secrecy

INSTALL = "apt-get install git (2.32 or newer)"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What Git is given: variables over those of this process, and the names of those that it must not see."""

    variables: Mapping[str, str]
    dropped: Collection[str] = ()


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a Git command ended, with both streams as they came."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def output(self) -> str:
        """Return all that it said, as text."""
        return "\n".join(data.decode("utf-8", "replace") for data in (self.stdout, self.stderr))


def execute(
    arguments: Sequence[str], folder: Path, environment: Environment, stdin: bytes | None, timeout: float
) -> Ended:
    """Run a Git command in `folder`. Raises MissingTool, and subprocess.TimeoutExpired once it has been killed."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # GitPython would fail on import without a git
    from git.cmd import Git

    if shutil.which("git") is None:
        raise MissingTool("git", INSTALL)
    secrecy.hide()
    unset = [part for name in sorted(environment.dropped) for part in ("-u", name)]
    program = ["env", *unset, "git"] if unset else ["git"]  # GitPython can add variables, and take none away
    with orphans.child() as register:
        child = Git(folder).execute(
            [*program, *arguments],
            istream=subprocess.PIPE,
            as_process=True,
            env=dict(environment.variables),
            start_new_session=True,
        )
        register(child.pid)
    try:
        stdout, stderr = child.communicate(stdin, timeout)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
        orphans.forget(child.pid)
    return Ended(exit_code=child.returncode, stdout=bytes(stdout), stderr=bytes(stderr))
