"""How an app is right now, as Argo CD sees it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from jenkins_cd.argocd import states
from jenkins_cd.errors import Interrupted, JenkinsCdError
from jenkins_cd.model import Release
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Absent

AT_ONCE = 8  # requests to the server


@dataclass(frozen=True, kw_only=True)
class Live:
    """One Application. `trouble` says why nothing is known, or what is under way."""

    sync: str = ""  # Synced, OutOfSync or Unknown
    health: str = ""
    revision: str = ""  # of the sources, a comma between them
    images: tuple[str, ...] = ()
    version: str | None = None  # None: no image is one of a release
    trouble: str = ""


def statuses(server: Server, refs: Iterable[Ref]) -> list[Live]:
    """Return how each Application is; one that cannot be asked is no failure of the others."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda ref: status(server, ref), refs))


def status(server: Server, ref: Ref) -> Live:
    """Return how an Application is. Raises Interrupted alone."""
    try:
        app = argocd_applications.read(server, ref)
    except Interrupted:
        raise
    except Absent:
        return Live(trouble=f"Argo CD has no Application {ref.name} in the project {ref.project}")
    except JenkinsCdError as error:
        return Live(trouble=error.message)
    operation, errors = states.operation(app), states.conditions(app, *states.UNREADY)
    busy = f"{operation.by} syncs it just now" if operation and operation.running else ""
    return Live(
        sync=states.sync_status(app),
        health=states.health(app),
        revision=", ".join(states.compared_revisions(app)),
        images=tuple((states.status(app).get("summary") or {}).get("images") or ()),
        trouble=errors[0] if errors else busy,
    )


def version(images: Iterable[str], releases: Iterable[Release]) -> str | None:
    """Return the version of the release whose image runs, by its digest or its tag; of a rollout all that run."""
    running = set(images)
    found = [one.version for one in releases if not running.isdisjoint(_references(one))]
    return ", ".join(found) or None


def _references(release: Release) -> set[str]:
    image = release.image
    if image is None:
        return set()
    tagged = f"{image.repository}:{release.version}"
    return {tagged, f"{image.repository}@{image.digest}", f"{tagged}@{image.digest}"}
