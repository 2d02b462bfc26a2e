from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.tools import helm_failures, helm_release
from jenkins_cd.tools.helm_release import Busy, Change, HookFailed, Place
from jenkins_cd.tools.kubernetes_failures import Forbidden
from tests.tools.test_helm import CONFIG_MAP

PLACE = Place(name="words", namespace="shop-dev", kubeconfig=Path("/run/step/kubeconfig"))
CHART = Path("/charts/words")
WHERE = ["--kubeconfig", "/run/step/kubeconfig", "--namespace", "shop-dev"]
MAY_NOT = (
    'jobs.batch is forbidden: User "system:serviceaccount:a:b" cannot watch resource "jobs" in API group "batch" '
    'in the namespace "c"'
)
GONE = 'Get "https://127.0.0.1:1/apis/batch/v1/namespaces/a/jobs/b": dial tcp 127.0.0.1:1: connect: connection refused'
KEPT = ["--history-max", "10", "--timeout", "300s"]


def upgrade(major: int, change: Change, *files: Path) -> list[str]:
    return helm_release.upgrade_arguments(major, PLACE, CHART, change, files)


def rollback(major: int, change: Change) -> list[str]:
    return helm_release.rollback_arguments(major, PLACE, 7, change)


def test_an_upgrade_installs_forgets_old_values_and_waits_for_hooks_alone() -> None:
    common = ["upgrade", *WHERE, "--install", "--reset-values", *KEPT, "words", "/charts/words"]
    assert upgrade(3, Change()) == common
    assert upgrade(4, Change()) == [*common, "--wait=hookOnly"]


def test_a_rollback_waits_for_hooks_alone() -> None:
    common = ["rollback", *WHERE, *KEPT]
    assert rollback(3, Change()) == [*common, "words", "7"]
    assert rollback(4, Change()) == [*common, "--wait=hookOnly", "words", "7"]
    assert "--no-hooks" in rollback(3, Change(hooks=False))


def test_fields_of_others_are_taken_over_where_the_server_applies() -> None:
    for arguments in (upgrade, rollback):
        assert "--force-conflicts" in arguments(4, Change(force_conflicts=True))
        assert "--force-conflicts" not in arguments(4, Change())
        assert "--force-conflicts" not in arguments(3, Change(force_conflicts=True))


@pytest.mark.parametrize("major", [3, 4])
def test_what_ties_a_release_to_its_build_is_handed_on(major: int) -> None:
    change = Change(
        description="Deploy words 1.0.0", labels={"jenkins-cd/host": "agent-7"}, create_namespace=True, timeout=0.2
    )
    arguments = upgrade(major, change, Path("/charts/more.yaml"))
    line = " ".join(arguments)
    assert "--description Deploy words 1.0.0 --labels jenkins-cd/host=agent-7 --create-namespace" in line
    assert "--values /charts/more.yaml" in line
    assert "--timeout 1s" in line


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", Busy),
        ('Error: secrets "sh.helm.release.v1.words.v3" already exists', Busy),
        ("Error: INSTALLATION FAILED: cannot re-use a name that is still in use", Busy),
        ("Error: UPGRADE FAILED: pre-upgrade hooks failed: job words failed: BackoffLimitExceeded", HookFailed),
        ("Error: failed pre-install: 1 error occurred:\n\t* timed out waiting for the condition", HookFailed),
        ("Error: UPGRADE FAILED: post-upgrade hooks failed: context deadline exceeded", HookFailed),
        ('Error: deployments.apps "words" is forbidden: exceeded quota: small', Refused),
        ('Error: create: failed to create: namespaces "shop-dev" not found', BadInput),
        ("Error: Unable to continue with update: invalid ownership metadata; label validation error", BadInput),
        ("Error: UPGRADE FAILED: template: words/templates/a.yaml:1: function unknown", BadInput),
        ("Error: Kubernetes cluster unreachable: Get https://127.0.0.1:1/version: connection refused", ExternalFailure),
        (
            "Error: Kubernetes cluster unreachable: the server has asked for the client to provide credentials",
            ExternalFailure,
        ),
        ('Error: UPGRADE FAILED: Internal error occurred: failed calling webhook "x"', ExternalFailure),
        (f"Error: UPGRADE FAILED: post-upgrade hooks failed: 1 error occurred:\n\t* {GONE}", ExternalFailure),
        (f"Error: failed pre-install: {GONE}", ExternalFailure),
        (f"GET / says {GONE}\nError: post-upgrade hooks failed: job words failed: BackoffLimitExceeded", HookFailed),
    ],
)
def test_what_helm_complains_of_is_told_by_its_kind(said: str, kind: type[JenkinsCdError]) -> None:
    error = helm_failures.explain("upgrade words", said)
    assert type(error) is kind
    assert error.message.startswith("cannot upgrade words: ")
    assert "Error: " not in error.message


