"""What the client does while Argo CD, or what stands before it, fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jenkins_cd.argocd import app_logs
from jenkins_cd.cluster.log_streams import Source
from jenkins_cd.tools import argocd, argocd_streams
from jenkins_cd.tools import argocd_applications as applications
from jenkins_cd.tools.argocd import Credentials, Server
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Away, Expired, Need
from tests.argocd import proxy as faulty
from tests.argocd.proxy import CUT, HANG, LOST, Proxy
from tests.argocd.scene import Scene

UNAUTHENTICATED = json.dumps({"error": {"grpc_code": 16, "http_code": 401, "message": "token is expired"}})


@pytest.fixture
def proxy(argo: Scene) -> Iterator[Proxy]:
    """A proxy before Argo CD that is well until it is told otherwise."""
    with faulty.before(argo.argocd.url) as made:
        yield made


@pytest.fixture
def server(argo: Scene, proxy: Proxy) -> Server:
    """Argo CD behind the proxy, as who may sync."""
    return argo.as_who_has(argo.token("deployer").text, proxy.url)


@pytest.mark.parametrize("faults", [["503", "502"], ["504", CUT], [CUT, CUT], ["429"], [LOST]])
def test_a_read_is_tried_again(argo: Scene, proxy: Proxy, server: Server, faults: list[str]) -> None:
    ref = argo.app()
    proxy.faults += faults
    assert applications.read(server, ref)["metadata"]["name"] == ref.name
    assert len(proxy.seen) == len(faults) + 1
    assert argocd.requests_sent(server) == len(faults) + 1


def test_a_server_that_stays_ill_is_named_with_what_it_said(argo: Scene, proxy: Proxy, server: Server) -> None:
    proxy.faults += ["503"] * 2
    with pytest.raises(Away, match=r"cannot look: made up \(HTTP 503 from http://127"):
        argocd.call(server, "GET", "/api/version", attempts=2, need=Need(doing="look"))
    proxy.faults += ["500"]
    with pytest.raises(Away, match="HTTP 500"):
        argocd.version(server)


def test_a_sync_is_never_asked_for_twice(argo: Scene, proxy: Proxy, server: Server) -> None:
    ref = argo.app()
    for fault in ("503", CUT, LOST):
        proxy.faults += [fault]
        with pytest.raises(Away, match=f"cannot sync {ref.rbac}"):
            applications.sync(server, ref, SyncOrder(infos={"attempt": fault}))
    assert [one.partition(" ")[0] for one in proxy.seen] == ["POST"] * 3
    carried = argo.ends(ref)["status"]["operationState"]["operation"]["info"]
    assert carried == [{"name": "attempt", "value": LOST}]  # the answer was lost, the sync was not


def test_an_answer_that_does_not_come_ends_with_its_time(argo: Scene, proxy: Proxy, server: Server) -> None:
    ref = argo.app()
    proxy.faults += [HANG, HANG]
    with pytest.raises(Away, match="no answer from"):
        applications.read(server, ref, timeout=1)
    assert len(proxy.seen) == 2
    proxy.faults += [HANG]
    assert applications.read(server, ref, timeout=4)["metadata"]["name"] == ref.name


def test_where_nothing_listens_is_said(argo: Scene) -> None:
    with faulty.before(argo.argocd.url) as gone:
        server = argo.as_who_has("x", gone.url)
    with pytest.raises(Away, match=r"no answer from 127\.0\.0\.1:.*Connection refused"):
        argocd.call(server, "POST", "/api/v1/projects", body={}, attempts=2)
    assert argocd.requests_sent(server) == 2  # it has seen nothing of the first


def test_another_server_than_argo_cd_is_told_as_such(argo: Scene, proxy: Proxy, server: Server) -> None:
    proxy.faults += ["<html>welcome</html>"]
    with pytest.raises(Away, match="does not answer as Argo CD does"):
        argocd.version(server)


def test_a_stream_that_is_cut_has_ended(argo: Scene, proxy: Proxy, server: Server) -> None:
    ref = argo.app()
    stream = applications.watch(server, ref, "", lambda: False)
    assert next(stream)[0] == "ADDED"
    proxy.cut()
    assert {kind for kind, _ in stream} <= {"ADDED", "MODIFIED"}


def test_a_stream_that_says_nothing_ends(argo: Scene, proxy: Proxy, server: Server) -> None:
    proxy.faults += [HANG]
    query = {"name": "web"}
    assert list(argocd_streams.frames(server, "/api/v1/stream/applications", query=query, silence=0.2)) == []


def test_a_stream_that_does_not_come_about_has_ended(argo: Scene, proxy: Proxy, server: Server) -> None:
    ref = argo.app()
    proxy.faults += ["503"]
    assert list(applications.watch(server, ref, "", lambda: False)) == []
    assert next(applications.watch(server, ref, "", lambda: False))[0] == "ADDED"


def test_a_stream_is_left_when_it_is_told_to_even_before_its_first_word(
    argo: Scene, proxy: Proxy, server: Server
) -> None:
    proxy.faults += [HANG]
    looks = iter([False, False, True])
    assert list(applications.watch(server, argo.app(), "", lambda: next(looks))) == []


def test_a_line_that_is_cut_is_an_end(argo: Scene, proxy: Proxy, server: Server) -> None:
    app = {"metadata": {"name": "web"}, "spec": {}}
    proxy.faults += [json.dumps({"result": {"type": "ADDED", "application": app}}) + '\n{"result": {"ty']
    assert list(applications.watch(server, argo.app(), "", lambda: False)) == [("ADDED", app)]


def test_logs_that_are_cut_are_no_whole_logs(argo: Scene, proxy: Proxy, server: Server) -> None:
    proxy.faults += [json.dumps({"result": {"content": "one\n", "podName": "web"}})]
    told = applications.logs(server, argo.app(), pod="web", namespace=argo.namespace, container="app", tail=None)
    assert next(told) == "one"
    with pytest.raises(Away, match="the stream has ended before the log"):
        next(told)


def test_a_log_that_is_followed_and_cut_is_no_end_of_its_container(argo: Scene, proxy: Proxy, server: Server) -> None:
    proxy.faults += [json.dumps({"result": {"content": "one\n", "podName": "web"}})]
    pod = {"metadata": {"name": "web", "namespace": argo.namespace}}
    source = Source(pod, container="app", run=0, only=True)
    told = app_logs.read(app_logs.Pods(server, argo.app()), source, None, follows=lambda: False)
    assert next(told) == "one"
    with pytest.raises(Away, match=r"cannot read the logs of web of .*: the stream has ended before the log"):
        next(told)


def test_a_token_that_expires_in_the_middle_of_a_stream_is_renewed_once(
    argo: Scene, proxy: Proxy, tmp_path: Path
) -> None:
    file, ref = tmp_path / "token", argo.app()
    old, new = argo.token("deployer").text, argo.token("deployer").text
    file.write_text(new, encoding="utf-8")
    server = argocd.connect(proxy.url, Credentials(token=old, token_file=str(file)))
    proxy.faults += [UNAUTHENTICATED, UNAUTHENTICATED]
    assert list(applications.watch(server, ref, "", lambda: False)) == []  # as if it had been cut
    assert server.login.token == new
    with pytest.raises(Expired, match="token is expired"):
        list(applications.watch(server, ref, "", lambda: False))


def test_a_token_that_cannot_be_renewed_fails_in_the_middle_of_a_stream(
    argo: Scene, proxy: Proxy, server: Server
) -> None:
    proxy.faults += [UNAUTHENTICATED]
    with pytest.raises(Expired) as caught:
        list(applications.watch(server, argo.app(), "", lambda: False))
    assert "jenkins-cd argocd token" in caught.value.hint
