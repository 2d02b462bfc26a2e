"""The folder `.jenkins-cd`: what each step found, as JSON that the next step, the report and people can read."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from jenkins_cd import files, long_json
from jenkins_cd.errors import ExternalFailure, GateFailed
from jenkins_cd.free_text import masked
from jenkins_cd.tools import lock

T = TypeVar("T")
FOLDER = ".jenkins-cd"
LOGS, REPORT = "logs", "report"  # in it
OUTCOMES = "outcomes"  # how each command of a Jenkins build ended
LOCKS = "locks"
SNAPSHOT = "platform.yaml"  # the platform file that a run was planned with
WITHIN = "JENKINS_CD_WITHIN"  # set for the commands of a stage: the checkout of the run that started them
OLD = 86400.0  # seconds
RUN = "JENKINS_CD_RUN"  # the variable with which the library's pipelines name a run of theirs
_OWNER = "run"  # the file that says whose results these are
_LOCK = f".{_OWNER}.lock"
# What was there before a run and is no result of another: put there for it, or checked by its digest. Folder or file.
_KEPT = {".gitignore": False, OUTCOMES: True, "jenkins_cd.whl": False, SNAPSHOT: False, LOCKS: True, _LOCK: False}


def prepare(workspace: Path) -> Path:
    """Return the results folder of a checkout, made if need be and hidden from Git.

    Whatever reads or writes in it begins here. Jenkins gives a workspace to one build after another, of other apps
    too: where JENKINS_CD_RUN names another run than the one that left its results, they are removed first. So what a
    run publishes, or goes by, is its own. Raises Unfit where it, or something in it, is a link: what we write, and
    clear away, would be elsewhere.
    """
    folder = files.own_folder(workspace, FOLDER)
    if run := os.environ.get(RUN):
        _hand_over(folder, run)
    for entry in folder.iterdir():
        if entry.is_symlink():
            raise files.Unfit(entry, "is a link: nothing is written through it", "remove it")
    for name in (LOGS, REPORT, OUTCOMES, LOCKS):
        if os.path.lexists(folder / name):
            files.own_folder(folder, name)
    files.own_folder(folder, LOGS)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write(ignore, b"*\n")
    for outcome in (folder / OUTCOMES).glob("*.json"):  # what was left for builds that are long over
        with contextlib.suppress(OSError):
            if outcome.stat().st_mtime < time.time() - OLD:
                outcome.unlink()
    return folder


def _hand_over(folder: Path, run: str) -> None:
    """Remove the results of another run. Of commands that begin at once the first does, and the others wait for it.

    Whatever that run's programs have put in the place of what is kept goes too: else every run after it would fail.
    """
    if not _is_kept(folder / _LOCK):
        _remove(folder / _LOCK)
    owner = folder / _OWNER
    with lock.held(folder / _LOCK):
        if owner.is_file() and files.read(owner) == run.encode():
            return
        for entry in folder.iterdir():
            if not _is_kept(entry):
                _remove(entry)
        write(owner, run.encode())


def _is_kept(entry: Path) -> bool:
    return entry.name in _KEPT and files.is_own(entry, folder=_KEPT[entry.name])


def _remove(entry: Path) -> None:
    try:
        files.remove(entry)
    except OSError as error:
        raise ExternalFailure(
            f"{entry} is of another build and cannot be removed: {error.strerror}", "wipe out the workspace"
        ) from error


def to_json(value: Any) -> str:
    """Return one of the model's values as indented JSON, secrets masked in its free text."""
    return _document(masked(value))


def json_pieces(value: Any) -> Iterator[str]:
    """Yield the JSON of one of the model's values as a document that ends with a line feed, secrets masked."""
    yield from long_json.pieces(masked(value), _document, _line)
    yield "\n"


def from_json(data: bytes, type_: type[T], origin: str) -> T:
    """Return the model's value that `data` holds. Raises GateFailed, naming `origin`, where it holds something else."""
    import msgspec

    try:
        return msgspec.json.decode(data, type=type_)
    except msgspec.MsgspecError as error:
        raise GateFailed(f"{origin} cannot be read: {error}", "run the step that writes it again") from error


def save(folder: Path, name: str, value: Any) -> Path:
    """Write `value` to `<folder>/<name>.json`; a reader sees the old file or the new one, never half of one."""
    file = folder / f"{name}.json"
    files.write_pieces(file, (piece.encode() for piece in json_pieces(value)))
    return file


def load(folder: Path, name: str, type_: type[T]) -> T | None:
    """Return what was saved as `name`, or None where nothing was.

    Raises GateFailed where it is of another shape, Unfit where it is no file.
    """
    file = folder / f"{name}.json"
    try:
        data = files.read_if_there(file)
    except files.Unfit as error:
        raise files.Unfit(file, error.why, "remove it, and run the step that writes it again") from error
    if data is None:
        return None
    return from_json(data, type_, str(file))


def write(file: Path, data: bytes) -> None:
    """Write a file at once or not at all."""
    files.write(file, data)


def _document(value: Any) -> str:
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()


def _line(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value, order="sorted").decode()
