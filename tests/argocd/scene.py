"""A project of Argo CD's for one test: who may do what there, a repository with a chart, and Applications."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.tools import argocd, argocd_applications, argocd_settings, process
from jenkins_cd.tools.argocd import Credentials, Ref, Server
from jenkins_cd.tools.argocd_settings import Token
from jenkins_cd.tools.process import Completed
from tests.lab.argocd_server import ArgoCd
from tests.lab.lab import Lab

BRANCH = "main"
CHART = "chart"  # the folder of the chart in the repository
# What a role may do with every Application of the project.
ROLES: Mapping[str, tuple[str, ...]] = {
    "deployer": ("applications, get", "applications, sync", "logs, get"),
    "reader": ("applications, get", "logs, get"),
    "without-logs": ("applications, get", "applications, sync"),
}
VALUES: Mapping[str, Any] = {"replicas": 1, "text": "first", "image": "", "env": [], "hook": "", "extra": []}
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {text: {{ .Values.text | quote }}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
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
        image: {{ .Values.image }}
        env: {{ toJson .Values.env }}
        readinessProbe: {httpGet: {path: /health, port: 8080}, periodSeconds: 1}
{{- with .Values.hook }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Release.Name }}-hook
  annotations: {argocd.argoproj.io/hook: {{ . }}, argocd.argoproj.io/hook-delete-policy: BeforeHookCreation}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      containers: [{name: hook, image: {{ $.Values.image }}, args: [pause]}]
{{- end }}
{{- range .Values.extra }}
---
{{ toYaml . }}
{{- end }}
"""
_PATIENCE = 60.0  # seconds
_POLL = 0.05


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project and what is in it. Objects of Argo CD are named as it is, or begin with that."""

    lab: Lab
    project: str
    namespace: str  # where the apps go
    url: str  # of the repository
    work: Path  # a clone of it
    admin: Server
    tokens: dict[str, Token] = field(default_factory=dict)

    @property
    def argocd(self) -> ArgoCd:
        """Return the lab's Argo CD."""
        assert self.lab.argocd is not None
        return self.lab.argocd

    def server(self, role: str = "admin") -> Server:
        """Return the server as `admin` or as a role of ROLES or `change`, with a token of ten minutes."""
        if role == "admin":
            return self.admin
        if role not in self.tokens:
            self.tokens[role] = self.token(role)
        return self.as_who_has(self.tokens[role].text)

    def token(self, role: str, lifetime: float = 600) -> Token:
        """Return a new token of a role, for as many seconds."""
        name = f"{role}-{secrets.token_hex(4)}"
        return argocd_settings.create_token(self.admin, self.project, role, lifetime, name)

    def as_who_has(self, token: str, url: str = "") -> Server:
        """Return the server, or what stands at `url` before it, as who has that token."""
        return argocd.connect(url or self.argocd.url, Credentials(token=token))

    def app(
        self,
        name: str = "web",
        *,
        automated: bool | Mapping[str, Any] = False,
        sources: Sequence[Mapping[str, Any]] = (),
        namespace: str = "",
        spec: Mapping[str, Any] | None = None,
    ) -> Ref:
        """Make an Application of the chart, or of other sources; nothing is synced yet, unless it is `automated`.

        `namespace` is one that begins with argocd-apps-, which is made; `spec` is put over what is made here.
        """
        if namespace:
            self.kubectl("create", "namespace", namespace, check=False)
        ref = Ref(name=f"{self.project}-{name}", project=self.project, namespace=namespace)
        own = {"repoURL": self.url, "path": CHART, "targetRevision": BRANCH, "helm": {"releaseName": name}}
        policy = {"automated": automated if isinstance(automated, Mapping) else {}}
        made = {
            "project": self.project,
            "destination": {"name": "in-cluster", "namespace": self.namespace},
            **({"sources": list(sources)} if sources else {"source": own}),
            **({"syncPolicy": policy} if automated is not False else {}),
            **(spec or {}),
        }
        metadata = {"name": ref.name, **({"namespace": namespace} if namespace else {})}
        kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}
        argocd_settings.put_application(self.admin, {**kind, "metadata": metadata, "spec": made})
        return ref

    def commit(self, files: Mapping[str, str | None], message: str = "Change something") -> str:
        """Write files (None: delete) into the repository, push, and return the commit."""
        for name, text in files.items():
            place = self.work / name
            if text is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", f"--message={message}")
        self.git("push", "--quiet", "origin", f"HEAD:{BRANCH}")
        return self.git("rev-parse", "HEAD").stdout.strip()

    def values(self, **values: Any) -> str:
        """Commit values of the chart over VALUES, and return the commit."""
        known = {**VALUES, "image": self.lab.image(), **values}
        return self.commit({f"{CHART}/values.yaml": json.dumps(known)}, f"Say {', '.join(values) or 'nothing'}")

    def git(self, *arguments: str) -> Completed:
        """Run git in the clone."""
        return process.run(["git", "-C", str(self.work), *arguments]).require(f"git {arguments[0]}")

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> Completed:
        """Run kubectl as the administrator, in the namespace that the apps go to."""
        return self.lab.kubectl("--namespace", self.namespace, *arguments, stdin=stdin, check=check)

    def change(self, **spec: Any) -> None:
        """Change what the project's spec says. The server decides by what it has seen of it, a moment later."""
        present = argocd_settings.project(self.admin, self.project)
        assert present is not None
        argocd_settings.put_project(self.admin, {**present, "spec": {**present["spec"], **spec}}, present)

    def window(self, ref: Ref, kind: str = "deny", **more: Any) -> None:
        """Let the project have one sync window, by default one that is always active, and wait until it counts."""
        window = {"kind": kind, "schedule": "* * * * *", "duration": "24h", "applications": ["*"], **more}
        self.change(syncWindows=[window])
        wanted = kind, window["schedule"], bool(window.get("manualSync"))

        def counts() -> bool:
            assigned = argocd_applications.windows(self.admin, ref).assigned
            return [(one.kind, one.schedule, one.manual_sync) for one in assigned] == [wanted]

        self.until(counts, f"the sync window of {ref.rbac}")

    def ends(self, ref: Ref) -> dict[str, Any]:
        """Wait until the operation that was asked for has ended, and return the Application."""

        def ended(app: Mapping[str, Any]) -> bool:
            phase = (app.get("status", {}).get("operationState") or {}).get("phase")
            return "operation" not in app and phase in ("Succeeded", "Failed", "Error")

        return self.seen(ref, ended, "with its operation ended")

    def healthy(self, ref: Ref) -> dict[str, Any]:
        """Wait until an Application is Synced and Healthy, and return it."""

        def good(app: Mapping[str, Any]) -> bool:
            found = app.get("status", {})
            states = found.get("sync", {}).get("status"), found.get("health", {}).get("status")
            return states == ("Synced", "Healthy")

        return self.seen(ref, good, "Synced and Healthy")

    def seen(self, ref: Ref, wanted: Callable[[Mapping[str, Any]], bool], what: str) -> dict[str, Any]:
        """Wait until an Application is as wanted, and return it."""
        found: list[dict[str, Any]] = []

        def looked() -> bool:
            found[:] = [argocd_applications.read(self.admin, ref)]
            return wanted(found[0])

        self.until(looked, f"{ref.rbac} {what}")
        return found[0]

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until something is so. Raises ExternalFailure with `what` after a minute."""
        deadline = time.monotonic() + _PATIENCE
        while not done():
            if time.monotonic() > deadline:
                raise ExternalFailure(f"waited {_PATIENCE:.0f} s for {what}")
            process.pause(_POLL)


@contextlib.contextmanager
def opened(lab: Lab, namespace: str, folder: Path) -> Iterator[Scene]:
    """Yield a scene in a namespace that is there; at the end nothing is left of it in Argo CD."""
    assert lab.argocd is not None
    admin = argocd.connect(lab.argocd.url, Credentials(username="admin", password=lab.argocd.password))
    bare, work = lab.git.create(namespace), folder / "work"
    folder.mkdir(parents=True, exist_ok=True)
    process.run(["git", "clone", "--quiet", str(bare), str(work)]).require("clone the repository")
    scene = Scene(
        lab=lab, project=namespace, namespace=namespace, url=lab.git.http_url(namespace), work=work, admin=admin
    )
    try:
        _prepare(scene)
        yield scene
    finally:
        _clean(scene)


def _prepare(scene: Scene) -> None:
    chart = f"apiVersion: v2\nname: {CHART}\nversion: 1.0.0\n"
    (scene.work / CHART / "templates").mkdir(parents=True)
    (scene.work / CHART / "Chart.yaml").write_text(chart, encoding="utf-8")
    (scene.work / CHART / "templates" / "app.yaml").write_text(TEMPLATE, encoding="utf-8")
    scene.values()
    argocd_settings.put_project(scene.admin, _project(scene), None)
    person = {"username": "reader", "password": scene.lab.git.passwords["reader"]}
    body = {"repo": scene.url, "project": scene.project, **person}
    argocd.call(scene.admin, "POST", "/api/v1/repositories", body=body)


def _project(scene: Scene) -> dict[str, Any]:
    name = scene.project
    roles = [
        {
            "name": role,
            "policies": [f"p, proj:{name}:{role}, {right}, {name}/*, allow" for right in rights],
        }
        for role, rights in ROLES.items()
    ]
    spec = {
        "sourceRepos": ["*"],
        "sourceNamespaces": ["argocd-apps-*"],
        "destinations": [{"server": "*", "namespace": f"{scene.namespace}*"}],
        "roles": roles,
    }
    return {"metadata": {"name": name}, "spec": spec}


def _clean(scene: Scene) -> None:
    """Delete with kubectl: that asks nobody whether anything is still in use."""
    for kind, place in (("applicationset", ("spec", "template", "spec")), ("application", ("spec",))):
        found = scene.kubectl("get", f"{kind}.argoproj.io", "--all-namespaces", "--output=json", check=False).stdout
        for one in json.loads(found or "{}").get("items", ()):
            if functools.reduce(lambda at, name: at.get(name) or {}, place, one).get("project") == scene.project:
                _delete(scene, one["metadata"]["namespace"], f"{kind}.argoproj.io/{one['metadata']['name']}")
    _delete(scene, scene.argocd.namespace, f"appproject.argoproj.io/{scene.project}")
    with contextlib.suppress(JenkinsCdError):
        where = f"/api/v1/repositories/{argocd.segment(scene.url)}"
        argocd.call(scene.admin, "DELETE", where, query={"appProject": scene.project})


def _delete(scene: Scene, namespace: str, what: str) -> None:
    scene.lab.kubectl("--namespace", namespace, "delete", what, "--wait=false", check=False)
