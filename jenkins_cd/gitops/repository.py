"""A Git repository that many write to at once: read through a mirror on this machine, written without a work tree.

A write is an intent ("storefront in dev is 1.4.0"), not a patch. It is made on the newest commit and pushed without
force; where somebody else was first, it is made again on theirs. So nobody's work is lost and nothing conflicts.

The mirror is a cache. Whatever is wrong with it, it is thrown away and fetched again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.gitops import fast_import
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask
from jenkins_cd.tools import git, lock, process
from jenkins_cd.tools.answers import printed
from jenkins_cd.tools.git_failures import LostRace, NoSuchRef, Unexplained

T = TypeVar("T")
PATIENCE = 120.0  # seconds that a write tries to win the race for
KEPT, SMALL = 500, 64_000  # files that were read, and bytes of one
RECENT = 5.0  # seconds that a tip may be old to be written onto without another look


@dataclass(frozen=True)
class Repository:
    """The repository at `url`; `folder` holds its mirror and the locks."""

    url: str
    folder: Path

    @classmethod
    def open(cls, url: str) -> Repository:
        """Return the repository at `url`. Nothing is fetched yet. Raises BadInput where it is no Git URL."""
        key = hashlib.sha256(git.check_url(url).encode()).hexdigest()[:24]
        return cls(url, lock.cache_folder() / "repositories" / key)

    @property
    def mirror(self) -> Path:
        """Return the bare repository with what was fetched so far."""
        return self.folder / "mirror.git"

    def tip(self, branch: str, timeout: float = git.TIMEOUT) -> str | None:
        """Fetch `branch` and return its newest commit, or None where it does not exist (yet)."""
        git.check_branch(branch)
        try:
            tip = self._locked(lambda: self._fetch(branch, timeout))
        except NoSuchRef:
            _recent.pop((self, branch), None)
            return None
        _recent[self, branch] = tip, time.monotonic()
        return tip

    def view(self, commit: str | None) -> View:
        """Return the files as `commit` has them; None stands for a branch that does not exist yet."""
        return View(self, commit)

    def read(self, commit: str, path: str) -> bytes | None:
        """Return a file's content, or None where `commit` has no such file."""
        return self.read_all(commit, [path]).get(path)

    def read_all(self, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the content of many files at once; those that `commit` does not have are left out."""
        wanted = set(paths)
        objects = {path: id_ for path, (_, id_) in self._entries(commit, _shared(wanted)).items() if path in wanted}
        if not objects:
            return {}
        contents = {id_: _small[id_] for id_ in set(objects.values()) if id_ in _small}
        if missing := sorted(set(objects.values()) - contents.keys()):
            contents |= self._reading(commit, lambda: self._contents(missing))
            _keep(contents)
        return {path: contents[id_] for path, id_ in objects.items()}

    def list(self, commit: str, prefix: str = "") -> list[str]:
        """Return the paths of all files below the folder `prefix`, sorted."""
        return sorted(self._entries(commit, prefix))

    def same(self, one: str, other: str, prefix: str) -> bool:
        """Tell whether two commits have the same files below the folder `prefix`."""
        return one == other or self._entries(one, prefix) == self._entries(other, prefix)

    def descends(self, commit: str, ancestor: str) -> bool:
        """Tell whether `ancestor` is in the history of `commit`, or is it. What the mirror lacks is fetched.

        Raises what git_failures.explain says; NoSuchRef where the repository has not (or not any more) one of them.
        """
        if commit == ancestor:
            return True
        known = self._ancestry(commit, ancestor)
        if known is not None:
            return known
        with lock.held(self.folder / "mirror.lock"):
            for one in self._missing(commit, ancestor):
                self._fetch_ref(one, what=one[:12])
            if self._shallow:
                self._fetch_ref(commit, "--unshallow", what=f"the history of {commit[:12]}")
        return bool(self._ancestry(commit, ancestor))

    def added(self, commit: str, prefix: str) -> tuple[str, ...]:
        """Return the files below the folder `prefix` in the order in which the history of `commit` added them.

        The history is fetched where the mirror lacks it. A file that was removed and added again is named twice.
        """
        if self._shallow:
            with lock.held(self.folder / "mirror.lock"):
                self._fetch_ref(commit, "--unshallow", what=f"the history of {commit[:12]}")
        how = ("--reverse", "--first-parent", "-m", "--no-renames", "--diff-filter=A", "--name-only", "--format=", "-z")
        listed = self._reading(commit, lambda: self._git("log", *how, "--no-show-signature", commit, "--", prefix))
        return tuple(path.decode("utf-8", "surrogateescape") for path in listed.split(b"\0") if path)

    def _ancestry(self, commit: str, ancestor: str) -> bool | None:
        """Tell whether `ancestor` is in the history of `commit`; None where the mirror does not know that much."""
        if self._missing(commit, ancestor):
            return None
        only = self._git("rev-list", "--count", "--left-right", f"{commit}...{ancestor}").split()
        with printed("git", f"compare {commit} and {ancestor}"):
            above, below = map(int, only)
        if below == 0:
            return True
        return None if self._shallow and above else False

    @property
    def _shallow(self) -> bool:
        return (self.mirror / "shallow").exists()

    def _missing(self, *commits: str) -> tuple[str, ...]:
        asked = "".join(f"{one}^{{commit}}\n" for one in commits).encode()
        told = self._git("cat-file", "--batch-check", stdin=asked)
        with printed("git", "look for commits"):
            checked = zip(commits, split_lines(told.decode()), strict=True)
            return tuple(one for one, line in checked if line.endswith("missing"))

    def commit(self, branch: str, message: str, change: Callable[[View], Mapping[str, bytes | None]]) -> str:
        """Make one commit on the tip of `branch` and push it; returns the commit.

        `change` gets the files of the tip and returns new contents by path (None: no such file any more). It is called
        again on the new tip each time somebody else was faster, so it must depend on nothing else. Where it changes
        nothing there is no commit, and the tip is returned (an empty string where there is no branch).
        Raises what git_failures.explain says; ExternalFailure where the race cannot be won in PATIENCE seconds.
        """
        import tenacity

        git.check_branch(branch)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(LostRace),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=3),
            stop=tenacity.stop_after_delay(PATIENCE),
            sleep=process.pause,
            reraise=True,
        )
        # A courtesy: writers of this machine queue up, because racing one another makes all of them slower.
        with lock.held(self.folder / f"{branch.replace('/', '%')}.queue"):
            return retrying(self._attempt, branch, message, change)

    def _attempt(self, branch: str, message: str, change: Callable[[View], Mapping[str, bytes | None]]) -> str:
        tip, changed = self._recent(branch), None
        if tip:
            with contextlib.suppress(BadInput, Refused):  # somebody may have mended it since
                changed = self._changed(tip, change)
        if not changed:
            tip = self.tip(branch)
            changed = self._changed(tip, change)
        if not changed:
            return tip or ""
        modes = {path: mode for path, (mode, _) in self._entries(tip, _shared(changed)).items()}
        stream = fast_import.commit(tip, mask(message), changed, modes)
        made = self._locked(lambda: self._push(branch, stream), tip)
        _recent[self, branch] = made, time.monotonic()
        return made

    def _recent(self, branch: str) -> str | None:
        """Return the tip that was seen a moment ago: a push onto it fails where it is not the tip any more."""
        tip, seen = _recent.pop((self, branch), ("", 0.0))
        return tip if tip and time.monotonic() - seen < RECENT else None

    def _changed(
        self, tip: str | None, change: Callable[[View], Mapping[str, bytes | None]]
    ) -> dict[str, bytes | None]:
        """Return what a change makes different from what `tip` has."""
        view = self.view(tip)
        wanted = {fast_import.check(path): content for path, content in change(view).items()}
        present = view.read_all(wanted)
        return {path: content for path, content in wanted.items() if content != present.get(path)}

    def _push(self, branch: str, stream: bytes) -> str:
        made = self._git("fast-import", "--quiet", "--force", stdin=stream).decode().strip()
        refspec = f"{made}:refs/heads/{branch}"
        purpose = f"push to {branch} of {mask(self.url)}"
        self._git("push", "--porcelain", "--no-verify", "--", self.url, refspec, purpose=purpose, remote=True)
        self._git("update-ref", f"refs/heads/{branch}", made)
        return made

    def _fetch(self, branch: str, timeout: float) -> str:
        ref = f"refs/heads/{branch}"
        options = () if self._local(ref) else ("--depth=1",)  # history is not needed
        self._fetch_ref(f"+{ref}:{ref}", *options, timeout=timeout, what=branch)
        return self._local(ref)

    def _fetch_ref(self, refspec: str, *options: str, what: str, timeout: float = git.TIMEOUT) -> None:
        arguments = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *options, "--", self.url, refspec)
        self._git(*arguments, timeout=timeout, purpose=f"fetch {what} from {mask(self.url)}", remote=True)

    def _local(self, ref: str) -> str:
        told = self._git("for-each-ref", "--format=%(refname) %(objectname)", ref)
        with printed("git", f"read {ref}"):
            return dict(line.split(" ") for line in split_lines(told.decode())).get(ref, "")

    def _entries(self, commit: str | None, prefix: str) -> Mapping[str, tuple[str, str]]:
        """Return mode and object ID of each file below `prefix`, by path."""
        return _listed(self, commit, prefix.rstrip("/")) if commit else {}

    def list_tree(self, commit: str, prefix: str) -> dict[str, tuple[str, str]]:
        """Ask Git for mode and object ID of each file below `prefix`, by path."""
        paths = (prefix,) if prefix else ()
        listed = self._reading(commit, lambda: self._git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths))
        with printed("git", f"list {commit}"):
            return _blobs(listed)

    def _contents(self, ids: Sequence[str]) -> dict[str, bytes]:
        """Return blobs by object ID (git-cat-file(1), "Batch output")."""
        answer = self._git("cat-file", "--batch", stdin="".join(f"{id_}\n" for id_ in ids).encode())
        with printed("git", "read files"):
            return self._split(answer, ids)

    def _split(self, answer: bytes, ids: Sequence[str]) -> dict[str, bytes]:
        contents, position = {}, 0
        for id_ in ids:
            end = answer.index(b"\n", position)
            fields = answer[position:end].split(b" ")
            if len(fields) != 3:
                raise Unexplained(f"the mirror of {mask(self.url)} lacks the object {id_}")
            size = int(fields[2])
            if len(answer) < end + 1 + size:
                raise ValueError("the answer breaks off")
            contents[id_] = answer[end + 1 : end + 1 + size]
            position = end + 1 + size + 1
        return contents

    def _locked(self, work: Callable[[], T], commit: str | None = None) -> T:
        """Do what writes to the mirror, alone; once more in a new mirror (with `commit`) where this one is broken."""
        with lock.held(self.folder / "mirror.lock"):
            if not self.mirror.is_dir():
                self._create()
            try:
                return work()
            except Unexplained:
                self._renew(commit)
                return work()

    def _reading(self, commit: str, work: Callable[[], T]) -> T:
        """Do what only reads, beside others; in a new mirror where this one is broken or lacks the commit."""
        try:
            return work()
        except Unexplained:
            with lock.held(self.folder / "mirror.lock"):
                self._renew(commit)
            return work()

    def _create(self) -> None:
        """Make the mirror under another name first, so that half of one is never taken for a mirror."""
        for leftover in self.folder.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(tempfile.mkdtemp(dir=self.folder, prefix="new-"))
        git.run(["init", "--quiet", "--bare", "--template="], folder=new)
        new.rename(self.mirror)

    def _renew(self, commit: str | None) -> None:
        shutil.rmtree(self.mirror, ignore_errors=True)
        self._create()
        if commit:
            self._fetch_ref(commit, "--depth=1", what=commit[:12])

    def _git(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        timeout: float = git.TIMEOUT,
        purpose: str = "",
        remote: bool = False,
    ) -> bytes:
        command = [f"--git-dir={self.mirror}", *arguments]
        purpose = purpose or f"use the mirror of {mask(self.url)} in {self.folder}"
        url = self.url if remote else ""
        return git.run(command, folder=self.folder, url=url, stdin=stdin, timeout=timeout, purpose=purpose)


@dataclass(frozen=True)
class View:
    """The files of one commit, or of none."""

    repository: Repository
    commit: str | None

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        return self.repository.read(self.commit, path) if self.commit else None

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes]:
        """Return the content of many files at once; those that do not exist are left out."""
        return self.repository.read_all(self.commit, paths) if self.commit else {}

    def list(self, prefix: str = "") -> list[str]:
        """Return the paths of all files below the folder `prefix`, sorted."""
        return self.repository.list(self.commit, prefix) if self.commit else []


_recent: dict[tuple[Repository, str], tuple[str, float]] = {}


_small: dict[str, bytes] = {}  # by object ID, which is that of the content


def _keep(contents: Mapping[str, bytes]) -> None:
    """Keep small files: those of one app are read by each phase."""
    if len(_small) > KEPT:
        _small.clear()
    _small.update({id_: content for id_, content in contents.items() if len(content) <= SMALL})


@functools.lru_cache(maxsize=32)
def _listed(repository: Repository, commit: str, prefix: str) -> Mapping[str, tuple[str, str]]:
    """Return what a commit has: that never changes."""
    return repository.list_tree(commit, prefix)


def _blobs(listed: bytes) -> dict[str, tuple[str, str]]:
    """Return mode and object ID of each file that git-ls-tree(1) tells of, by path."""
    entries = {}
    for line in filter(None, listed.split(b"\0")):
        head, _, path = line.partition(b"\t")
        mode, kind, id_ = head.decode().split(" ")
        if kind == "blob":
            entries[path.decode("utf-8", "surrogateescape")] = (mode, id_)
    return entries


def _shared(paths: Iterable[str]) -> str:
    """Return the folder that all paths have in common, or the path itself where there is but one."""
    return os.path.commonpath(list(paths) or [""])
