"""The model `argocd`: commit what is wanted, ask Argo CD to sync it, follow that to a verdict that no race can fool.

Nothing here needs an account in the cluster: everything goes through Argo CD's API, with a token of one project.
"""

from __future__ import annotations

from datetime import datetime, timezone

from jenkins_cd.argocd import course, states
from jenkins_cd.argocd import site as sites
from jenkins_cd.argocd.revisions import RUN, Wish
from jenkins_cd.argocd.site import Site
from jenkins_cd.argocd.states import Object
from jenkins_cd.delivery import Followed, Target, declaration, health, pull
from jenkins_cd.errors import BadInput, JenkinsCdError, Refused
from jenkins_cd.model import Plan, Release
from jenkins_cd.tools import argocd as client
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd_failures import Absent

RESUMABLE = True


def plan(target: Target, release: Release, verified: str | None) -> Plan:
    """Return what would change; nothing is written, and Argo CD is not asked to do anything.

    Raises BadInput where there is no such Application or the result does not render, Refused where we may not look,
    ExternalFailure where the deploy repository, the registry or Argo CD cannot be reached.
    """
    site = sites.opened(target, release)
    app = _application(site)
    later = f"its ApplicationSet makes {site.ref.name} once it is committed"
    site.target.tell("plan", f"now: {_described(app)}" if app else later)
    return pull.plan(target, release, verified)


def rehearse(target: Target, release: Release) -> None:
    """Ask whether a sync would be taken now. Raises Refused where a window is closed or we may not."""
    _check(sites.opened(target, release))


def apply(target: Target, release: Release, plan: Plan, message: str) -> str:
    """Make the deploy repository declare the release, and ask Argo CD to sync it; returns the commit.

    Whether a sync will be taken is asked first: nothing is committed where a window is closed or a right is missing.
    """
    site = sites.opened(target, release)
    if plan.changes:  # else it is committed already, and `follow` says what becomes of it
        _check(site)
    commit = pull.commit(target, release, plan, message)
    course.begin(site, _wish(target, release, commit))
    return commit


def follow(target: Target, release: Release, commit: str) -> Followed:
    """Follow the sync, every resource and the app's own answer, until the verdict is certain or time runs out."""
    return course.follow(sites.opened(target, release), _wish(target, release, commit))


def diagnose(target: Target, release: Release, followed: Followed) -> str:
    """Return what Argo CD knows of what went wrong, the cause first, for people."""
    from jenkins_cd.argocd import evidence

    lines = health.last_look(followed.observation)
    try:
        site = sites.opened(target, release)
        lines.append(evidence.text(evidence.gather(site.server, site.ref, page=site.page)))
    except JenkinsCdError as error:  # what is known already must be recorded
        lines.append(f"no evidence from Argo CD: {error.message}")
    return "\n".join(lines)


def withdraw(target: Target, release: Release) -> str:  # noqa: ARG001
    """Do nothing: what is declared stays declared."""
    return ""


def _check(site: Site) -> None:
    """Raise Refused where a sync would not be taken now: a closed window, a missing right."""
    if site.made_later and _application(site) is None:
        return  # nobody can tell yet
    allowed = argocd_applications.windows(site.server, site.ref)
    if not allowed.can_sync:
        from jenkins_cd.argocd import windows

        raise Refused(
            f"{site.ref.name}: {windows.describe(allowed, datetime.now(timezone.utc))}",
            "deploy when it is open again, or change the window: environments.<name>.freeze and argocd.windows",
        )
    if not client.may(site.server, "applications", "sync", site.ref.rbac):
        who = client.user(site.server)
        raise Refused(
            f"{who} may not sync {site.ref.rbac}: it lacks the right `applications, sync`",
            f"p, proj:{site.ref.project}:ci, applications, sync, {site.ref.rbac}, allow",
        )


def _application(site: Site) -> Object | None:
    """Return the Application; None where an ApplicationSet will make it."""
    try:
        return argocd_applications.read(site.server, site.ref)
    except Absent as error:
        if site.made_later:
            return None
        raise BadInput(
            f"Argo CD has no Application {site.ref.name} in the project {site.ref.project}",
            f"jenkins-cd render argocd --project {site.release.project} --apply makes it, by who may set up Argo CD",
        ) from error


def _described(app: Object) -> str:
    """Return in one line how an Application is."""
    revisions = ", ".join(one[:12] for one in states.compared_revisions(app)) or "no commit yet"
    return f"{app['metadata']['name']} is {states.sync_status(app)} and {states.health(app)} at {revisions}"


def _wish(target: Target, release: Release, commit: str) -> Wish:
    return Wish(
        repository=declaration.repository_of(target),
        branch=declaration.branch_of(target),
        place=declaration.place_of(target, release),
        commit=commit,
        run=target.attempt or RUN,
    )
