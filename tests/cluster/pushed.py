"""An app that is pushed to the lab's cluster with Helm: its charts, its deploy repository, and what people do to it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import masking
from jenkins_cd.cluster import rights
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.delivery import Followed, Target, helm
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Chart, Image, Plan, Release
from jenkins_cd.tools import helm as charts
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import Installed, Place
from jenkins_cd.tools.kubernetes import Cluster, Object
from tests.cluster import accounts
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare
from tests.gitops.samples import platform, release
from tests.lab import node_ports
from tests.lab.lab import Lab

APP = "storefront"
VERSIONS = ("1.0.0", "1.0.1", "2.0.0")  # of the lab's image, too
PLACE = f"dev/shop/{APP}"
REPOSITORY = "charts-of-pushed-apps"
MESSAGE = "Deploy {} in dev\n\nRequested-by: jane\nBuild: https://jenkins.local/job/shop/job/storefront%2Fmain/7/\n"
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
spec:
  replicas: {{ .Values.replicas }}
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: app
        image: {{ .Values.image.repository }}@{{ .Values.image.digest }}
        env: {{ toJson .Values.env }}
        readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  type: NodePort
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080, nodePort: {{ .Values.nodePort }}}]
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {key: {{ .Values.key | quote }}}
{{ range .Values.extra }}
---
{{ toYaml . }}
{{ end }}
{{- with .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Release.Name }}-{{ .name }}
  annotations: {helm.sh/hook: {{ .when | quote }}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers:
      - name: hook
        image: {{ .image | default (printf "%s@%s" $.Values.image.repository $.Values.image.digest) }}
        args: {{ toJson (.args | default list) }}
        env: {{ toJson (.env | default list) }}
{{ end }}
"""
KINDS = (
    ("apps/v1", "Deployment"),
    ("batch/v1", "Job"),
    ("v1", "ConfigMap"),
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Service"),
)
VALUES = "{image: {repository: '', digest: '', tag: ''}, replicas: 1, env: [], nodePort: null, key: sesame}\n"


def publish(lab: Lab, folder: Path, environments: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """Publish the charts of VERSIONS, in a repository of their own; returns that.

    `environments` are the values of dev that stand in the chart of a version.
    """
    repository = f"oci://{lab.loopback_registry}/{REPOSITORY}-{secrets.token_hex(4)}"
    chart = folder / APP
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {APP}\nversion: 0.0.0\n", encoding="utf-8")
    (chart / "values.yaml").write_text(VALUES, encoding="utf-8")
    (chart / "templates" / "app.yaml").write_text(TEMPLATE, encoding="utf-8")
    for version in VERSIONS:
        if environments:
            (chart / "values-dev.yaml").write_text(yaml.safe_dump(environments[version]), encoding="utf-8")
        charts.push(charts.package(chart, folder / "packages", version, version), repository, plain_http=True)
    return repository


@contextlib.contextmanager
def helm_in_path(program: Path, folder: Path) -> Iterator[None]:
    """Let `helm` be a certain one."""
    folder.mkdir(exist_ok=True)
    (folder / "helm").symlink_to(program)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder), prepend=":")
        yield


