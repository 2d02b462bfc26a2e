from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from jenkins_cd.demo.services import free_port
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.tools import kubernetes, kubernetes_failures, kubernetes_kinds
from jenkins_cd.tools.kubernetes import Cluster
from tests.tools.api_server import CUT, Answer, Double, certificates, running, status

POD = {"metadata": {"name": "web-1", "resourceVersion": "7"}}
VERSION = {"major": "1", "minor": "33+"}
BUSY = [Answer(503, b"busy"), Answer(429, b"slower", {"Retry-After": "0"}), Answer(None), Answer(body=POD)]


@pytest.fixture
def server() -> Iterator[Double]:
    with running(Double()) as double:
        yield double


@pytest.fixture
def cluster(server: Double) -> Cluster:
    return Cluster(server=server.url, token="let-me-in", patience=5)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificates(tmp_path_factory.mktemp("keys"))


def event(kind: str, version: str, name: str = "web-1") -> str:
    return json.dumps({"type": kind, "object": {"metadata": {"name": name, "resourceVersion": version}}}) + "\n"


def methods(server: Double) -> list[str]:
    return [method for method, _ in server.seen]


def test_reading_goes_on_while_the_server_is_busy_or_hangs_up(server: Double, cluster: Cluster) -> None:
    server.answers = list(BUSY)
    assert kubernetes.get(cluster, "/api/v1/namespaces/shop/pods/web-1") == POD
    assert methods(server) == ["GET"] * 4


def test_deleting_goes_on_too_as_it_can_be_done_twice(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(None), status(404)]
    assert kubernetes.delete(cluster, "/api/v1/namespaces/shop/pods/web-1") is None
    assert methods(server) == ["DELETE"] * 2


@pytest.mark.parametrize("fault", [Answer(503, b"busy"), Answer(500, b"etcd"), Answer(None)])
def test_what_may_have_been_created_is_not_created_again(server: Double, cluster: Cluster, fault: Answer) -> None:
    server.answers = [fault, Answer(201, POD)]
    with pytest.raises(ExternalFailure):
        kubernetes.post(cluster, "/api/v1/namespaces/shop/pods", POD)
    assert methods(server) == ["POST"]


def test_what_an_overloaded_server_did_not_look_at_is_sent_again(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(429, b"slower"), Answer(201, POD)]
    assert kubernetes.post(cluster, "/api/v1/namespaces/shop/pods", POD) == POD


def test_a_server_that_comes_up_later_still_gets_what_is_to_be_created() -> None:
    port = free_port()
    cluster, done = Cluster(server=f"http://127.0.0.1:{port}", patience=20), []
    waiting = threading.Thread(
        target=lambda: done.append(kubernetes.post(cluster, "/api/v1/namespaces/shop/pods", POD))
    )
    waiting.start()
    double = Double(port)
    double.answers = [Answer(201, POD)]
    with running(double) as server:
        waiting.join()
    assert (done, methods(server)) == ([POD], ["POST"])


def test_patience_ends(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(503, b"etcd is away")]
    with pytest.raises(ExternalFailure, match="etcd is away") as caught:
        kubernetes.get(Cluster(server=server.url, patience=0.2), "/api/v1/pods")
    assert caught.value.retryable
    with pytest.raises(ExternalFailure, match=r"no answer from the API server 127\.0\.0\.1"):
        kubernetes.get(Cluster(server=f"http://127.0.0.1:{free_port()}", patience=0), "/api/v1/pods")


def test_a_server_that_has_just_come_back_may_not_know_us_yet(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(None), status(403, "RBAC: not there yet"), status(401), Answer(body=POD)]
    assert kubernetes.get(cluster, "/api/v1/namespaces/shop/pods/web-1") == POD


