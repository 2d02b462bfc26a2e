"""Versions: SemVer 2.0.0 without build metadata, so that each is a valid image tag too (https://semver.org)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jenkins_cd.config.types import VERSION
from jenkins_cd.errors import BadInput
from jenkins_cd.model import GitState

MAX_LENGTH = 128  # of an image tag (OCI distribution specification, "Pulling manifests")
_SHAPE = re.compile(rf"(?:{VERSION.pattern})")
_NO_LEADING_ZERO = re.compile(r"0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*")


def valid(version: str) -> bool:
    """Tell whether `version` is SemVer without build metadata and short enough for an image tag."""
    if not _SHAPE.fullmatch(version) or len(version) > MAX_LENGTH:
        return False
    prerelease = version.partition("-")[2]
    return not prerelease or all(_NO_LEADING_ZERO.fullmatch(part) for part in prerelease.split("."))


def check(version: str) -> str:
    """Return `version`, or raise BadInput that says what a version looks like."""
    if not valid(version):
        raise BadInput(f"{version[:80]!r} is no version: expected {VERSION.expected}, at most {MAX_LENGTH} characters")
    return version


def from_tag(tag: str) -> str | None:
    """Return the version that a Git tag names (`v1.2.3` or `1.2.3`), or None."""
    version = tag.removeprefix("v")
    return version if valid(version) else None


def key(version: str) -> tuple[tuple[int, int, int], int, tuple[tuple[int, int, str], ...]]:
    """Return what versions are sorted by: SemVer precedence (https://semver.org, item 11)."""
    core, _, prerelease = version.partition("-")
    major, minor, patch = (int(number) for number in core.split("."))
    identifiers = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in prerelease.split(".") if part
    )
    return (major, minor, patch), 0 if prerelease else 1, identifiers


def newest(versions: Sequence[str]) -> list[str]:
    """Return the versions, newest first."""
    return sorted(versions, key=key, reverse=True)


def derive(state: GitState, given: str | None = None) -> str:
    """Return the version of a checkout: the given one, else its tag's, else the last tag's next patch.

    Four commits after `v1.2.3` at commit 1a2b3c4… it is `1.2.4-dev.4.g1a2b3c4`; with uncommitted changes `.dirty` is
    added. Raises BadInput where `given` is no version, and where a shallow clone hides the tags.
    """
    if given is not None:
        return check(given)
    tagged = newest([version for tag in state.tags if (version := from_tag(tag))])
    if tagged and not state.dirty:
        return tagged[0]
    last = from_tag(state.last_tag) if state.last_tag else None
    if last is None and state.shallow:
        raise BadInput(
            "the version cannot be known: this is a shallow clone without a version tag",
            'fetch the history (git fetch --unshallow --tags; on Jenkins: no "Shallow clone"), or give --version',
        )
    (major, minor, patch), final, _ = key(last or "0.0.0-0")
    base = f"{major}.{minor}.{patch + final}"
    return f"{base}-dev.{state.distance}.g{state.commit[:7]}{'.dirty' if state.dirty else ''}"
