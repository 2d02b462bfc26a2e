from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.jenkins.model import SecretFile, SecretText, SshKey
from tests.vars import plans
from tests.vars.scene import LIBRARY, Scene, document, failing

HOSTILE = (
    "1.0; rm -rf /",
    "$(id)",
    "`id`",
    'it\'s "quoted"',
    "two\nlines\ttab",
    "$JENKINS_CD_GIT_PASSWORD ${HOME} $$ \\$x",
    "--help",
    "ünïcödé – ✓",
    "*",
    "",
)


def groovy(value: str) -> str:
    """Return a Groovy string literal."""
    return json.dumps(value).replace("$", "\\$")


@pytest.mark.parametrize("value", HOSTILE)
def test_an_argument_reaches_the_command_as_it_is(scene: Scene, value: str) -> None:
    outcome = scene.run(f"node {{ jenkinsCd('deploy', [arguments: ['--app', {groovy(value)}]]) }}")
    assert outcome.result == "SUCCESS", outcome.log
    [started] = scene.started
    assert started.arguments == ["deploy", "--app", value]


def test_a_parameter_of_the_build_reaches_the_command_as_it_is(scene: Scene) -> None:
    script = "node { jenkinsCd('deploy', [arguments: params.keySet().sort().collect { params[it] }]) }"
    scene.run(script, parameters={f"P{number}": value for number, value in enumerate(HOSTILE)})
    assert scene.started[0].arguments == ["deploy", *HOSTILE]


def test_no_step_is_given_a_string_that_holds_what_came_from_outside(scene: Scene) -> None:
    outcome = scene.run("node { jenkinsCd('deploy', [arguments: [params.APP]]) }", parameters={"APP": "$(id)"})
    [sh] = outcome.called("sh")
    assert "$(id)" not in json.dumps(dict(sh.arguments))
    assert sh.arguments["script"] == (LIBRARY / "resources/jenkins_cd/bootstrap.sh").read_text(encoding="utf-8")


def test_no_secret_is_in_an_argument_of_a_step_or_in_the_log(scene: Scene) -> None:
    accounts = [plans.account("registry"), plans.account("git")]
    bound = [{"binding": one.binding, "id": one.id, "variables": dict(one.variables)} for one in accounts]
    given = json.dumps(bound).replace("{", "[").replace("}", "]")
    scene.answers["ci"] = failing("it failed")
    outcome = scene.run(f"node {{ jenkinsCd('ci upload', [credentials: {given}]) }}")
    said = outcome.log + json.dumps([dict(call.arguments) for call in outcome.calls], default=str)
    assert scene.started[0].environment["JENKINS_CD_GIT_PASSWORD"] == "git-canary/+ä"
    for secret in ("registry-canary/+ä", "git-canary/+ä"):
        raw = secret.encode()
        for form in (secret, quote(secret, safe=""), quote_plus(secret), base64.b64encode(raw).decode(), raw.hex()):
            assert form not in said