def test_a_refusal_names_who_may_not_do_what_and_where(server: Double, cluster: Cluster) -> None:
    who = "system:serviceaccount:shop:jenkins-cd"
    said = f'deployments.apps is forbidden: User "{who}" cannot list resource "deployments" in API group "apps"'
    server.answers = [status(403, f'{said} in the namespace "payments"'), status(403, f"{said} at the cluster scope")]
    for where in ("in the namespace payments", "in the whole cluster"):
        with pytest.raises(Refused) as caught:
            kubernetes.list_(cluster, "/apis/apps/v1/deployments")
        assert f"{who} may not list deployments.apps {where}" in caught.value.message
    assert "render rbac" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (status(401, "Unauthorized"), BadInput, "does not accept the credential"),
        (status(403, 'pods "x" is forbidden: exceeded quota: pods'), Refused, "exceeded quota: pods"),
        (status(404, 'namespaces "shop" not found'), kubernetes.Absent, 'namespaces "shop" not found'),
        (status(409, 'pods "x" already exists', "AlreadyExists"), kubernetes.Conflict, "already exists"),
        (status(422, "spec.containers: Required value"), BadInput, "spec.containers: Required value"),
        (status(400, "this is no object"), BadInput, "this is no object"),
        (Answer(502, b"<html>proxy</html>"), ExternalFailure, "<html>proxy</html>"),
        (Answer(200, b"<html>log in here</html>"), ExternalFailure, "does not answer as a Kubernetes API server"),
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), ExternalFailure, "HTTP 302"),
    ],
)
def test_each_refusal_has_its_class_and_the_servers_words(
    server: Double, cluster: Cluster, answer: Answer, kind: type[JenkinsCdError], words: str
) -> None:
    server.answers = [answer]
    with pytest.raises(kind, match=words):
        kubernetes.post(cluster, "/api/v1/namespaces/shop/pods", POD)
    assert methods(server) == ["POST"]


def test_a_conflict_tells_its_reason(server: Double, cluster: Cluster) -> None:
    server.answers = [status(409, "there", "AlreadyExists")]
    with pytest.raises(kubernetes.Conflict) as caught:
        kubernetes.post(cluster, "/api/v1/namespaces/shop/pods", POD)
    assert caught.value.reason == "AlreadyExists"


def test_a_collection_is_read_page_by_page_and_each_object_says_what_it_is(server: Double, cluster: Cluster) -> None:
    page = {"apiVersion": "v1", "kind": "PodList", "items": [POD], "metadata": {"resourceVersion": "9"}}
    server.answers = [Answer(body={**page, "metadata": {"continue": "more"}}), Answer(body=page)]
    found = kubernetes.list_(cluster, "/api/v1/pods", labelSelector="app=web")
    assert found.resource_version == "9"
    assert [(one["apiVersion"], one["kind"]) for one in found.items] == [("v1", "Pod")] * 2
    assert server.seen[1][1] == "/api/v1/pods?limit=500&labelSelector=app%3Dweb&continue=more"


def test_a_watch_that_is_cut_goes_on_from_the_last_version_it_has_seen(server: Double, cluster: Cluster) -> None:
    bookmark = event("BOOKMARK", "12")
    server.answers = [
        Answer(chunks=(event("ADDED", "8"), event("MODIFIED", "9")[:20], event("MODIFIED", "9")[20:], bookmark, CUT)),
        Answer(chunks=(event("DELETED", "13"),)),
    ]
    changes = kubernetes.watch(cluster, "/api/v1/pods", "7", 60)
    assert [next(changes)["type"] for _ in range(3)] == ["ADDED", "MODIFIED", "DELETED"]
    assert [path.rpartition("resourceVersion=")[2] for _, path in server.seen] == ["7", "12"]


@pytest.mark.parametrize(
    "answer",
    [
        status(410, "too old resource version"),
        Answer(chunks=(json.dumps({"type": "ERROR", "object": status(410, "too old").body}) + "\n",)),
    ],
)
def test_a_version_that_is_too_old_to_watch_from_is_told(server: Double, cluster: Cluster, answer: Answer) -> None:
    server.answers = [answer]
    with pytest.raises(kubernetes.Expired, match="too old"):
        next(kubernetes.watch(cluster, "/api/v1/pods", "1", 5))


def test_a_watch_ends_when_its_time_is_over(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(chunks=("\n",))]
    assert list(kubernetes.watch(cluster, "/api/v1/pods", "1", 0.3)) == []


def test_a_log_is_text_and_none_where_there_is_none(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(body=b"one\n\xfftwo\n"), status(400, "waiting to start"), status(404, "no such pod")]
    logs = [kubernetes.logs(cluster, "shop", "web-1", "app", previous=True, tail=5) for _ in range(3)]
    assert logs == ["one\n�two\n", None, None]
    assert server.seen[0][1] == "/api/v1/namespaces/shop/pods/web-1/log?container=app&previous=true&tailLines=5"


def test_a_log_is_followed_line_by_line_until_its_end(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(chunks=("one\nt", "wo\n", "three"))]
    assert list(kubernetes.follow_logs(cluster, "shop", "web-1")) == ["one", "two", "three"]


def test_a_log_that_is_cut_is_told_as_lines_may_be_missing(server: Double, cluster: Cluster) -> None:
    server.answers = [Answer(chunks=("one\n", CUT))]
    lines = kubernetes.follow_logs(cluster, "shop", "web-1")
    assert next(lines) == "one"
    with pytest.raises(ExternalFailure, match="no answer"):
        next(lines)


