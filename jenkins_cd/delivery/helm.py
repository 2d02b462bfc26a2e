"""The model `helm`: commit what is wanted, then push it to the cluster with `helm upgrade --install`.

Without a deploy repository there is nothing to commit: the release's chart has the values of each environment.

Helm itself waits for hooks alone; `follow` watches what it has applied. An access is opened once a process.
Hooks and CustomResourceDefinitions are Helm's: hooks run when it runs them, and those after an upgrade do not wait
until everything is up; what stands in `crds/` is made by the first installation, and never changed or removed.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from jenkins_cd.delivery import (
    Followed,
    Target,
    changes,
    declaration,
    health,
    helm_site,
    helm_work,
    manifests,
    pending,
    rehearsal,
)
from jenkins_cd.delivery.helm_site import Site
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.model import Plan, Release
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import Installed

RESUMABLE = False  # Helm is ours: the next deployment finishes what a killed one has begun
LEAST = 10.0  # seconds that the health endpoint is given where the pods took all the time
GLANCE = 3.0  # seconds in which a failed hook is looked for
STOPPED = ("context canceled", "cancelled")


def plan(target: Target, release: Release, verified: str | None) -> Plan:
    """Return what would change, as the cluster would render it; nothing is written.

    Raises BadInput where the chart does not render, Refused where it carries what the platform file does not allow, or
    we may not look, ExternalFailure where the deploy repository, the registry or the cluster cannot be reached.
    """
    with ThreadPoolExecutor(4) as beside:  # what does not wait for one another
        beside.submit(helm_release.major)
        declared = beside.submit(declaration.read, target, release)
        running = beside.submit(health.observe, target.url, release.health)
        with helm_site.opened(target, release) as site:
            looked = beside.submit(site.look)
            wanted = declared.result()
            with site.chart(wanted.after) as chart:
                rendered, crds = site.rendered(chart, to_look_at=True), helm_release.crds(chart)
            now = site.seen(*looked.result())
            if now and now.pending:
                site.target.tell("plan", f"the release {site.place.name} is {pending.held(now)}")
            site.target.tell("plan", f"now: {_described(site, now)}")
            if wanted.note:
                site.target.tell("plan", wanted.note)
            wanted = declaration.against(target, release, wanted, now.version if now else None)
            difference = manifests.diff(now, rendered)
            head = "".join(f"# {line}\n" for line in _head(site, now, wanted.note, rendered.hooks, crds))
    return Plan(
        environment=target.name,
        declared=wanted.version,
        running=running.result().version,
        verified=verified,
        wanted=release.version,
        files=changes.of_files(wanted.before, wanted.after),
        manifests=head + difference if difference else "",
        base=wanted.base,
        files_of=declaration.named(target),
    )


def apply(target: Target, release: Release, plan: Plan, message: str) -> str:
    """Commit the release to the deploy repository, push that to the cluster, and return the commit.

    Where the version that was verified last is wanted back and is a revision as it was, Helm puts that revision back.
    Nothing is done where the cluster has it already. A hook that fails is for `follow` to tell.
    """
    with helm_site.opened(target, release) as site:
        commit = declaration.commit(target, release, plan, message, site.check)
        with site.chart(declaration.files(target, release, commit)) as chart:
            helm_work.bring(site, helm_work.Order(chart=chart, plan=plan, commit=commit, message=message))
    return commit


def follow(target: Target, release: Release, commit: str) -> Followed:
    """Watch what was applied until it is up or will not be, then the health endpoint as every model does."""
    from jenkins_cd.cluster import rollout

    with helm_site.opened(target, release) as site:
        deadline = time.monotonic() + site.target.timeout
        now = _settled(site, deadline)
        if now is None or now.status != "deployed" or now.version != release.version:
            return _otherwise(site, now)
        verdict = rollout.follow(
            site.access.cluster,
            site.place.namespace,
            manifests.objects(now.manifest),
            deadline,
            lambda text: site.target.tell("verify", text),
            {release.image.repository: release.image.digest} if release.image else {},
        )
    if not verdict.ready:
        other = declaration.other_wish(target, release, commit)
        reason = declaration.superseded(target, other) if other else verdict.reason
        return Followed(reached=False, superseded_by=other, observation=None, reason=reason)
    target.tell("verify", verdict.reason)
    return _healthy(target, release, commit, deadline)


def diagnose(target: Target, release: Release, followed: Followed) -> str:
    """Return what was seen last, what the cluster says of it, and where to look, for people."""
    from jenkins_cd.cluster import evidence

    lines = health.last_look(followed.observation)
    try:
        with helm_site.opened(target, release) as site:
            now = site.status()
            lines.append(f"release: {_described(site, now)}")
            if now:
                objects = [*manifests.of(now), *_hooks_of_the_way_back(site, now)]
                told = list({manifests.name(one): one for one in objects}.values())
                lines.append(evidence.diagnose(site.access.cluster, site.place.namespace, told))
            lines.append(f"history: helm -n {site.place.namespace} history {site.place.name}")
    except JenkinsCdError as error:  # what is known already must be recorded
        lines.append(f"no evidence from the cluster: {error.message}")
    return "\n".join(line for line in lines if line)


def withdraw(target: Target, release: Release) -> str:
    """Uninstall a first installation that failed, where the platform file wants that; returns what was done, or "".

    To be asked where no version was verified there before: what ran is never taken away. Where that fails, it is said.
    """
    if not target.environment.helm.uninstall_failed_first:
        return ""
    try:
        with helm_site.opened(target, release) as site:
            revisions = helm_release.history(site.place)
            if not revisions or any(one.status in ("deployed", "superseded") for one in revisions[1:]):
                return ""
            helm_release.uninstall(site.place, site.target.timeout)
    except JenkinsCdError as error:  # the failure before it must be recorded
        return f"the first installation of {release.app} could not be uninstalled: {error.message}"
    return f"the first installation of {release.app} failed and was uninstalled from {site.place.namespace}"


def rehearse(target: Target, release: Release) -> None:
    """Send every object of a release through the server's dry run: schemas, admission, quotas and rights speak.

    Raises BadInput with all that the server has against them, Refused where we may not.
    """
    wanted = declaration.read(target, release)
    with helm_site.opened(target, release) as site, site.chart(wanted.after) as chart:
        rehearsal.run(site, site.rendered(chart))


def _settled(site: Site, deadline: float) -> Installed | None:
    """Return the release once nobody works on it, or as it is at the deadline."""
    while (now := site.status()) and now.pending and time.monotonic() < deadline:
        site.target.tell("verify", f"the release {site.place.name} is {pending.held(now)}")
        process.pause(pending.LOOK)
    return now


def _otherwise(site: Site, now: Installed | None) -> Followed:
    """Return the verdict on a release that is not deployed, or is another one."""
    other, wanted = "", site.release.version
    if now is None:
        reason = f"there is no release {site.place.name} in {site.place.namespace} any more"
    elif now.version != wanted:
        other, reason = now.version, f"superseded: {now.version} was deployed meanwhile, as revision {now.revision}"
    elif now.pending:
        reason = f"the release {site.place.name} is {pending.held(now)}"
    else:
        reason = f"{wanted} failed as revision {now.revision}: {_why(site, now)}"
    return Followed(reached=False, superseded_by=other, observation=None, reason=reason)


def _hooks_of_the_way_back(site: Site, now: Installed) -> list[dict[str, Any]]:
    """Return the hooks of a rollback that one of them has ended: the release was freed as another revision then."""
    before = next((one for one in helm_release.history(site.place) if one.revision < now.revision), None)
    found = helm_release.status(site.place, before.revision) if before and before.status == "pending-rollback" else None
    return manifests.objects(*found.hooks) if found else []


def _why(site: Site, now: Installed) -> str:
    """Return why a revision failed: Helm's word, or where it was ended because of a hook, what is amiss with that."""
    from jenkins_cd.cluster import rollout

    if any(word in now.description for word in STOPPED) and now.hooks:
        until = time.monotonic() + GLANCE
        verdict = rollout.hooks(
            site.access.cluster,
            site.place.namespace,
            manifests.objects(*now.hooks),
            frozenset(),
            until + 1,
            lambda _text: None,
            lambda: time.monotonic() < until,
        )
        if verdict:
            return verdict.reason
    return now.description


