"""What a deployment would change where an app runs, before it is done: each model as well as it can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.deploy import known_environment, resolve, unknown
from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.model import CHANGED_NOTHING, Progress


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What would change."""

    app: str
    environment: str
    model: str
    version: str | None  # that it is compared with; None: what is declared now, whatever that is
    text: str  # a unified diff by object; empty: nothing would
    notes: tuple[str, ...] = ()  # what it does not show
    source: str = ""  # the Git URL that the version's release comes from; empty: no version is compared
    commit: str = ""
    schema: str = "jenkins_cd/diff/v1"

    @property
    def exit_code(self) -> int:
        """Return 1 where something would change, else 0."""
        return 1 if self.text else 0


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to know; without a version it is about what is declared, or was deployed last."""

    platform: PlatformFile
    app: str
    environment: str
    version: str | None
    progress: Progress


def difference(question: Question) -> Difference:
    """Return what would change; nothing is written.

    Raises BadInput for a name that is not known and where nothing is declared, Refused where we may not look,
    ExternalFailure where a server is away.
    """
    model = known_environment(question.platform, question.environment).model
    text, notes = _MODELS.get(model, _planned)(question)
    release = Ledger.open(question.platform).release(question.app, question.version) if question.version else None
    return Difference(
        app=question.app,
        environment=question.environment,
        model=model,
        version=question.version,
        text=text,
        notes=notes,
        source=release.source if release else "",
        commit=release.commit if release else "",
    )


def _of_argocd(question: Question) -> tuple[str, tuple[str, ...]]:
    """Return what a sync would change on the live objects."""
    from jenkins_cd.argocd import app_diff, site

    if question.version:
        attempt = _attempt(question, question.version)
        return app_diff.of_release(attempt.target, attempt.release)
    ref = site.ref_of(
        question.environment,
        question.platform.environments[question.environment],
        _project(question),
        question.app.rpartition("/")[2],
    )
    return app_diff.of_declared(site.server_of(question.platform), ref)


def _planned(question: Question) -> tuple[str, tuple[str, ...]]:
    """Return what a plan shows of the manifests: against Helm's release, or as they are rendered before and after."""
    attempt = _attempt(question, question.version or _declared(question))
    return attempt.model.plan(attempt.target, attempt.release, None).manifests, ()


_MODELS: Mapping[str, Callable[[Question], tuple[str, tuple[str, ...]]]] = {"argocd": _of_argocd}


def _attempt(question: Question, version: str) -> Attempt:
    request = Request(app=question.app, version=version, environment=question.environment, requested_by="")
    return resolve(question.platform, request, Path(), question.progress)


def _declared(question: Question) -> str:
    """Return the version that the deploy repository declares; where there is none, that was deployed last."""
    settings, app = question.platform.deploy_repository, question.app.rpartition("/")[2]
    if settings is None:
        return _deployed(question, app)
    repository = Repository.open(settings.url)
    place = layout.folder(question.environment, _project(question), app)
    version = layout.declared(repository.view(repository.tip(settings.branch)), place)
    if version is None:
        what = f"{place}/Chart.yaml on {settings.branch} of {settings.url}"
        raise BadInput(f"nothing is declared of {app} in {question.environment}: there is no {what}", "give --version")
    return version


def _deployed(question: Question, app: str) -> str:
    ledger = Ledger.open(question.platform)
    recorded = ledger.deployments(f"{_project(question)}/{app}", question.environment)
    last = next((one for one in recorded if one.outcome not in CHANGED_NOTHING), None)
    if last is None:
        raise BadInput(f"nothing was deployed of {app} to {question.environment}", "give --version")
    return last.version


def _project(question: Question) -> str:
    ledger = Ledger.open(question.platform)
    project = ledger.project(question.app)
    if project is None:
        raise unknown(ledger, question.app, "")
    return project
