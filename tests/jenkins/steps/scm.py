"""checkout (https://www.jenkins.io/doc/pipeline/steps/workflow-scm-step/), with the real git."""

from __future__ import annotations

import subprocess
from typing import Any

from tests.jenkins.model import Scm
from tests.jenkins.steps.errors import WrongArguments, aborted
from tests.jenkins.steps.running import Running
from tests.jenkins.steps.step import step


@step(node=True)
def checkout(at: Running, scm: dict[str, Any], changelog: bool = True, poll: bool = True) -> dict[str, str]:
    """Check out the build's own commit, as a multibranch project does: detached, with no tag but the one to build."""
    if scm.get("$class") != "scm" or at.build.scm is None:
        raise WrongArguments(f"checkout: the runner knows `checkout scm` only, not {scm}")
    source = at.build.scm
    at.folder.mkdir(parents=True, exist_ok=True)
    _git(at, "init", "--quiet", ".")
    _git(at, "config", "remote.origin.url", source.url)
    remote, local = _refs(at, source)
    _git(at, "fetch", "--no-tags", "--force", "--quiet", "--", source.url, f"+{remote}:{local}")
    commit = source.commit or _git(at, "rev-parse", f"{local}^{{commit}}")
    _git(at, "checkout", "--quiet", "--force", "--detach", commit)
    at.log(f"Checking out Revision {commit} ({source.ref})")
    return {"GIT_COMMIT": commit, "GIT_BRANCH": source.ref, "GIT_URL": source.url}


def _refs(at: Running, source: Scm) -> tuple[str, str]:
    """Return the ref there and the one that it becomes here."""
    if source.ref.startswith("refs/"):
        return source.ref, f"refs/remotes/origin/{source.ref.split('/', 2)[2]}"
    if _git(at, "ls-remote", source.url, f"refs/heads/{source.ref}"):
        return f"refs/heads/{source.ref}", f"refs/remotes/origin/{source.ref}"
    return f"refs/tags/{source.ref}", f"refs/tags/{source.ref}"


def _git(at: Running, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=at.folder, env=at.environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise aborted(f"git {' '.join(arguments)} failed: {done.stderr.strip()}")
    return done.stdout.strip()
