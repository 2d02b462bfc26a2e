"""The keys of platform.yaml for Jenkins, releases, groups and approvals: good and bad values, each with its line."""

from __future__ import annotations

import pytest

from jenkins_cd.config.load import load_platform
from jenkins_cd.config.types import Jenkins, JenkinsCredentials, PlatformFile, Releases
from tests.config.files import APP, PLATFORM, Checkout

LINES = PLATFORM.count("\n")
WHOLE = """\
releases: {branches: [main, "release/*"], tags: ["v[0-9]*"]}
groups: {release-managers: [jane.doe, qa@shop], empty: []}
jenkins:
  url: https://ci.local/jenkins/
  library: jenkins-cd@v1.2.0
  agent: linux && (docker || podman)
  deploy_job: Delivery/roll out
  promote_job: Delivery/Über-nahme
  common_chart_job: charts
  credentials: {registry: registry-robot, git: forge.token, git_ssh: deploy_key}
  unstable: [unit-tests, sonar-scan, compiler-warnings, dead-code, code-standard]
"""


def loaded(checkout: Checkout, text: str) -> PlatformFile:
    checkout.write(None, PLATFORM + text)
    return load_platform(None, checkout.folder)


def test_all_of_the_keys_may_be_left_out(checkout: Checkout) -> None:
    platform = loaded(checkout, "")
    assert platform.jenkins == Jenkins()
    assert (platform.jenkins.deploy_job, platform.jenkins.promote_job) == ("delivery/deploy", "delivery/promote")
    assert (platform.jenkins.common_chart_job, platform.jenkins.url) == (None, None)
    assert platform.jenkins.credentials == JenkinsCredentials(registry=None, git=None, git_ssh=None)
    assert platform.releases == Releases(branches=("main", "master"), tags=("*",))
    assert platform.groups == {}
    assert platform.environments["staging"].approval_valid == "24h"


def test_all_of_the_keys_are_read(checkout: Checkout) -> None:
    platform = loaded(checkout, WHOLE)
    assert platform.releases == Releases(branches=("main", "release/*"), tags=("v[0-9]*",))
    assert platform.groups == {"release-managers": ("jane.doe", "qa@shop"), "empty": ()}
    jenkins = platform.jenkins
    assert jenkins.credentials == JenkinsCredentials(registry="registry-robot", git="forge.token", git_ssh="deploy_key")
    assert (jenkins.agent, jenkins.deploy_job) == ("linux && (docker || podman)", "Delivery/roll out")
    assert len(jenkins.unstable) == 5


