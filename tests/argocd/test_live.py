"""What people ask of a running app, on the real Argo CD: as a role of its project, with no account in the cluster."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import cli
from jenkins_cd.argocd import app_diff, app_logs
from jenkins_cd.cluster.log_streams import Line
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Image
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref
from jenkins_cd.tools.argocd_applications import SyncOrder
from tests.argocd import delivered
from tests.argocd.scene import Scene
from tests.cluster.pushed import app_charts  # noqa: F401
from tests.gitops.remotes import bare
from tests.gitops.samples import deployment, platform, release

APP = "storefront"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}, "stringData": {"password": "swordfish-1"}}
ENV = [{"name": "PROBE_PRINT", "value": "token=let-me-in"}, {"name": "PROBE_EVERY", "value": "1"}]


@dataclass
class Shown:
    """An app that runs, and the platform file and ledger that know of it."""

    argo: Scene
    ref: Ref
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def sync(self, **values: Any) -> None:
        """Commit values, and bring them there."""
        self.argo.values(env=ENV, extra=[SECRET], **values)
        argocd_applications.read(self.argo.admin, self.ref, "normal")
        argocd_applications.sync(self.argo.admin, self.ref, SyncOrder(prune=True))
        self.argo.ends(self.ref)
        self.argo.healthy(self.ref)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command and return what it prints, both streams where it fails."""
        assert cli.run([*arguments, "-C", str(self.folder)]) == code
        said = self.capsys.readouterr()
        return said.out if code in (0, 1) else said.out + said.err

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def patch(self, what: str, change: dict[str, Any]) -> None:
        """Change an object by hand, until Argo CD has seen it."""
        self.argo.kubectl("patch", what, "--type=merge", f"--patch={json.dumps(change)}")
        self.argo.until(lambda: self.out_of_sync(what), f"{what} OutOfSync")

    def out_of_sync(self, what: str) -> bool:
        kind, _, name = what.partition("/")
        found = argocd_applications.read(self.argo.admin, self.ref)["status"]["resources"]
        return any((one["kind"].lower(), one["name"], one.get("status")) == (kind, name, "OutOfSync") for one in found)


@pytest.fixture
def shown(argo: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shown:
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", argo.token("reader").text)
    argo.change(orphanedResources={"warn": False})
    remote = str(bare(tmp_path / "deploy.git", {"README.md": b"\n"}))
    ledger = Ledger.open(platform(remote))
    image = Image(repository=f"{argo.lab.registry}/probe", digest=argo.lab.digests["probe:1.0.0"])
    ledger.publish(release("1.0.0", image=image))
    ledger.record(deployment(1, model="argocd", version="1.0.0"))
    ref = argo.app("web")
    rules = {"application": ref.name, "project": argo.project, "namespace": argo.namespace}
    dev = {"model": "argocd", "after": "ci", "health_url": "http://127.0.0.1:1", "argocd": rules}
    live = {**dev, "after": "dev", "argocd": {**rules, "application": f"{ref.name}-live"}}
    content = {
        "registry": {"images": "registry.local/apps", "charts": "oci://registry.local/charts"},
        "deploy_repository": {"url": remote},
        "argocd": {"url": argo.argocd.url},
        "environments": {"dev": dev, "live": live},
    }
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "platform.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    found = Shown(argo, ref, tmp_path / "checkout", capsys)
    found.sync()
    return found


def test_drift_names_each_field_and_who_changed_it(shown: Shown) -> None:
    assert "1 as deployed" in shown.run("drift", "--environment", "dev")
    shown.argo.kubectl("set", "env", "deployment/web", "BY_HAND=1")
    shown.argo.kubectl("create", "configmap", "stray", "--from-literal=a=b")
    shown.patch("secret/key", {"stringData": {"password": "other"}})
    shown.patch("configmap/web", {"data": {"text": "by hand"}})
    told = shown.json("drift", "--environment", "dev", code=1)["apps"][0]
    changes = {(one["object"], one["field"]): (one["kind"], one["live"], one["by"]) for one in told["changes"]}
    env = "spec.template.spec.containers[app].env[BY_HAND]"
    assert changes == {
        ("ConfigMap/web", "data.text"): ("changed", "by hand", "kubectl-patch"),
        ("Secret/key", "data.password"): ("changed", "(hidden)", "kubectl-patch"),
        ("Deployment/web", env): ("added", '{"name":"BY_HAND","value":"1"}', "kubectl-set"),
        ("ConfigMap/stray", ""): ("extra", "", "kubectl-create"),
    }
    assert (told["state"], told["model"], told["release"]) == ("drifted", "argocd", shown.ref.name)
    assert "argocd app sync" in shown.run("drift", "--environment", "dev", code=1)


def test_what_git_wants_and_nobody_has_synced_is_no_drift(shown: Shown) -> None:
    shown.argo.kubectl("delete", "secret", "key")
    commit = shown.argo.values(env=ENV, text="second", extra=[SECRET])
    told = shown.json("drift", "--environment", "dev", "--app", APP, code=1)["apps"][0]
    assert [(one["object"], one["kind"]) for one in told["changes"]] == [("Secret/key", "missing")]
    assert told["reason"].endswith(f"Git is ahead: {commit[:12]} is not synced yet and changes ConfigMap/web")


def test_an_application_that_is_gone_has_drifted(shown: Shown) -> None:
    shown.argo.lab.kubectl("-n", shown.argo.argocd.namespace, "delete", "application", shown.ref.name)
    told = shown.json("drift", "--environment", "dev", code=1)["apps"][0]
    assert (told["state"], told["changes"][0]["object"]) == ("drifted", f"Application/{shown.ref.name}")


def test_logs_name_their_pod_and_secrets_are_masked(shown: Shown) -> None:
    pods = shown.argo.kubectl("get", "pods", "-o", "name").stdout.split()
    lines = shown.run("logs", "--app", APP, "--environment", "dev", "--tail", "-1").splitlines()
    assert {line.partition(" │ ")[0] for line in lines} == {one.removeprefix("pod/") for one in pods}
    assert lines[0].endswith("│ token=****")
    last = shown.run("logs", "--app", APP, "--environment", "dev", "--tail", "1").splitlines()
    assert len(last) == len(pods)


def test_there_is_no_run_before_where_nothing_was_restarted(shown: Shown) -> None:
    told = shown.run("logs", "--app", APP, "--environment", "dev", "--previous", code=2)
    assert "was restarted: there is no run before" in told


def test_the_run_before_a_crash_is_read(shown: Shown) -> None:
    pod = shown.argo.kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}").stdout
    shown.argo.kubectl("exec", pod, "--", "/probe", "get", "http://127.0.0.1:8080/exit?code=3", check=False)
    ready = "jsonpath={.items[0].status.containerStatuses[0].restartCount}"
    shown.argo.until(lambda: shown.argo.kubectl("get", "pods", "-o", ready).stdout == "1", "a restart")

    def before() -> bool:
        pods = app_logs.Pods(shown.argo.server("reader"), shown.ref)
        try:
            return any("token=" in one.text for one in app_logs.show(pods, tail=None, previous=True))
        except JenkinsCdError:
            return False

    shown.argo.until(before, "the log of the run before")


