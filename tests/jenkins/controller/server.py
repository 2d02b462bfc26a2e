"""The HTTP server of the double, and what tests and runners do to it from Python."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.jenkins.controller import answers, context, routes
from tests.jenkins.controller.answers import Answer, Failed, Request
from tests.jenkins.controller.builds import Executor, RunningBuild
from tests.jenkins.controller.faults import Faults, Rule
from tests.jenkins.controller.jobs import Job, Jobs, typed
from tests.jenkins.controller.queue import Queue
from tests.jenkins.controller.users import User, Users


def succeed(build: RunningBuild) -> str:
    """Do nothing, with success."""
    return "SUCCESS"


class Listener(ThreadingHTTPServer):
    """Knows its connections, so that they end with it."""

    daemon_threads = True
    request_queue_size = 64
    double: JenkinsDouble

    def __init__(self, port: int, double: JenkinsDouble) -> None:
        self.double = double
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have gone away."""


class JenkinsDouble:
    """A controller that listens on a free loopback port. `executor` does the work of every build."""

    def __init__(self, executor: Executor = succeed, executors: int = 20, quiet: float = 0.0) -> None:
        self.jobs = Jobs()
        self.users = Users()
        self.faults = Faults(self.users.end_sessions)
        self.queue = Queue(self.jobs, executor, executors, quiet)
        self.requests: list[str] = []  # `METHOD /path?query` of all that came
        self._listener: Listener | None = None
        self._placeholder: socket.socket | None = None
        self._port = 0

    @classmethod
    def start(cls, executor: Executor = succeed, executors: int = 20, quiet: float = 0.0) -> JenkinsDouble:
        """Return one that answers. `quiet`: seconds that builds wait in the queue at least."""
        double = cls(executor, executors, quiet)
        double.up()
        return double

    def __enter__(self) -> JenkinsDouble:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def controller(self) -> context.Controller:
        return context.Controller(self.url, self.jobs, self.queue, self.users, self.faults)

    def add_user(self, name: str, token: str, password: str | None = None, admin: bool = False) -> User:
        """Let somebody log in; from the first user on nobody else may do anything."""
        return self.users.add(name, token, password, admin)

    def add_job(self, name: str, xml: str) -> Job:
        """Add a job or folder by its full name, as a seed job or a scan of branches does."""
        return self.jobs.create(name, xml)

    def schedule(
        self,
        job: str,
        parameters: Mapping[str, str] | None = None,
        causes: Sequence[Mapping[str, Any]] = (),
        timeout: float = 60.0,
    ) -> RunningBuild:
        """Start a build as an upstream build or trigger does, and return it once it runs: `.wait()` gives its result.

        Parameters that are not given have their defaults, those that the job does not know are dropped. Raises KeyError
        where there is no such job, Cancelled where somebody cancels it, TimeoutError where it still waits after
        `timeout` seconds.
        """
        found = self.jobs.find(job)
        if found is None or found.folder:
            raise KeyError(job)
        given = parameters or {}
        values = {one.name: typed(one, given.get(one.name, one.default)) for one in found.parameters}
        item, _ = self.queue.add(found, values, causes, "SYSTEM", 0.0)
        return self.queue.started(item, timeout)

    def down(self) -> None:
        """Refuse connections, and cut those there are; sessions are lost, builds go on. The port stays ours."""
        assert self._listener
        listener, self._listener = self._listener, None
        self.queue.hold()
        listener.shutdown()
        listener.cut_all()
        listener.server_close()
        self._placeholder = socket.socket()  # bound, not listening: others get another port, clients are refused
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind(("127.0.0.1", self._port))
        self.users.end_sessions()

    def up(self, lose_queue: bool = False) -> None:
        """Listen (again). What had left the queue is forgotten, with `lose_queue` also what waits in it."""
        if self._placeholder:
            self._placeholder.close()
            self.queue.forget_left()
            for item in self.queue.waiting() if lose_queue else ():
                self.queue.forget(item.id)
        self._listener = Listener(self._port, self)
        self._port = int(self._listener.server_address[1])
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        self.queue.hold(held=False)

    def restart(self, lose_queue: bool = False) -> None:
        """Go down and come up again on the same port."""
        self.down()
        self.up(lose_queue)

    def stop(self) -> None:
        """End it, and abort what runs."""
        self.faults.clear()
        if self._listener:
            self.down()
        if self._placeholder:
            self._placeholder.close()
        self.queue.close()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def do_GET(self) -> None:
        double, place = self.server.double, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = f"{self.command} {unquote(self.path)}"
        double.requests.append(said)
        fault = double.faults.strike(said)
        if fault is None or fault.late:
            answer = self._answered(double, place.path, place.query, body)
        if fault is not None:
            self._fail(fault)
        else:
            self._send(answer)

    do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _answered(self, double: JenkinsDouble, path: str, query: str, body: bytes) -> Answer:
        try:
            headers = dict(self.headers.items())
            user, with_token = double.users.authenticated(headers)
            request = Request(
                method=self.command,
                path=tuple(unquote(part) for part in path.split("/") if part),
                query=parse_qs(query, keep_blank_values=True),
                headers=headers,
                body=body,
                user=user,
            )
            if self.command == "POST" and not with_token:
                double.users.check_crumb(headers)
            return routes.answer(double.controller, request)
        except Failed as failed:
            return failed.answer

    def _fail(self, fault: Rule) -> None:
        if fault.answer is not None:
            self._send(fault.answer)
            return
        if fault.silent:
            self.server.double.faults.cleared.wait()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {
            "X-Jenkins": answers.VERSION,
            "X-Content-Type-Options": "nosniff",
            "Content-Type": answer.type,
            "Content-Length": str(len(answer.body)),
            **answer.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value.encode("latin-1", "replace").decode("latin-1"))
        self.end_headers()
        self.wfile.write(answer.body if self.command != "HEAD" else b"")
