"""The keys of platform.yaml for the model helm: good and bad values, each with its line."""

from __future__ import annotations

import pytest

from jenkins_cd.config.load import load_platform
from jenkins_cd.config.types import HelmTarget
from jenkins_cd.pipelines import credentials
from tests.config.files import Checkout

PLATFORM = """\
registry: {images: registry.local/apps, charts: "oci://registry.local/charts"}
deploy_repository: {url: "https://git.local/deploy.git"}
environments:
  dev:
    model: MODEL
    after: ci
    health_url: http://app.local
    helm: HELM
"""


def written(checkout: Checkout, helm: str, model: str = "helm") -> Checkout:
    return checkout.write(None, PLATFORM.replace("MODEL", model).replace("HELM", helm))


def test_where_nothing_is_said_a_project_has_a_namespace_for_each_environment(checkout: Checkout) -> None:
    written(checkout, "{}")
    helm = load_platform(None, checkout.folder).environments["dev"].helm
    assert helm == HelmTarget()
    assert (helm.namespace, helm.release, helm.service_account) == ("{project}-{environment}", "{app}", "jenkins-cd")
    assert (helm.create_namespace, helm.allow, helm.session) == (False, (), "15m")


@pytest.mark.parametrize(
    "helm",
    [
        '{namespace: "{project}", release: "{app}-{environment}", context: admin@cluster.local}',
        "{service_account: null, create_namespace: true, credential: kubeconfig-dev}",
        "{allow: [host-path, cluster-scoped], session: 1h, uninstall_failed_first: true}",
    ],
)
def test_good_values_are_good(checkout: Checkout, helm: str) -> None:
    assert written(checkout, helm).run("validate")[0] == 0


@pytest.mark.parametrize(
    ("helm", "said"),
    [
        ('{namespace: "{team}"}', "unknown placeholder {team}"),
        ("{namespace: Shop}", "expected a lower-case name such as"),
        ("{session: 5m}", "the API server gives no token for less than 10m, found 5m"),
        ("{allow: [everything]}", "everything"),
        ("{service_account: 'a b'}", "service_account"),
        ("{kubeconfig: /root/.kube/config}", "kubeconfig"),
    ],
)
def test_bad_values_are_told_with_their_line(checkout: Checkout, helm: str, said: str) -> None:
    code, _, told = written(checkout, helm).run("validate")
    assert code == 2
    assert "platform.yaml:8" in told
    assert said in told


def test_the_keys_are_for_the_model_helm_alone(checkout: Checkout) -> None:
    code, _, told = written(checkout, "{release: shop}", model="flux").run("validate")
    assert code == 2
    assert "is for the model helm, but environments.dev.model is flux" in told


def test_jenkins_binds_the_kubeconfig_of_the_environment_for_what_needs_the_cluster(checkout: Checkout) -> None:
    written(checkout, "{credential: kubeconfig-dev}")
    platform = load_platform(None, checkout.folder)
    [bound] = credentials(platform, ("registry", "git", "cluster"), "dev")
    assert (bound.binding, bound.id, bound.variables) == (
        "file",
        "kubeconfig-dev",
        {"variable": "JENKINS_CD_KUBECONFIG"},
    )
    assert credentials(platform, ("registry", "git"), "dev") == ()
