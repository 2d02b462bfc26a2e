"""An HTTP proxy before Argo CD that fails as it is told: what networks and load balancers do to a healthy server."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

CUT = "cut"  # the connection is reset before an answer
HANG = "hang"  # there is no answer until the end of the test
LOST = "lost"  # the request is passed on, its answer is not
_PASSED = ("Authorization", "Content-Type", "Accept", "Accept-Encoding")


@dataclass
class Proxy:
    """`faults` are for the next requests, in turn: CUT, HANG, LOST, a status such as `503`, or lines of a stream."""

    target: str
    url: str = ""
    faults: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # method and path of each request
    over: threading.Event = field(default_factory=threading.Event)
    sockets: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Break all connections that there are."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.sockets.clear()


class Handler(BaseHTTPRequestHandler):
    """One request, then the connection is closed."""

    proxy: Proxy

    def do_GET(self) -> None:
        """Fail as it is the turn of, or pass it on."""
        self.proxy.seen.append(f"{self.command} {self.path}")
        self.proxy.sockets.append(self.connection)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.proxy.faults.pop(0) if self.proxy.faults else ""
        if fault in (CUT, HANG):
            if fault == HANG:
                self.proxy.over.wait()
            self._reset()
        elif fault.isdigit():
            self._answer(int(fault), b'{"message": "made up"}')
        elif fault and fault != LOST:
            self._answer(200, fault.encode() + b"\n")
        else:
            self._pass_on(body, lost=fault == LOST)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pass_on(self, body: bytes, lost: bool) -> None:
        place = urlsplit(self.proxy.target)
        with contextlib.closing(http.client.HTTPConnection(place.hostname or "", place.port)) as server:
            headers = {name: self.headers[name] for name in _PASSED if self.headers[name]}
            server.request(self.command, self.path, body or None, headers)
            answer = server.getresponse()
            if lost:
                answer.read()
                self._reset()
                return
            self.send_response(answer.status)
            for name in ("Content-Type", "Content-Encoding"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            with contextlib.suppress(OSError):
                while data := answer.read1(1 << 16):
                    self.wfile.write(data)

    def _reset(self) -> None:
        """Let the connection end without a word: both files that hold it are closed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


@contextlib.contextmanager
def before(url: str) -> Iterator[Proxy]:
    """Yield a proxy on a free port of 127.0.0.1, before the server at `url`."""
    proxy = Proxy(target=url)
    running = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"proxy": proxy}))
    running.daemon_threads = True
    proxy.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        proxy.cut()
        running.shutdown()
        running.server_close()
        thread.join()
