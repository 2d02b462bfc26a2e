"""Whether a commit may become a release: by its branch or its version tag, never as a pull request.

Jenkins says what it builds in variables of multibranch projects and of the Git plugin
(https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables); else the checkout says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from jenkins_cd.config.types import Releases
from jenkins_cd.model import GitState
from jenkins_cd.versions import from_tag


def branch(state: GitState, environment: Mapping[str, str]) -> str | None:
    """Return the branch that is built, None where it cannot be known or a tag is built."""
    if environment.get("TAG_NAME"):
        return None
    named = environment.get("GIT_BRANCH", "")
    tracked = named if named == state.branch else named.partition("/")[2]  # origin/main
    return environment.get("BRANCH_NAME") or tracked or state.branch


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