def test_the_token_is_sent_whatever_netrc_says(
    server: Double, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login jane password secret", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.answers = [Answer(body=VERSION)]
    kubernetes.get(cluster, "/version")
    assert server.headers[0]["Authorization"] == "Bearer let-me-in"
    assert "let-me-in" not in repr(cluster)


def test_a_client_certificate_is_shown_to_a_server_that_has_another_name_than_its_address(keys: Path) -> None:
    server = Double()
    server.answers = [Answer(body=VERSION)]
    server.speak_tls(keys)
    certificate, key = (keys / "agent.crt").read_bytes(), (keys / "agent.key").read_bytes()
    agent = Cluster(server=server.url, certificate=certificate, key=key)
    known = replace(agent, ca=(keys / "ca.crt").read_bytes())
    with running(server):
        assert kubernetes.get(replace(known, tls_server_name="api.internal"), "/version") == VERSION
        assert kubernetes.get(replace(agent, insecure=True), "/version") == VERSION
        assert server.people == ["agent"] * 2
        for wrong in (known, agent):
            with pytest.raises(BadInput, match="is not the API server that the kubeconfig means"):
                kubernetes.get(wrong, "/version")


def test_an_authority_that_is_none_is_bad_input() -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        kubernetes.get(Cluster(server="https://127.0.0.1:1", ca=b"none"), "/version")


def test_the_authorities_of_the_environment_are_not_trusted(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(keys / "ca.crt"))
    server = Double()
    server.speak_tls(keys)
    with running(server), pytest.raises(BadInput, match="certificate verify failed"):
        kubernetes.get(Cluster(server=server.url, tls_server_name="api.internal"), "/version")


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"apiVersion": "v1", "kind": "Service"}, "/api/v1/namespaces/shop/services/web"),
        ({"apiVersion": "apps/v1", "kind": "Deployment"}, "/apis/apps/v1/namespaces/shop/deployments/web"),
        ({"apiVersion": "v1", "kind": "Namespace"}, "/api/v1/namespaces/web"),
        (
            {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": "other"}},
            "/apis/networking.k8s.io/v1/namespaces/other/ingresses/web",
        ),
        (
            {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor"},
            "/apis/monitoring.coreos.com/v1/namespaces/shop/servicemonitors/web",
        ),
    ],
)
def test_every_object_has_its_path(server: Double, cluster: Cluster, item: dict[str, object], path: str) -> None:
    listed = [
        {"name": "servicemonitors", "kind": "ServiceMonitor", "namespaced": True},
        {"name": "servicemonitors/status", "kind": "ServiceMonitor", "namespaced": True},
    ]
    server.answers = [Answer(body={"kind": "APIResourceList", "resources": listed})]
    metadata = {"name": "web", **dict(item.get("metadata") or {})}  # type: ignore[call-overload]
    assert kubernetes_kinds.path(cluster, {**item, "metadata": metadata}, "shop") == path


def test_a_kind_that_the_cluster_does_not_know_is_told(server: Double, cluster: Cluster) -> None:
    server.answers = [status(404)]
    with pytest.raises(kubernetes.Absent, match=r"knows no kind Widget in example\.org/v1"):
        kubernetes_kinds.find(cluster, "example.org/v1", "Widget")


def test_what_is_no_object_has_no_path(cluster: Cluster) -> None:
    with pytest.raises(BadInput):
        kubernetes_kinds.path(cluster, {"apiVersion": "v1", "kind": "Pod"})


@pytest.mark.parametrize(
    ("kind", "name"),
    [("NetworkPolicy", "networkpolicies"), ("Gateway", "gateways"), ("IngressClass", "ingressclasses")],
)
def test_plurals_are_those_that_people_make(kind: str, name: str) -> None:
    assert kubernetes_kinds.plural(kind) == name


def test_a_connection_that_is_cut_in_the_handshake_is_worth_a_retry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_cut_first, args=(server,), daemon=True).start()
        with pytest.raises(requests.exceptions.SSLError) as caught:
            requests.get(f"https://127.0.0.1:{server.getsockname()[1]}/", timeout=5)
    failure = kubernetes_failures.no_answer("https://cluster.local/", caught.value)
    assert isinstance(failure, ExternalFailure)
    assert kubernetes_failures.unreachable(caught.value, nothing_sent=False)


def _cut_first(server: socket.socket) -> None:
    connection, _ = server.accept()
    connection.recv(65536)  # all of it: else the connection is reset, not ended
    connection.close()
