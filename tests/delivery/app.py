"""An app that answers on its health endpoint, or fails to, as a test wants."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App:
    """A server on a free loopback port. `answers` come first, then what it was told to say."""

    def __init__(self) -> None:
        self.answers: Iterator[tuple[int, str]] = iter(())
        self.fault = ""
        self._said = 200, "{}"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def says(self, body: str, status: int = 200) -> None:
        self._said = status, body

    def next(self) -> tuple[int, str]:
        return next(self.answers, self._said)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(app: App) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with contextlib.suppress(OSError):
                self._faulty() if app.fault else self._whole(*app.next())

        def _whole(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def _faulty(self) -> None:
            if app.fault == "hang":
                time.sleep(5)
                return
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            if app.fault == "cut":
                self.wfile.write(b'{"version": "1.4.0"')
            for _ in range(500 if app.fault != "cut" else 0):
                self.wfile.write(b" " * (1 if app.fault == "drip" else 2000))
                time.sleep(0.01 if app.fault == "drip" else 0)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler
