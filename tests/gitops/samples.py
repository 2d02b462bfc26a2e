"""Releases and deployments to record."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from jenkins_cd.config.types import DeployRepository, Environment, PlatformFile, Registry
from jenkins_cd.model import Approval, Chart, Deployment, Image, Release

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def platform(url: str, host: str = "registry.local", **environment: Any) -> PlatformFile:
    """Return a platform with one environment, dev, and its deploy repository at `url`."""
    wanted = {"model": "flux", "after": "ci", "health_url": "http://127.0.0.1:1", **environment}
    return PlatformFile(
        registry=Registry(images=f"{host}/apps", charts=f"oci://{host}/charts", plain_http=True),
        deploy_repository=DeployRepository(url=url),
        environments={"dev": Environment(**wanted)},
    )


def release(version: str = "1.4.0", host: str = "registry.local", **other: Any) -> Release:
    """Return a release of storefront."""
    wanted = {
        "app": "storefront",
        "project": "shop",
        "version": version,
        "commit": "5f" * 20,
        "source": "https://git.local/shop/storefront.git",
        "chart": Chart(name="storefront", repository=f"oci://{host}/charts", content="c" * 64),
        "image": Image(repository=f"{host}/apps/storefront", digest="sha256:" + "d" * 64, content="sha256:" + "e" * 64),
    }
    return Release(**{**wanted, **other})


def deployment(number: int, **other: Any) -> Deployment:
    """Return the `number`th deployment of storefront to dev."""
    started = BEGIN + timedelta(minutes=number)
    wanted = {
        "id": f"{started:%Y%m%dT%H%M%SZ}-{number:08x}",
        "app": "storefront",
        "project": "shop",
        "version": "1.4.0",
        "environment": "dev",
        "model": "flux",
        "kind": "deployment",
        "outcome": "verified",
        "reason": "it is up",
        "started": started,
        "seconds": 1.5,
        "requested_by": "jane",
    }
    return Deployment(**{**wanted, **other})


def approval(number: int, **other: Any) -> Approval:
    """Return the `number`th approval of storefront for prod."""
    at = BEGIN + timedelta(minutes=number)
    wanted = {
        "id": f"{at:%Y%m%dT%H%M%SZ}-{number:08x}",
        "app": "storefront",
        "project": "shop",
        "version": "1.4.0",
        "environment": "prod",
        "approver": "ops",
        "reason": "sprint 12",
        "at": at,
    }
    return Approval(**{**wanted, **other})
