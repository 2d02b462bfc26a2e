"""Everything that the demo needs, in one folder: a registry, two Git repositories, an app, and the agent."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jenkins_cd.demo.services import Registry, free_port, leashed
from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process

HERE = Path(__file__).parent
APP = HERE / "storefront"
BAD_VERSION = HERE / "bad-version.patch"
ENVIRONMENTS = ("dev", "test", "staging")
PLATFORM = """\
# What the platform team says for all apps.
registry:
  images: {registry}/apps
  charts: oci://{registry}/charts
  plain_http: true
deploy_repository:
  url: file://{deploy}
  branch: main

environments:
  dev:
    model: flux
    after: ci
    tests: [smoke]
    health_url: {dev}
    timeout: {patience}
    settle: 1s
    on_failure: rollback
  test:
    model: flux
    after: dev
    tests: [smoke]
    health_url: {test}
    timeout: 60s
    settle: 1s
    on_failure: rollback
  staging:
    model: flux
    after: test
    promotion: manual
    approvers: [qa]
    health_url: {staging}
    timeout: 60s
    settle: 1s
    on_failure: rollback
"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """A demo that is up: its folder, and what a command needs to take part in it."""

    folder: Path
    env: Mapping[str, str]
    urls: Mapping[str, str]  # the app's base URL by environment
    registry: str  # 127.0.0.1:PORT

    @property
    def app(self) -> Path:
        """Return the app's checkout."""
        return self.folder / "storefront"

    @property
    def deploy(self) -> Path:
        """Return the bare deploy repository."""
        return self.folder / "repositories" / "deploy.git"

    @property
    def agent_log(self) -> Path:
        """Return what the agent tells."""
        return self.folder / "agent" / "agent.log"


@contextlib.contextmanager
def start(folder: Path, patience: str = "12s") -> Iterator[Site]:
    """Put everything into the empty `folder` and start it; at the end all programs are stopped, the files stay.

    `patience` is how long dev waits for a version to come up. Raises BadInput that lists every tool that is missing.
    """
    check_tools()
    with contextlib.ExitStack() as stack:
        registry = Registry.start(folder.resolve() / "registry")
        stack.callback(registry.stop)
        urls = {name: f"http://127.0.0.1:{free_port()}" for name in ENVIRONMENTS}
        site = lay_out(folder, registry.host, urls, PLATFORM.replace("{patience}", patience))
        agent = _agent(site)
        stack.callback(agent.stop)
        yield site


def lay_out(folder: Path, registry: str, urls: Mapping[str, str], platform: str) -> Site:
    """Put the platform file and both repositories into `folder`: what runs is somebody else's matter.

    In `platform` stand {registry}, {deploy} (the folder of the deploy repository) and the names of the environments.
    """
    folder = folder.resolve()
    env = _environment(folder)
    site = Site(folder=folder, env=env, urls=urls, registry=registry)
    _deploy_repository(site.deploy, env)
    text = platform.format(registry=registry, deploy=quote(str(site.deploy)), **urls)
    Path(env["JENKINS_CD_PLATFORM"]).write_text(text, encoding="utf-8")
    _app_repository(site)
    return site


def check_tools() -> None:
    """Raise BadInput with the command that installs it for each program that is not in PATH."""
    from jenkins_cd import toolchains
    from jenkins_cd.demo import services
    from jenkins_cd.tools import helm

    wanted = {name: tool.install for name, tool in toolchains.load("go").tools.items()}
    wanted |= {"git": "apt-get install git", "curl": "apt-get install curl", "helm": helm.INSTALL}
    wanted |= {services.PROGRAM: services.INSTALL}
    path = _path()
    problems = [
        f"{name} is missing: {install}" for name, install in wanted.items() if not shutil.which(name, path=path)
    ]
    if not any(shutil.which(name, path=path) for name in ("buildah", "podman", "docker")):
        problems.append("no image builder is there (buildah, podman or docker): apt-get install buildah")
    if problems:
        raise BadInput("the demo needs programs that are not in PATH", "make demo installs what it can", problems)


def _path() -> str:
    """Return PATH with the folder first in which this Python keeps its programs."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def _environment(folder: Path) -> dict[str, str]:
    """Return variables that keep a demo out of its user's settings, and other demos out of this one."""
    storage = folder / "storage.conf"
    storage.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/containers"\nrunroot = "{folder}/containers-run"\n',
        encoding="utf-8",
    )
    go_cache = process.run(["go", "env", "GOCACHE"]).require("ask Go for its cache").stdout.strip()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    return {
        **{name: "" for name in os.environ if name.startswith("JENKINS_CD_")},
        **people,
        "PATH": _path(),
        "JENKINS_CD_PLATFORM": str(folder / "platform.yaml"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "CONTAINERS_STORAGE_CONF": str(storage),
        # What is compiled once serves every demo.
        "GOCACHE": go_cache,
        "STATICCHECK_CACHE": os.environ.get("STATICCHECK_CACHE") or str(caches / "staticcheck"),
    }


_PERSON = {"NAME": "Demo", "EMAIL": "demo@example.invalid"}


def _deploy_repository(bare: Path, env: Mapping[str, str]) -> None:
    """Make a deploy repository whose branch main has no file yet."""
    bare.mkdir(parents=True)
    _git(bare, env, "init", "--quiet", "--bare", "--initial-branch=main")
    tree = process.run(["git", "mktree"], cwd=bare, env=env, stdin=b"").require("make an empty tree").stdout.strip()
    commit = _git(bare, env, "commit-tree", "-m", "Nothing runs anywhere yet", tree)
    _git(bare, env, "update-ref", "refs/heads/main", commit)


def _app_repository(site: Site) -> None:
    """Commit the example app and push it to a bare repository, as its first version."""
    bare = site.folder / "repositories" / "storefront.git"
    bare.mkdir(parents=True)
    _git(bare, site.env, "init", "--quiet", "--bare", "--initial-branch=main")
    # A checkout may have been built in: its results are no part of the app.
    shutil.copy2(BAD_VERSION, site.folder)
    shutil.copytree(APP, site.app, ignore=shutil.ignore_patterns("bin", "reports", ".jenkins-cd"))
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("remote", "add", "origin", bare.as_uri()),
        ("add", "--all"),
        ("commit", "--quiet", "--message=A storefront"),
        ("push", "--quiet", "--set-upstream", "origin", "main"),
    ):
        _git(site.app, site.env, *arguments)


def _agent(site: Site) -> process.Service:
    site.agent_log.parent.mkdir(parents=True, exist_ok=True)
    # It keeps mirrors of its own, as a cluster's controller would.
    env = {**site.env, "XDG_CACHE_HOME": str(site.agent_log.parent / "cache")}
    command = [sys.executable, "-m", "jenkins_cd.demo.agent", "--platform", site.env["JENKINS_CD_PLATFORM"]]
    command += ["--folder", str(site.agent_log.parent)]
    return process.serve(leashed(command, "TERM"), log=site.agent_log, env=env)


def _git(folder: Path, env: Mapping[str, str], *arguments: str) -> str:
    return process.run(["git", *arguments], cwd=folder, env=env).require("prepare a repository").stdout.strip()
