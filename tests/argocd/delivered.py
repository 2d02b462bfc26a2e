"""An app that is delivered to the lab's cluster through its Argo CD: its platform, and what people do to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from jenkins_cd.argocd import course, site, states, underway
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.argocd.site import Site
from jenkins_cd.config.types import ArgoCd, ArgoCdTarget
from jenkins_cd.delivery import Followed, Target, argocd, declaration, pull
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Chart, Image, Plan, Release
from jenkins_cd.tools import argocd_applications, argocd_settings
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Away, Busy
from jenkins_cd.tools.kubernetes import Object
from tests.argocd.outages import Outages
from tests.argocd.scene import Scene
from tests.cluster import pushed
from tests.cluster.pushed import APP, MESSAGE, PLACE
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare
from tests.gitops.samples import platform, release
from tests.lab import node_ports
from tests.lab.lab import Lab

TOKEN = "JENKINS_CD_ARGOCD_TOKEN"
IN_CLUSTER = "https://kubernetes.default.svc"
HOOK = {"name": "migrate", "when": "pre-install,pre-upgrade"}  # before a sync; it serves until it is told to end well
BROKEN_HOOK = {**HOOK, "env": [{"name": "PROBE_EXIT_CODE", "value": "3"}, {"name": "PROBE_PRINT", "value": "no table"}]}


@dataclass
class Delivered:
    """The app, its Application, and the platform that delivers it."""

    scene: Scene
    token: str  # of the role that delivers
    remote: Path
    target: Target
    charts: str
    outages: Outages
    notes: Notes = field(default_factory=Notes)
    current: str = ""  # the version that was verified last

    @property
    def lab(self) -> Lab:
        """Return the lab."""
        return self.scene.lab

    @property
    def namespace(self) -> str:
        """Return where the app goes."""
        return self.scene.namespace

    @property
    def site(self) -> Site:
        """Return where it goes, as the pipeline sees it."""
        return site.opened(self.target, self.release("1.0.0"))

    @property
    def repository(self) -> Repository:
        """Return the deploy repository."""
        return Repository.open(str(self.remote))

    def release(self, version: str) -> Release:
        """Return the release of a version."""
        image = Image(repository=f"{self.lab.registry}/probe", digest=self.lab.digests[f"probe:{version}"])
        return release(version, project="shop", image=image, chart=Chart(name=APP, repository=self.charts))

    def rules(self, **more: Any) -> None:
        """Change what the platform file says of the environment, or of Argo CD in it (`argocd_…`)."""
        of_argocd = {name.removeprefix("argocd_"): value for name, value in more.items() if name.startswith("argocd_")}
        others = {name: value for name, value in more.items() if not name.startswith("argocd_")}
        environment = self.target.environment
        environment = replace(environment, argocd=replace(environment.argocd, **of_argocd), **others)
        self.target = replace(self.target, environment=environment)

    def says(self, place: str = PLACE, message: str = "By hand", **values: Any) -> str:
        """Change values in the deploy repository, as a person would; returns the commit."""

        def change(view: View) -> Mapping[str, bytes]:
            loaded = yaml.safe_load(view.read(f"{place}/values.yaml") or b"{}") or {}
            loaded.setdefault(APP, {}).update(values)
            return {f"{place}/values.yaml": yaml.safe_dump(loaded, sort_keys=False).encode()}

        return self.repository.commit("main", message, change)

    def plan(self, version: str, verified: str | None = None) -> Plan:
        return argocd.plan(self.target, self.release(version), verified)

    def apply(self, version: str, verified: str | None = None) -> str:
        """Plan and apply; returns the commit."""
        plan = self.plan(version, verified)
        return argocd.apply(self.target, self.release(version), plan, MESSAGE.format(f"{APP} {version}"))

    def follow(self, version: str, commit: str) -> Followed:
        return argocd.follow(self.target, self.release(version), commit)

    def deploy(self, version: str, verified: str | None = None) -> Followed:
        """Plan, apply and follow."""
        return self.follow(version, self.apply(version, verified))

    def begin(self, version: str, commit: str) -> None:
        """Do what comes after the commit, as `apply` does."""
        course.begin(self.site, self.wish(version, commit))

    def wish(self, version: str, commit: str) -> Wish:
        """Return what the model makes of a commit."""
        return Wish(
            repository=declaration.repository_of(self.target),
            branch=declaration.branch_of(self.target),
            place=declaration.place_of(self.target, self.release(version)),
            commit=commit,
        )

    @contextlib.contextmanager
    def deploying(self, version: str, commit: str = "") -> Iterator[Future[Followed]]:
        """Deploy, or only follow a commit, beside the block; at its end that has ended too."""
        with ThreadPoolExecutor(1) as beside:
            if commit:
                yield beside.submit(self.follow, version, commit)
            else:
                yield beside.submit(self.deploy, version)

    @property
    def application(self) -> Mapping[str, Any]:
        """Return its Application, as the administrator sees it."""
        return argocd_applications.read(self.scene.admin, self.site.ref)

    @property
    def automated(self) -> bool:
        """Tell whether Argo CD syncs it by itself."""
        return self.target.environment.argocd.automated

    def refresh(self) -> None:
        """Let Argo CD look at the newest commit, as a webhook would; past its caches where it overlooks that."""
        try:
            argocd_applications.read(self.scene.admin, self.site.ref, "normal", underway.PATIENCE, attempts=1)
        except Away:
            argocd_applications.read(self.scene.admin, self.site.ref, "hard")

    def sync(self, retries: int = 0) -> bool:
        """Ask for a sync to the newest commit as a person would; returns whether none was under way."""
        with contextlib.suppress(Busy):
            argocd_applications.sync(self.scene.admin, self.site.ref, SyncOrder(retries=retries))
            return True
        return False

    def until(self, done: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        self.scene.until(lambda: bool(done()), what)

    def told(self, text: str) -> bool:
        """Tell whether whoever watches was told something with these words."""
        return any(text in one for one in self.notes.texts)

    @property
    def hooks(self) -> list[str]:
        """Return the pods of hooks that run now."""
        pods = self.lab.select(self.namespace, "pods", f"job-name={APP}-migrate")
        return [one["metadata"]["name"] for one in pods if one["status"].get("phase") == "Running"]

    def end_hooks(self, code: int = 0) -> None:
        """Tell all hooks that run now to end."""
        for pod in self.hooks:
            ended = ("/probe", "get", f"http://127.0.0.1:8080/exit?code={code}")
            self.lab.kubectl("-n", self.namespace, "exec", pod, "--", *ended, check=False)

    def live(self, kind: str, name: str) -> Object:
        """Return an object of the cluster."""
        return self.lab.live(self.namespace, kind, name)

    @property
    def declared(self) -> str:
        """Return the version that the deploy repository declares."""
        return str(layout.declared(self.repository.view(self.repository.tip("main")), PLACE))

    def running(self, version: str) -> None:
        """Assert that the cluster runs a version and nothing else, and that Argo CD has seen it after its sync."""
        app = self.application
        operation, compared = states.operation(app), states.reconciled(app)
        pods = self.lab.select(self.namespace, "pods", f"app={APP}")
        images = {one["spec"]["containers"][0]["image"] for one in pods if "deletionTimestamp" not in one["metadata"]}
        assert (self.image, images) == (self.lab.image(version), {self.lab.image(version)})
        assert (states.sync_status(app), states.health(app)) == ("Synced", "Healthy")
        assert operation is None or operation.finished is None or (compared and compared > operation.finished)

    @property
    def image(self) -> str:
        """Return the image that its Deployment names now."""
        return str(self.live("deployments", APP)["spec"]["template"]["spec"]["containers"][0]["image"])


def declare(app: Delivered, version: str) -> str:
    """Commit what makes the deploy repository declare a version, as a deployment would; returns the commit."""
    release = app.release(version)
    plan = pull.plan(app.target, release, None)
    return pull.commit(app.target, release, plan, MESSAGE.format(f"{APP} {version}"))


def application(app: Mapping[str, str], remote: Path, *, automated: bool, **spec: Any) -> dict[str, Any]:
    """Return the app's Application; `app` says its name, project, the namespace it goes to, and its own (home)."""
    source = {"repoURL": f"file://{remote}", "path": PLACE, "targetRevision": "main", "helm": {"releaseName": APP}}
    policy: dict[str, Any] = {"automated": {"prune": True}} if automated else {}
    return {
        "metadata": {"name": app["name"], **({"namespace": app["home"]} if app.get("home") else {})},
        "spec": {
            "project": app["project"],
            **({} if "sources" in spec else {"source": source}),
            "destination": {"server": IN_CLUSTER, "namespace": app["namespace"]},
            **({"syncPolicy": policy} if policy else {}),
            **spec,
        },
    }


