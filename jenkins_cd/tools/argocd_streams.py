"""What an Argo CD server tells as it happens: one JSON document a line, `{"result": …}` or `{"error": …}`."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.tools import answers, argocd, process
from jenkins_cd.tools import argocd_failures as failures
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.argocd import Query, Server
from jenkins_cd.tools.argocd_failures import Away, Expired, Need
from jenkins_cd.tools.argocd_shapes import Failure

if TYPE_CHECKING:
    import requests

SILENCE = 30.0  # seconds without a word after which a stream counts as cut
_LOOK = 0.2  # seconds between two looks at `stop`
_REST = 1.0  # seconds


def never() -> bool:
    """Go on to the end."""
    return False


def frames(
    server: Server,
    path: str,
    *,
    query: Query,
    stop: Callable[[], bool] = never,
    cut_is_end: bool = True,
    silence: float = SILENCE,
    need: Need | None = None,
    shape: Any = dict[str, Any],
) -> Iterator[Any]:
    """Yield what the server tells, until it ends, `stop` says so, or nothing came for `silence` seconds.

    A cut is as good as an end, and so is a stream that does not come about, after a second in which the server may
    recover; unless `cut_is_end` is false: then both raise Away. A token that is not accepted any more in the middle is
    renewed, and the stream is over; raises Expired where it cannot be renewed, else as `argocd.call`.
    """
    need = need or Need(doing=f"follow {path}")
    about, token = argocd.asked(server, need), server.login.token
    start = partial(argocd.call, server, "GET", path, query=query, timeout=silence, attempts=1, stream=True, need=need)
    for line in _lines(_Reader(start), stop):
        if isinstance(line, Away) and cut_is_end:
            return _rest(stop)
        if isinstance(line, JenkinsCdError):
            raise line
        if isinstance(line, Exception):
            if cut_is_end:
                return
            raise failures.no_answer(about, line) from line
        try:
            found = answers.document(line, Any)
        except Malformed:  # cut in the middle of a line
            if cut_is_end:
                return
            raise failures.no_argocd(about, "a line is cut in the middle") from None
        if isinstance(found, dict) and "error" in found:
            failure = _failure(found["error"], about)
            if isinstance(failure, Expired) and argocd.renew(server, token):
                return
            raise failure
        yield _result(found, shape, about)


class _Reader(threading.Thread):
    """Reads lines for somebody who must not be stuck in reading; what ends it is the last that is in `lines`."""

    def __init__(self, start: Callable[[], requests.Response]) -> None:
        super().__init__(daemon=True)
        self.lines: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
        self._start_stream = start
        self._answer: requests.Response | None = None
        self._over = False

    def run(self) -> None:
        try:
            with self._start_stream() as self._answer:
                # What is not chunked would be read to its end before the first line of it is told.
                pieces = self._answer.iter_content(None if self._answer.raw.chunked else 1)
                for line in answers.lines(pieces):
                    if self._over:
                        return
                    if line:
                        self.lines.put(line)
            self.lines.put(None)
        except Exception as error:  # whatever it is, it is told to who waits
            self.lines.put(error)

    def end(self) -> None:
        """Stop reading, at once where that can be had (urllib3 2.3), else with the next line or after the silence."""
        self._over = True
        raw = self._answer.raw if self._answer is not None else None
        with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):
            raw.shutdown()  # type: ignore[union-attr]


def _lines(reader: _Reader, stop: Callable[[], bool]) -> Iterator[bytes | Exception]:
    reader.start()
    try:
        while not stop():
            process.pause(0)
            with contextlib.suppress(queue.Empty):
                line = reader.lines.get(timeout=_LOOK)
                if line is None:
                    return
                yield line
    finally:
        reader.end()


def _rest(stop: Callable[[], bool]) -> None:
    """Let who tries again at once not do so many times a second."""
    until = time.monotonic() + _REST
    while time.monotonic() < until and not stop():
        process.pause(_LOOK)


def _result(found: Any, shape: Any, about: failures.Asked) -> Any:
    try:
        return answers.checked(found, shape)["result"]
    except Malformed as error:
        raise failures.no_argocd(about, str(error)) from error


def _failure(error: Any, about: failures.Asked) -> JenkinsCdError:
    try:
        found = answers.checked(error, Failure)
    except Malformed:
        found = {"message": str(error)[:300]}
    status = found.get("http_code") or _STATUSES.get(found.get("grpc_code") or found.get("code") or 0, 500)
    return failures.told(status, found.get("message") or "no reason given", about)


# https://grpc.github.io/grpc/core/md_doc_statuscodes.html: the newer gateways leave the HTTP status out.
_STATUSES = {3: 400, 5: 404, 7: 403, 9: 400, 14: 503, 16: 401}
