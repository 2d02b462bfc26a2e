"""Speak to a Kubernetes API server over REST: read, list, watch, create, apply, delete, and the logs of pods.

The protocol is https://kubernetes.io/docs/reference/using-api/api-concepts/; paths are those of
https://kubernetes.io/docs/reference/kubernetes-api/, such as `/api/v1/namespaces/shop/pods` or
`/apis/apps/v1/namespaces/shop/deployments/web`; `kubernetes_kinds.path` makes one of an object. Query parameters are
named as there (`labelSelector="app=web"`, `dryRun="All"`, `propagationPolicy="Background"`).

What is refused is told by classes: BadInput where the credential is not accepted (401), Refused where it may not (403),
Absent where the place is not there (404 on anything but `get` and `delete`), Conflict (409), BadInput for an object
that is not valid (400, 422), Expired (410), ExternalFailure where the server fails or does not answer.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jenkins_cd.tools import answers, kubernetes_session, process
from jenkins_cd.tools import kubernetes_failures as failures
from jenkins_cd.tools import kubernetes_shapes as shapes
from jenkins_cd.tools.answers import Malformed
from jenkins_cd.tools.kubeconfig import Cluster as Cluster
from jenkins_cd.tools.kubernetes_failures import Absent as Absent
from jenkins_cd.tools.kubernetes_failures import Conflict as Conflict
from jenkins_cd.tools.kubernetes_failures import Expired as Expired

if TYPE_CHECKING:
    import requests

Object = dict[str, Any]
CONNECT = 10.0  # seconds until a connection has come about
ANSWER = 30.0  # seconds between two pieces of an answer
PAGE = 500  # objects in one answer
RETRIED = frozenset({429, 500, 502, 503, 504})
IDEMPOTENT = frozenset({"GET", "DELETE", "PATCH"})  # the only patch sent is `apply`
APPLY = "application/apply-patch+yaml"  # JSON is YAML
_SHORT = 0.2  # seconds until a watch that was cut is opened again


@dataclass(frozen=True)
class Listing:
    """The objects of a collection, each with its apiVersion and kind, and the version that a watch goes on from."""

    items: tuple[Object, ...]
    resource_version: str


def get(cluster: Cluster, path: str, **query: str) -> Object | None:
    """Return an object, or None where there is none.

    Here and in `list_`, `apply`, `delete` and `watch` a server that is down, restarts or is overloaded is asked again
    for `cluster.patience` seconds.
    """
    answer = _send(cluster, "GET", path, query, allowed=(404,))
    return None if answer.status_code == 404 else _document(cluster, answer, path)


def list_(cluster: Cluster, path: str, **query: str) -> Listing:
    """Return all objects of a collection, page by page. Raises Absent where the server has no such collection."""
    items: list[Object] = []
    query = {"limit": str(PAGE), **query}
    while True:
        answer = _send(cluster, "GET", path, query)
        page = _understood(cluster, answer, lambda data: _page(path, data))
        about = {"apiVersion": page.get("apiVersion"), "kind": page.get("kind", "").removesuffix("List")}
        items += [{**about, **item} for item in page["items"] or ()]
        metadata = page.get("metadata") or {}
        rest = metadata.get("continue")
        if not rest:
            return Listing(tuple(items), metadata.get("resourceVersion") or "")
        if rest == query.get("continue"):
            raise failures.no_api(answer.url, "a page of a list goes on with itself")
        query = {**query, "continue": rest}


def post(cluster: Cluster, path: str, body: Mapping[str, Any], **query: str) -> Object:
    """Create an object in a collection, or ask a subresource (`…/serviceaccounts/NAME/token`); returns the answer.

    It is asked again only where nothing was sent, or the server says that it did not look at it (429).
    Raises Conflict with `reason` AlreadyExists where an object of that name is there.
    """
    return _document(cluster, _send(cluster, "POST", path, query, body), path)


def apply(cluster: Cluster, path: str, body: Mapping[str, Any], **query: str) -> Object:
    """Make an object be as `body` says, created where it is missing; returns what the server makes of it.

    `fieldManager` says who we are, `force="true"` takes fields from others, `dryRun="All"` changes nothing:
    https://kubernetes.io/docs/reference/using-api/server-side-apply/. Applying twice changes nothing. Raises Conflict
    where another manager has a field, unless forced.
    """
    return _document(cluster, _send(cluster, "PATCH", path, query, body), path)


def delete(cluster: Cluster, path: str, body: Mapping[str, Any] | None = None, **query: str) -> Object | None:
    """Delete an object, or a collection; returns what the server says of it, None where there was none.

    `body` is a DeleteOptions, such as `{"preconditions": {"uid": …}}`. Finalizers may keep the object for a while.
    """
    answer = _send(cluster, "DELETE", path, query, body, allowed=(404,))
    return None if answer.status_code == 404 else _understood(cluster, answer, _any_object)


def watch(cluster: Cluster, path: str, resource_version: str, seconds: float, **query: str) -> Iterator[Object]:
    """Yield what changes in a collection from a version on: `{"type": "ADDED"|"MODIFIED"|"DELETED", "object": …}`.

    It ends after `seconds`, to the next full one; a connection that is cut is made again from the last version seen.
    Raises Expired where the server does not know that version any more: list, and watch from there.
    """
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        asked = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(math.ceil(left)), **query}
        asked["resourceVersion"] = resource_version
        answer = _send(cluster, "GET", path, asked, stream=True, silence=math.ceil(left) + CONNECT)
        for line in filter(None, _lines(answer, cut_is_end=True)):
            event = _event(cluster, path, line)
            if event is None:
                break
            found = event["object"]
            resource_version = found["metadata"].get("resourceVersion") or resource_version
            if event["type"] != "BOOKMARK":
                yield event
        if deadline - time.monotonic() > _SHORT:
            process.pause(_SHORT)


def logs(
    cluster: Cluster, namespace: str, pod: str, container: str = "", *, previous: bool = False, tail: int | None = None
) -> str | None:
    """Return the last `tail` lines (None: all) of a container's log, of the run before where `previous`.

    None where there is no such pod, or the container has no log (yet, or none of a run before).
    """
    query = _log_query(container, previous, tail)
    # 400: the container is waiting to start, or has no previous run.
    answer = _send(cluster, "GET", _log(namespace, pod), query, allowed=(400, 404))
    _no_page(answer)
    return answer.content.decode("utf-8", "replace") if answer.status_code == 200 else None


def follow_logs(
    cluster: Cluster, namespace: str, pod: str, container: str = "", *, tail: int | None = None
) -> Iterator[str]:
    """Yield the lines of a container's log, without their ends, as they come; ends with the container.

    Raises Absent where there is no such pod, BadInput where the container has not started, and ExternalFailure where
    the connection is cut: nobody knows then which lines are missing.
    """
    query = {**_log_query(container, False, tail), "follow": "true"}
    answer = _send(cluster, "GET", _log(namespace, pod), query, stream=True, silence=None)
    _no_page(answer)
    for line in _lines(answer):
        yield line.decode("utf-8", "replace")


def _log(namespace: str, pod: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods/{pod}/log"


def _log_query(container: str, previous: bool, tail: int | None) -> dict[str, str]:
    query = {"container": container} if container else {}
    query |= {"previous": "true"} if previous else {}
    return query | ({"tailLines": str(tail)} if tail is not None else {})


def _document(cluster: Cluster, answer: requests.Response, path: str) -> Object:
    """Return the object that stands at a path. Raises ExternalFailure where it is none, or a Status that failed."""
    found = _understood(cluster, answer, _any_object)
    shape = shapes.of_object(path)
    return _understood(cluster, answer, lambda _data: answers.checked(found, shape))


def _any_object(data: bytes) -> Object:
    found: Object = answers.document(data, dict[str, Any])
    return found


def _page(path: str, data: bytes) -> Object:
    """Return a page of the collection at a path."""
    page: Object = answers.document(data, shapes.Listing)
    answers.checked(page["items"] or [], list[shapes.of_object(path)])  # type: ignore[misc]
    return page


def _understood(cluster: Cluster, answer: requests.Response, read: Callable[[bytes], Object]) -> Object:
    try:
        found = read(answer.content)
    except Malformed as error:
        raise failures.no_api(answer.url, str(error)) from error
    if found.get("kind") == "Status" and found.get("status") == "Failure":  # of a proxy that makes a 200 of it
        raise failures.of_answer(cluster, f"read {answer.url.partition('?')[0]}", answer)
    return found


def _event(cluster: Cluster, path: str, line: bytes) -> Object | None:
    """Return what a line of a watch tells; None where it was cut in the middle, by whoever stands between."""
    try:
        found = answers.document(line, Any)
    except Malformed:
        return None
    try:
        event: Object = answers.checked(found, shapes.Change)
        if event["type"] == "ERROR":
            raise failures.of_status(cluster, f"watch {path}", answers.checked(event["object"], shapes.Status))
        shape = shapes.Bookmark if event["type"] == "BOOKMARK" else shapes.of_object(path)
        answers.checked(event["object"], shape)
    except Malformed as error:
        raise failures.no_api(cluster.server + path, str(error)) from error
    return event


def _no_page(answer: requests.Response) -> None:
    """Raise ExternalFailure where a page stands in place of a log."""
    if "html" in answer.headers.get("Content-Type", ""):
        with answer:
            raise failures.no_api(answer.url, "a page comes in place of a log")


def _lines(answer: requests.Response, cut_is_end: bool = False) -> Iterator[bytes]:
    """Yield the lines of an answer as they come. Raises ExternalFailure for a cut, unless that is as good as an end."""
    import requests

    with answer:
        try:
            yield from answers.lines(answer.iter_content(None))
        except Malformed as error:
            raise failures.no_api(answer.url, str(error)) from error
        except requests.RequestException as error:
            if not cut_is_end:
                raise failures.no_answer(answer.url, error) from error


def _send(
    cluster: Cluster,
    method: str,
    path: str,
    query: Mapping[str, str],
    body: Mapping[str, Any] | None = None,
    *,
    allowed: tuple[int, ...] = (),
    stream: bool = False,
    silence: float | None = ANSWER,
) -> requests.Response:
    """Return the answer where it is 2xx or `allowed`; `silence` is how long nothing may come, in seconds."""
    import requests
    import tenacity

    def again(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            return failures.unreachable(error, nothing_sent=method not in IDEMPOTENT)
        status = state.outcome.result().status_code if state.outcome else 0
        if state.attempt_number > 1 and status in (401, 403):
            return True  # a server that has just come back does not know yet who may what
        return status == 429 or (status in RETRIED and method in IDEMPOTENT)

    backoff = tenacity.wait_random_exponential(multiplier=0.1, max=2)
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_delay(cluster.patience),
        wait=lambda state: max(backoff(state), failures.retry_after(state.outcome)),
        retry=again,
        sleep=process.pause,
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    session, url = kubernetes_session.of(cluster), cluster.server + path
    how: dict[str, Any] = {"timeout": (CONNECT, silence), "stream": stream, "allow_redirects": False}
    if method == "PATCH":
        how["headers"] = {"Content-Type": APPLY}
    try:
        answer: requests.Response = retrying(session.request, method, url, params=query, json=body, **how)
    except requests.RequestException as error:
        raise failures.no_answer(url, error) from error
    if answer.status_code in allowed or 200 <= answer.status_code < 300:
        return answer
    with answer:
        raise failures.of_answer(cluster, f"{method.lower()} {path}", answers.refusal(answer))
