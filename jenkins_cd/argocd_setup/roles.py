"""Who may do what in an AppProject. What each may is tested on a real server.

A policy is `p, SUBJECT, RESOURCE, ACTION, OBJECT, EFFECT`: https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/.
Nobody of a project may change the AppProject itself, or see credentials of repositories and clusters: those are no
rights that a project's role can have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from jenkins_cd.config.types import ArgoCd

CI = "ci"
_SEE = (("applications", "get"), ("logs", "get"))
_SYNC = (*_SEE, ("applications", "sync"))  # rolling back is syncing, to Argo CD
# Restarts leave what Git declares as it is. Other actions, as scaling or pausing, do not.
_RESTART = tuple(("applications", f"action/apps/{kind}/restart") for kind in ("DaemonSet", "Deployment", "StatefulSet"))
_CHANGE = tuple(
    ("applications", action)
    for action in ("create", "update", "update/*", "delete", "delete/*", "override", "action/*")
)
_SETS = tuple(("applicationsets", action) for action in ("get", "create", "update", "delete"))

RIGHTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "developer": _SEE,
    "devops": (*_SYNC, *_RESTART),
    "admin": (*_SYNC, *_CHANGE, *_SETS),
    CI: _SYNC,
}
_MEANING = {
    "developer": "sees everything, logs too",
    "devops": "also syncs, rolls back and restarts",
    "admin": "also changes and deletes applications",
    CI: "the pipeline: sees, syncs, reads logs",
}


def roles(owner: str, settings: ArgoCd, projects: Iterable[str], namespaces: Sequence[str]) -> list[dict[str, Any]]:
    """Return the roles of the AppProject `owner`, bound to the groups of the platform and of `projects`.

    `namespaces` are those that all its Applications live in; none: some are in Argo CD's own.
    """
    places = [f"{owner}/{one}/*" for one in namespaces] or [f"{owner}/*"]
    return [
        {
            "name": name,
            "description": _MEANING[name],
            "policies": [
                f"p, proj:{owner}:{name}, {resource}, {action}, {place}, allow"
                for place in places
                for resource, action in rights
            ],
            **_groups(settings, name, projects),
        }
        for name, rights in RIGHTS.items()
    ]


def _groups(settings: ArgoCd, role: str, projects: Iterable[str]) -> dict[str, list[str]]:
    given = [settings.groups, *(settings.project_groups[one] for one in projects if one in settings.project_groups)]
    found = sorted({group for groups in given for group in getattr(groups, role)})
    return {"groups": found} if found else {}
