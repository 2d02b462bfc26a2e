"""Argo CD of the lab is a real one: it takes charts from the lab's Git server and registry, and brings them up."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.tools import http, process
from jenkins_cd.tools.process import Completed
from tests.lab import manifests, versions
from tests.lab.argocd_server import ArgoCd
from tests.lab.lab import Lab

PATIENCE = 60.0  # seconds
API = "argoproj.io/v1alpha1"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}'}\ndata: {a: b}\n"


@pytest.fixture
def argocd(lab: Lab, quiet: None) -> ArgoCd:
    if lab.argocd is None:
        pytest.skip("the cluster is somebody else's")
    return lab.argocd


@dataclass(frozen=True, kw_only=True)
class Place:
    """A repository and a namespace of the same name, with a CLI that is logged in."""

    lab: Lab
    argocd: ArgoCd
    name: str
    folder: Path

    def cli(self, *arguments: str) -> Completed:
        argv = [self.argocd.program, "--config", str(self.folder / "cli"), *arguments]
        return process.run(argv, timeout=PATIENCE * 2).require(f"argocd {' '.join(arguments[:2])}")

    def push(self, files: Mapping[str, str]) -> None:
        """Put files into a new repository, and let Argo CD read it with a password."""
        work = self.folder / "work"
        bare = self.lab.git.create(self.name)
        process.run(["git", "clone", "--quiet", str(bare), str(work)]).require("clone")
        write(work, files)
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
        for words in (["add", "."], [*identity, "commit", "--quiet", "-m", "Start"], ["push", "origin", "HEAD:main"]):
            process.run(["git", "-C", str(work), *words]).require(f"git {words[-1]}")
        reader = {"username": "reader", "password": self.lab.git.passwords["reader"]}
        self.apply(self.argocd.namespace, repository(self.name, {"type": "git", "url": self.url, **reader}))

    @property
    def url(self) -> str:
        return self.lab.git.http_url(self.name)

    def apply(self, namespace: str, thing: Mapping[str, Any]) -> None:
        self.lab.kubectl("--namespace", namespace, "apply", "--filename=-", stdin=json.dumps(thing))

    def application(self, name: str, namespace: str, project: str = "default") -> None:
        spec = {
            "project": project,
            "source": {"repoURL": self.url, "path": "chart", "targetRevision": "main"},
            "destination": {"name": "in-cluster", "namespace": self.name},
            "syncPolicy": {"automated": {}},
        }
        finalizers = ["resources-finalizer.argocd.argoproj.io"]
        metadata = {"name": name, "finalizers": finalizers}
        self.apply(namespace, {"apiVersion": API, "kind": "Application", "metadata": metadata, "spec": spec})

    def status(self, name: str, namespace: str) -> Any:
        found = self.lab.kubectl("--namespace", namespace, "get", "applications.argoproj.io", name, "--output=json")
        return json.loads(found.stdout).get("status", {})

    def comes_up(self, name: str, namespace: str) -> None:
        def good() -> bool:
            status = self.status(name, namespace)
            states = [status.get(one, {}).get("status") for one in ("sync", "health")]
            return states == ["Synced", "Healthy"]

        until(good, lambda: json.dumps(self.status(name, namespace)))


@pytest.fixture
def place(lab: Lab, argocd: ArgoCd, namespace: str, tmp_path: Path) -> Iterator[Place]:
    made = Place(lab=lab, argocd=argocd, name=namespace, folder=tmp_path)
    made.cli(*argocd.login[1:])
    yield made
    for kind in ("applications.argoproj.io", "appprojects.argoproj.io", "secrets"):
        lab.kubectl("--namespace", argocd.namespace, "delete", kind, namespace, "--wait=false", check=False)


def repository(name: str, values: Mapping[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {"argocd.argoproj.io/secret-type": "repository"}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values}


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def chart(name: str = "web", dependencies: str = "[]") -> str:
    return f"apiVersion: v2\nname: {name}\nversion: 1.0.0\ndependencies: {dependencies}\n"


def until(found: Callable[[], bool], told: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, told()
        time.sleep(0.1)


def test_the_server_tells_its_version_and_knows_admin_by_a_token(argocd: ArgoCd) -> None:
    version = http.request("GET", f"{argocd.url}/api/version", expect=(200,)).json()
    assert version["Version"] == f"v{versions.ARGOCD}"
    bearer = {"Authorization": f"Bearer {argocd.session()}"}
    user = http.request("GET", f"{argocd.url}/api/v1/session/userinfo", headers=bearer, expect=(200,)).json()
    assert user["username"] == "admin"


def test_an_application_comes_up_from_the_git_server(place: Place) -> None:
    web = manifests.deployment("web", place.lab.image())
    place.push({"chart/Chart.yaml": chart(), "chart/templates/a.yaml": SETTINGS, "chart/templates/web.yaml": web})
    source = ["--repo", place.url, "--path", "chart", "--revision", "main"]
    place.cli("app", "create", place.name, *source, "--dest-name=in-cluster", "--dest-namespace", place.name)
    place.cli("app", "sync", place.name, "--timeout=60")
    place.cli("app", "wait", place.name, "--health", "--sync", "--timeout=60")
    place.comes_up(place.name, place.argocd.namespace)
    wanted = (f"configmap/{place.name}", "deployment/web")
    assert place.lab.kubectl("--namespace", place.name, "get", *wanted).exit_code == 0


def test_a_chart_gets_what_it_depends_on_from_the_registry(place: Place) -> None:
    registry = f"oci://{place.lab.registry}/{place.name}"
    write(place.folder / "common", {"Chart.yaml": chart("common"), "templates/settings.yaml": SETTINGS})
    helm = [str(place.lab.helm3)]
    process.run([*helm, "package", str(place.folder / "common"), "-d", str(place.folder)]).require("package")
    process.run([*helm, "push", str(place.folder / "common-1.0.0.tgz"), registry, "--plain-http"]).require("push")
    needed = json.dumps([{"name": "common", "version": "1.0.0", "repository": registry}])
    place.push({"chart/Chart.yaml": chart("web", needed)})
    place.application(place.name, place.argocd.namespace)
    place.comes_up(place.name, place.argocd.namespace)
    assert place.lab.kubectl("--namespace", place.name, "get", f"configmap/{place.name}").exit_code == 0


@contextlib.contextmanager
def apart(place: Place) -> Iterator[str]:
    """Yield a namespace of Applications, with a project that allows it."""
    with place.lab.namespace("argocd-apps") as apps:
        spec = {
            "sourceRepos": ["*"],
            "destinations": [{"name": "*", "namespace": place.name}],
            "sourceNamespaces": [apps],
        }
        metadata = {"name": place.name}
        project = {"apiVersion": API, "kind": "AppProject", "metadata": metadata, "spec": spec}
        place.apply(place.argocd.namespace, project)
        yield apps
        place.lab.kubectl("-n", apps, "delete", "applications.argoproj.io", "--all", "--timeout=60s")


def test_an_application_may_be_in_a_namespace_of_its_own(place: Place) -> None:
    place.push({"chart/Chart.yaml": chart(), "chart/templates/settings.yaml": SETTINGS})
    with apart(place) as apps:
        place.application("web", apps, place.name)
        place.comes_up("web", apps)
        got = place.cli("app", "get", f"{apps}/web", "--output=json")
        assert json.loads(got.stdout)["metadata"]["namespace"] == apps


def test_its_servers_can_be_down_for_a_while(lab: Lab, alone: None, place: Place) -> None:
    argocd = place.argocd
    place.push({"chart/Chart.yaml": chart(), "chart/templates/settings.yaml": SETTINGS})
    bearer = {"Authorization": f"Bearer {argocd.session()}"}
    with lab.without("argocd-application-controller"):
        place.application(place.name, argocd.namespace)
        assert place.status(place.name, argocd.namespace) == {}
    place.comes_up(place.name, argocd.namespace)
    lab.restart("argocd-server")
    url = f"{argocd.url}/api/v1/applications/{place.name}?project=default"
    assert http.request("GET", url, headers=bearer, expect=(200,)).json()["status"]["sync"]["status"] == "Synced"
