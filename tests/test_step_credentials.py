"""Each step is given the credentials of what it touches and no others: its plan against what servers have seen.

Git and the registry let nobody in without a password, and every step runs with nothing but what its plan binds.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jenkins_cd import cli, common_chart, deploy_steps, masking, promote
from jenkins_cd.attempt import Request
from jenkins_cd.config.load import load_platform
from jenkins_cd.delivery import declaration, health
from jenkins_cd.demo.services import Registry
from jenkins_cd.model import STAGES
from jenkins_cd.pipelines import Step
from jenkins_cd.tools import lock, registry
from tests.delivery.app import App
from tests.deployments import Cluster
from tests.gitops.remotes import bare
from tests.stages.projects import write
from tests.stages.shop import CD, OWN_CHART, git
from tests.tools.conftest import HTPASSWD, NAME, PASSWORD
from tests.tools.git_servers import HttpServer, http_server

PLATFORM = """\
registry: {{images: "{host}/apps", charts: "oci://{host}/charts", plain_http: true}}
deploy_repository: {{url: "{deploy}"}}
jenkins: {{credentials: {{registry: registry, git: git}}}}
environments:
  dev: {{model: flux, after: ci, tests: [smoke], on_failure: rollback, {rules}}}
  prod: {{model: flux, after: dev, promotion: manual, approvers: [mia], {rules}}}
