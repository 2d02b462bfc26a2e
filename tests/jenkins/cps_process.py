"""The Java program that runs the Groovy: started, spoken to in lines of JSON (cps/…/Main.java says which), ended."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).with_name("cps")
PROGRAM = Path(sys.prefix) / "share" / "jenkins-cd-cps"
BUILD = "python -m tests.jenkins.build_tools"
ARCHIVE = "classes.jsa"
OPTIONS = (
    "-Xshare:auto",
    "-Xlog:disable",  # it would write to standard output, between the messages
    "-Xlog:all=warning:stderr",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx256m",
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in ("io", "lang", "util")),
)


class ProgramMissing(Exception):
    """The Java side has not been built, or from other sources."""


@functools.cache
def digest() -> str:
    """Return what the sources, and the Java that runs what they become, are known by."""
    total = hashlib.sha256(os.path.realpath(shutil.which("java") or "java").encode())
    for file in sorted(each for each in SOURCES.rglob("*") if each.is_file() and "target" not in each.parts):
        total.update(f"{file.relative_to(SOURCES)}\0".encode() + file.read_bytes())
    return total.hexdigest()[:16]


def command(folder: Path, *options: str) -> list[str]:
    """Return the command that runs what is in `folder`."""
    return [shutil.which("java") or "java", *OPTIONS, *options, "-cp", f"{folder}/*", "cps.Main"]


def built() -> Path:
    """Return the folder with the program. Raises ProgramMissing with the command that builds it."""
    program = PROGRAM.resolve()  # as the archive names it
    if program.name != digest() or not (program / "cps.jar").is_file():
        raise ProgramMissing(f"{PROGRAM} is not what {SOURCES} would become: run `{BUILD}`")
    return program


class CpsProcess:
    """One run of the program."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        folder = built()
        archive = (f"-XX:SharedArchiveFile={folder / ARCHIVE}",) if (folder / ARCHIVE).is_file() else ()
        self._process = subprocess.Popen(
            command(folder, *archive),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        self._sending = threading.Lock()
        self._words: list[str] = []
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.send(start)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message; if the program has ended, nobody wants it any more."""
        assert self._process.stdin
        with self._sending, contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield what it sends until it ends."""
        assert self._process.stdout
        for line in self._process.stdout:
            yield json.loads(line)

    def end(self) -> str:
        """Kill it where it still runs, and return what it wrote to standard error."""
        self.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if stream:
                    stream.close()
        return "".join(self._words)

    def kill(self) -> None:
        """End it now."""
        self._process.kill()

    def _listen(self) -> None:
        assert self._process.stderr
        self._words.extend(self._process.stderr)