def test_a_private_key_is_bound_as_a_file(scene: Scene) -> None:
    scene.credentials = {"key": SshKey(username="git", key="-----BEGIN canary-----")}
    scene.answers["status"] = {}
    outcome = scene.run(
        "node { jenkinsCd('status', [credentials: [[binding: 'sshUserPrivateKey', id: 'key',"
        " variables: [keyFileVariable: 'JENKINS_CD_GIT_SSH_KEY']]]]) }"
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert "canary" not in outcome.log
    assert not Path(scene.started[0].environment["JENKINS_CD_GIT_SSH_KEY"]).exists()


def test_a_secret_file_is_bound_as_a_path(scene: Scene) -> None:
    scene.credentials = {"kubeconfig-dev": SecretFile(name="config", content=b"canary: kubeconfig")}
    outcome = scene.run(
        "node { jenkinsCd('status', [credentials: [[binding: 'file', id: 'kubeconfig-dev',"
        " variables: [variable: 'JENKINS_CD_KUBECONFIG']]]]) }"
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert "canary" not in outcome.log
    assert not Path(scene.started[0].environment["JENKINS_CD_KUBECONFIG"]).exists()


def test_a_secret_text_is_bound_and_masked(scene: Scene) -> None:
    scene.credentials = {"argocd-dev": SecretText("token-canary/+ä")}
    scene.answers["status"] = {}
    outcome = scene.run(
        "node { jenkinsCd('status', [credentials: [[binding: 'string', id: 'argocd-dev',"
        " variables: [variable: 'JENKINS_CD_ARGOCD_TOKEN']]]]) }"
    )
    assert outcome.result == "SUCCESS", outcome.log
    assert scene.started[0].environment["JENKINS_CD_ARGOCD_TOKEN"] == "token-canary/+ä"
    assert "canary" not in outcome.log + json.dumps([dict(call.arguments) for call in outcome.calls], default=str)


def test_credentials_of_another_kind_are_an_error(scene: Scene) -> None:
    outcome = scene.run("node { jenkinsCd('status', [credentials: [[binding: 'shell', id: 'x', variables: [:]]]]) }")
    assert "credentials of the kind 'shell' cannot be bound" in outcome.error


def test_what_the_command_reports_comes_back_as_a_map(scene: Scene) -> None:
    scene.answers["ci --plan"] = document(plans.ci())
    outcome = scene.run("node { Map plan = jenkinsCd('ci --plan'); echo \"${plan.app} ${plan.steps[4].needs}\" }")
    assert "storefront [build, dead-code, unit-tests, package]" in outcome.log


def test_a_failure_is_raised_with_what_the_command_said(scene: Scene) -> None:
    scene.answers["status"] = failing("the ledger cannot be read", code=3, hint="try again")
    outcome = scene.run("node { jenkinsCd 'status' }")
    assert (outcome.result, outcome.error) == (
        "FAILURE",
        "jenkins-cd status: the ledger cannot be read\nnext: try again",
    )


def test_run_tells_the_exit_code_and_raises_nothing(scene: Scene) -> None:
    scene.answers["status"] = failing("refused", code=4)
    outcome = scene.run("node { Map ended = jenkinsCd.run('status'); echo \"${ended.code}: ${ended.message}\" }")
    assert outcome.result == "SUCCESS"
    assert "4: jenkins-cd status: refused" in outcome.log


@pytest.mark.parametrize(
    ("causes", "who"),
    [
        ([{"_class": "hudson.model.Cause$UserIdCause", "userId": "$jane", "shortDescription": "…"}], "$jane"),
        (
            [{"_class": "hudson.model.Cause$UpstreamCause", "upstreamProject": "shop/main", "upstreamBuild": 7}],
            "shop/main #7",
        ),
        ([], "jenkins"),
    ],
)
def test_the_command_knows_who_wants_the_build(scene: Scene, causes: list[dict[str, object]], who: str) -> None:
    scene.run("node { jenkinsCd.within([:]) { jenkinsCd 'status' } }", causes=causes)
    assert scene.started[0].environment["JENKINS_CD_REQUESTED_BY"] == who


@pytest.mark.parametrize(
    ("script", "run"),
    [
        ("node { jenkinsCd 'status' }", "jenkins-shop-7"),
        ("node { jenkinsCd.within([run: 'mine']) { jenkinsCd 'status' } }", "mine"),
    ],
)
def test_in_a_pipeline_of_ones_own_the_results_are_the_build_s(scene: Scene, script: str, run: str) -> None:
    scene.run(script, env={"BUILD_TAG": "jenkins-shop-7"})
    assert scene.started[0].environment["JENKINS_CD_RUN"] == run


def test_what_comes_back_is_saved_with_the_build_at_the_next_step(scene: Scene) -> None:
    nested = {"a": [{"b": [1, 2.5, None, True, "ünï"]}, []], "c": {}}
    scene.answers["status"] = {"ended": {"document": nested}}
    outcome = scene.run("node { Map all = jenkinsCd('status')\n echo 'saved'\n echo \"${all.a[0].b} ${all.c}\" }")
    assert outcome.result == "SUCCESS", outcome.log
    assert "[1, 2.5, null, true, ünï] [:]" in outcome.log


BOOTSTRAP = """#!/bin/sh
# Stands in for the real one: it has nothing to install from until it is given something.
if [ -n "${JENKINS_CD_WHEEL:-}" ]; then echo "installs $(cat "$JENKINS_CD_WHEEL")"; exec jenkins-cd; fi
if [ "${JENKINS_CD_FROM_INDEX:-}" = yes ]; then echo "installs from the index"; exec jenkins-cd; fi
exit 86
"""


@pytest.mark.parametrize(("wheel", "said"), [(b"a wheel", "installs a wheel"), (None, "installs from the index")])
def test_the_library_hands_its_own_package_over_where_it_has_one(scene: Scene, wheel: bytes | None, said: str) -> None:
    library = scene.folder / "library"
    shutil.copytree(LIBRARY / "vars", library / "vars")
    (library / "resources/jenkins_cd").mkdir(parents=True)
    (library / "resources/jenkins_cd/bootstrap.sh").write_text(BOOTSTRAP, encoding="utf-8")
    if wheel:
        (library / "resources/jenkins_cd/jenkins_cd.whl").write_bytes(wheel)
    scene.library = library
    outcome = scene.run("node { jenkinsCd 'status' }")
    assert outcome.result == "SUCCESS", outcome.log
    assert said in outcome.log
    assert len(scene.started) == 1
