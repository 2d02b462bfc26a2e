"""What Argo CD delivers, and from where: an Application for each app, or ApplicationSets that make them from folders.

https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml. None has a finalizer: who deletes an
Application, by mistake or to have it made anew, must not delete what runs.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jenkins_cd.argocd_setup.placed import ANY, Placed, address, repository
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.gitops import edit
from jenkins_cd.gitops.repository import View

API = "argoproj.io/v1alpha1"
MANAGER = {"app.kubernetes.io/managed-by": "jenkins-cd"}
GENERATED_FROM = "argocd.argoproj.io/manifest-generate-paths"
_FOLDER_NAME = "{{.path.basename}}"


def application(platform: PlatformFile, placed: Placed, shared: Iterable[str]) -> dict[str, Any]:
    """Return an app's Application. `shared` are folders of the deploy repository that it is made from too."""
    return {
        "apiVersion": API,
        "kind": "Application",
        "metadata": {"name": placed.application, "namespace": home(platform, placed), **_marks(placed, shared)},
        "spec": _spec(platform, placed),
    }


def application_set(platform: PlatformFile, placed: Placed, shared: Iterable[str]) -> dict[str, Any]:
    """Return what makes the same Applications for all folders of a project in an environment.

    It never deletes one: where a folder is gone, somebody says what becomes of what runs.
    """
    one = replace(placed, app=_FOLDER_NAME)
    url, branch = repository(platform), platform.declared_in.branch
    folders = replace(placed, app=ANY).folder
    generator = {"repoURL": url, "revision": branch, "directories": [{"path": folders}]}
    return {
        "apiVersion": API,
        "kind": "ApplicationSet",
        "metadata": {
            "name": f"{placed.project}-{placed.environment}",
            "namespace": home(platform, placed),
            "labels": {**MANAGER, "app.kubernetes.io/part-of": placed.project},
        },
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"git": generator}],
            "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": one.application, **_marks(one, shared)},
                "spec": _spec(platform, one),
            },
        },
    }


def home(platform: PlatformFile, placed: Placed) -> str:
    """Return the namespace that the Application lives in."""
    return placed.rules.argocd.application_namespace or platform.argocd.namespace


def beside(view: View, placed: Placed) -> tuple[str, ...]:
    """Return the folders outside of the app's own that its chart depends on by path, and those that they depend on."""
    todo, found = [placed.folder], set[str]()
    while todo:
        here = todo.pop()
        new = {one for one in _dependencies(view, here) if not one.startswith("../")} - found - {placed.folder}
        found |= new
        todo += new
    return tuple(sorted(one for one in found if not one.startswith(f"{placed.folder}/")))


def _dependencies(view: View, folder: str) -> set[str]:
    file = f"{folder}/Chart.yaml"
    content = view.read(file)
    chart = edit.load(content, file) if content is not None else None
    listed = chart.get("dependencies") if isinstance(chart, dict) else None
    urls = [str(one.get("repository", "")) for one in listed or () if isinstance(one, dict)]
    paths = (one.removeprefix("file://") for one in urls if one.startswith("file://"))
    return {posixpath.normpath(posixpath.join(folder, one)) for one in paths}


def _marks(placed: Placed, shared: Iterable[str]) -> dict[str, Any]:
    return {
        "labels": {
            **MANAGER,
            "app.kubernetes.io/part-of": placed.project,
            "jenkins-cd/app": placed.app,
            "jenkins-cd/environment": placed.environment,
        },
        "annotations": {
            # Without it every commit of any app makes all Applications render anew.
            GENERATED_FROM: ";".join((".", *(f"/{one}" for one in sorted({*shared})))),
            "link.argocd.argoproj.io/external-link": placed.filled(placed.rules.health_url),
        },
    }


def _spec(platform: PlatformFile, placed: Placed) -> dict[str, Any]:
    target = placed.rules.argocd
    policy = _sync_policy(placed)
    return {
        "project": placed.owner,
        "source": {
            "repoURL": repository(platform),
            "path": placed.folder,
            "targetRevision": platform.declared_in.branch,
            "helm": {"releaseName": placed.filled(target.release)},
        },
        "destination": {"server": address(platform.argocd, target.cluster), "namespace": placed.namespace},
        **({"syncPolicy": policy} if policy else {}),
    }


def _sync_policy(placed: Placed) -> dict[str, Any]:
    """Return what holds for syncs that Argo CD starts by itself; ours bring it along."""
    target = placed.rules.argocd
    options = [*(["CreateNamespace=true"] if target.create_namespace else []), *target.sync_options]
    return {
        **({"automated": {"prune": target.prune, "selfHeal": target.self_heal}} if target.automated else {}),
        **({"syncOptions": list(dict.fromkeys(options))} if options else {}),
        **({"retry": {"limit": target.retries}} if target.retries else {}),
    }