def test_who_may_not_is_named_with_what_he_may_not() -> None:
    said = (
        'Error: secrets is forbidden: User "system:serviceaccount:a:b" cannot list resource "secrets" in API group ""'
    )
    error = helm_failures.explain("read the release words", said)
    assert error.message.startswith("system:serviceaccount:a:b may not list secrets: ")
    assert "render rbac" in error.hint


@pytest.mark.parametrize(
    "said",
    [
        f"Error: {MAY_NOT}",
        f"Error: UPGRADE FAILED: pre-upgrade hooks failed: {MAY_NOT}",
        f'Error: UPGRADE FAILED: {MAY_NOT}: RBAC: role.rbac.authorization.k8s.io "c" not found',
    ],
)
def test_the_right_that_is_missing_is_known_also_where_a_hook_could_not_be_watched(said: str) -> None:
    error = helm_failures.explain("read the release words", said)
    assert isinstance(error, Forbidden)
    assert error.message.startswith("system:serviceaccount:a:b may not watch jobs.batch: cannot read the release ")
    right = error.right
    assert (right.user, right.verb, right.kind) == ("system:serviceaccount:a:b", "watch", "jobs.batch")
    assert right.namespace == "c"
    assert "render rbac" in error.hint


def test_a_cluster_that_is_away_is_worth_a_retry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        '{"apiVersion": "v1", "kind": "Config", "current-context": "x", "users": [{"name": "x", "user": {}}],'
        '"clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:1"}}],'
        '"contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]}',
        encoding="utf-8",
    )
    place = Place(name="words", namespace="shop-dev", kubeconfig=config)
    monkeypatch.setenv("HELM_KUBEAPISERVER", "http://127.0.0.1:2")  # what the environment says is not heard
    for ask in (helm_release.status, helm_release.history, helm_release.values):
        with pytest.raises(ExternalFailure, match=r"words: .*127\.0\.0\.1:1"):
            ask(place)


def test_the_custom_resource_definitions_of_a_chart_are_told(tmp_path: Path) -> None:
    chart = tmp_path / "words"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: words\nversion: 0.0.1\n", encoding="utf-8")
    (chart / "templates" / "words.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    assert helm_release.crds(chart).strip() == ""
    (chart / "crds").mkdir()
    (chart / "crds" / "a.yaml").write_text("apiVersion: apiextensions.k8s.io/v1\nkind: X\n", encoding="utf-8")
    assert "kind: X" in helm_release.crds(chart)


def test_a_revision_is_read_as_helm_tells_it() -> None:
    said = (
        "revision 3\nstatus pending-upgrade\ndescription Preparing+upgrade\ndeployed 1795504492\nchart words\n"
        "version 1.0.0%2B1\nmanifest ---%0Akind%3A+X%0A\nhook a%3A+1\nhook a%3A+2\nlabel jenkins-cd%2Fhost agent-7\n"
        "label jenkins-cd%2Fbuild-2 \nmethod ssa\n"
    )
    one = helm_release._installed(said)
    assert (one.revision, one.version, one.description, one.server_side) == (3, "1.0.0+1", "Preparing upgrade", True)
    assert one.pending
    assert one.manifest == "---\nkind: X\n"
    assert one.hooks == ("a: 1", "a: 2")
    assert one.labels == {"jenkins-cd/host": "agent-7", "jenkins-cd/build-2": ""}
