from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.tools import http


class Server(ThreadingHTTPServer):
    """Answers with the statuses it is told, in turn, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/thing"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def answer(self) -> None:
        self.server.seen.append(self.command)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        body = b"all is well" if status == 200 else b"out of order"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again(server: Server, status: int) -> None:
    server.statuses = [status, status]
    assert http.request("GET", server.url).text == "all is well"
    assert server.seen == ["GET"] * 3


def test_a_post_is_never_sent_twice(server: Server) -> None:
    server.statuses = [503]
    assert http.request("POST", server.url, data=b"x").status_code == 503
    assert server.seen == ["POST"]


def test_a_refusal_is_final_and_says_what_was_answered(server: Server) -> None:
    server.statuses = [403]
    with pytest.raises(ExternalFailure, match=r"GET http://.*/thing: HTTP 403 Forbidden out of order"):
        http.request("GET", server.url, expect=(200,))
    assert server.seen == ["GET"]


def test_after_the_last_attempt_the_answer_is_the_error(server: Server) -> None:
    server.statuses = [503] * 9
    with pytest.raises(ExternalFailure, match="HTTP 503"):
        http.request("GET", server.url, attempts=2, expect=(200,))
    assert server.seen == ["GET"] * 2


def test_no_answer_at_all_is_an_external_failure_that_names_the_server(server: Server) -> None:
    server.server_close()
    with pytest.raises(ExternalFailure) as raised:
        http.request("GET", f"http://jane:secret-of-jane@127.0.0.1:{server.server_port}/x", attempts=2)
    assert f"no answer from 127.0.0.1:{server.server_port}" in raised.value.message
    assert "secret-of-jane" not in raised.value.message
    assert raised.value.exit_code == 3
