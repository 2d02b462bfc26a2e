"""Which accounts the model `helm` needs, and where: one that deploys and one that reads, in each namespace."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from jenkins_cd import common_chart
from jenkins_cd.cluster import chart_kinds, rights
from jenkins_cd.cluster.chart_kinds import Kind
from jenkins_cd.cluster.rights import Object
from jenkins_cd.config.types import NAME, Environment, PlatformFile
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.free_text import FreeText
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.masking import excerpt
from jenkins_cd.suggest import nearest
from jenkins_cd.tools import helm, leftovers

ACCOUNT = "jenkins-cd"  # where an environment's `helm.service_account` is null, and for models that deploy without one
_LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: an environment (None: all of the model helm), a project (None: all that has released)."""

    environment: str | None = None
    project: str | None = None
    bootstrap: str | None = None  # NAMESPACE/NAME of the account whose credential Jenkins holds


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What is needed in one namespace, and whom it is for."""

    namespace: str
    context: str | None  # of the kubeconfig; None: its current one
    environments: tuple[str, ...]
    apps: tuple[str, ...]  # project/app; without any it is what the common chart needs
    objects: tuple[Object, ...]
    left_out: tuple[FreeText, ...]  # kinds that no account has rights to, and why


@dataclass(frozen=True, kw_only=True)
class Rbac:
    """All namespaces that were asked for."""

    grants: tuple[Grant, ...]
    schema: Literal["jenkins_cd/cluster/rbac/v1"] = "jenkins_cd/cluster/rbac/v1"


@dataclass
class _Place:
    """A namespace, as it is collected. Several apps, projects and environments may share one."""

    environments: set[str] = field(default_factory=set)
    apps: set[str] = field(default_factory=set)
    deployers: set[str] = field(default_factory=set)
    readers: set[str] = field(default_factory=set)
    kinds: set[Kind] = field(default_factory=set)


def render(platform: PlatformFile, wanted: Wanted, tell: Callable[[str], None]) -> Rbac:
    """Return the accounts and rights for what was released; `tell` gets a line for each chart that is fetched.

    An environment of another model gets the account that only reads, where it is asked for by name. Raises BadInput
    where an environment or a project is not known, and what Helm and the ledger raise.
    """
    _check(wanted)
    environments = _environments(platform, wanted.environment)
    places: dict[tuple[str, str], _Place] = {}
    for project, app, kinds in _apps(platform, wanted.project, tell):
        for name, environment in environments.items():
            key = environment.helm.context or "", _namespace(environment, name, project, app)
            _add(places.setdefault(key, _Place()), name, environment, f"{project}/{app}" if app else "", kinds(name))
    grants = [_grant(context, namespace, place, wanted) for (context, namespace), place in sorted(places.items())]
    return Rbac(grants=tuple(grants))


def _check(wanted: Wanted) -> None:
    if wanted.project and not re.fullmatch(NAME.pattern, wanted.project):
        raise BadInput(f"{excerpt(wanted.project, 100)!r} names no project: expected {NAME.expected}")
    if wanted.bootstrap and not re.fullmatch(rf"{_LABEL}/{_LABEL}(\.{_LABEL})*", wanted.bootstrap):
        raise BadInput(
            f"{excerpt(wanted.bootstrap, 100)!r} names no service account", "write NAMESPACE/NAME, as jenkins/agent"
        )


def _environments(platform: PlatformFile, only: str | None) -> Mapping[str, Environment]:
    there = platform.environments
    if only is None:
        found = {name: one for name, one in there.items() if one.model == "helm"}
        if not found:
            raise BadInput(
                "no environment has the model helm", "name one: --environment NAME gives its reading account"
            )
        return found
    if only not in there:
        raise BadInput(f"there is no environment {only!r}{nearest(only, there)}", f"there are: {', '.join(there)}")
    return {only: there[only]}


def _apps(
    platform: PlatformFile, project: str | None, tell: Callable[[str], None]
) -> Iterator[tuple[str, str, Callable[[str], set[Kind]]]]:
    """Yield project, name, and a function from an environment to the kinds of each app that has released.

    Without any it is the project alone, with the kinds of the common chart.
    """
    ledger = Ledger.open(platform)
    found = [(ledger.project(app) or "", app) for app in ledger.apps()]
    chosen = [(owner, app) for owner, app in found if project in (None, owner)]
    if not chosen and project is None:
        raise BadInput("no release was published yet", "name a project: it gets what the common chart needs")
    for owner, app in chosen:
        yield owner, app.rpartition("/")[2], functools.partial(_kinds, platform, ledger, tell, app)
    if not chosen and project is not None:
        kinds = chart_kinds.named(common_chart.FOLDER)
        yield project, "", lambda _environment: kinds


def _kinds(
    platform: PlatformFile, ledger: Ledger, tell: Callable[[str], None], app: str, environment: str
) -> set[Kind]:
    """Return the kinds of the newest release, and of the one that runs: what is not in the new one is deleted."""
    running = ledger.verified(app, environment)
    versions = {*ledger.versions(app)[:1], *([running.version] if running else [])}
    releases = [release for version in versions if (release := ledger.release(app, version))]
    plain_http = platform.registry.plain_http
    kinds: set[Kind] = set()
    for release in releases:
        chart = release.chart
        kinds |= _of_chart(chart.repository, chart.name, release.version, chart.content, plain_http, tell)
    return kinds


@functools.lru_cache(maxsize=256)
def _of_chart(
    repository: str, name: str, version: str, content: str, plain_http: bool, tell: Callable[[str], None]
) -> frozenset[Kind]:
    tell(f"fetching the chart {name} {version}")
    with leftovers.folder("chart") as folder:
        file = helm.pull(repository, name, version, folder, plain_http)
        if content and common_chart.sha256(file) != content:
            raise ExternalFailure(f"the chart {name} {version} in {repository} is not the one that was released")
        return frozenset(chart_kinds.of_chart(file, tell))


def _namespace(environment: Environment, name: str, project: str, app: str) -> str:
    pattern = environment.helm.namespace
    if not app and "{app}" in pattern:
        raise BadInput(
            f"the namespaces of {name} are named after apps ({pattern}), and {project} has released none",
            "run this again after the first release",
        )
    return pattern.format(app=app, project=project, environment=name)


def _add(place: _Place, name: str, environment: Environment, app: str, kinds: Iterable[Kind]) -> None:
    account = environment.helm.service_account
    place.environments.add(name)
    place.apps |= {app} if app else set()
    place.readers.add(rights.reader(account or ACCOUNT))
    place.deployers |= {account} if account and environment.model == "helm" else set()
    place.kinds |= set(kinds)


def _grant(context: str, namespace: str, place: _Place, wanted: Wanted) -> Grant:
    rules = {
        **{account: rights.deploying(place.kinds) for account in sorted(place.deployers)},
        **{account: rights.reading(place.kinds) for account in sorted(place.readers)},
    }
    made = [one for account, allowed in rules.items() for one in rights.objects(namespace, account, allowed)]
    made += rights.tokens(namespace, list(rules), wanted.bootstrap) if wanted.bootstrap else ()
    return Grant(
        namespace=namespace,
        context=context or None,
        environments=tuple(sorted(place.environments)),
        apps=tuple(sorted(place.apps)),
        objects=tuple(made),
        left_out=rights.left_out(place.kinds),
    )
