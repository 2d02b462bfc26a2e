"""One release to one environment: resolve → plan → policy → apply → verify → test → record, and back if it fails."""

from __future__ import annotations

import contextlib
import importlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.begun import left_behind
from jenkins_cd.config.types import Environment, PlatformFile
from jenkins_cd.delivery import DeliveryModel, Target, keeping
from jenkins_cd.delivery import load as load_model
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.model import Deployment, Plan, Progress, Release
from jenkins_cd.phases import allowed, already, begin, carry_out, planned
from jenkins_cd.suggest import nearest
from jenkins_cd.tools import lock


@dataclass(frozen=True, kw_only=True)
class Done:
    """What came of a request: the plan, what was recorded, and whether there was nothing to do."""

    plan: Plan
    deployments: tuple[Deployment, ...] = ()  # the attempt, and the rollback if there was one
    already: bool = False
    failure: str = ""  # what a step found to be wrong that leaves the verdict to the next one

    @property
    def verified(self) -> bool:
        """Tell whether the requested version runs and is verified."""
        return self.already or (self.attempted and self.deployments[0].outcome == "verified")

    @property
    def attempted(self) -> bool:
        """Tell whether anything was deployed: not by a dry run, and not where nothing was to do."""
        return bool(self.deployments)


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """What came of a command: one entry an environment."""

    done: tuple[Done, ...]
    schema: str = "jenkins_cd/deliveries/v1"


def deploy(
    platform: PlatformFile, request: Request, folder: Path, progress: Progress, *, dry_run: bool = False
) -> Done:
    """Bring a release to an environment and record the verdict. Running it again changes nothing and succeeds.

    Raises BadInput for an unknown app, version or environment, Refused where policy forbids it (nothing is changed
    then), ExternalFailure where a server fails. A version that does not come up is a result, not an error.
    """
    attempt = resolve(platform, request, folder, progress)
    with alone(attempt), keeping.block():
        verified = attempt.ledger.verified(request.app, request.environment)
        plan = planned(attempt, verified)
        if already(attempt, plan):
            return Done(plan=plan, already=True)
        if dry_run:
            attempt.model.rehearse(attempt.target, attempt.release)
            return Done(plan=plan)
        attempt = begin(allowed(attempt), plan)
        with left_behind(attempt):
            return Done(plan=plan, deployments=carry_out(attempt, plan, verified))


def resolve(platform: PlatformFile, request: Request, folder: Path, progress: Progress) -> Attempt:
    """Return the release that is asked for and the place it goes to.

    Raises BadInput with the nearest valid names, and Refused where the release is not from its app's own source.
    """
    environment = known_environment(platform, request.environment)
    ledger = Ledger.open(platform)
    with ThreadPoolExecutor(1) as beside:  # while Git is at work
        loaded = beside.submit(_load, environment.model)
        release = ledger.release(request.app, request.version)
    if release is None:
        raise unknown(ledger, request.app, request.version)
    ledger.check_source(release)
    target = target_of(platform, request.environment, release, progress)
    return Attempt(request=request, release=release, target=target, model=loaded.result(), ledger=ledger, folder=folder)


def target_of(platform: PlatformFile, name: str, release: Release, progress: Progress) -> Target:
    """Return the place that a release goes to. Raises BadInput where there is no environment of that name."""
    environment = known_environment(platform, name)
    names = {"app": release.app, "project": release.project, "environment": name}
    return Target(
        name=name,
        environment=environment,
        platform=platform,
        url=environment.health_url.format(**names).rstrip("/"),
        progress=progress,
    )


def _load(name: str) -> DeliveryModel:
    """Import a model, and what each of them needs to look at the app."""
    model = load_model(name)
    for library in ("requests", "tenacity"):
        importlib.import_module(library)
    return model


def known_environment(platform: PlatformFile, name: str) -> Environment:
    """Return an environment of the platform file. Raises BadInput with the nearest valid names."""
    environment = platform.environments.get(name)
    if environment is None:
        raise BadInput(
            f"there is no environment {name!r}{nearest(name, platform.environments)}",
            f"the environments are {', '.join(platform.environments)}",
        )
    return environment


def unknown(ledger: Ledger, app: str, version: str) -> BadInput:
    """Return the error for a release that the ledger does not have, with the nearest that it has."""
    if app not in ledger.apps():
        known = ", ".join(ledger.apps()) or "none yet"
        return BadInput(f"no release of {app!r} was published{nearest(app, ledger.apps())}", f"published apps: {known}")
    versions = ledger.versions(app)
    return BadInput(
        f"{app} {version} was never published{nearest(version, versions)}",
        f"the newest versions are {', '.join(versions[:5])}; jenkins-cd history --app {app} shows more",
    )


def alone(attempt: Attempt) -> contextlib.AbstractContextManager[None]:
    """Hold off other deployments of the same app to the same environment on this machine."""
    release, progress = attempt.release, attempt.target.progress
    file = lock.cache_folder() / "locks" / f"{attempt.target.name}.{release.project}.{release.app}.lock"
    return lock.held(file, lambda holder: progress.note("plan", f"waiting for another deployment: {holder}"))
