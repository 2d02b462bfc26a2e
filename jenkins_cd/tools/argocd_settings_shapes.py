"""What an Argo CD server promises of what it is set up with, as far as it is read here: see argocd_shapes.py."""

from __future__ import annotations

from typing import Any, TypedDict

from jenkins_cd.tools.argocd_shapes import Number
from jenkins_cd.tools.kubernetes_objects import Kinded


class _Token(TypedDict):
    iat: Number


class Token(_Token, total=False):
    """A token of a role, without its text."""

    exp: Number | None
    id: str | None


class _Role(TypedDict):
    name: str


class Role(_Role, total=False):
    """A role of a project."""

    jwtTokens: list[Token] | None


class _Tokens(TypedDict, total=False):
    items: list[Token] | None


class _ProjectSpec(TypedDict, total=False):
    roles: list[Role] | None


class _ProjectStatus(TypedDict, total=False):
    jwtTokensByRole: dict[str, _Tokens] | None


class Project(Kinded, total=False):
    """An AppProject."""

    spec: _ProjectSpec | None
    status: _ProjectStatus | None


class Projects(TypedDict):
    """A list of AppProjects."""

    items: list[Project] | None


class _Set(Kinded, total=False):
    spec: dict[str, Any] | None


class ApplicationSets(TypedDict):
    """A list of ApplicationSets."""

    items: list[_Set] | None


class _Server(TypedDict):
    server: str


class Cluster(_Server, total=False):
    """A registered cluster."""

    name: str | None
    namespaces: list[str] | None


class Clusters(TypedDict):
    """A list of clusters."""

    items: list[Cluster] | None


class _Repository(TypedDict, total=False):
    repo: str | None
    url: str | None


class Repositories(TypedDict):
    """A list of repositories, or of templates of credentials."""

    items: list[_Repository] | None
