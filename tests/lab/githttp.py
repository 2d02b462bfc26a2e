"""`python -m tests.lab.githttp ADDRESS PORT FOLDER`: Git over HTTP with names and passwords, one thread a request.

It is a CGI server for one program, `git http-backend` (https://git-scm.com/docs/git-http-backend): RFC 3875.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

_PIECE = 1 << 16


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: who asks, may they, then what `git http-backend` says."""

    protocol_version = "HTTP/1.1"  # Git waits for "100 Continue" before large pushes
    folder: Path
    passwords: Mapping[str, str]

    def do_GET(self) -> None:
        """Answer a request without a body."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a request with a body."""
        self._serve()

    def _serve(self) -> None:
        self.close_connection = True
        with tempfile.TemporaryFile() as body:
            self._read(body)  # all of it, else the client sees a broken connection in place of our answer
            person = self._person()
            if not person:
                self._refuse(401, "a name and its password are needed")
            elif person == "reader" and self._pushes():
                self._refuse(403, "the reader may not push")
            else:
                self._backend(person, body)

    def _person(self) -> str:
        scheme, _, code = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            name, _, password = base64.b64decode(code).decode().partition(":")
        except ValueError:
            return ""
        known = self.passwords.get(name, "")
        return name if known and hmac.compare_digest(known.encode(), password.encode()) else ""

    def _pushes(self) -> bool:
        url = urlsplit(self.path)
        return url.path.endswith("/git-receive-pack") or "git-receive-pack" in parse_qs(url.query).get("service", ())

    def _refuse(self, status: int, why: str) -> None:
        text = f"{why}\n".encode()
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="lab"')
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(text)

    def _read(self, body: IO[bytes]) -> None:
        """Copy the request's body, chunked or not, into a file."""
        left = int(self.headers.get("Content-Length") or 0)
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        while True:
            if chunked:
                left = int(self.rfile.readline().partition(b";")[0] or b"0", 16)
            if left == 0:
                break
            while left and (piece := self.rfile.read(min(left, _PIECE))):
                body.write(piece)
                left -= len(piece)
            if not chunked:
                break
            self.rfile.readline()
        body.seek(0)

    def _backend(self, person: str, body: IO[bytes]) -> None:
        url = urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.folder / "repositories"),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": url.path,
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(os.fstat(body.fileno()).st_size),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": person,
            "REMOTE_ADDR": self.client_address[0],
        }
        command = ["git", "http-backend"]
        with subprocess.Popen(command, stdin=body, stdout=subprocess.PIPE, env=environment) as backend:
            assert backend.stdout
            headers = http.client.parse_headers(backend.stdout)
            status = headers.get("Status", "200 OK").split()[0]
            self.send_response(int(status))
            for name, value in headers.items():
                if name.lower() != "status":
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            shutil.copyfileobj(backend.stdout, self.wfile)


def main(address: str, port: str, folder: str) -> None:
    """Serve until it is told to stop."""
    Handler.folder = Path(folder)
    Handler.passwords = json.loads((Handler.folder / "passwords.json").read_text(encoding="utf-8"))
    http.server.ThreadingHTTPServer((address, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
