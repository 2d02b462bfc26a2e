"""Git: the state of a checkout, a checkout of a commit, one file of a repository. The only room that runs Git.

Nothing here ever asks a person: without credentials a command fails. What comes from outside (URLs, refs, commits) is
checked against a pattern first, so that it cannot be an option (gitcli(7)).
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from jenkins_cd.config.types import BRANCH, GIT_URL, PATH, Meta
from jenkins_cd.errors import BadInput, ExternalFailure, MissingTool
from jenkins_cd.masking import from_environment, mask, read
from jenkins_cd.model import GitState
from jenkins_cd.tools import leftovers
from jenkins_cd.tools.git_failures import NoSuchRef, explain

TIMEOUT = 600.0  # seconds for one command; a stalled transfer is given up much earlier
COMMIT = Meta(pattern=r"[0-9a-f]{40}|[0-9a-f]{64}", expected="a full commit ID of 40 or 64 hexadecimal digits")
_HELPER = (
    '!f() { test "$1" = get && '
    'printf "username=%s\\npassword=%s\\n" "$JENKINS_CD_GIT_USERNAME" "$JENKINS_CD_GIT_PASSWORD"; }; f'
)
_SSH = "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ServerAliveCountMax=4"


def state(workspace: Path) -> GitState:
    """Return what the checkout around `workspace` is at. Raises BadInput where it is none, or has no commit."""
    top, shallow = _checkout_of(workspace)
    try:
        commit, seconds = _text(workspace, "log", "-1", "--format=%H %ct").split()
    except ExternalFailure as error:
        raise BadInput(f"{top} has no commit yet", "commit the app first: git add . && git commit") from error
    last_tag, distance = _last_tag(workspace)
    branch, dirty = _branch_and_changes(workspace)
    return GitState(
        commit=commit,
        committed=datetime.fromtimestamp(int(seconds), timezone.utc),
        dirty=dirty,
        branch=branch,
        tags=tuple(_text(workspace, "tag", "--points-at", "HEAD").splitlines()),
        last_tag=last_tag,
        distance=distance,
        shallow=shallow,
        source=_source(workspace, top),
    )


def checkout(url: str, commit: str, into: Path) -> None:
    """Check `commit` of the repository at `url` out into the folder `into`, which must be absent or empty.

    Only that commit is fetched, or everything where the server gives out no single commits. Raises BadInput where the
    repository does not have it, ExternalFailure where it cannot be reached.
    """
    url, commit = check_url(url), _check(commit, COMMIT, "commit")
    if into.is_dir() and any(into.iterdir()):
        raise BadInput(f"cannot check {commit[:12]} out into {into}: the folder is not empty")
    into.mkdir(parents=True, exist_ok=True)
    purpose = f"fetch {commit[:12]} from {url}"
    run(["init", "--quiet", "--template="], folder=into)
    try:
        _fetch(into, url, "--depth=1", url, commit, purpose=purpose)
    except NoSuchRef:
        _fetch(into, url, "--tags", url, "+refs/heads/*:refs/remotes/origin/*", purpose=purpose)
        if not _has(into, commit):
            raise
    run(["checkout", "--quiet", "--force", "--detach", commit], folder=into, purpose=f"check {commit[:12]} out")


def read_file(url: str, ref: str, path: str) -> bytes:
    """Return a file of the repository at `url`, at a branch, a tag or a full commit ID.

    Raises BadInput where there is no such ref or file, ExternalFailure where the repository cannot be reached.
    """
    url, path = check_url(url), _check(path, PATH, "path")
    ref = _check(ref, BRANCH, "branch, tag or commit")
    with leftovers.folder("git") as bare:
        run(["init", "--quiet", "--bare", "--template="], folder=bare)
        _fetch(bare, url, "--depth=1", url, ref, purpose=f"read {path} from {url} at {ref}")
        try:
            return run(["cat-file", "blob", f"FETCH_HEAD:{path}"], folder=bare)
        except ExternalFailure as error:
            raise BadInput(f"{url} has no file {path} at {ref}") from error


def reachable(url: str) -> None:
    """Return if the repository at `url` can be read, even an empty one. Raises BadInput, ExternalFailure, Refused."""
    arguments = ["ls-remote", "--quiet", "--heads", "--", check_url(url)]
    run(arguments, folder=Path(tempfile.gettempdir()), url=url, timeout=30.0, purpose=f"read {url}")


def environment(url: str = "") -> dict[str, str]:
    """Return what Git needs in its environment: no prompts, no endless waits, and the credentials.

    The credentials (JENKINS_CD_GIT_USERNAME and _PASSWORD) are offered to the host of `url` only, or to any host where
    that is left out, through a helper that reads the environment (gitcredentials(7)): they are in no argv and no file.
    JENKINS_CD_GIT_SSH_KEY is the file of a private key, for hosts that are reached over SSH.
    """
    config = [("http.lowSpeedLimit", "1"), ("http.lowSpeedTime", "60"), ("gc.autoDetach", "false")]
    values = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
    if key := os.environ.get("JENKINS_CD_GIT_SSH_KEY"):
        ssh = os.environ.get("GIT_SSH_COMMAND") or _SSH  # a machine's own way may say where its known hosts are
        values["GIT_SSH_COMMAND"] = f"{ssh} -o BatchMode=yes -o IdentitiesOnly=yes -i {shlex.quote(key)}"
    elif not {"GIT_SSH_COMMAND", "GIT_SSH"} & os.environ.keys():
        values["GIT_SSH_COMMAND"] = _SSH
    password = from_environment("JENKINS_CD_GIT_PASSWORD")
    if password:
        user = read("JENKINS_CD_GIT_USERNAME") or "git"
        values.update(JENKINS_CD_GIT_USERNAME=user, JENKINS_CD_GIT_PASSWORD=password)
        parts = urlsplit(url)
        scope = f".{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme in ("http", "https") else ""
        # An empty helper takes away those of the machine: ours must win.
        config += [(f"credential{scope}.helper", ""), (f"credential{scope}.helper", _HELPER)]
    first = _config_count()
    for number, (key, value) in enumerate(config, first):
        values.update({f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value})
    return {**values, "GIT_CONFIG_COUNT": str(first + len(config))}


def _config_count() -> int:
    """Return how many settings the environment has for Git (git-config(1)). Raises BadInput where that is no number."""
    count = os.environ.get("GIT_CONFIG_COUNT") or "0"
    if not re.fullmatch(r"[0-9]{1,6}", count):
        raise BadInput(f"GIT_CONFIG_COUNT is {mask(count)[:40]!r}: expected a number", "unset it, or mend what sets it")
    return int(count)


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    url: str = "",
    stdin: bytes | None = None,
    timeout: float = TIMEOUT,
    purpose: str = "",
) -> bytes:
    """Run a Git command in `folder` and return its standard output.

    `url` is the repository that it talks to, if any; `purpose` says what it is for, in messages. Raises what
    git_failures.explain makes of a failure, ExternalFailure after `timeout` seconds, and MissingTool.
    """
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")  # GitPython would fail on import without a git
    from git.cmd import Git
    from git.exc import GitCommandNotFound

    purpose = purpose or f"run git {arguments[0]} in {folder}"
    try:
        child = Git(folder).execute(
            ["git", *arguments],
            istream=subprocess.PIPE,
            as_process=True,
            env=environment(url),
            start_new_session=True,
        )
    except GitCommandNotFound as error:
        raise MissingTool("git", "apt-get install git (2.30 or newer)") from error
    try:
        stdout, stderr = child.communicate(stdin, timeout)
    except subprocess.TimeoutExpired as error:
        raise ExternalFailure(f"cannot {purpose}: no end after {timeout:g} s", "look at the Git server") from error
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
    if child.returncode != 0:
        raise explain(purpose, "\n".join(data.decode("utf-8", "replace") for data in (stdout, stderr)))
    return bytes(stdout)


def check_url(url: str) -> str:
    """Return `url`, or raise BadInput where it is no Git URL or holds a password."""
    _check(url, GIT_URL, "Git URL")
    if "://" in url and urlsplit(url).password is not None:
        raise BadInput(
            f"the Git URL {mask(url)} holds a password",
            "take it out of the URL and set JENKINS_CD_GIT_USERNAME and JENKINS_CD_GIT_PASSWORD (or …_FILE)",
        )
    return url


def check_branch(branch: str) -> str:
    """Return `branch`, or raise BadInput where it is no branch name."""
    return _check(branch, BRANCH, "branch")


def _check(value: str, meta: Meta, what: str) -> str:
    if not re.fullmatch(meta.pattern, value) or len(value) > (meta.max_length or 2000):
        raise BadInput(f"{mask(value)[:100]!r} is no {what}: expected {meta.expected}")
    return value


def _text(folder: Path, *arguments: str) -> str:
    return run(arguments, folder=folder).decode("utf-8", "replace").rstrip("\n")


def _fetch(folder: Path, url: str, *arguments: str, purpose: str) -> None:
    options = [argument for argument in arguments if argument.startswith("--")]
    names = [argument for argument in arguments if not argument.startswith("--")]
    run(["fetch", "--quiet", "--no-auto-maintenance", *options, "--", *names], folder=folder, url=url, purpose=purpose)


def _has(folder: Path, commit: str) -> bool:
    try:
        run(["cat-file", "-e", f"{commit}^{{commit}}"], folder=folder)
    except ExternalFailure:
        return False
    return True


def _checkout_of(workspace: Path) -> tuple[Path, bool]:
    if not workspace.is_dir():
        raise BadInput(f"{workspace} is no folder")
    try:
        answer = _text(workspace, "rev-parse", "--show-toplevel", "--is-shallow-repository")
    except ExternalFailure as error:
        if "dubious ownership" in error.message:
            raise
        raise BadInput(f"{workspace} is not in a Git checkout", "run it in one, or: git init") from error
    top, _, shallow = answer.rpartition("\n")
    return Path(top), shallow == "true"


def _branch_and_changes(workspace: Path) -> tuple[str | None, bool]:
    """Return the branch that is checked out, if any, and whether tracked files differ from the commit."""
    lines = _text(workspace, "status", "--porcelain=v2", "--branch", "--untracked-files=no").splitlines()
    heads = [line.removeprefix("# branch.head ") for line in lines if line.startswith("# branch.head ")]
    branch = heads[0] if heads and heads[0] != "(detached)" else None
    return branch, any(not line.startswith("#") for line in lines)


def _last_tag(workspace: Path) -> tuple[str | None, int]:
    """Return the nearest SemVer tag and the number of commits since; git describe knows only globs, so it is asked
    again without what it took for a version."""
    from jenkins_cd.versions import from_tag, newest

    excluded: list[str] = []
    while True:
        try:
            found = _text(workspace, "describe", "--tags", "--long", "--match=v[0-9]*", "--match=[0-9]*", *excluded)
        except ExternalFailure:
            return None, int(_text(workspace, "rev-list", "--count", "HEAD"))
        tag, distance, _ = found.rsplit("-", 2)
        if from_tag(tag):
            twins = _text(workspace, "tag", "--points-at", f"refs/tags/{tag}^{{commit}}").splitlines()
            versions = {version: twin for twin in twins if (version := from_tag(twin))}
            return versions[newest(list(versions))[0]], int(distance)
        excluded.append(f"--exclude={tag}")


def _source(workspace: Path, top: Path) -> str:
    try:
        url = _text(workspace, "remote", "get-url", "origin")
    except ExternalFailure:
        return top.as_uri()
    if "://" in url:
        parts = urlsplit(url)
        user, _, host = parts.netloc.rpartition("@")
        keep = f"{user.partition(':')[0]}@" if user and parts.scheme == "ssh" else ""
        return urlunsplit(parts._replace(netloc=keep + host))
    return url if re.match(r"[\w.-]+@[\w.-]+:", url) else str((top / url).resolve())
