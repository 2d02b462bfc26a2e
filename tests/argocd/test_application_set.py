"""An app whose Application is made by an ApplicationSet, some time after its first commit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import argocd_settings
from tests.argocd.apps import app_charts, app_of_manual_syncs  # noqa: F401
from tests.argocd.delivered import Delivered, application
from tests.argocd.race_histories import verified
from tests.cluster.pushed import APP


@pytest.fixture
def unmade(manual: Delivered) -> Delivered:
    """The app, where nobody has made its Application yet."""
    argocd_settings.delete_application(manual.scene.admin, manual.site.ref)
    argo = replace(manual.target.platform.argocd, generate="applicationset")
    manual.target = replace(manual.target, platform=replace(manual.target.platform, argocd=argo))
    return manual


def _set(app: Delivered) -> dict[str, Any]:
    names = {"name": app.site.ref.name, "project": app.scene.project, "namespace": app.namespace}
    spec = application(names, app.remote, automated=False)["spec"]
    folders = {"repoURL": f"file://{app.remote}", "revision": "main", "directories": [{"path": f"dev/shop/{APP}"}]}
    return {
        "metadata": {"name": app.scene.project},
        "spec": {
            "goTemplate": True,
            "generators": [{"git": folders}],
            "template": {"metadata": {"name": app.site.ref.name}, "spec": spec},
        },
    }


def test_a_first_deployment_waits_until_the_application_is_made(unmade: Delivered) -> None:
    commit = unmade.apply("1.0.0")
    assert unmade.told("its ApplicationSet makes")
    with unmade.deploying("1.0.0", commit) as followed:
        argocd_settings.put_application_set(unmade.scene.admin, _set(unmade))
        verified(unmade, followed.result(60), "1.0.0")


def test_without_an_application_set_a_missing_application_is_told_at_once(manual: Delivered) -> None:
    argocd_settings.delete_application(manual.scene.admin, manual.site.ref)
    with pytest.raises(BadInput, match="Argo CD has no Application") as raised:
        manual.plan("1.0.0")
    assert "jenkins-cd render argocd" in raised.value.hint