@pytest.mark.parametrize("text", [WHOLE, "jenkins: {}\n", "jenkins: {unstable: []}\nreleases: {branches: []}\n"])
def test_good_values_are_good(checkout: Checkout, text: str) -> None:
    assert checkout.write(APP, PLATFORM + text).run("validate")[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jenkins: {urls: x}", "jenkins.urls: no such key (did you mean url?)"),
        ("jenkins: {token: hunter22}", "jenkins.token: no such key"),
        ("jenkins: {url: ci.local}", "jenkins.url: expected an http:// or https:// URL"),
        ('jenkins: {url: "https://jane:hunter22@ci.local"}', "without user and password"),
        ("jenkins: {library: a b}", "jenkins.library: expected a library's name"),
        ("jenkins: {library: a@-x}", "jenkins.library: expected a library's name"),
        ("jenkins: {agent: \"linux'; x\"}", "jenkins.agent: expected a label expression"),
        ("jenkins: {agent: $(id)}", "jenkins.agent: expected a label expression"),
        ("jenkins: {credentials: {registry: a b}}", "jenkins.credentials.registry: expected the ID of a Jenkins"),
        ("jenkins: {credentials: {registry: \"x'\"}}", "jenkins.credentials.registry: expected the ID"),
        ("jenkins: {credentials: {git: ''}}", "jenkins.credentials.git: expected the ID"),
        ("jenkins: {credentials: {gitssh: x}}", "jenkins.credentials.gitssh: no such key (did you mean git_ssh?)"),
        ("jenkins: {credentials: [reg]}", "jenkins.credentials: expected keys and values"),
        ("jenkins: {unstable: [unit-test]}", "found 'unit-test' (did you mean unit-tests?)"),
        ("jenkins: {unstable: [build]}", "jenkins.unstable[0]: expected"),
        ("jenkins: {unstable: [upload]}", "jenkins.unstable[0]: expected"),
        ("jenkins: {unstable: dead-code}", "jenkins.unstable: expected a list"),
        ("releases: {branches: main}", "releases.branches: expected a list"),
        ("releases: {branches: [-x]}", "releases.branches[0]: expected a name or pattern such as `main`"),
        ('releases: {branches: ["a b"]}', "releases.branches[0]: expected a name or pattern"),
        ("releases: {branches: ['']}", "releases.branches[0]: expected a name or pattern"),
        ("releases: {tags: [$(id)]}", "releases.tags[0]: expected a name or pattern"),
        ("releases: {tag: [v1]}", "releases.tag: no such key (did you mean tags?)"),
        ("groups: [qa]", "groups: expected keys and values"),
        ("groups: {qa: jane}", "groups.qa: expected a list"),
        ("groups: {qa: [a b]}", "groups.qa[0]: expected a user or group name"),
        ("groups: {qa: [-x]}", "groups.qa[0]: expected a user or group name"),
        ("groups: {QA: [jane]}", "expected a lower-case name"),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_with_its_line_and_what_was_expected(checkout: Checkout, text: str, said: str) -> None:
    problem = checkout.write(None, f"{PLATFORM}{text}\n").problem()
    assert problem.startswith(f"platform.yaml:{LINES + 1} (platform): ")
    assert said in problem
    assert "hunter22" not in problem


@pytest.mark.parametrize("key", ["deploy_job", "promote_job", "common_chart_job"])
@pytest.mark.parametrize(
    "name",
    ["", "/deploy", "deploy/", "a//b", ".", "../deploy", "a/../b", "a/.", " a", "a ", "a/ b", "a?b", "a*", "a%2Fb",
     "a#b", "a;b", "a'b", 'a\\"b', "$a", "a&b", "<a>", "a\\nb", "x" * 256],
)  # fmt: skip
def test_a_job_is_named_as_jenkins_names_one(checkout: Checkout, key: str, name: str) -> None:
    problem = checkout.write(None, f'{PLATFORM}jenkins:\n  {key}: "{name}"\n').problem()
    assert problem.startswith(f"platform.yaml:{LINES + 2} (platform): jenkins.{key}: ")
    assert "expected a job's full name" in problem or "control character" in problem


@pytest.mark.parametrize("name", ["deploy", "Delivery/roll out", "a-b/c_d.e", "1/2/3", "Über/größe", "v1.2"])
def test_a_job_may_have_folders_and_blanks(checkout: Checkout, name: str) -> None:
    assert loaded(checkout, f"jenkins: {{deploy_job: {name}}}\n").jenkins.deploy_job == name


@pytest.mark.parametrize(("value", "good"), [("8h", True), ("90m", True), ("1d", False), ("-1h", False), ("", False)])
def test_how_long_an_approval_counts_is_a_duration(checkout: Checkout, value: str, good: bool) -> None:
    text = PLATFORM.replace("    approvers: [qa]\n", f'    approvers: [qa]\n    approval_valid: "{value}"\n')
    checkout.write(None, text)
    if good:
        assert load_platform(None, checkout.folder).environments["staging"].approval_valid == value
        return
    assert checkout.problem().startswith(
        "platform.yaml:15 (platform): environments.staging.approval_valid: expected a duration"
    )


@pytest.mark.parametrize("key", ["jenkins", "releases", "groups"])
def test_an_app_may_set_none_of_it(checkout: Checkout, key: str) -> None:
    checkout.write(f"app: storefront\nproject: shop\n{key}: {{}}\n")
    assert checkout.problem() == f"cd.yaml:3 (app): {key}: only the platform file may set it"


def test_every_problem_of_these_keys_comes_at_once(checkout: Checkout) -> None:
    text = (
        "jenkins:\n  agent: $x\n  unstable: [lint]\n  credentials: {git: a b}\nreleases: {tags: v1}\ngroups: {a: [-]}\n"
    )
    problems = checkout.write(None, PLATFORM + text).refused()
    assert [problem.split(": ")[1] for problem in problems] == [
        "jenkins.agent", "jenkins.unstable[0]", "jenkins.credentials.git", "releases.tags", "groups.a[0]",
    ]  # fmt: skip
