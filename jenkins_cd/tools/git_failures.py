"""What Git says when it fails, told as what it means and what to do next.

Git has one exit code for nearly everything, so its words must be read. They are asked for in English (LC_ALL=C), but
the server's part of them differs from host to host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask


class LostRace(ExternalFailure):
    """Somebody else pushed to the branch first."""


class NoSuchRef(BadInput):
    """The repository has no such branch, tag or commit."""


class Unexplained(ExternalFailure):
    """Git failed for a reason that is none of the server's known ones: the local repository may be broken."""


@dataclass(frozen=True)
class Known:
    """A failure that can be told from Git's words."""

    words: re.Pattern[str]
    meaning: str
    hint: str
    error: type[JenkinsCdError] = ExternalFailure


def _known(words: str, meaning: str, hint: str, error: type[JenkinsCdError] = ExternalFailure) -> Known:
    return Known(re.compile(words, re.IGNORECASE), meaning, hint, error)


_CREDENTIALS = (
    "set JENKINS_CD_GIT_USERNAME and JENKINS_CD_GIT_PASSWORD (or …_FILE) to an account or token that may use it; "
    "ssh URLs need a key that asks for no passphrase"
)
_MAY_NOT = "give the account the right to push to this branch, or name another branch in platform.yaml"

# The first that matches tells; what is specific comes before what accompanies it.
KNOWN: tuple[Known, ...] = (
    _known(
        r"(couldn't|could not) find remote ref|not our ref|unadvertised object|no such remote ref",
        "the repository has no such branch, tag or commit",
        "check the name; a commit must have been pushed",
        NoSuchRef,
    ),
    _known(
        r"protected branch|hook declined|GH00\d|GL-HOOK-ERR|prohibited by Gerrit|TF40\d{4}"
        r"|branch is currently checked out|deny(ing)? (updating|non-fast-forward)",
        "the repository declined the push",
        _MAY_NOT,
        Refused,
    ),
    _known(
        r"authentication failed|could not read (username|password)|terminal prompts disabled|returned error: 401"
        r"|access denied|permission denied \((publickey|password|keyboard)",
        "the repository does not accept our credentials",
        _CREDENTIALS,
    ),
    _known(
        r"returned error: 403|permission to \S+ denied|not allowed to (push|upload)|write access \S+ \S+ not granted",
        "the account may not do this in the repository",
        _MAY_NOT,
        Refused,
    ),
    _known(
        r"host key verification failed",
        "the host's SSH key is not known here",
        "add it to ~/.ssh/known_hosts, after comparing it with the one that the host's owner publishes",
    ),
    _known(
        r"could not resolve host|name or service not known|temporary failure in name resolution",
        "the host's name is not known",
        "check the URL and this machine's name servers",
    ),
    _known(
        r"dubious ownership",
        "the folder belongs to another user, and Git does not trust it",
        "run as its owner, or: git config --global --add safe.directory FOLDER",
    ),
    _known(r"no space left on device|disk quota exceeded", "a disk is full", "make room on the machine named below"),
    _known(
        r"certificate|\bSSL|\bTLS\b", "no trusted TLS connection", "put the authority's certificate in GIT_SSL_CAINFO"
    ),
    _known(
        r"does not appear to be a git repository|repository \S* ?not found|returned error: 404|no such repository",
        "there is no such repository, or the account may not see it",
        "check the URL, and that the account may read it",
    ),
    _known(
        r"failed to connect|connection (refused|reset|timed out)|couldn't connect|operation (too slow|timed out)"
        r"|returned error: (429|5\d\d)|hung up unexpectedly|early EOF|could not read from remote"
        r"|no route to host|network is unreachable|remote failed to report|unpacker error|index-pack abnormal exit",
        "the server did not answer as it should",
        "try again; if it stays, look at the server",
    ),
)
_RACE = re.compile(
    r"non-fast-forward|fetch first|cannot lock ref|incorrect old value provided|stale info|failed to update ref",
    re.IGNORECASE,
)
_NAME_TAKEN = re.compile(r"exists; cannot create", re.IGNORECASE)  # `a` and `a/b` can never both be branches
_REJECTED = re.compile(r"^!\t[^\t]*\t(.*)$", re.MULTILINE)  # git-push(1), --porcelain


def explain(purpose: str, output: str) -> JenkinsCdError:
    """Return the error for a Git command that failed: `purpose` says what for, `output` is all that it wrote."""
    tail = "\n".join(split_lines(mask(output).strip())[-10:])
    rejected = " ".join(_REJECTED.findall(output))
    if _RACE.search(rejected) and not _NAME_TAKEN.search(output):
        return LostRace(f"cannot {purpose}: somebody else pushed at the same time\n{tail}", "run it again")
    for known in KNOWN:
        if known.words.search(output):
            return known.error(f"cannot {purpose}: {known.meaning}\n{tail}", known.hint)
    if rejected:
        return Refused(f"cannot {purpose}: the repository declined the push\n{tail}", _MAY_NOT)
    return Unexplained(f"cannot {purpose}: Git failed\n{tail}", "the lines above are Git's own")
