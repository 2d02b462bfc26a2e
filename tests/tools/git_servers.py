"""Real Git servers on 127.0.0.1: an OpenSSH daemon, and `git http-backend` behind a small HTTP server."""

from __future__ import annotations

import base64
import contextlib
import getpass
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from jenkins_cd.demo.services import free_port, leashed
from jenkins_cd.tools import process

# A daemon for whoever runs the tests, and for nothing but keys (sshd_config(5)).
SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
"""
# What a machine's own configuration would say of known hosts (ssh_config(5)); the home of whoever runs the tests, with
# its keys and agents, stays out.
SSH = """\
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
IdentityFile {folder}/none
IdentityAgent none
"""


@dataclass(frozen=True)
class SshServer:
    """A running daemon; `key` is the private key that it lets in, `stranger` one that it does not."""

    folder: Path
    port: int

    @property
    def key(self) -> Path:
        return self.folder / "key"

    @property
    def stranger(self) -> Path:
        return self.folder / "stranger"

    @property
    def config(self) -> Path:
        """Return the client's configuration file, in which the server is known."""
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def url(self, repository: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{repository}"

    def client(self) -> Path:
        """Return a folder for PATH whose `ssh` is the real one with `config` as the machine's configuration."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {self.config} "$@"\n')
        (folder / "ssh").chmod(0o755)
        return folder


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """Start a daemon with a host key and users' keys of its own in `folder`."""
    server = SshServer(folder, free_port())
    for name in ("host", "key", "stranger"):
        keygen(folder / name)
    shutil.copy(folder / "key.pub", folder / "authorized_keys")
    host = (folder / "host.pub").read_text()
    server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {host}")
    server.config.write_text(SSH.format(folder=folder))
    (folder / "sshd_config").write_text(SSHD.format(port=server.port, folder=folder))
    if os.getuid() == 0:  # where it becomes somebody else before it knows whom it talks to
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    log = folder / "sshd.log"
    log.touch()
    service = process.serve(
        leashed([program, "-D", "-e", "-f", str(folder / "sshd_config")], "TERM"),
        log=log,
        install="apt-get install openssh-server",
    )
    try:
        deadline = time.monotonic() + 30
        while f"listening on 127.0.0.1 port {server.port}" not in log.read_text():
            assert service.exit_code is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield server
    finally:
        service.stop()


def keygen(file: Path, passphrase: str = "") -> Path:
    """Make a key pair and return the private one's file."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file


@dataclass
class HttpServer:
    """A running HTTP server for the repositories below `root`; users have a password, and may read or also write."""

    root: Path
    users: Mapping[str, str]  # name → password
    writers: frozenset[str]
    port: int = 0
    seen: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, and who asked: "" nobody

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"


@contextlib.contextmanager
def http_server(root: Path, users: Mapping[str, str], writers: frozenset[str]) -> Iterator[HttpServer]:
    """Serve the bare repositories in `root` by smart HTTP to those who give a password."""
    served = HttpServer(root, users, writers)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"served": served}))
    server.daemon_threads = True
    served.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Checks who asks, and hands the request to `git http-backend` as a CGI program (RFC 3875)."""

    protocol_version = "HTTP/1.1"
    served: HttpServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body, user = self._body(), self._user()
        self.served.seen.append((self.command, self.path, user or ""))
        if user is None:
            self._say(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="git"'})
        elif "git-receive-pack" in self.path and user not in self.served.writers:
            self._say(403, b"you may only read", {})
        else:
            self._say(*_backend(self.served.root, self, user, body))

    def _user(self) -> str | None:
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic":
            return None
        name, _, password = base64.b64decode(given).decode().partition(":")
        return name if self.served.users.get(name) == password else None

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline(), 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def _backend(root: Path, request: BaseHTTPRequestHandler, user: str, body: bytes) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of what `git http-backend` answers (git-http-backend(1))."""
    parts = urlsplit(request.path)
    variables = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.command,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "REMOTE_USER": user,
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JENKINS_CD_")}
    done = subprocess.run(
        ["git", "http-backend"], input=body, env={**environment, **variables}, capture_output=True, check=True
    )
    head, _, answer = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return int(headers.pop("Status", "200").split()[0]), answer, headers
