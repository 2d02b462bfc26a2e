"""Where the platform file is: an argument, a variable (a path, or a file in a Git repository), or beside cd.yaml."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from jenkins_cd.config import PLATFORM_FILE
from jenkins_cd.config.yaml import decode, read
from jenkins_cd.errors import BadInput

VARIABLE = "JENKINS_CD_PLATFORM"
DIGEST = "JENKINS_CD_PLATFORM_DIGEST"  # sha256:… of the file that this run was planned with
_IN_GIT = r"git\+(?P<url>.+)@(?P<ref>[A-Za-z0-9_][A-Za-z0-9_./-]*):(?P<path>[^:]+)"


def locate(given: str | None, workspace: Path) -> str | None:
    """Return where the platform file is, or None where there is none. One that is named need not exist.

    Raises BadInput where there is none, and this run was planned with one.
    """
    if named := given or os.environ.get(VARIABLE):
        return named
    beside = workspace / PLATFORM_FILE
    there = os.path.lexists(beside)  # a link that leads nowhere is one that cannot be read
    if not there and os.environ.get(DIGEST):
        raise BadInput(f"the platform file that this run was planned with is gone: {beside}", "start the build anew")
    return str(beside) if there else None


def content(place: str) -> str:
    """Return the text of the platform file, which must be the one that the run was planned with, if any.

    Raises Malformed where it cannot be read, BadInput for a place that is none or is not in its repository and for
    another file than planned, and ExternalFailure where the repository cannot be reached.
    """
    text = _content(place)
    planned = os.environ.get(DIGEST)
    if planned and planned != digest(text):
        raise BadInput(
            f"the platform file {shown(place)} is not the one that this run was planned with",
            "a step of the build has changed it: start the build anew, and look at what the app's own commands do",
        )
    return text


def digest(text: str) -> str:
    """Return what tells this content of a platform file from any other."""
    import hashlib

    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _content(place: str) -> str:
    if not place.startswith("git+"):
        return read(Path(place))
    found = re.fullmatch(_IN_GIT, place)
    if not found:
        raise BadInput(
            f"{shown(place)!r} names no file in a Git repository",
            "write git+URL@REF:PATH, as git+https://…/platform.git@main:platform.yaml",
        )
    return decode(_from_git(found["url"], found["ref"], found["path"]))


@functools.cache
def _from_git(url: str, ref: str, path: str) -> bytes:
    """Return a file of a repository. It is fetched once: what is kept for later steps is what this run goes by."""
    from jenkins_cd.tools import git

    return git.read_file(url, ref, path)


def shown(place: str) -> str:
    """Return the place as messages show it: relative where that is shorter, without secrets."""
    if place.startswith("git+"):
        from jenkins_cd.masking import mask

        return mask(place)
    relative = os.path.relpath(place)
    return relative if len(relative) < len(place) else place
