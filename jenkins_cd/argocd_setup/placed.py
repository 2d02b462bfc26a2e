"""Which apps Argo CD delivers where, and the names that all of that has there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jenkins_cd.config.argocd import API_SERVER, OWN_CLUSTER
from jenkins_cd.config.types import NAME, ArgoCd, Environment, PlatformFile
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.masking import excerpt
from jenkins_cd.suggest import nearest

ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An app in an environment of the model argocd. The app `*` is any: of a project whose apps are not known yet."""

    environment: str
    rules: Environment
    project: str
    app: str

    @property
    def application(self) -> str:
        """Return the Application's name."""
        return self.filled(self.rules.argocd.application)

    @property
    def owner(self) -> str:
        """Return the AppProject's name. Raises BadInput where it depends on an app that is not known yet."""
        name = self.filled(self.rules.argocd.project)
        if ANY in name:
            raise BadInput(
                f"the AppProjects of {self.environment} are named after apps ({self.rules.argocd.project}), and "
                f"{self.project} has released none",
                "run this again after the first release",
            )
        return name

    @property
    def namespace(self) -> str:
        """Return the namespace that the app goes to."""
        return self.filled(self.rules.argocd.namespace)

    @property
    def folder(self) -> str:
        """Return the app's folder in the deploy repository."""
        return layout.folder(self.environment, self.project, self.app)

    def filled(self, pattern: str) -> str:
        """Return a pattern with the names of app, project and environment in it."""
        return pattern.format(app=self.app, project=self.project, environment=self.environment)


def everything(platform: PlatformFile, project: str | None) -> tuple[Placed, ...]:
    """Return all apps that were released, in each environment of the model argocd, in order.

    `project` need not have released yet. Raises BadInput where there is no such environment, or nothing to place.
    """
    if project and not re.fullmatch(NAME.pattern, project):
        raise BadInput(f"{excerpt(project, 100)!r} names no project: expected {NAME.expected}")
    environments = of_model(platform)
    if not environments:
        raise BadInput("no environment has the model argocd", "set `model: argocd` where Argo CD is to deliver")
    ledger = Ledger.open(platform)
    apps = [(ledger.project(name) or "", name.rpartition("/")[2]) for name in ledger.apps()]
    if project and project not in [owner for owner, _ in apps]:
        apps.append((project, ANY))
    if not apps:
        raise BadInput("no release was published yet", "--project NAME gives that project's AppProject already now")
    return tuple(
        Placed(environment=name, rules=rules, project=owner, app=app)
        for name, rules in environments.items()
        for owner, app in sorted(apps)
    )


def of_model(platform: PlatformFile) -> Mapping[str, Environment]:
    """Return the environments that Argo CD delivers to, by name."""
    return {name: one for name, one in platform.environments.items() if one.model == "argocd"}


def check_environment(platform: PlatformFile, name: str) -> None:
    """Raise BadInput unless `name` is an environment that Argo CD delivers to."""
    there = platform.environments
    if name not in there:
        raise BadInput(f"there is no environment {name!r}{nearest(name, there)}", f"there are: {', '.join(there)}")
    if there[name].model != "argocd":
        raise BadInput(
            f"{name} has the model {there[name].model}, not argocd",
            f"those of the model argocd: {', '.join(of_model(platform)) or 'none'}",
        )


def address(settings: ArgoCd, cluster: str) -> str:
    """Return the API server of a cluster that the platform file names."""
    return API_SERVER if cluster == OWN_CLUSTER else settings.clusters[cluster].server.rstrip("/")


def repository(platform: PlatformFile) -> str:
    """Return the deploy repository's URL as Argo CD reaches it: a folder of the machine needs a scheme there."""
    url = platform.argocd.repository_url or platform.declared_in.url
    return f"file://{url}" if url.startswith("/") else url
