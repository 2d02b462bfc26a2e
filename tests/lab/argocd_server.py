"""Argo CD as its users see it: https://argo-cd.readthedocs.io/en/release-3.2/developer-guide/api-docs/."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.lab.site import Site

NAMESPACE = "argocd"
APPLICATIONS = "argocd-apps-*"  # other namespaces that may have applications, and what makes them
PASSWORD = "argocd.password"


@dataclass(frozen=True, kw_only=True)
class ArgoCd:
    """The server of a lab that runs."""

    url: str  # http://127.0.0.1:PORT
    password: str  # of admin
    namespace: str  # of its settings, projects and repositories; applications may be in others: APPLICATIONS
    program: str  # the path of its CLI
    metrics: str = ""  # the URL of the server's metrics
    application_sets: str = ""  # other namespaces that may have ApplicationSets

    @classmethod
    def of(cls, site: Site, program: Path) -> ArgoCd:
        """Return the server of a site where it has come up."""
        return cls(
            url=f"http://{site.local('argocd-server')}",
            password=(site.folder / PASSWORD).read_text(encoding="ascii"),
            namespace=NAMESPACE,
            program=str(program),
            metrics=f"http://{site.local('argocd-server-metrics')}/metrics",
            application_sets=APPLICATIONS,
        )

    @property
    def login(self) -> list[str]:
        """Return the command that logs the CLI in; `--config FILE` keeps that out of the home folder."""
        host = self.url.removeprefix("http://")
        return [self.program, "login", host, "--plaintext", "--username", "admin", "--password", self.password]

    def session(self) -> str:
        """Return a new token of admin, for the header `Authorization: Bearer`. Raises ExternalFailure."""
        from jenkins_cd.tools import http

        body = {"username": "admin", "password": self.password}
        return str(http.request("POST", f"{self.url}/api/v1/session", json=body, expect=(200,)).json()["token"])
