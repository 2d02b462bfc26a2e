"""Which version tag a checkout is nearest to, as `git describe` counts it (git-describe(1), "Search strategy").

`git describe` chooses tags by globs, which cannot say what a version is, and asking it again without each tag that is
none takes minutes where there are many. So it is asked once, in a repository of ours that has the version tags alone
and borrows everything else (gitrepository-layout(5), objects/info/alternates).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import leftovers
from jenkins_cd.versions import from_tag, newest

Ask = Callable[..., str]  # runs Git in the checkout with these arguments, and returns what it prints
_SHA1 = "[core]\n\tbare = true\n\trepositoryFormatVersion = 0\n"
_SHA256 = "[core]\n\tbare = true\n\trepositoryFormatVersion = 1\n[extensions]\n\tobjectFormat = sha256\n"
_TAGS = "refs/tags/"
_DESCRIBED = re.compile(r"(.+)-(\d+)-g[0-9a-f]+")


def on(ask: Ask, commit: str = "HEAD") -> tuple[str, ...]:
    """Return the names of the tags on a commit."""
    wanted = ask("rev-parse", f"{commit}^{{commit}}")
    # `--points-at` does not see through a tag of a tag; `show-ref` does, in a line of its own behind the tag's. Without
    # HEAD, it would fail where there is no tag.
    listed = (line.partition(" ") for line in _lines(ask("show-ref", "--head", "--dereference", "--tags")))
    commits = {name.removesuffix("^{}"): id_ for id_, _, name in listed}
    return tuple(name.removeprefix(_TAGS) for name, id_ in commits.items() if id_ == wanted and name.startswith(_TAGS))


def nearest(ask: Ask) -> tuple[str | None, int]:
    """Return the version tag that HEAD is nearest to, and the number of commits since: all of them without a tag."""
    listed = _lines(ask("for-each-ref", "--format=%(objectname) %(refname:strip=2)", "refs/tags"))
    found = nearest_of(ask, {name: id_ for id_, _, name in (line.partition(" ") for line in listed)})
    if found is None:
        return None, int(ask("rev-list", "--count", "HEAD"))
    tag, distance = found
    twins = {version: twin for twin in on(ask, f"refs/tags/{tag}^{{commit}}") if (version := from_tag(twin))}
    return twins[newest(list(twins))[0]], distance


def nearest_of(ask: Ask, tags: Mapping[str, str]) -> tuple[str, int] | None:
    """Return which of these tags (object ID by name) HEAD is nearest to, and how far away that is; None for none.

    Only those count that name a version; what the checkout does not have is in nobody's history.
    """
    versions = {name: id_ for name, id_ in tags.items() if from_tag(name)}
    if not versions:
        return None
    with leftovers.folder("tags") as folder:
        commit = _lend(ask, folder, versions)
        said = ask(f"--git-dir={folder}", "describe", "--tags", "--long", "--always", commit)
    found = _DESCRIBED.fullmatch(said)
    return (found[1], int(found[2])) if found else None


def _lend(ask: Ask, folder: Path, tags: Mapping[str, str]) -> str:
    """Make a repository in an empty folder with these tags and the objects of the checkout; returns its HEAD."""
    places = "--path-format=absolute", "--git-path", "objects", "--git-path", "shallow"
    answers = _lines(ask("rev-parse", "HEAD", *places))
    if len(answers) != 3:
        raise BadInput("the path of this checkout has a line break in it", "check the repository out elsewhere")
    commit, objects, shallow = answers
    (folder / "refs").mkdir()
    (folder / "objects" / "info").mkdir(parents=True)
    (folder / "config").write_text(_SHA256 if len(commit) == 64 else _SHA1, encoding="utf-8")
    (folder / "HEAD").write_text(f"{commit}\n", encoding="utf-8")
    (folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(f"{objects}\n"))
    lines = sorted(f"{id_} refs/tags/{name}\n" for name, id_ in tags.items())
    (folder / "packed-refs").write_text("".join(lines), encoding="utf-8")
    with contextlib.suppress(FileNotFoundError):
        (folder / "shallow").write_bytes(Path(shallow).read_bytes())
    return commit


def _lines(text: str) -> list[str]:
    return text.split("\n") if text else []
