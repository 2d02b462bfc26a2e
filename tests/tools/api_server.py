"""A double of an API server, for the faults that a real one cannot be asked to have."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jenkins_cd.tools import process

CUT = "cut"  # as the last chunk of an answer: the connection ends in its middle


@dataclass(frozen=True)
class Answer:
    """What is answered once; `chunks` are sent one by one, and an answer of None is none: the connection is closed."""

    status: int | None = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    chunks: tuple[str, ...] = ()


def status(code: int, message: str = "", reason: str = "") -> Answer:
    """Return a refusal as the API server words it."""
    return Answer(code, {"kind": "Status", "apiVersion": "v1", "code": code, "message": message, "reason": reason})


class Double(ThreadingHTTPServer):
    """Answers as it is told, in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answers: list[Answer] = [Answer(body={})]
        self.seen: list[tuple[str, str]] = []  # method and path with its query
        self.headers: list[dict[str, str]] = []
        self.people: list[str] = []  # the names in the certificates that were shown
        self.scheme = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def speak_tls(self, keys: Path) -> None:
        """Show the certificate of `certificates`, and want one of the same authority."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(keys / "ca.crt"))
        context.load_cert_chain(keys / "server.crt", keys / "server.key")
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.scheme = "https"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""


class _Handler(BaseHTTPRequestHandler):
    server: Double
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path))
        self.server.headers.append(dict(self.headers))
        if isinstance(self.connection, ssl.SSLSocket):
            shown: Any = self.connection.getpeercert()
            self.server.people += [value for part in shown["subject"] for key, value in part if key == "commonName"]
        answers = self.server.answers
        self._send(answers.pop(0) if len(answers) > 1 else answers[0])

    do_GET = do_POST = do_DELETE = answer

    def _send(self, answer: Answer) -> None:
        if answer.status is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.chunks:
            self._send_chunks(answer.chunks)
            return
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_chunks(self, chunks: tuple[str, ...]) -> None:
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in (*chunks, ""):
            if chunk == CUT:
                self.close_connection = True
                return
            data = chunk.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def running(server: Double) -> Iterator[Double]:
    """Let it answer for the length of the block."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def certificates(folder: Path) -> Path:
    """Make an authority, a server's certificate for `api.internal`, and a client's for `agent`; returns the folder."""

    def openssl(*arguments: str) -> None:
        process.run(["openssl", *arguments], cwd=folder, timeout=60).require("make a certificate")

    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority")
    for name, subject, extension in (
        ("server", "/CN=api", "subjectAltName=DNS:api.internal"),
        ("agent", "/CN=agent", "extendedKeyUsage=clientAuth"),
    ):
        openssl("req", *new[:5], "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        (folder / "extension").write_text(extension, encoding="utf-8")
        signed = ("-in", f"{name}.csr", "-out", f"{name}.crt", "-extfile", "extension", "-days", "2")
        openssl("x509", "-req", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", *signed)
    return folder
