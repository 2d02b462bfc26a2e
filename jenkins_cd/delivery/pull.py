"""What the models that pull have in common: somebody else applies what the deploy repository declares."""

from __future__ import annotations

from jenkins_cd.delivery import Target, changes, declaration, health
from jenkins_cd.model import Plan, Release


def plan(target: Target, release: Release, verified: str | None) -> Plan:
    """Return what would change; nothing is written.

    Raises BadInput where the result does not render or a file of the deploy repository lacks what must be set,
    ExternalFailure where the deploy repository or the registry cannot be reached.
    """
    wanted, plain_http = declaration.read(target, release), target.platform.registry.plain_http
    manifests = changes.of_manifests(wanted.before, wanted.after, release, plain_http) if wanted.changes else ""
    return Plan(
        environment=target.name,
        declared=wanted.version,
        running=health.observe(target.url, release.health).version,
        verified=verified,
        wanted=release.version,
        files=changes.of_files(wanted.before, wanted.after),
        manifests=manifests,
        base=wanted.base,
    )


def commit(target: Target, release: Release, plan: Plan, message: str) -> str:
    """Make the deploy repository declare the release and return the commit that does, which may be there already.

    What is pushed has rendered: as planned, or again where the app's files have changed since the plan.
    """
    plain_http = target.platform.registry.plain_http
    return declaration.commit(target, release, plan, message, lambda files: changes.render(files, release, plain_http))
