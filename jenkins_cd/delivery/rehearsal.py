"""Send the objects of a release through the server's dry run: nothing is kept, and all that has a say is asked.

https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run. Helm's own dry run asks the server for schemas
alone, not for admission, quotas, rights, and fields that cannot be changed.
"""

from __future__ import annotations

from typing import Any

from jenkins_cd.delivery import manifests
from jenkins_cd.delivery.helm_site import Site
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError
from jenkins_cd.tools import kubernetes, kubernetes_kinds
from jenkins_cd.tools.helm_release import Rendered

MANAGER = "helm"


def run(site: Site, rendered: Rendered) -> None:
    """Send each object as it would be applied. Raises BadInput with all that the server has against them."""
    if site.lacks_namespace():
        site.target.tell("plan", f"the namespace {site.place.namespace} is not there yet: nothing can be sent to it")
        return
    wanted, problems = manifests.objects(rendered.manifest), []
    hooks = [one for one in manifests.objects(*rendered.hooks) if kubernetes.get(*_at(site, one)) is None]
    for one in [*wanted, *hooks]:  # Helm removes a hook that is there before it makes it anew
        try:
            _send(site, one)
        except ExternalFailure:
            raise
        except JenkinsCdError as error:
            problems.append(f"{manifests.name(one)}: {error.message}")
    if problems:
        raise BadInput(
            f"{site.place.namespace} would not take {site.release.app} {site.release.version}",
            "mend the chart, its values, or what the namespace allows",
            problems,
        )
    site.target.tell("plan", f"the server's dry run takes all {len(wanted) + len(hooks)} objects")


def _send(site: Site, item: dict[str, Any]) -> None:
    cluster, path = _at(site, item)
    body = {**item, "metadata": {"namespace": site.place.namespace, **item["metadata"]}}
    kubernetes.apply(cluster, path, body, fieldManager=MANAGER, force="true", dryRun="All")


def _at(site: Site, item: dict[str, Any]) -> tuple[kubernetes.Cluster, str]:
    return site.access.cluster, kubernetes_kinds.path(site.access.cluster, item, site.place.namespace)
