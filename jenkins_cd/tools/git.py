"""Git: the state of a checkout, a checkout of a commit, one file of a repository.

Nothing here ever asks a person: without credentials a command fails. What comes from outside (URLs, refs, commits) is
checked against a pattern first, so that it cannot be an option (gitcli(7)).
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

from jenkins_cd.config.types import BRANCH, GIT_URL, PATH, Meta
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask
from jenkins_cd.model import GitState
from jenkins_cd.tools import git_environment, git_remotes, git_tags, leftovers
from jenkins_cd.tools.git_environment import Setting
from jenkins_cd.tools.git_failures import NoSuchRef, explain
from jenkins_cd.tools.git_process import Environment, execute

TIMEOUT = 600.0  # seconds for one command; a stalled transfer is given up much earlier
COMMIT = Meta(pattern=r"[0-9a-f]{40}|[0-9a-f]{64}", expected="a full commit ID of 40 or 64 hexadecimal digits")


def state(workspace: Path) -> GitState:
    """Return what the checkout around `workspace` is at. Raises BadInput where it is none, or has no commit."""
    top, shallow = _checkout_of(workspace)
    try:
        commit, seconds = _text(workspace, "log", "-1", "--format=%H %ct").split()
    except ExternalFailure as error:
        raise BadInput(f"{top} has no commit yet", "commit the app first: git add . && git commit") from error
    ask = functools.partial(_text, workspace)
    last_tag, distance = git_tags.nearest(ask)
    remotes = git_remotes.names(ask)
    branch, dirty = _branch_and_changes(workspace)
    return GitState(
        commit=commit,
        committed=datetime.fromtimestamp(int(seconds), timezone.utc),
        dirty=dirty,
        branch=branch,
        tags=git_tags.on(ask),
        last_tag=last_tag,
        distance=distance,
        shallow=shallow,
        source=git_remotes.source(ask, top, remotes),
        remotes=remotes,
        authors=_authors(workspace),
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
    with leftovers.folder("git") as nothing:
        run(arguments, folder=nothing, url=url, timeout=30.0, purpose=f"read {url}")


def version_tag(workspace: Path, url: str, known: Iterable[str]) -> tuple[str, int] | None:
    """Return which version tag of the repository at `url` HEAD is nearest to, and how many commits ago it was.

    None where that repository has none in the history of HEAD. It gets our credentials where it is on the server of
    one of the `known` URLs: the checkout's configuration, which says where it is, may have been written by anybody.
    Raises BadInput, ExternalFailure and Refused where it does not say which tags it has.
    """
    arguments = ["ls-remote", "--quiet", "--tags", "--", check_url(url)]
    with leftovers.folder("git") as nowhere:
        listed = run(
            arguments,
            folder=nowhere,
            environment=git_environment.to(url if _same_server(url, known) else "", nowhere),
            timeout=15.0,
            purpose=f"read the tags of {url}",
        )
    lines = (line.partition("\t") for line in listed.decode("utf-8", "replace").split("\n"))
    tags = {name.removeprefix("refs/tags/").removesuffix("^{}"): id_ for id_, _, name in lines if name}
    return git_tags.nearest_of(functools.partial(_text, workspace), tags)


def run(
    arguments: Sequence[str],
    *,
    folder: Path,
    url: str = "",
    environment: Environment | None = None,
    stdin: bytes | None = None,
    timeout: float = TIMEOUT,
    purpose: str = "",
) -> bytes:
    """Run a Git command in `folder` and return its standard output.

    `url` is the repository that it talks to: without one it has no credentials, and talks to nobody. `folder` is one of
    ours, or `environment` says otherwise. `purpose` says what it is for, in messages. Raises what git_failures.explain
    makes of a failure, ExternalFailure after `timeout` seconds, and MissingTool.
    """
    purpose = purpose or f"run git {arguments[0]} in {folder}"
    given = environment or (git_environment.to(url, folder) if url else git_environment.within(folder))
    try:
        ended = execute(arguments, folder, given, stdin, timeout)
    except subprocess.TimeoutExpired as error:
        raise ExternalFailure(f"cannot {purpose}: no end after {timeout:g} s", "look at the Git server") from error
    if ended.exit_code != 0:
        raise explain(purpose, ended.output)
    return ended.stdout


def check_url(url: str) -> str:
    """Return `url`, or raise BadInput where it is no Git URL or holds a password."""
    _check(url, GIT_URL, "Git URL")
    try:
        password = urlsplit(url).password if "://" in url else None
    except ValueError as error:
        raise BadInput(f"{mask(url)[:100]!r} is no Git URL: {error}", f"expected {GIT_URL.expected}") from error
    if password is not None:
        raise BadInput(
            f"the Git URL {mask(url)} holds a password",
            "take it out of the URL and set JENKINS_CD_GIT_USERNAME and JENKINS_CD_GIT_PASSWORD (or …_FILE)",
        )
    return url


def is_url(url: str) -> bool:
    """Tell whether `check_url` takes a URL."""
    try:
        check_url(url)
    except BadInput:
        return False
    return True


def check_branch(branch: str) -> str:
    """Return `branch`, or raise BadInput where it is no branch name."""
    return _check(branch, BRANCH, "branch")


def _check(value: str, meta: Meta, what: str) -> str:
    if not re.fullmatch(meta.pattern, value) or len(value) > (meta.max_length or 2000):
        raise BadInput(f"{mask(value)[:100]!r} is no {what}: expected {meta.expected}")
    return value


def _same_server(url: str, known: Iterable[str]) -> bool:
    return git_environment.host(url) in {git_environment.host(one) for one in known} - {""}


def _text(checkout_of_app: Path, *arguments: str, settings: Iterable[Setting] = ()) -> str:
    output = run(arguments, folder=checkout_of_app, environment=git_environment.checkout(settings))
    return output.decode("utf-8", "replace").rstrip("\n")


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
    harmless = git_environment.without_own_filters(workspace)
    options = ("--porcelain=v2", "--branch", "--untracked-files=no")
    lines = split_lines(_text(workspace, "status", *options, settings=harmless))
    heads = [line.removeprefix("# branch.head ") for line in lines if line.startswith("# branch.head ")]
    branch = heads[0] if heads and heads[0] != "(detached)" else None
    return branch, any(not line.startswith("#") for line in lines)


def _authors(workspace: Path) -> tuple[str, ...]:
    """Return who wrote the commit, alone or with others, and who committed it, each as `name <e-mail>`."""
    wanted = "%an <%ae>%n%cn <%ce>%n%(trailers:key=Co-authored-by,valueonly,unfold)"
    said = _text(workspace, "log", "-1", "--no-show-signature", f"--format={wanted}").split("\n")
    return tuple(dict.fromkeys(name.strip() for name in said if name.strip(" <>")))
