"""The keys of platform.yaml for Argo CD: good and bad values, each with its line."""

from __future__ import annotations

import pytest

from jenkins_cd.config.load import load_platform
from tests.config.files import Checkout

PLATFORM = """\
registry: {images: registry.local/apps, charts: "oci://registry.local/charts"}
deploy_repository: {url: "https://git.local/deploy.git"}
argocd: SERVER
environments:
  dev:
    model: MODEL
    after: ci
    health_url: http://app.local
    argocd: TARGET
"""
SERVER = "{url: https://argocd.local, clusters: {prod: {server: https://prod.local:6443, namespaces: true}}}"


def written(checkout: Checkout, target: str = "{}", server: str = SERVER, model: str = "argocd") -> Checkout:
    content = PLATFORM.replace("MODEL", model).replace("TARGET", target).replace("SERVER", server)
    return checkout.write(None, content)


def test_where_nothing_is_said_an_application_is_named_after_project_app_and_environment(checkout: Checkout) -> None:
    written(checkout)
    target = load_platform(None, checkout.folder).environments["dev"].argocd
    assert (target.application, target.project) == ("{project}-{app}-{environment}", "{project}")
    assert (target.cluster, target.automated, target.prune) == ("in-cluster", False, True)


@pytest.mark.parametrize(
    "target",
    [
        "{cluster: prod, automated: true, self_heal: true, sync_options: [ServerSideApply=true]}",
        "{application_namespace: apps-dev, project: shop, release: '{app}-{environment}'}",
        "{resources: ['apps:Deployment:{app}'], prune: false, retries: 3}",
        "{windows: [{kind: allow, schedule: '*/5 8-17 * JAN-JUN MON,WED', duration: 1h30m, time_zone: Europe/Zurich}]}",
    ],
)
def test_good_values_are_good(checkout: Checkout, target: str) -> None:
    assert written(checkout, target).run("validate")[0] == 0


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{namespace: '{team}'}", "unknown placeholder {team}"),
        ("{resources: ['apps:Deployment:{ap}'], prune: false}", "unknown placeholder {ap} (did you mean app?)"),
        ("{cluster: prd}", "argocd.clusters has no 'prd' (did you mean prod?)"),
        ("{self_heal: true}", "needs environments.dev.argocd.automated: true"),
        ("{resources: ['apps:Deployment:{app}'], prune: true}", "nothing is pruned but what"),
        ("{resources: ['apps:Deployment:{app}'], automated: true}", "an automated sync knows no selection"),
        ("{cluster: prod, create_namespace: true}", "argocd.clusters.prod is given its namespaces alone"),
        ("{windows: [{kind: deny, schedule: '0 25 * * *', duration: 1h}]}", "minute, hour, day, month, weekday"),
        ("{windows: [{kind: deny, schedule: '0 0 L * *', duration: 1h}]}", "minute, hour, day, month, weekday"),
        ("{windows: [{kind: deny, schedule: '0 0 * * 7', duration: 1h}]}", "minute, hour, day, month, weekday"),
        ("{windows: [{kind: deny, schedule: '0 0 * * MON#2', duration: 1h}]}", "minute, hour, day, month, weekday"),
        ("{windows: [{kind: deny, schedule: '0 0 * * *', duration: 0h}]}", "the window would close as it opens"),
        ("{windows: [{kind: deny, schedule: '0 0 * * *', duration: 1h, time_zone: Mars/Base}]}", "no time zone"),
        ("{windows: [{kind: deny, schedule: '0 0 * *', duration: 1h}]}", "five fields"),
    ],
)
def test_bad_values_are_told_with_their_line(checkout: Checkout, target: str, said: str) -> None:
    code, _, told = written(checkout, target).run("validate")
    assert code == 2
    assert "platform.yaml:9" in told
    assert said in told


@pytest.mark.parametrize(
    ("server", "target", "said"),
    [
        ("{}", "{}", "argocd.url: is needed, as dev deliver through Argo CD"),
        ("{url: https://a.local, session: 10m}", "{}", "a token would expire while a deployment waits"),
        ("{url: https://a.local, clusters: {in-cluster: {server: https://b.local}}}", "{}", "name others here"),
        ("{url: https://a.local, project_groups: {shop: {devops: [x]}}}", "{project: all}", "shared by all projects"),
        ("{url: https://a.local, generate: applicationset}", "{project: '{app}'}", "it cannot be named by {app}"),
        ("{url: https://a.local, groups: {devops: ['a,b']}}", "{}", "the name of a group"),
        ("{url: https://a.local, allow_kinds: [Deployment]}", "{}", "a group and a kind such as `apps/Deployment`"),
    ],
)
def test_what_is_wrong_with_the_server_is_told(checkout: Checkout, server: str, target: str, said: str) -> None:
    code, _, told = written(checkout, target, server).run("validate")
    assert code == 2
    assert said in told


def test_the_keys_are_for_the_model_argocd_alone(checkout: Checkout) -> None:
    code, _, told = written(checkout, "{automated: true}", model="flux").run("validate")
    assert code == 2
    assert "platform.yaml:9" in told
    assert "environments.dev.argocd: is for the model argocd, but the model is flux" in told


def test_a_platform_without_argo_cd_needs_no_server(checkout: Checkout) -> None:
    text = PLATFORM.replace("MODEL", "flux").replace("argocd: SERVER\n", "").replace("    argocd: TARGET\n", "")
    assert checkout.write(None, text).run("validate")[0] == 0
