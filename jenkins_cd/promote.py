"""A version that is proven in one environment → the next: by a person (promote), or in a row (deliver)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from jenkins_cd.config.types import PlatformFile
from jenkins_cd.deploy import Done, Request, deploy
from jenkins_cd.errors import BadInput
from jenkins_cd.model import Progress


def automatic(platform: PlatformFile) -> list[str]:
    """Return the environments that releases are brought to in a row: from `ci` on, until a person must decide."""
    order: list[str] = []
    reached = {"ci"}
    while True:
        following = [
            name
            for name, environment in platform.environments.items()
            if name not in reached and environment.after in reached and environment.promotion == "automatic"
        ]
        if not following:
            return order
        order += following
        reached |= set(following)


def deliver(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Iterator[Done]:
    """Deploy to each automatic environment in turn; ends after the first in which the version does not hold.

    `request.environment` is not looked at. Raises BadInput where the platform file has no automatic environment.
    """
    names = automatic(platform)
    if not names:
        raise BadInput(
            "no environment is delivered to automatically",
            "give one `after: ci` and `promotion: automatic` in the platform file, or use jenkins-cd promote",
        )
    for name in names:
        done = deploy(platform, replace(request, environment=name), folder, progress)
        yield done
        if not done.verified:
            return


def promote(
    platform: PlatformFile, request: Request, folder: Path, progress: Progress, *, dry_run: bool = False
) -> Done:
    """Deploy as `deploy` does, with the approver named; who asks is the approver where nobody else is."""
    approver = request.approver if request.approver is not None else request.requested_by
    return deploy(platform, replace(request, approver=approver), folder, progress, dry_run=dry_run)
