"""All that Argo CD is to be set up with: rendered from the platform file, the ledger and the deploy repository."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from jenkins_cd.argocd_setup import applications, clusters, placed, projects
from jenkins_cd.argocd_setup.placed import ANY, Placed
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.tools.yaml_writer import dump

_HOW = f"keeps what is in it where it is applied with: {clusters.APPLIED}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An object, and what people should know of it."""

    object: dict[str, Any]
    notes: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return its kind."""
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        """Return its name."""
        return str(self.object["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Return the namespace that it lives in."""
        return str(self.object["metadata"]["namespace"])

    @property
    def title(self) -> str:
        """Return what it is called in messages."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What Argo CD is to have, in the order in which it needs it."""

    entries: tuple[Entry, ...]
    clusters: tuple[str, ...]  # those that must be registered, by whomever
    whole: bool  # nothing was left out
    schema: Literal["jenkins_cd/argocd/setup/v1"] = "jenkins_cd/argocd/setup/v1"


def render(platform: PlatformFile, project: str | None, environment: str | None, now: datetime) -> Setup:
    """Return what there has to be, for all, or for one project or environment.

    An AppProject is whole all the same: it holds for all its environments. Raises BadInput for a name that is not
    known and for two Applications of one name, and what the ledger and the deploy repository raise.
    """
    if environment:
        placed.check_environment(platform, environment)
    everything = placed.everything(platform, project)
    wanted = [one for one in everything if project in (None, one.project) and environment in (None, one.environment)]
    owners = dict.fromkeys(one.owner for one in wanted)
    entries = [
        *_secrets(platform, everything, wanted),
        *(_project(platform, [one for one in everything if one.owner == owner], now) for owner in owners),
        *_applications(platform, wanted),
    ]
    _distinct(entries)
    used = clusters.used(platform.argocd, wanted)
    return Setup(entries=tuple(entries), clusters=tuple(used), whole=not (project or environment))


def text(setup: Setup) -> str:
    """Return the objects as YAML that kubectl takes, with what people should know in comments."""
    return "".join(_document(one, dump(one.object)) for one in setup.entries)


def _document(entry: Entry, text: str) -> str:
    return "---\n" + "".join(f"# {note}\n" for note in entry.notes) + text


def _secrets(platform: PlatformFile, everything: Sequence[Placed], wanted: Sequence[Placed]) -> Iterator[Entry]:
    """Yield the Secrets that a secret manager fills."""
    credential = clusters.credential(platform)
    if credential:
        yield Entry(
            object=credential, notes=("username and password, or sshPrivateKey: from your secret manager", _HOW)
        )
    for name, cluster in clusters.used(platform.argocd, wanted).items():
        if cluster.credential:
            given = clusters.namespaces(name, cluster, everything)
            found = clusters.secret(name, cluster, given, platform.argocd.namespace)
            yield Entry(
                object=found, notes=(f"the cluster {name}; `config` in it comes from your secret manager", _HOW)
            )


def _project(platform: PlatformFile, members: Sequence[Placed], now: datetime) -> Entry:
    found, notes = projects.project(platform, members, now)
    return Entry(object=found, notes=notes)


def _applications(platform: PlatformFile, wanted: Sequence[Placed]) -> Iterator[Entry]:
    beside = _beside(platform)
    if platform.argocd.generate == "applications":
        for one in wanted:
            if one.app != ANY:
                yield Entry(object=applications.application(platform, one, beside([one])))
        return
    for place in dict.fromkeys((one.environment, one.project) for one in wanted):
        mine = [one for one in wanted if (one.environment, one.project) == place]
        note = f"makes the Applications of {', '.join(one.app for one in mine)}, and of each folder that is added"
        yield Entry(object=applications.application_set(platform, mine[0], beside(mine)), notes=(note,))


def _beside(platform: PlatformFile) -> Callable[[Sequence[Placed]], set[str]]:
    """Return a function that tells what apps are made from besides their own folders."""

    @functools.cache
    def view() -> View:
        repository = Repository.open(platform.declared_in.url)
        return repository.view(repository.tip(platform.declared_in.branch))

    def found(apps: Sequence[Placed]) -> set[str]:
        known = [applications.beside(view(), one) for one in apps if one.app != ANY]
        return {*platform.argocd.shared_paths, *(path for paths in known for path in paths)}

    return found


def _distinct(entries: Sequence[Entry]) -> None:
    """Raise BadInput where two objects have one name."""
    seen: set[tuple[str, str, str]] = set()
    for one in entries:
        key = one.kind, one.namespace, one.name
        if key in seen:
            raise BadInput(
                f"there would be two {one.title} in {one.namespace}",
                "let environments.<name>.argocd.application have {app}, {project} and {environment} in it",
            )
        seen.add(key)
