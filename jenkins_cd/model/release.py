"""What CI publishes once and every environment deploys unchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

# What a credential is for. The ledger is always in Git; the deploy repository may be missing.
Purpose = Literal["registry", "git", "deploy-repository", "cluster"]


@dataclass(frozen=True, kw_only=True)
class Image:
    """A container image: `digest` is the manifest's in the registry, `content` the image ID (digest of its config)."""

    repository: str
    digest: str = ""
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A Helm chart: `digest` is the OCI manifest's, `content` the SHA-256 of the packaged file."""

    name: str
    repository: str  # oci://host/path, without the name
    digest: str = ""
    content: str = ""


@dataclass(frozen=True, kw_only=True)
class Health:
    """Where an app says how it is, and which version it is: a path, and where in the JSON answer the version stands."""

    path: str = "/health"
    version: str = "$.version"


@dataclass(frozen=True, kw_only=True)
class Release:
    """What CI publishes once and every environment deploys unchanged."""

    app: str
    project: str
    version: str
    commit: str
    source: str  # the Git URL that has the commit
    chart: Chart
    image: Image | None = None
    health: Health = field(default_factory=Health)
    authors: tuple[str, ...] = ()  # who wrote and who committed the commit, each as `name <e-mail>`
    published: datetime | None = None
    published_by: str = ""
    build_url: str = ""
    schema: Literal["jenkins_cd/release/v1"] = "jenkins_cd/release/v1"


@dataclass(frozen=True, kw_only=True)
class PackageResult:
    """What the package stage made: not published yet, hence no digests of a registry."""

    builder: str  # docker, podman, buildah, or "" without an image
    image: Image | None
    image_tag: str  # the local name, repository:version
    chart: Chart
    chart_file: str  # relative to the checkout