def prepared(
    scene: Scene,
    folder: Path,
    charts: str,
    *,
    automated: bool = False,
    role: str = "deployer",
    home: str = "",
    **spec: Any,
) -> Delivered:
    """Return an app with an Application of its own in a scene's project, delivered by whoever has a role there.

    `home` is the namespace that the Application lives in, `spec` is put over its own.
    """
    lab, name = scene.lab, f"{scene.project}-{APP}"
    [port] = node_ports.claim(lab)
    remote = bare(folder / "deploy.git", pushed.declared(charts, port))
    target = ArgoCdTarget(
        application=name,
        project=scene.project,
        namespace=scene.namespace,
        automated=automated,
        application_namespace=home or None,
    )
    settings = platform(
        f"file://{remote}",
        lab.loopback_registry,
        model="argocd",
        health_url=f"http://127.0.0.1:{port}",
        settle="1s",
        timeout="60s",
        argocd=target,
    )
    settings = replace(settings, argocd=ArgoCd(url=scene.argocd.url))
    names = {"name": name, "project": scene.project, "namespace": scene.namespace, "home": home}
    made = application(names, remote, automated=automated, **spec)
    argocd_settings.put_application(scene.admin, made, validate=False)
    environment = settings.environments["dev"]
    notes = Notes()
    where = Target(name="dev", environment=environment, platform=settings, url=environment.health_url, progress=notes)
    return Delivered(scene, scene.token(role).text, remote, where, charts, Outages(lab), notes)
