"""A server that answers what no protocol says: pages, cut documents, and right answers with one thing wrong in them."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from jenkins_cd.errors import JenkinsCdError

VALUES: tuple[Any, ...] = (None, [None], {"odd": None}, "odd", 7, True)
JSON = "application/json"
HUGE = 200_000  # bytes, of a body that is too large where the limit is lowered to LIMIT
LIMIT = 100_000
DROPPED = object()
DEEP = 5_000  # brackets


@dataclass(frozen=True)
class Reply:
    """What is answered to any request. `length` is what the answer says of itself; less may come."""

    status: int = 200
    body: bytes = b""
    type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    cut: bool = False  # nothing at all is answered


def right(document: Any) -> Reply:
    """Return the answer with a document."""
    return Reply(body=document if isinstance(document, bytes) else json.dumps(document).encode())


def wrong(document: Any) -> dict[str, Reply]:
    """Return answers that are not what any protocol says; some are made of the right `document`."""
    body = right(document).body
    return {
        "a page": Reply(body=b"<!DOCTYPE html><html><title>Sign in</title></html>", type="text/html; charset=utf-8"),
        "a page that calls itself JSON": Reply(body=b"<html><title>Sign in</title></html>"),
        "null": Reply(body=b"null"),
        "a list": Reply(body=b"[]"),
        "a text": Reply(body=b'"yes"'),
        "a number": Reply(body=b"1"),
        "nothing": Reply(),
        "nothing, 204": Reply(status=204),
        "half a document": Reply(body=body[: len(body) // 2] or b"{"),
        "a document that breaks off": Reply(body=body[: len(body) // 2], length=len(body) + 1),
        "a cut connection": Reply(cut=True),
        "what is no gzip": Reply(body=b"\x1f\x8bnot at all", headers={"Content-Encoding": "gzip"}),
        "half of a gzip": Reply(body=gzip.compress(body)[:11], headers={"Content-Encoding": "gzip"}),
        "no UTF-8": Reply(body=b'{"name": "\xff\xfe"}'),
        "too much": Reply(body=b" " * HUGE + body),
        "too deep": Reply(body=b"[" * DEEP + b"]" * DEEP),
        "two documents": Reply(body=body + b"\n" + body),
        "a redirect to itself": Reply(status=302, headers={"Location": "/"}),
        "a redirect to nowhere": Reply(status=302, headers={"Location": "http://127.0.0.1:1/login"}),
        "an error in spite of 200": Reply(body=b'{"error": "no", "code": 13, "message": "no"}'),
        "a refusal without a word": Reply(status=400),
        "a refusal of a page": Reply(status=403, body=b"<html><title>No</title></html>" * 9, type="text/html"),
        "a refusal that is no object": Reply(status=500, body=b"[1]"),
        "a refusal that is too deep": Reply(status=500, body=b"[" * DEEP),
    }


def mutations(document: Any) -> Iterator[tuple[str, Any]]:
    """Yield (where, a copy) with each key left out, and each value replaced by others, at every depth."""
    for path in _paths(document, ()):
        for value in (*VALUES, DROPPED):
            if path or value is not DROPPED:
                yield (
                    f"{'.'.join(map(str, path)) or 'all'} {'left out' if value is DROPPED else value!r}",
                    _with(document, path, value),
                )


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from _paths(one, (*path, key))


def _with(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.deepcopy(document)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if value is DROPPED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return changed


def strangest(work: Callable[[], Any]) -> BaseException | None:
    """Return what `work` raises that is no failure of ours: a traceback for whoever runs it. None: all is well."""
    try:
        work()
    except JenkinsCdError:
        return None
    except Exception as error:
        return error
    return None


class Foreign(ThreadingHTTPServer):
    """Answers every request with `reply`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = Reply()
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away."""


@contextlib.contextmanager
def running() -> Iterator[Foreign]:
    """Let one answer for the length of the block."""
    with Foreign() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def answering(patch: pytest.MonkeyPatch) -> Callable[[Reply], None]:
    """Let all that is sent with requests be answered without a server, which takes long for hundreds of answers.

    Returns what says with which answer.
    """
    replies = [Reply()]

    def send(_session: requests.Session, request: requests.PreparedRequest, **how: Any) -> Any:
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = replies[-1].status, request.url or "", request
        answer.raw = _Body(replies[-1].body)
        answer.headers.update({"Content-Type": replies[-1].type, **replies[-1].headers})
        for hook in request.hooks["response"]:
            answer = hook(answer, **how) or answer
        return answer

    patch.setattr(requests.Session, "send", send)
    return replies.append


class _Body(io.BytesIO):
    """What urllib3 has of an answer."""

    chunked = True


class _Handler(BaseHTTPRequestHandler):
    server: Foreign
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self.server.reply
        self.server.seen.append(self.command)
        if reply.cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        length = len(reply.body) if reply.length is None else reply.length
        if reply.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(reply.body)
        self.close_connection = length != len(reply.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        """Say nothing."""
