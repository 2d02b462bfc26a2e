"""Where Argo CD delivers an app: the server, the Application, and the rules of the environment."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from jenkins_cd.config.types import ArgoCdTarget, Environment, PlatformFile
from jenkins_cd.delivery import Target
from jenkins_cd.errors import BadInput
from jenkins_cd.model import Release
from jenkins_cd.tools import argocd, argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_credentials import TOKEN, USERNAME


@dataclass(frozen=True, kw_only=True)
class Site:
    """One app's Application in one environment."""

    target: Target
    release: Release
    server: Server
    ref: Ref

    @property
    def rules(self) -> ArgoCdTarget:
        """Return what the platform file says of this environment."""
        return self.target.environment.argocd

    @property
    def made_later(self) -> bool:
        """Tell whether an ApplicationSet makes the Application, some time after the app is in the deploy repository."""
        return self.target.platform.argocd.generate == "applicationset"

    @property
    def resources(self) -> tuple[str, ...]:
        """Return the only resources that are synced; none: all."""
        names = {"app": self.release.app, "project": self.release.project, "environment": self.target.name}
        return tuple(one.format(**names) for one in self.rules.resources)

    @property
    def page(self) -> str:
        """Return the address of the Application's page."""
        return argocd_applications.page(self.target.platform.argocd.url or "", self.ref)


def opened(target: Target, release: Release) -> Site:
    """Return where a release goes. Nothing is asked yet; raises BadInput where no server or credential is named."""
    ref = ref_of(target.name, target.environment, release.project, release.app)
    return Site(target=target, release=release, server=server_of(target.platform), ref=ref)


def ref_of(name: str, environment: Environment, project: str, app: str) -> Ref:
    """Return the name of an app's Application in the environment `name`."""
    rules, names = environment.argocd, {"app": app, "project": project, "environment": name}
    return Ref(
        name=rules.application.format(**names),
        project=rules.project.format(**names),
        namespace=rules.application_namespace or "",
    )


def server_of(platform: PlatformFile) -> Server:
    """Return the server, one for the whole run. Raises BadInput where it or a credential is not named."""
    url = platform.argocd.url
    if not url:
        raise BadInput("the platform file does not say where Argo CD is", "set argocd.url in it")
    return _connected(url, *(os.environ.get(name, "") for name in (TOKEN, f"{TOKEN}_FILE", USERNAME)))


@functools.cache
def _connected(url: str, *_given: str) -> Server:
    """Return the server for whoever the environment names: a file is read again where its token has expired."""
    return argocd.connect(url, argocd.credentials())
