"""What the lab of this machine keeps in one folder: its locks, who holds it, what it is, its logs."""

from __future__ import annotations

import fcntl
import json
import shutil
from pathlib import Path
from typing import IO, Any

from tests.lab.places import STATE

GATE = STATE / "gate"  # locked while somebody joins, or the keeper stops
KEEPER = STATE / "keeper"  # locked as long as the keeper lives
USERS = STATE / "users"  # a locked file for each holder
LOGS = STATE / "logs"  # kept until the next start
REQUESTS = STATE / "requests"  # a file named for a component: restart, stop or start it
LAB = STATE / "lab.json"  # there as long as the lab is ready
BEFORE = STATE / "before.json"  # what the machine was like, there as long as something is changed
PROGRESS = STATE / "progress"
FAILURE = STATE / "failure"
PORTS = STATE / "ports"  # the node ports that somebody was told of
QUIET = STATE / "quiet"  # locked by tests that want no disturbance, or to disturb


def prepare() -> None:
    """Make the folder, which is for root alone: there are passwords in it."""
    STATE.mkdir(mode=0o700, exist_ok=True)
    for folder in (USERS, LOGS, REQUESTS):
        folder.mkdir(exist_ok=True)


def lock(file: IO[str], kind: int) -> bool:
    """Lock an open file (see flock(2)) and tell whether that was possible."""
    try:
        fcntl.flock(file, kind)
    except BlockingIOError:
        return False
    return True


def keeper_lives() -> bool:
    """Tell whether a keeper is at work."""
    if not KEEPER.exists():
        return False
    with KEEPER.open() as file:
        return not lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def tell(line: str) -> None:
    """Add a line to what whoever waits for the lab is told."""
    with PROGRESS.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def write(file: Path, document: Any) -> None:
    """Write JSON so that nobody sees half of it."""
    aside = file.with_name(f".{file.name}")
    aside.write_text(json.dumps(document, indent=1), encoding="utf-8")
    aside.replace(file)


def read(file: Path) -> Any:
    """Return the JSON in a file, None where it is not there."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def forget_requests() -> None:
    """Remove what was asked of a lab that is gone."""
    shutil.rmtree(REQUESTS, ignore_errors=True)
    REQUESTS.mkdir()