def test_logs_are_followed_into_pods_that_come_later(shown: Shown) -> None:
    pods, done, lines = app_logs.Pods(shown.argo.server("reader"), shown.ref), threading.Event(), list[Line]()

    def change() -> None:
        shown.argo.until(lambda: any(line.text == "line 2" for line in lines), "the second line")
        shown.sync(image=shown.argo.lab.image("2.0.0"))
        shown.argo.until(lambda: any("version 2.0.0" in line.text for line in lines), "the new version")
        done.set()

    changing = threading.Thread(target=change)
    changing.start()
    for line in app_logs.follow(pods, tail=100, tell=lambda _text: None, until=done.is_set):
        lines.append(line)
    changing.join()
    first = [line.text for line in lines if line.source == lines[0].source and line.text.startswith("line ")]
    assert first == [f"line {number}" for number in range(1, len(first) + 1)], "no line twice, and none left out"


def test_who_may_not_read_logs_is_told_the_right_that_is_missing(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", shown.argo.token("without-logs").text)
    for more in ((), ("--follow",)):
        told = shown.run("logs", "--app", APP, "--environment", "dev", *more, code=4)
        assert f"lacks the right `logs, get` on {shown.ref.rbac}" in told


def test_status_shows_what_argo_cd_says_and_why_it_cannot_be_asked(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    commit = shown.argo.git("rev-parse", "HEAD").stdout.strip()
    dev, live = shown.json("status", "--live")["places"]
    assert dev["live"]["sync"] == "Synced"
    assert dev["live"]["health"] == "Healthy"
    assert dev["live"]["revision"] == commit
    assert dev["live"]["version"] == "1.0.0"
    assert "has no Application" in live["live"]["trouble"]
    text = " ".join(shown.run("status", "--live", "--app", APP, "--environment", "dev").split())
    assert "Synced Healthy" in text
    assert "live" not in text


def test_diff_shows_what_a_sync_would_change_of_what_is_declared(shown: Shown) -> None:
    assert "would change nothing" in shown.run("diff", "--app", APP, "--environment", "dev")
    shown.argo.values(env=ENV, text="second", extra=[SECRET])
    text = shown.run("diff", "--app", APP, "--environment", "dev", code=1)
    assert "-  text: first\n+  text: second\n" in text
    assert text.count("--- live/") == 1
    found = shown.json("diff", "--app", APP, "--environment", "dev", code=1)
    assert (found["schema"], found["model"], found["version"]) == ("jenkins_cd/diff/v1", "argocd", None)


def test_diff_of_a_version_that_is_not_declared_yet_is_what_the_deployment_changes(
    argo: Scene,
    tmp_path: Path,
    app_charts: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = delivered.prepared(argo, tmp_path, app_charts)
    monkeypatch.setenv("JENKINS_CD_ARGOCD_TOKEN", app.token)
    delivered.declare(app, "1.0.0")
    argocd_applications.read(argo.admin, app.site.ref, "normal")
    argocd_applications.sync(argo.admin, app.site.ref, SyncOrder())
    argo.ends(app.site.ref)
    argo.healthy(app.site.ref)
    same, notes = app_diff.of_release(app.target, app.release("1.0.0"))
    assert same == ""
    assert "the values of Secret/storefront" in notes[0]
    text, _ = app_diff.of_release(app.target, app.release("2.0.0"))
    changed = [line.strip() for line in text.splitlines() if line[:1] in "+-"]
    image = [yaml.safe_load(line.partition("image: ")[2]) for line in changed if "image: " in line]
    assert image == [argo.lab.image("1.0.0"), argo.lab.image("2.0.0")]
    assert len(changed) == 4, changed
    argo.kubectl("scale", "deployment/storefront", "--replicas=3")
    argo.until(lambda: "-  replicas: 3" in app_diff.of_release(app.target, app.release("1.0.0"))[0], "the replicas")
