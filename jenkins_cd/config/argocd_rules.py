"""What must hold between the keys of the platform file that speak of Argo CD."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from jenkins_cd.config import Origin
from jenkins_cd.config.argocd import OWN_CLUSTER, ArgoCd, ArgoCdTarget, ArgoCdWindow
from jenkins_cd.config.places import at, given, placeholders
from jenkins_cd.config.problem import Problem
from jenkins_cd.config.types import Environment, PlatformFile, seconds
from jenkins_cd.suggest import nearest

_FIELD = r"[0-9A-Za-z*?,/-]+"  # what Argo CD's cron knows; others also know L, # and W
_SUNDAY = r"(?<![0-9])7(?![0-9])"


def of_server(platform: PlatformFile, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    """Yield what is wrong with `argocd`, and with what several environments say of it."""
    mine = {name: one for name, one in platform.environments.items() if one.model == "argocd"}
    if mine and not platform.argocd.url:
        yield at(origins, "argocd.url", f"is needed, as {', '.join(mine)} deliver through Argo CD")
    if OWN_CLUSTER in platform.argocd.clusters:
        yield at(origins, f"argocd.clusters.{OWN_CLUSTER}", "is the cluster that Argo CD runs in: name others here")
    for name, environment in mine.items():
        yield from _project(platform.argocd, environment.argocd, f"environments.{name}.argocd.project", origins)
    longest = max(mine, key=lambda name: seconds(mine[name].timeout), default=None)
    session = seconds(platform.argocd.session)
    if longest and "argocd.session" in origins and session <= seconds(mine[longest].timeout):
        waits = f"environments.{longest}.timeout is {mine[longest].timeout}"
        yield at(origins, "argocd.session", f"a token would expire while a deployment waits: {waits}")


def of_environment(
    environment: Environment, key: str, server: ArgoCd, origins: Mapping[str, Origin]
) -> Iterator[Problem]:
    """Yield what is wrong with how one environment is delivered to; the keys mean nothing to the other models."""
    target, key = environment.argocd, f"{key}.argocd"
    if environment.model != "argocd":
        if given(origins, key):
            yield at(origins, key, f"is for the model argocd, but the model is {environment.model}")
        return
    for name in ("application", "project", "namespace", "release"):
        yield from placeholders(getattr(target, name), f"{key}.{name}", origins)
    for index, resource in enumerate(target.resources):
        yield from placeholders(resource, f"{key}.resources[{index}]", origins)
    yield from _cluster(target, key, server, origins)
    yield from _sync(target, key, origins)
    for index, window in enumerate(target.windows):
        yield from _window(window, f"{key}.windows[{index}]", origins)


def _project(server: ArgoCd, target: ArgoCdTarget, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    if server.project_groups and "{project}" not in target.project:
        told = f"{target.project!r} is shared by all projects: the groups of one would have its role in all of them"
        yield at(origins, key, f"{told}; write {{project}} in it, or use argocd.groups alone")
    if server.generate == "applicationset" and "{app}" in target.project:
        yield at(origins, key, "one ApplicationSet makes Applications of one AppProject: it cannot be named by {app}")


def _cluster(target: ArgoCdTarget, key: str, server: ArgoCd, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    known = (OWN_CLUSTER, *server.clusters)
    if target.cluster not in known:
        hint = nearest(target.cluster, known) or f" (there is {', '.join(known)})"
        yield at(origins, f"{key}.cluster", f"argocd.clusters has no {target.cluster!r}{hint}")
    elif target.cluster != OWN_CLUSTER and server.clusters[target.cluster].namespaces and target.create_namespace:
        told = f"argocd.clusters.{target.cluster} is given its namespaces alone: they must be there already"
        yield at(origins, f"{key}.create_namespace", told)


def _sync(target: ArgoCdTarget, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    if target.self_heal and not target.automated:
        yield at(origins, f"{key}.self_heal", f"needs {key}.automated: true")
    if target.resources and target.automated:
        yield at(origins, f"{key}.resources", "an automated sync knows no selection: it would sync the others too")
    if target.resources and target.prune and f"{key}.prune" in origins:
        yield at(origins, f"{key}.prune", f"nothing is pruned but what {key}.resources lists: leave one of them out")


def _window(window: ArgoCdWindow, key: str, origins: Mapping[str, Origin]) -> Iterator[Problem]:
    if not _runs(window.schedule):
        yield at(origins, f"{key}.schedule", f"expected minute, hour, day, month, weekday, found {window.schedule!r}")
    if not re.search("[1-9]", window.duration):
        yield at(origins, f"{key}.duration", "the window would close as it opens")
    if not _zone(window.time_zone):
        yield at(origins, f"{key}.time_zone", f"there is no time zone {window.time_zone!r}")


def _runs(schedule: str) -> bool:
    """Tell whether Argo CD takes it for a schedule: its Sunday is 0."""
    from croniter import croniter

    fields = schedule.split(" ")
    known = all(re.fullmatch(_FIELD, one) for one in fields) and not re.search(_SUNDAY, fields[-1])
    # Without `croniter`'s own letters, as `L` for the last day.
    return known and bool(croniter.is_valid(schedule.replace("?", "*"))) and not re.search(r"(?i)\bl|\dl", schedule)


def _zone(name: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
