"""Servers that the demo and the tests start on this machine: Debian's OCI registry on a free loopback port."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import process

PROGRAM = "docker-registry"
INSTALL = "apt-get install -y docker-registry"
READY = 15.0  # seconds that it may take to answer
ATTEMPTS = 5  # another program may take a port between our look and its start


@dataclass(frozen=True, kw_only=True)
class Registry:
    """An OCI registry that runs: images and Helm charts, plain HTTP, data and log kept in its folder."""

    host: str  # 127.0.0.1:PORT
    log: Path
    service: process.Service

    @classmethod
    def start(cls, folder: Path, htpasswd: Path | None = None, port: int = 0) -> Registry:
        """Start one with its data in `folder`, on a free port unless `port` is given, and wait until it answers.

        `htpasswd` is a file of bcrypt hashes; without it everybody may read and write. Raises MissingTool with the
        command that installs it, and ExternalFailure with its last words where it does not come up.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            host = f"127.0.0.1:{port or free_port()}"
            registry = _launch(folder, host, htpasswd)
            if _answers(registry):
                return registry
            registry.stop()
            if port or "address already in use" not in registry.last_words:
                break
        raise ExternalFailure(
            f"the registry did not come up on {host}: {registry.last_words}", f"read its log: {registry.log}"
        )

    @property
    def last_words(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(split_lines(self.log.read_text(encoding="utf-8", errors="replace"))[-3:])

    def stop(self) -> None:
        """End it; its data and log stay."""
        self.service.stop()


def leashed(command: Sequence[str], number: str = "KILL") -> list[str]:
    """Return the command so that it gets the signal `number` when this process ends, even where this one is killed.

    Linux can do that (PR_SET_PDEATHSIG); elsewhere, and for a program that is missing, the command is left as it is.
    """
    if not (shutil.which("setpriv") and shutil.which(command[0])):
        return list(command)
    # Who dies before the signal is asked for would leave the command behind: it looks whether its parent is still us.
    ours = ["sh", "-c", 'test "$PPID" = "$0" || exit 1; exec "$@"', str(os.getpid())]
    return ["setpriv", "--pdeathsig", number, "--", *ours, *command]


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _launch(folder: Path, host: str, htpasswd: Path | None) -> Registry:
    config, log = folder / "registry.yaml", folder / "registry.log"
    log.write_bytes(b"")
    config.write_text(json.dumps(_config(folder, host, htpasswd)), encoding="utf-8")
    environment = {"OTEL_TRACES_EXPORTER": "none"}
    service = process.serve(leashed([PROGRAM, "serve", str(config)]), log=log, env=environment, install=INSTALL)
    return Registry(host=host, log=log, service=service)


def _config(folder: Path, host: str, htpasswd: Path | None) -> dict[str, object]:
    """Return its configuration, as JSON is YAML: https://distribution.github.io/distribution/about/configuration/."""
    config: dict[str, object] = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "only-for-this-loopback-registry"},
    }
    if htpasswd:
        config["auth"] = {"htpasswd": {"realm": "jenkins-cd", "path": str(htpasswd)}}
    return config


def _answers(registry: Registry) -> bool:
    """Tell whether it answers on /v2/ before the time is up; 401 is an answer."""
    from jenkins_cd.tools import http

    deadline = time.monotonic() + READY
    while time.monotonic() < deadline and registry.service.exit_code is None:
        # Its own word comes first: on a port that is taken, somebody else would answer.
        if f"listening on {registry.host}" in registry.log.read_text(encoding="utf-8", errors="replace"):
            http.request("GET", f"http://{registry.host}/v2/", expect=(200, 401))
            return True
        time.sleep(0.02)
    return False
