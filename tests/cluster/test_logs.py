"""`jenkins-cd logs` on a real cluster, with the accounts that `jenkins-cd render rbac` makes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from jenkins_cd.cli.logs import logs as command
from jenkins_cd.cluster import log_streams, pod_logs
from jenkins_cd.cluster.log_streams import Line
from jenkins_cd.cluster.pod_logs import Place
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.tools import kubeconfig, kubernetes
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import accounts, objects
from tests.cluster.objects import apply, deployment, follow
from tests.cluster.proxy import proxy_to
from tests.gitops.remotes import bare
from tests.gitops.samples import platform, release
from tests.lab.lab import Lab

APP = "storefront"


@pytest.fixture
def place(lab: Lab, namespace: str, administrator: Cluster, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A namespace with the accounts of a deployment; the kubeconfig is that of somebody who may make tokens."""
    accounts.prepare(administrator, namespace)
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
    return Place(target=HelmTarget(), namespace=namespace, release=APP)


def shown(place: Place, **options: bool) -> list[Line]:
    with pod_logs.opened(place) as cluster:
        return list(pod_logs.show(cluster, place, **{"tail": None, "previous": False, **options}))  # type: ignore[arg-type]


def up(lab: Lab, cluster: Cluster, namespace: str, **environment: str) -> None:
    app = deployment(lab.image(), {"replicas": 2}, name=APP, **environment)
    apply(lab, namespace, app)
    assert follow(cluster, namespace, [app]).ready


def test_each_line_names_its_pod_and_secrets_are_masked(lab: Lab, place: Place, administrator: Cluster) -> None:
    up(lab, administrator, place.namespace, PROBE_PRINT="token=let-me-in")
    apply(lab, place.namespace, deployment(lab.image(), name="other", PROBE_PRINT="another app"))
    lines = shown(place)
    assert len({line.source for line in lines}) == 2
    assert all(line.source.startswith(f"{APP}-") for line in lines)
    assert [line.text for line in lines] == ["token=****", "version 1.0.0 listens on 8080"] * 2


