"""Whether a checkout can know which version came last: without its tags, a release would begin at 0.0.0 again.

Jenkins fetches no tags for a multibranch project unless it is told to. A checkout without a version tag is nothing
unusual either: the app may have none yet. Only the repository itself can tell the one from the other.
"""

from __future__ import annotations

from pathlib import Path

from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.model import GitState
from jenkins_cd.tools import git
from jenkins_cd.versions import from_tag

SETTING = (
    'let the checkout fetch tags: git fetch --tags; on Jenkins "Fetch tags" of "Advanced clone behaviours", or '
    "cloneOption(noTags: false)"
)


def lacking(workspace: Path, state: GitState, platform: PlatformFile) -> str:
    """Return which version tag the repository has in the history of HEAD and the checkout lacks, or an empty string.

    The repository is asked only where the checkout has no version tag at all, with our credentials only where it is on
    a host that the platform file has them for. Raises BadInput, ExternalFailure or Refused where it does not say.
    """
    if state.last_tag or any(from_tag(tag) for tag in state.tags) or not state.remotes:
        return ""
    deploy = platform.deploy_repository
    known = [url for url in (deploy.url if deploy else None, platform.ledger.url) if url]
    found = git.version_tag(workspace, state.source, known)
    if found is None:
        return ""
    tag, distance = found
    return f"this checkout lacks the version tag {tag} of {state.source}, {distance} commits ago: {SETTING}"


def seen_to_lack(workspace: Path, state: GitState, platform: PlatformFile) -> str:
    """Return what `lacking` does, or an empty string where the repository does not say: then `upload` asks again."""
    try:
        return lacking(workspace, state, platform)
    except (BadInput, ExternalFailure, Refused):
        return ""


def check(workspace: Path, version: str, platform: PlatformFile) -> None:
    """Raise Refused where a version was derived without the tags of the repository, ExternalFailure where that cannot
    be known."""
    if not version.startswith("0.0.0-dev."):
        return
    state = git.state(workspace)
    try:
        reason = lacking(workspace, state, platform)
    except (BadInput, ExternalFailure, Refused) as error:
        raise ExternalFailure(
            f"whether {version} is the next version cannot be known: this checkout has no version tag, and whether "
            f"{state.source} has one it does not say\n{error.message}",
            f"{SETTING}. Where the app has none yet, push its first: git tag v0.1.0",
        ) from error
    if reason:
        raise Refused(f"{version} is not released: {reason.partition(': ')[0]}", SETTING)
