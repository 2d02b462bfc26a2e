"""Write to a server what it is set up with."""

from __future__ import annotations

import time
from collections.abc import Callable

from jenkins_cd.argocd_setup import ownership
from jenkins_cd.argocd_setup.ownership import Object
from jenkins_cd.argocd_setup.setup import Entry
from jenkins_cd.tools import argocd_applications, argocd_settings, process
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Rejected

PATIENCE = 10.0  # seconds that a server may take to know an AppProject that it was given
NOT_YET = "project"  # each of its refusals for one that it does not know, or knows as it was, names it
_POLL = 0.2


def project(server: Server, entry: Entry, *, wide: bool) -> object:
    """Write an AppProject; `wide`: it also allows the sources and destinations that it allows now."""
    present = argocd_settings.project(server, entry.name)
    if present is None:
        return argocd_settings.put_project(server, entry.object, None)
    wanted = ownership.merged(entry.object, present)
    return argocd_settings.put_project(server, ownership.widened(wanted, present) if wide else wanted, present)


def put(server: Server, entry: Entry, there: Object | None) -> object:
    """Write an object over the one that is there by now. Raises what the server refuses."""
    if entry.kind == "AppProject":
        return project(server, entry, wide=True)
    if entry.kind == "ApplicationSet":
        wanted = ownership.merged(entry.object, there) if there else entry.object
        return _patiently(lambda: argocd_settings.put_application_set(server, wanted))
    wanted = entry.object
    if there:
        ref = Ref(name=entry.name, project=project_of(there), namespace=entry.namespace)
        wanted = ownership.merged(entry.object, argocd_applications.read(server, ref))
    # Not validated: an app's folder is there after its first deployment, and that needs the Application.
    return _patiently(lambda: argocd_settings.put_application(server, wanted, validate=False))


def _patiently(send: Callable[[], object]) -> object:
    """Send something that may need what was written just now: the server looks at AppProjects through a cache."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return send()
        except Rejected as error:
            if NOT_YET not in error.message or time.monotonic() > deadline:
                raise
        process.pause(_POLL)


def project_of(application: Object) -> str:
    """Return the AppProject of an Application."""
    return str((application.get("spec") or {}).get("project") or "default")
