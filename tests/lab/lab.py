"""The lab as its users see it: where the servers are, who may do what, and a few things that every test does."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.tools import kubernetes, process
from jenkins_cd.tools.kubernetes import Cluster, Object
from jenkins_cd.tools.process import Completed
from tests.lab import gitserver, images, places, state
from tests.lab.argocd_server import ArgoCd
from tests.lab.site import Site

_POLL = 0.05
_PATIENCE = 60.0
_GROUPS = {"pods": "api/v1", "secrets": "api/v1", "deployments": "apis/apps/v1"}


@dataclass(frozen=True, kw_only=True)
class Git:
    """The Git servers. `passwords` are by name: the writer may do all, the reader may not push."""

    http: str  # http://ADDRESS:PORT
    ssh: str  # ssh://USER@ADDRESS:PORT
    folder: str
    passwords: Mapping[str, str]

    def create(self, name: str) -> Path:
        """Make an empty bare repository that both servers serve, and return its folder."""
        place = Path(self.folder) / "repositories" / f"{name}.git"
        process.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(place)]).require(
            "make a repository"
        )
        process.run(["git", "-C", str(place), "config", "http.receivepack", "true"]).require("let it be pushed to")
        return place

    def http_url(self, name: str) -> str:
        """Return a repository's URL, without a password."""
        return f"{self.http}/{name}.git"

    def ssh_url(self, name: str) -> str:
        """Return a repository's URL."""
        return f"{self.ssh}/{name}.git"

    def key(self, person: str = "writer") -> Path:
        """Return the file of a private key."""
        return Path(self.folder) / person

    @property
    def known_hosts(self) -> Path:
        """Return the file that knows the SSH server's key."""
        return Path(self.folder) / "known_hosts"

    def ssh_command(self, person: str = "writer") -> str:
        """Return what GIT_SSH_COMMAND is set to, so that Git uses this key and trusts this server alone."""
        options = ("IdentitiesOnly=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={self.known_hosts}")
        return f"ssh -F /dev/null -i {self.key(person)} " + " ".join(f"-o {option}" for option in options)


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A lab that runs."""

    kubeconfig: str  # the administrator's: for the tests themselves, never for what is tested
    server: str  # https://ADDRESS:PORT
    address: str  # what the machine and the pods reach alike
    registry: str  # ADDRESS:PORT: the same name for the machine, containerd and the pods; plain HTTP
    loopback_registry: str  # the same registry for tools that speak plain HTTP to loopback only
    digests: Mapping[str, str]  # of the lab's images, by name:tag
    git: Git
    argocd: ArgoCd | None = None  # none on a cluster that somebody else runs

    helm3 = places.BIN / "helm3"
    helm4 = places.BIN / "helm4"
    logs = state.LOGS

    @classmethod
    def of(cls, site: Site, kubeconfig: Path | None = None, registry: str = "") -> Lab:
        """Return the lab of a site where everything has come up, on a cluster and a registry of others where given."""
        place = gitserver.folder(site)
        git = Git(
            http=f"http://{site.host('git-http')}",
            ssh=f"ssh://root@{site.host('git-ssh')}",
            folder=str(place),
            passwords=json.loads((place / "passwords.json").read_text(encoding="utf-8")),
        )
        return cls(
            kubeconfig=str(kubeconfig or site.keys.admin),
            server=site.keys.server,
            address=site.address,
            registry=registry or site.registry,
            loopback_registry=registry or f"localhost:{site.ports['registry']}",
            digests=json.loads((site.folder / "images.json").read_text(encoding="utf-8")),
            git=git,
            argocd=None if kubeconfig else ArgoCd.of(site, places.BIN / "argocd"),
        )

    @classmethod
    def read(cls) -> Lab:
        """Return the lab of this machine."""
        document = state.read(state.LAB)
        argocd = document.get("argocd")
        parts = {"git": Git(**document["git"]), "argocd": ArgoCd(**argocd) if argocd else None}
        return cls(**{**document, **parts})

    def write(self) -> None:
        """Let everybody who waits for it have it."""
        state.write(state.LAB, asdict(self))

    def image(self, version: str = images.VERSIONS[0]) -> str:
        """Return the probe app's image of that version (1.0.0, 1.0.1, 2.0.0), by digest."""
        return f"{self.registry}/probe@{self.digests[f'probe:{version}']}"

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> Completed:
        """Run kubectl as the administrator. Raises ExternalFailure where it fails, unless `check` is false."""
        argv = [str(places.BIN / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        ended = process.run(argv, stdin=stdin.encode() if stdin else None, timeout=_PATIENCE * 2)
        return ended.require(f"kubectl {arguments[0]}") if check else ended

    def live(self, namespace: str, kind: str, name: str) -> Object:
        """Return an object as it stands in the cluster, without the cost of starting kubectl."""
        found = kubernetes.get(_administrator(self.kubeconfig), f"{_place(namespace, kind)}/{name}")
        assert found is not None, f"there is no {name} in the {kind} of {namespace}"
        return found

    def select(self, namespace: str, kind: str, labels: str) -> tuple[Object, ...]:
        """Return the objects with those labels (`name=value`, or a name alone)."""
        return kubernetes.list_(_administrator(self.kubeconfig), _place(namespace, kind), labelSelector=labels).items

    @contextlib.contextmanager
    def namespace(self, prefix: str = "test") -> Iterator[str]:
        """Yield a new namespace in which pods can start at once; at the end it is deleted, without waiting for it."""
        name = f"{prefix}-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        try:
            deadline = time.monotonic() + _PATIENCE
            while not self._usable(name):
                if time.monotonic() > deadline:
                    raise ExternalFailure(f"the controllers have not set up {name}", f"logs: {self.logs}")
                time.sleep(_POLL)
            yield name
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", check=False)

    def _usable(self, namespace: str) -> bool:
        wanted = ("serviceaccount/default", "configmap/kube-root-ca.crt")
        return self.kubectl("--namespace", namespace, "get", *wanted, check=False).exit_code == 0

    def restart(self, component: str) -> None:
        """Start a component (kube-apiserver, etcd, …) and those that need it again, and wait until all are ready."""
        self._ask(component, "restart")

    @contextlib.contextmanager
    def without(self, component: str) -> Iterator[None]:
        """Let a component be down for the length of a block. The lab is shared: others are without it too."""
        self._ask(component, "stop")
        try:
            yield
        finally:
            self._ask(component, "start")

    def _ask(self, component: str, word: str) -> None:
        known = sorted({file.stem for file in self.logs.glob("*.log")} - {"keeper", "inner"})
        if component not in known:
            raise BadInput(f"the lab has no {component}", f"it has {', '.join(known)}")
        file = state.REQUESTS / component
        aside = file.with_name(f".{component}")
        aside.write_text(word, encoding="utf-8")
        aside.replace(file)
        deadline = time.monotonic() + _PATIENCE
        while file.exists():
            if time.monotonic() > deadline or not state.keeper_lives():
                raise ExternalFailure(f"{component} did not {word}", f"logs: {self.logs}")
            time.sleep(_POLL)


@functools.cache
def _administrator(kubeconfig: str) -> Cluster:
    return Cluster.of(Path(kubeconfig))


def _place(namespace: str, kind: str) -> str:
    return f"/{_GROUPS[kind]}/namespaces/{namespace}/{kind}"
