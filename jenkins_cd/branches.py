"""Whether a commit may become a release: by its branch or its version tag, never as a pull request.

Jenkins says what it builds in variables of multibranch projects and of the Git plugin
(https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables); else the checkout says it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from jenkins_cd.config.types import Releases
from jenkins_cd.model import GitState
from jenkins_cd.versions import from_tag

_NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|^/|\.lock$")  # git-check-ref-format(1)
_DETACHED = ("detached", "HEAD", "@")  # the first is what Jenkins's Git plugin says of a commit alone


def branch(state: GitState, environment: Mapping[str, str]) -> str | None:
    """Return the branch that is built, None where it cannot be known or a tag is built."""
    if environment.get("TAG_NAME"):
        return None
    if named := environment.get("BRANCH_NAME"):
        return named  # as it is called, even where that is `origin/main`
    if named := environment.get("GIT_BRANCH"):
        return named if named == state.branch else _local(named, state.remotes)
    return state.branch


def _local(named: str, remotes: Iterable[str]) -> str | None:
    """Return the branch that a ref names (`origin/main`, `refs/heads/main`), None where it names none.

    What stands before the first slash is a remote only where the checkout has it: else it is part of a branch's name.
    """
    if _NO_BRANCH.search(named) or named in _DETACHED:
        return None
    if named.startswith("refs/heads/"):
        return named.removeprefix("refs/heads/")
    tracked = named.removeprefix("refs/").removeprefix("remotes/")
    for remote in sorted(remotes, key=len, reverse=True):  # a remote may be called `team/origin`
        if tracked.startswith(f"{remote}/"):
            found = tracked.removeprefix(f"{remote}/")
            return None if found == "HEAD" else found
    return None if named.startswith(("refs/", "remotes/")) else named


def unreleased(rules: Releases, state: GitState, environment: Mapping[str, str]) -> str:
    """Return why the commit is not released, or an empty string where it is. What cannot be known is not released."""
    if change := environment.get("CHANGE_ID"):
        return f"pull request {change} is checked, not released"
    tags = {*state.tags, *filter(None, [environment.get("TAG_NAME")])}
    if any(from_tag(tag) and _matches(tag, rules.tags) for tag in tags):
        return ""
    built = branch(state, environment)
    if built is None:
        return "no branch is checked out, and the commit has no version tag that releases.tags allows"
    if _matches(built, rules.branches):
        return ""
    return f"{built} is no branch that is released (releases.branches: {', '.join(rules.branches) or 'none'})"


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
