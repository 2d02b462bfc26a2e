"""What is seen of a server while others use it: the time of its processor, the calls that it has answered."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.tools import http

_STARTED = re.compile(r"^grpc_server_started_total\{[^}]*\} ([0-9.e+]+)$", re.MULTILINE)
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A program that has ended, and what it took: seconds of processor time and bytes of memory."""

    exit_code: int
    output: str
    processor: float
    memory: float


def calls(metrics: str) -> float:
    """Return how many calls an Argo CD server has begun to answer, from its metrics; one by REST is one by gRPC."""
    answer = http.request("GET", metrics, expect=(200,))
    return sum(float(one) for one in _STARTED.findall(answer.text))


def processor(names: Sequence[str]) -> float:
    """Return the seconds of processor time that the machine's processes of these names have taken."""
    total = 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]
            if command in names:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                total += (int(fields[11]) + int(fields[12])) / _TICK  # utime, stime: proc(5)
        except OSError:
            continue  # it has ended
    return total


def run(argv: Sequence[str], folder: Path, env: dict[str, str], told: Callable[[], str] | None = None) -> Ended:
    """Run a program to its end, and tell what it took with all that it has started.

    With `told` it says a line once it is ready, and is then given one: what that function returns.
    """
    given = subprocess.DEVNULL if told is None else subprocess.PIPE
    with subprocess.Popen(
        argv, cwd=folder, env=env, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as started:
        if told and started.stdin and started.stdout:
            started.stdout.readline()
            started.stdin.write(f"{told()}\n")
            started.stdin.flush()
        output = started.stdout.read() if started.stdout else ""
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        exit_code=started.returncode,
        output=output,
        processor=used.ru_utime + used.ru_stime,
        memory=float(used.ru_maxrss) * 1024,
    )
