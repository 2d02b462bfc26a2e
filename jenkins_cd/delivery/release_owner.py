"""Who works on a release: a process, named in labels, and looked for where it runs on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PREFIX = "jenkins-cd/"
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


def of(labels: Mapping[str, str]) -> Owner | None:
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


def here(name: Owner) -> bool:
    """Tell whether an owner is, or was, on this machine."""
    return _linux() and name.machine == _machine()


def dead(name: Owner | None) -> bool:
    """Tell whether an owner is one on this machine who does not work any more."""
    if name is None or not here(name) or _helm_works(name.operation):
        return False
    return name.process == os.getpid() or _started(name.process) != name.started  # an earlier try of ours, or it ended


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
    """Tell whether a Helm that was started for an operation still runs: it outlives one who was killed.

    It has the labels among its arguments, and for a rollback in its environment.
    """
    label = f"{PREFIX}operation={operation}".encode()
    for running in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if operation and any(label in (running / name).read_bytes() for name in ("cmdline", "environ")):
                return True
    return False


def _decoded(text: str) -> str:
    data = re.sub(rb"_([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    return data.decode("utf-8", "replace")
