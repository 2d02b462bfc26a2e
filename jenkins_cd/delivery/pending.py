"""A release that is pending: whose it is, since when, and how to go on when its owner is gone.

Helm marks a release as pending while it works on it, and refuses every other work on it. Where it is killed, that stays
so. Whoever works on a release leaves his name in its labels: only these are there while Helm is at work, as the
description is written at the end.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import Busy, Change, HookFailed, Installed, Place

PREFIX = "jenkins-cd/"
LOOK = 2.0  # seconds between two looks at a release that somebody has
_CHUNK = 61  # characters of a label's value (63 at most) between the two that keep its ends alphanumeric
_CHUNKS = 4  # labels for one address


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The process that works on a release."""

    host: str
    machine: str  # what tells two hosts of one name apart, and two boots of one host
    process: int
    started: int  # clock ticks after the machine's start: a process id alone comes back
    operation: str  # of this one work on the release
    build: str = ""  # the address of the Jenkins build

    def __str__(self) -> str:
        """Return it for people."""
        return f"{self.build or 'no build'} (process {self.process} on {self.host})"


def ourselves(build: str) -> Owner:
    """Return the owner that we are, for one operation."""
    return Owner(
        host=socket.gethostname(),
        machine=_machine(),
        process=os.getpid(),
        started=_started(os.getpid()) or 0,
        operation=secrets.token_hex(8),
        build=build,
    )


def labels(owner: Owner) -> dict[str, str]:
    """Return the labels that carry an owner. Every one is always there, as Helm keeps those of the revision before."""
    named = {"host": label(owner.host), "machine": owner.machine, "operation": owner.operation}
    named["process"] = f"{owner.process}-{owner.started}"
    encoded = re.sub(r"[^A-Za-z0-9.-]", lambda found: "".join(f"_{one:02x}" for one in found[0].encode()), owner.build)
    for number in range(_CHUNKS):
        chunk = encoded[number * _CHUNK : (number + 1) * _CHUNK]
        named[f"build-{number + 1}"] = f"x{chunk}x" if chunk else ""
    return {f"{PREFIX}{name}": value for name, value in named.items()}


def owner(labels: Mapping[str, str]) -> Owner | None:
    """Return the owner that labels carry, or None where they carry none."""
    found = {name.removeprefix(PREFIX): value for name, value in labels.items() if name.startswith(PREFIX)}
    numbers = re.fullmatch(r"(\d+)-(\d+)", found.get("process", ""))
    if numbers is None:
        return None
    encoded = "".join(found.get(f"build-{number + 1}", "")[1:-1] for number in range(_CHUNKS))
    return Owner(
        host=found.get("host", ""),
        machine=found.get("machine", ""),
        process=int(numbers[1]),
        started=int(numbers[2]),
        operation=found.get("operation", ""),
        build=_decoded(encoded),
    )


def label(text: str) -> str:
    """Return a text as the value of a label, as near as it comes."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text)[:63].strip("._-")


def gone(installed: Installed, patience: float, now: datetime | None = None) -> bool:
    """Tell whether nobody works on a pending release any more.

    An owner on this machine is looked for. Any other one counts as gone when the release has been pending for twice
    `patience` (seconds that a deployment may take). A rollback carries the labels of the revision that it puts back.
    """
    name = owner(installed.labels) if installed.status != "pending-rollback" else None
    if name and _linux() and name.machine == _machine():
        if name.process == os.getpid():
            return not _helm_works(name.operation)  # an earlier try of ours
        return _started(name.process) != name.started and not _helm_works(name.operation)
    return _age(installed, now) > 2 * patience


def clear(place: Place, patience: float, tell: Callable[[str], None]) -> Installed | None:
    """Return the release as it stands when nobody works on it: at once, or when its owner is through, or gone.

    Where he is gone the last deployed revision is put back; a first installation that was never through is uninstalled.
    Waits up to `patience` seconds; raises Busy then, with who has it.
    """
    deadline, told = time.monotonic() + patience, 0
    while (installed := helm_release.status(place)) and installed.pending:
        if gone(installed, patience):
            recover(place, installed, patience, tell)
            continue
        if time.monotonic() > deadline:
            raise Busy(
                f"the release {place.name} in {place.namespace} is {held(installed)}",
                f"wait for it; helm -n {place.namespace} rollback {place.name} takes it away from whoever has it",
            )
        if told != installed.revision:
            tell(f"waiting: the release {place.name} is {held(installed)}")
            told = installed.revision
        process.pause(LOOK)
    return installed


def held(installed: Installed) -> str:
    """Return, for people, what a pending release is held by: `pending-upgrade since … by …`."""
    known = owner(installed.labels) if installed.status != "pending-rollback" else None
    return f"{installed.status} since {installed.deployed:%Y-%m-%d %H:%M:%S} UTC, held by {known or 'nobody we know'}"


def recover(place: Place, installed: Installed, timeout: float, tell: Callable[[str], None]) -> None:
    """Free a release whose owner is gone. Raises ExternalFailure where that fails."""
    good = [one.revision for one in helm_release.history(place) if one.status in ("deployed", "superseded")]
    stuck = f"the release {place.name} is {held(installed)}, who is gone"
    if not good:
        tell(f"{stuck}: uninstalling this first installation, which was never through")
        helm_release.uninstall(place, timeout)
        return
    tell(f"{stuck}: putting back revision {good[0]}, the last that was deployed")
    change = Change(timeout=timeout, force_conflicts=installed.server_side)
    failure = _put_back(place, good[0], change)
    if isinstance(failure, HookFailed):
        tell(f"{failure.message.splitlines()[0]}: putting it back without hooks")
        failure = _put_back(place, good[0], replace(change, hooks=False))
    if failure and not isinstance(failure, Busy):  # else somebody else was faster to free it
        raise ExternalFailure(f"{stuck}, and revision {good[0]} cannot be put back: {failure.message}", failure.hint)


def _put_back(place: Place, revision: int, change: Change) -> JenkinsCdError | None:
    with helm_release.rollback(place, revision, change) as work:
        while work.running:
            process.pause(0.05)
        return None if work.succeeded else work.failure()


def _age(installed: Installed, now: datetime | None) -> float:
    return ((now or datetime.now(timezone.utc)) - installed.deployed).total_seconds()


def _machine() -> str:
    """Return what stands for this machine since its start, and for the container that we are in."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii") if _linux() else ""
    numbers = os.readlink("/proc/self/ns/pid") if _linux() else ""  # noqa: PTH115, it leads nowhere
    return hashlib.sha256(f"{socket.gethostname()} {boot} {numbers}".encode()).hexdigest()[:16]


def _linux() -> bool:
    return Path("/proc/self/ns/pid").is_symlink()


def _started(number: int) -> int | None:
    """Return when a process started, in clock ticks after the machine did, or None where it does not run."""
    try:
        content = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *rest = content.rpartition(")")[2].split()
    return None if state in "ZX" else int(rest[18])


def _helm_works(operation: str) -> bool:
    """Tell whether a Helm that was started for an operation still runs: it outlives one who was killed."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if operation and f"{PREFIX}operation={operation}".encode() in file.read_bytes():
                return True
        except OSError:
            continue
    return False


def _decoded(text: str) -> str:
    data = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return data.decode("utf-8", "replace")
