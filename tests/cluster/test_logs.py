"""`jenkins-cd logs` on a real cluster, with the accounts that `jenkins-cd render rbac` makes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
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
from tests.cluster import accounts, objects
from tests.cluster.objects import deployment
from tests.cluster.proxy import proxy_to
from tests.cluster.stage import Stage, beside
from tests.gitops.remotes import bare
from tests.gitops.samples import platform, release
from tests.lab.lab import Lab

APP = "storefront"


@pytest.fixture
def place(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A namespace with the accounts of a deployment; the kubeconfig is that of somebody who may make tokens."""
    accounts.prepare(stage.cluster, stage.namespace)
    monkeypatch.setenv("JENKINS_CD_KUBECONFIG", stage.lab.kubeconfig)
    return Place(target=HelmTarget(), namespace=stage.namespace, release=APP)


@dataclass(frozen=True)
class Watched:
    """What came of logs that are followed."""

    place: Place
    lines: list[Line] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def shows(self, text: str) -> bool:
        return any(text in line.text for line in self.lines)

    def while_(self, work: Callable[[], None]) -> None:
        """Follow them for as long as something else is done."""
        done = threading.Event()

        def to_its_end() -> None:
            try:
                work()
            finally:
                done.set()

        with beside(to_its_end):
            for line in pod_logs.follow(self.place, tail=100, tell=self.told.append, until=done.is_set):
                self.lines.append(line)


@pytest.fixture
def watched(place: Place) -> Watched:
    """The logs of the app, which nobody has followed yet."""
    return Watched(place)


def shown(place: Place, **options: bool) -> list[Line]:
    with pod_logs.opened(place) as cluster:
        return list(pod_logs.show(cluster, place, **{"tail": None, "previous": False, **options}))  # type: ignore[arg-type]


def up(stage: Stage, **environment: str) -> None:
    assert stage.roll_out(deployment(stage.lab.image(), {"replicas": 2}, name=APP, **environment)).ready


def test_each_line_names_its_pod_and_secrets_are_masked(lab: Lab, stage: Stage, place: Place) -> None:
    up(stage, PROBE_PRINT="token=let-me-in")
    stage.apply(deployment(lab.image(), name="other", PROBE_PRINT="another app"))
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


def test_the_run_before_a_crash_can_be_read(lab: Lab, stage: Stage, place: Place) -> None:
    app = deployment(lab.image(), name=APP, PROBE_EXIT_CODE="3", PROBE_PRINT="about to crash")
    assert stage.roll_out(app).outcome == "failed"
    assert "about to crash" in [line.text for line in shown(place, previous=True)]


def test_without_a_run_before_it_says_so(stage: Stage, place: Place) -> None:
    up(stage)
    with pytest.raises(BadInput, match="was restarted: there is no run before"):
        shown(place, previous=True)


def test_it_follows_pods_that_come_later(lab: Lab, stage: Stage, watched: Watched) -> None:
    up(stage, PROBE_PRINT="first", PROBE_EVERY="1")

    def change() -> None:
        objects.eventually(lambda: watched.shows("line 2"))
        stage.apply(deployment(lab.image("2.0.0"), {"replicas": 1}, name=APP, PROBE_PRINT="second"))
        objects.eventually(lambda: watched.shows("version 2.0.0"))

    watched.while_(change)
    texts = [line.text for line in watched.lines]
    assert texts.count("first") == 2
    assert texts.count("second") == 1
    first = watched.lines[0].source
    each = [line.text for line in watched.lines if line.source == first and line.text.startswith("line ")]
    assert each == [f"line {number}" for number in range(1, len(each) + 1)], "no line twice, and none left out"


def test_a_connection_that_is_cut_is_made_again_and_told(
    stage: Stage, watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(stage, PROBE_EVERY="1")
    monkeypatch.setattr(log_streams, "LAG", 1.0)
    with proxy_to(stage.cluster) as (passing, cluster):
        (tmp_path / "kubeconfig").write_bytes(kubeconfig.dump(cluster))
        monkeypatch.setenv("JENKINS_CD_KUBECONFIG", str(tmp_path / "kubeconfig"))

        def disturb() -> None:
            objects.eventually(lambda: watched.shows("line 3"))
            passing.cut()
            passing.mend()
            missing = "goes on; lines of the last seconds may be missing"
            objects.eventually(lambda: any(missing in text for text in watched.told))
            seen = len(watched.lines)
            objects.eventually(lambda: len(watched.lines) > seen)

        watched.while_(disturb)
    every = [(line.source, line.text) for line in watched.lines]
    assert len(set(every)) == len(every), "no line twice"


def test_it_waits_for_the_first_pod(lab: Lab, stage: Stage, watched: Watched) -> None:
    def deploy() -> None:
        objects.eventually(lambda: watched.told)
        stage.apply(deployment(lab.image(), name=APP))
        objects.eventually(lambda: watched.lines)

    watched.while_(deploy)
    assert watched.told[0] == f"no pod of {APP} in {stage.namespace} yet; waiting for one"


def test_the_command_finds_the_namespace_in_the_platform_file(tmp_path: Path, stage: Stage, place: Place) -> None:
    up(stage)
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