def _healthy(target: Target, release: Release, commit: str, deadline: float) -> Followed:
    wanted = health.Wanted(
        url=target.url,
        health=release.health,
        version=release.version,
        timeout=max(deadline - time.monotonic(), LEAST),
        settle=target.settle,
    )
    note = f"{target.name} verify"
    return health.wait(
        wanted,
        lambda seen: target.progress.note(note, seen),
        declaration.other_wishes(target, release, commit),
        functools.partial(declaration.superseded, target),
    )


def _described(site: Site, now: Installed | None) -> str:
    """Return what runs now in one line."""
    if now is None:
        return f"no release {site.place.name} in {site.place.namespace}"
    images = ", ".join(dict.fromkeys(_images(manifests.objects(now.manifest)))) or "no image"
    return (
        f"{site.place.name} in {site.place.namespace} is at revision {now.revision} ({now.status} "
        f"{now.deployed:%Y-%m-%d %H:%M:%S} UTC), chart {now.chart}-{now.version}, {images}"
    )


def _head(site: Site, now: Installed | None, note: str, hooks: Sequence[str], crds: str) -> Iterator[str]:
    """Yield the lines above the difference: what runs, what is wanted, and what Helm does beside."""
    chart = site.release.chart
    yield f"now: {_described(site, now)}"
    yield f"wanted: chart {chart.name}-{site.release.version} {chart.digest or chart.content}".rstrip()
    yield from filter(None, [note])
    for hook in manifests.objects(*hooks):
        when = (hook.get("metadata") or {}).get("annotations", {}).get("helm.sh/hook", "")
        late = " (right after the objects are applied, not once they are up)" if "post-" in when else ""
        yield f"hook: {manifests.name(hook)} runs {when}{late}"
    made = "stays as it is: crds/ is for the first installation" if now else "is made unless it is there, and stays so"
    for crd in manifests.objects(crds):
        yield f"crd: {manifests.name(crd)} {made}"


def _images(value: Any) -> Iterator[str]:
    """Yield the images of all containers in objects."""
    if isinstance(value, dict):
        for key in ("initContainers", "containers"):
            yield from (str(one["image"]) for one in value.get(key) or () if isinstance(one, dict) and "image" in one)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _images(inner)