"""
SMOKE = "tests: {smoke: {run: 'test \"$APP_VERSION\" != 1.2.0'}}\n"
OTHER = {"registry": "JENKINS_CD_REGISTRY", "git": "JENKINS_CD_GIT"}  # the variables of each ID


@dataclass
class Site:
    """An app, and servers that demand a password."""

    folder: Path
    git: HttpServer
    cluster: Cluster
    patch: pytest.MonkeyPatch
    given: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by step: IDs of its plan
    used: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # and those that servers have seen

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def run(self, name: str, step: Step, *more: str) -> int:
        """Run a step as Jenkins does, on an agent that keeps nothing but the workspace; returns the exit code."""
        ids = {one.id for one in step.credentials}
        shutil.rmtree(lock.cache_folder() / "charts", ignore_errors=True)
        with self.patch.context() as patch:
            for id_ in ids:
                patch.setenv(f"{OTHER[id_]}_USERNAME", NAME)
                patch.setenv(f"{OTHER[id_]}_PASSWORD", PASSWORD)
            patch.chdir(self.checkout)
            real, asked = registry.login, set[str]()

            def login() -> tuple[str, str] | None:
                asked.add("registry")
                return real()

            patch.setattr(registry, "login", login)
            self.git.seen.clear()
            code = cli.run([*step.arguments, *more])
        self.given[name] |= ids
        self.used[name] |= asked | ({"git"} if self.git.seen else set())
        return code

    def plan(self, *arguments: str, capsys: pytest.CaptureFixture[str]) -> list[Step]:
        self.patch.chdir(self.checkout)
        capsys.readouterr()
        assert cli.run([*arguments, "--json"]) == 0
        steps: list[Step] = msgspec.convert(json.loads(capsys.readouterr().out)["steps"], list[Step])
        return steps


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(health, "INTERVAL", 0.02)
    monkeypatch.setattr(declaration, "LOOK", 0.1)
    monkeypatch.setattr(masking, "_forms", set())
    (tmp_path / "htpasswd").write_text(HTPASSWD, encoding="utf-8")
    repositories, app = tmp_path / "repositories", App()
    repositories.mkdir()
    deploy = bare(repositories / "deploy.git", {"README.md": b"What runs where.\n"})
    bare(repositories / "app.git", {"README.md": b"An app.\n"})
    locked = Registry.start(tmp_path, tmp_path / "htpasswd")
    try:
        with http_server(repositories, {NAME: PASSWORD}, frozenset({NAME})) as server:
            prepare(tmp_path, locked.host, server, app.url)
            yield Site(tmp_path, server, Cluster(deploy, app), monkeypatch)
    finally:
        locked.stop()
        app.stop()


def prepare(folder: Path, host: str, server: HttpServer, app: str) -> None:
    """Write the platform file, and an app whose chart needs another one of the registry."""
    name, version = common_chart.identity()
    rules = f'health_url: "{app}", settle: 50ms, timeout: 3s'
    platform = PLATFORM.format(host=host, deploy=server.url("deploy.git"), rules=rules)
    needs = f'dependencies: [{{name: {name}, version: {version}, repository: "oci://{host}/charts"}}]\n'
    chart = {**OWN_CHART, "chart/Chart.yaml": OWN_CHART["chart/Chart.yaml"] + needs}
    chart["cd.yaml"] = chart["cd.yaml"].replace(CD, CD + SMOKE)
    chart["chart/values.yaml"] += f"{name}: {{image: {{repository: shop, tag: one}}}}\n"
    write(folder / "checkout", {**chart, "platform.yaml": platform, ".gitignore": ".jenkins-cd/\n"})
    git(folder / "checkout", "init", "--quiet")
    git(folder / "checkout", "remote", "add", "origin", server.url("app.git"))


def commit(site: Site, version: str) -> None:
    git(site.checkout, "add", "--all")
    git(site.checkout, "commit", "--quiet", "--allow-empty", "--message", f"Make {version}")
    git(site.checkout, "tag", f"v{version}")
    git(site.checkout, "push", "--quiet", str(site.git.root / "app.git"), f"v{version}", "HEAD:refs/heads/main", "-f")


def request(version: str, environment: str) -> Request:
    return Request(app="storefront", version=version, environment=environment, requested_by="jane")


def deploy(site: Site, version: str) -> bool:
    """Run the steps of a deployment to dev; returns whether it is verified."""
    platform = load_platform(None, site.checkout)
    plan = deploy_steps.planned(platform, request(version, "dev"), "", None)
    codes = [site.run(step.stage, step) for step in plan.steps]
    assert set(codes) <= {0, 1}
    return set(codes) == {0}


def test_each_step_is_given_what_it_touches_and_no_more(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    for step in site.plan("common-chart", "publish", "--plan", capsys=capsys):
        assert site.run(step.stage, step) == 0
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        commit(site, version)
        for step in site.plan("ci", "--plan", capsys=capsys):
            assert site.run(step.stage, step) == 0
    assert deploy(site, "1.0.0")
    platform = load_platform(None, site.checkout)
    question, approval = promote.steps(platform, request("1.0.0", "prod"), None).steps
    assert site.run(question.stage, question) == 0
    assert site.run(approval.stage, approval, "--approver", "mia") == 0
    site.cluster.broken = {"1.1.0"}
    assert not deploy(site, "1.1.0")  # put back by the step that sees that it does not come up
    assert not deploy(site, "1.2.0")  # and by the one that records that its tests failed
    assert site.used == site.given
    assert set(site.given) == {*STAGES, *deploy_steps.STAGES.values(), "Publish", "Question", "Approval"}
    assert site.given["package"] == site.given["upload"] == {"registry", "git"}
    assert not any(site.given[name] for name in ("build", "unit-tests", "code-standard", "dead-code"))
    assert not [name for name in os.environ if name.startswith(tuple(OTHER.values()))]


def test_a_stage_that_packages_fails_where_it_has_not_what_it_touches(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """So the servers do demand what the test above gives."""
    for step in site.plan("common-chart", "publish", "--plan", capsys=capsys):
        assert site.run(step.stage, step) == 0
    commit(site, "1.0.0")
    steps: dict[str, Any] = {step.stage: step for step in site.plan("ci", "--plan", capsys=capsys)}
    assert site.run("build", steps["build"]) == 0
    for left in ("registry", "git"):
        only = tuple(one for one in steps["package"].credentials if one.id != left)
        assert site.run("package", replace(steps["package"], credentials=only)) == 3