@dataclass
class App:
    """The app, the platform it is pushed by, and the namespace it goes to."""

    lab: Lab
    namespace: str
    remote: Path
    target: Target
    charts: str
    notes: Notes = field(default_factory=Notes)

    @property
    def place(self) -> Place:
        """Return its release as the administrator sees it."""
        return Place(name=APP, namespace=self.namespace, kubeconfig=Path(self.lab.kubeconfig))

    @property
    def status(self) -> Installed:
        """Return its newest revision."""
        found = helm_release.status(self.place)
        assert found
        return found

    def release(self, version: str) -> Release:
        """Return the release of a version."""
        image = Image(repository=f"{self.lab.registry}/probe", digest=self.lab.digests[f"probe:{version}"])
        return release(version, image=image, chart=Chart(name=APP, repository=self.charts))

    def rules(self, **more: Any) -> None:
        """Change what the platform file says of the environment, or of Helm in it (`helm_…`)."""
        of_helm = {name.removeprefix("helm_"): value for name, value in more.items() if name.startswith("helm_")}
        others = {name: value for name, value in more.items() if not name.startswith("helm_")}
        environment = self.target.environment
        environment = replace(environment, helm=replace(environment.helm, **of_helm), **others)
        self.target = replace(self.target, environment=environment)

    def says(self, **values: Any) -> None:
        """Change values in the deploy repository, as a person would."""

        def change(view: View) -> Mapping[str, bytes]:
            loaded = yaml.safe_load(view.read(f"{PLACE}/values.yaml") or b"{}") or {}
            loaded.setdefault(APP, {}).update(values)
            return {f"{PLACE}/values.yaml": yaml.safe_dump(loaded, sort_keys=False).encode()}

        Repository.open(str(self.remote)).commit("main", "By hand", change)

    def plan(self, version: str, verified: str | None = None) -> Plan:
        return helm.plan(self.target, self.release(version), verified)

    def apply(self, version: str, verified: str | None = None) -> str:
        """Plan and apply; returns the commit."""
        return helm.apply(
            self.target, self.release(version), self.plan(version, verified), MESSAGE.format(f"{APP} {version}")
        )

    def deploy(self, version: str, verified: str | None = None) -> Followed:
        """Plan, apply and follow."""
        return helm.follow(self.target, self.release(version), self.apply(version, verified))

    def live(self, kind: str, name: str) -> Object:
        """Return an object of the cluster."""
        return self.lab.live(self.namespace, kind, name)

    @property
    def image(self) -> str:
        """Return the image that its Deployment names now."""
        return str(self.live("deployments", APP)["spec"]["template"]["spec"]["containers"][0]["image"])


@pytest.fixture(scope="session")
def app_charts(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The repository with the charts of VERSIONS."""
    folder = tmp_path_factory.mktemp("app-charts")
    with helm_in_path(lab.helm4, folder / "bin"):
        return publish(lab, folder)


@pytest.fixture(params=["helm3", "helm4"])
def pushed(request: pytest.FixtureRequest, lab: Lab, namespace: str, app_charts: str, tmp_path: Path) -> Iterator[App]:
    """An app with a namespace of its own; each test has it with Helm 3 and with Helm 4."""
    with helm_in_path(getattr(lab, request.param), tmp_path / "bin"), pytest.MonkeyPatch.context() as patch:
        patch.setenv("JENKINS_CD_KUBECONFIG", lab.kubeconfig)
        patch.setattr(masking, "_forms", set(masking._forms))  # the tokens of all tests together make masking slow
        yield prepared(lab, namespace, tmp_path, app_charts)


def prepared(lab: Lab, namespace: str, folder: Path, repository: str) -> App:
    """Return an app that may be deployed by the account `jenkins-cd` of the namespace, and nobody else."""
    accounts.apply(
        Cluster.of(Path(lab.kubeconfig)), rights.objects(namespace, accounts.ACCOUNT, rights.deploying(KINDS))
    )
    wait_until_it_may(lab, namespace, "yes")
    [port] = node_ports.claim(lab)
    remote = bare(folder / "deploy.git", declared(repository, port))
    settings = platform(
        str(remote),
        lab.loopback_registry,
        model="helm",
        health_url=f"http://127.0.0.1:{port}",
        settle="100ms",
        timeout="60s",
        helm=HelmTarget(namespace=namespace),
    )
    notes = Notes()
    environment = settings.environments["dev"]
    target = Target(name="dev", environment=environment, platform=settings, url=environment.health_url, progress=notes)
    return App(lab, namespace, remote, target, repository, notes)


def wait_until_it_may(lab: Lab, namespace: str, wanted: str, verb: str = "list", resource: str = "secrets") -> None:
    """Wait until the account may deploy, or may not: rights take effect a moment after they are changed."""
    question = ("auth", "can-i", verb, resource, f"--as=system:serviceaccount:{namespace}:{accounts.ACCOUNT}")
    for _ in range(600):
        if lab.kubectl("-n", namespace, *question, check=False).stdout.strip() == wanted:
            return
        process.pause(0.05)
    raise AssertionError(f"the rights of {accounts.ACCOUNT} do not take effect: {verb} {resource}")


def declared(repository: str, port: int) -> dict[str, bytes]:
    """Return the app's folder as it is before its first deployment, with the environment's values."""
    dependency = {"name": APP, "version": "0.0.0", "repository": repository}
    chart = {"apiVersion": "v2", "name": APP, "version": "0.0.0", "dependencies": [dependency]}
    values = {APP: {"image": {"repository": "none", "tag": "none", "digest": "none"}, "nodePort": port}}
    files = {"Chart.yaml": chart, "values.yaml": values}
    return {f"{PLACE}/{name}": yaml.safe_dump(content).encode() for name, content in files.items()}