def test_it_reads_as_an_account_that_may_not_read_secrets(place: Place) -> None:
    with pod_logs.opened(place) as cluster:
        who = kubernetes.post(
            cluster,
            "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        )
    assert who["status"]["userInfo"]["username"] == f"system:serviceaccount:{place.namespace}:jenkins-cd-reader"


def test_who_has_no_such_account_reads_as_who_they_are(
    lab: Lab, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
    with pytest.raises(BadInput, match=f"there is no pod of {APP} in the namespace {namespace}"):
        shown(Place(target=HelmTarget(), namespace=namespace, release=APP))


def test_the_run_before_a_crash_can_be_read(lab: Lab, place: Place, administrator: Cluster) -> None:
    app = deployment(lab.image(), name=APP, PROBE_EXIT_CODE="3", PROBE_PRINT="about to crash")
    apply(lab, place.namespace, app)
    assert follow(administrator, place.namespace, [app]).outcome == "failed"
    assert "about to crash" in [line.text for line in shown(place, previous=True)]


def test_without_a_run_before_it_says_so(lab: Lab, place: Place, administrator: Cluster) -> None:
    up(lab, administrator, place.namespace)
    with pytest.raises(BadInput, match="was restarted: there is no run before"):
        shown(place, previous=True)


def test_it_follows_pods_that_come_later(lab: Lab, place: Place, administrator: Cluster) -> None:
    up(lab, administrator, place.namespace, PROBE_PRINT="first", PROBE_EVERY="1")
    lines: list[Line] = []
    told: list[str] = []
    done = threading.Event()

    def change() -> None:
        objects.eventually(lambda: any(line.text == "line 2" for line in lines))
        apply(lab, place.namespace, deployment(lab.image("2.0.0"), {"replicas": 1}, name=APP, PROBE_PRINT="second"))
        objects.eventually(lambda: any("version 2.0.0" in line.text for line in lines))
        done.set()

    changing = threading.Thread(target=change)
    changing.start()
    for line in pod_logs.follow(place, tail=100, tell=told.append, until=done.is_set):
        lines.append(line)
    changing.join()
    texts = [line.text for line in lines]
    assert texts.count("first") == 2
    assert texts.count("second") == 1
    each = [line.text for line in lines if line.source == lines[0].source and line.text.startswith("line ")]
    assert each == [f"line {number}" for number in range(1, len(each) + 1)], "no line twice, and none left out"


def test_a_connection_that_is_cut_is_made_again_and_told(
    lab: Lab, place: Place, administrator: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(lab, administrator, place.namespace, PROBE_EVERY="1")
    monkeypatch.setattr(log_streams, "LAG", 1.0)
    lines: list[Line] = []
    told: list[str] = []
    done = threading.Event()
    with proxy_to(administrator) as (passing, cluster):
        (tmp_path / "kubeconfig").write_bytes(kubeconfig.dump(cluster))
        monkeypatch.setenv("JENKINS_CD_KUBECONFIG", str(tmp_path / "kubeconfig"))

        def disturb() -> None:
            objects.eventually(lambda: any(line.text == "line 3" for line in lines))
            passing.cut()
            passing.mend()
            objects.eventually(
                lambda: any("goes on; lines of the last seconds may be missing" in text for text in told)
            )
            seen = len(lines)
            objects.eventually(lambda: len(lines) > seen)
            done.set()

        disturbing = threading.Thread(target=disturb)
        disturbing.start()
        for line in pod_logs.follow(place, tail=100, tell=told.append, until=done.is_set):
            lines.append(line)
        disturbing.join()
    every = [(line.source, line.text) for line in lines]
    assert len(set(every)) == len(every), "no line twice"


def test_it_waits_for_the_first_pod(lab: Lab, place: Place) -> None:
    told: list[str] = []
    done = threading.Event()
    lines: list[Line] = []

    def deploy() -> None:
        objects.eventually(lambda: told)
        apply(lab, place.namespace, deployment(lab.image(), name=APP))
        objects.eventually(lambda: lines)
        done.set()

    deploying = threading.Thread(target=deploy)
    deploying.start()
    for line in pod_logs.follow(place, tail=100, tell=told.append, until=done.is_set):
        lines.append(line)
    deploying.join()
    assert told[0] == f"no pod of {APP} in {place.namespace} yet; waiting for one"


def test_the_command_finds_the_namespace_in_the_platform_file(
    tmp_path: Path, lab: Lab, place: Place, administrator: Cluster
) -> None:
    up(lab, administrator, place.namespace)
    remote = bare(tmp_path / "deploy.git", {"README.md": b""})
    Ledger.open(platform(str(remote))).publish(release())
    file = tmp_path / "platform.yaml"
    file.write_text(
        "registry: {images: registry.local/apps, charts: oci://registry.local/charts}\n"
        f"deploy_repository: {{url: {remote}}}\n"
        "environments:\n"
        f"  dev: {{model: helm, after: ci, health_url: http://127.0.0.1:1, helm: {{namespace: {place.namespace}}}}}\n"
    )
    options = ["--platform", str(file), "--environment", "dev", "--tail", "1"]
    done = CliRunner().invoke(command, ["--app", APP, *options], catch_exceptions=False, standalone_mode=False)
    assert [line.partition(" │ ")[2] for line in done.output.splitlines()] == ["version 1.0.0 listens on 8080"] * 2
    with pytest.raises(BadInput, match=r"no release of 'storefrnt' was published \(did you mean storefront\?\)"):
        CliRunner().invoke(command, ["--app", "storefrnt", *options], catch_exceptions=False, standalone_mode=False)
    told = CliRunner().invoke(command, ["--app", APP, *options, "--follow", "--previous"])
    assert told.exit_code == 2
    assert "cannot be followed" in told.output
