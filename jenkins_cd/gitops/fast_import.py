"""One commit as git-fast-import(1) reads it: no work tree, no index, one process."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping

from jenkins_cd.config.types import PATH
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import excerpt

_SCRATCH = "refs/jenkins-cd/next"  # fast-import commits to a ref; what is pushed is the commit that it answers with
_FILE = "100644"


def commit(tip: str | None, message: str, changed: Mapping[str, bytes | None], modes: Mapping[str, str]) -> bytes:
    """Return the stream that makes a commit on `tip` (None: the first one). Git answers with the commit's ID.

    `changed` is the new content by path, None to remove; `modes` the modes of files that are there and keep theirs.
    """
    text, now = message.encode(), int(time.time())
    stream = [f"reset {_SCRATCH}\n\ncommit {_SCRATCH}\nmark :1\n".encode()]
    stream += [f"{role} {_person(role.upper())} {now} +0000\n".encode() for role in ("author", "committer")]
    stream += [b"data %d\n%s\n" % (len(text), text)]
    stream += [f"from {tip}\n".encode()] if tip else []
    for path, content in sorted(changed.items()):
        if content is None:
            stream.append(f"D {_quoted(path)}\n".encode())
        else:
            stream.append(f"M {modes.get(path, _FILE)} inline {_quoted(path)}\n".encode())
            stream.append(b"data %d\n%s\n" % (len(content), content))
    return b"".join([*stream, b"\nget-mark :1\ndone\n"])


def check(path: str) -> str:
    """Return `path`, or raise BadInput where it does not stay inside the repository's tree."""
    if not re.fullmatch(PATH.pattern, path) or ".git" in path.lower().split("/"):
        raise BadInput(f"{excerpt(path, 100)!r} is no path in a repository: expected {PATH.expected}")
    return path


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _person(role: str) -> str:
    """Return who commits: as Git's own variables say (git(1), "Git Commits"), else the program."""
    name = re.sub(r"[<>\s]+", " ", os.environ.get(f"GIT_{role}_NAME", "")).strip()
    address = re.sub(r"[<>\s]+", "", os.environ.get(f"GIT_{role}_EMAIL", ""))
    return f"{name or 'jenkins-cd'} <{address or 'jenkins-cd@localhost'}>"
