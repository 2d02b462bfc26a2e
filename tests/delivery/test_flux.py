from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from jenkins_cd.delivery import Followed, Target, declaration, flux, health
from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Plan, Release
from tests.delivery.app import App
from tests.delivery.charts import publish
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare, count, git, hook
from tests.gitops.samples import platform, release

PLACE = "dev/shop/storefront"


@pytest.fixture(scope="module")
def charts(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> str:
    return publish(registry, "flux-tests", tmp_path_factory.mktemp("charts"), ("1.3.0", "1.4.0", "1.5.0"))


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "deploy.git")


@pytest.fixture
def target(remote: Path, app: App, registry: Registry) -> Target:
    settings = platform(str(remote), registry.host, settle="100ms", timeout="2s")
    environment = settings.environments["dev"]
    return Target(name="dev", environment=environment, platform=settings, url=app.url, progress=Notes())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "INTERVAL", 0.02)
    monkeypatch.setattr(declaration, "LOOK", 0.1)


def wanted(charts: str, version: str = "1.4.0") -> Release:
    one = release(version)
    return replace(one, chart=replace(one.chart, repository=charts, content=""))


def deploy(target: Target, one: Release) -> tuple[Plan, str]:
    plan = flux.plan(target, one, None)
    return plan, flux.apply(target, one, plan, f"Deploy {one.version}")


def _changed_lines(diff: str) -> list[str]:
    return [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]


def push(remote: Path, path: str, old: bytes, new: bytes) -> str:
    """Change a file as a person would."""

    def change(view: View) -> dict[str, bytes]:
        content = view.read(path) or b""
        assert old in content
        return {path: content.replace(old, new)}

    return Repository.open(str(remote)).commit("main", "By hand", change)


def test_a_first_deployment_makes_the_folder(target: Target, remote: Path, charts: str, app: App) -> None:
    app.says('{"version": "1.2.0"}')
    plan, commit = deploy(target, wanted(charts))
    assert (plan.declared, plan.running, plan.wanted, plan.base) == (None, "1.2.0", "1.4.0", "")
    assert f"+++ b/{PLACE}/Chart.yaml" in plan.files
    assert '+  image: "1.4.0"' in plan.manifests
    assert git(remote, "rev-parse", "main").strip() == commit
    assert git(remote, "ls-tree", "-r", "--name-only", "main").split() == [
        f"{PLACE}/Chart.yaml",
        f"{PLACE}/values.yaml",
    ]


def test_planning_writes_nothing(target: Target, remote: Path, charts: str) -> None:
    flux.plan(target, wanted(charts), "1.3.0")
    assert git(remote, "branch", "--list") == ""


def test_a_bump_is_one_commit_with_the_diff_that_was_planned(target: Target, remote: Path, charts: str) -> None:
    _, first = deploy(target, wanted(charts, "1.3.0"))
    plan, commit = deploy(target, wanted(charts))
    assert (plan.declared, plan.base) == ("1.3.0", first)
    assert git(remote, "log", "-1", "--format=%P %s", commit).strip() == f"{first} Deploy 1.4.0"
    assert _changed_lines(plan.files) == _changed_lines(git(remote, "show", "--format=", commit))
    assert _changed_lines(plan.manifests) == ['-  image: "1.3.0"', '+  image: "1.4.0"']


def test_deploying_again_changes_nothing(target: Target, remote: Path, charts: str) -> None:
    _, commit = deploy(target, wanted(charts))
    plan, again = deploy(target, wanted(charts))
    assert not plan.changes
    assert plan.manifests == ""
    assert again == commit
    assert count(remote) == 1


def test_what_does_not_render_is_not_pushed(target: Target, remote: Path, charts: str) -> None:
    deploy(target, wanted(charts, "1.3.0"))
    values = f"{PLACE}/values.yaml"
    push(remote, values, b"common-chart:\n", b"common-chart:\n  replicas: [1]\n")
    with pytest.raises(BadInput) as caught:
        flux.plan(target, wanted(charts), None)
    assert "does not render" in caught.value.message
    assert count(remote) == 2


def test_a_file_that_changed_since_the_plan_is_rendered_again(target: Target, remote: Path, charts: str) -> None:
    deploy(target, wanted(charts, "1.3.0"))
    plan = flux.plan(target, wanted(charts), None)
    push(remote, f"{PLACE}/values.yaml", b"common-chart:\n", b"common-chart:\n  replicas: 3\n")
    commit = flux.apply(target, wanted(charts), plan, "Deploy")
    assert "replicas: 3" in git(remote, "show", f"{commit}:{PLACE}/values.yaml")
    plan = flux.plan(target, wanted(charts, "1.5.0"), None)
    push(remote, f"{PLACE}/values.yaml", b"replicas: 3", b"replicas: [1]")
    with pytest.raises(BadInput, match="does not render"):
        flux.apply(target, wanted(charts, "1.5.0"), plan, "Deploy")
    assert count(remote) == 4


def test_changes_elsewhere_since_the_plan_need_no_rendering(
    target: Target, remote: Path, charts: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    deploy(target, wanted(charts, "1.3.0"))
    plan = flux.plan(target, wanted(charts), None)
    push(remote, "README", b"", b"x")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "git")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # no Helm here
    commit = flux.apply(target, wanted(charts), plan, "Deploy")
    monkeypatch.undo()
    assert count(remote) == 3
    assert git(remote, "show", f"{commit}:README") == "x"


def test_the_last_intent_wins_over_one_between_plan_and_apply(target: Target, remote: Path, charts: str) -> None:
    deploy(target, wanted(charts, "1.3.0"))
    plan = flux.plan(target, wanted(charts), None)
    deploy(target, wanted(charts, "1.5.0"))
    flux.apply(target, wanted(charts), plan, "Deploy 1.4.0")
    assert "version: 1.4.0\n" in git(remote, "show", f"main:{PLACE}/Chart.yaml")


def test_a_declined_push_is_refused(target: Target, remote: Path, charts: str) -> None:
    hook(remote, "pre-receive", "echo 'the freeze holds' >&2; exit 1")
    plan = flux.plan(target, wanted(charts), None)
    with pytest.raises(Refused, match="the freeze holds"):
        flux.apply(target, wanted(charts), plan, "Deploy")


def test_a_chart_that_is_not_there_is_an_external_failure(target: Target, charts: str) -> None:
    with pytest.raises(ExternalFailure, match=r"storefront 9\.9\.9"):
        flux.plan(target, wanted(charts, "9.9.9"), None)


def test_following_ends_when_the_app_reports_the_version(target: Target, charts: str, app: App) -> None:
    _, commit = deploy(target, wanted(charts))
    threading.Timer(0.3, app.says, ['{"version": "1.4.0"}']).start()
    followed = flux.follow(target, wanted(charts), commit)
    assert followed.reached
    assert isinstance(target.progress, Notes)
    assert target.progress.texts[-1] == "dev verify: HTTP 200, version 1.4.0"


def test_following_ends_when_another_version_is_declared(target: Target, charts: str, remote: Path, app: App) -> None:
    app.says('{"version": "1.3.0"}')
    _, commit = deploy(target, wanted(charts))
    threading.Timer(0.3, deploy, [target, wanted(charts, "1.5.0")]).start()
    slow = replace(target, environment=replace(target.environment, timeout="30s"))
    followed = flux.follow(slow, wanted(charts), commit)
    assert (followed.reached, followed.superseded_by) == (False, "1.5.0")
    assert "declares 1.5.0" in followed.reason
    assert "declared in" not in flux.diagnose(slow, wanted(charts), followed)


def test_a_deploy_repository_that_is_away_does_not_end_the_following(
    target: Target, charts: str, remote: Path, app: App
) -> None:
    _, commit = deploy(target, wanted(charts))
    remote.rename(remote.with_suffix(".away"))
    threading.Timer(0.5, app.says, ['{"version": "1.4.0"}']).start()
    assert flux.follow(target, wanted(charts), commit).reached


def test_the_diagnosis_tells_what_was_seen_and_where_to_look(target: Target, charts: str, app: App) -> None:
    app.says("panic: no database\n" * 20, 500)
    _, commit = deploy(target, wanted(charts))
    followed = flux.follow(target, wanted(charts), commit)
    assert "1.4.0 did not come up and stay up in 2 s" in followed.reason
    text = flux.diagnose(target, wanted(charts), followed)
    assert f"GET {app.url}/health: HTTP 500" in text
    assert text.count("panic: no database") == 8
    assert f"{PLACE}/Chart.yaml on main of " in text
    app.stop()
    followed = Followed(
        reached=False, superseded_by="", observation=health.observe(app.url, wanted(charts).health), reason="no"
    )
    assert "no answer" in flux.diagnose(target, wanted(charts), followed)


def test_many_may_deploy_to_one_repository_at_once(target: Target, remote: Path, charts: str) -> None:
    failures: list[JenkinsCdError] = []

    def one(number: int) -> None:
        place = replace(target, name=f"env{number}")
        try:
            deploy(place, wanted(charts))
        except JenkinsCdError as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert count(remote) == 4


def test_a_chart_that_was_replaced_in_the_registry_is_not_deployed(target: Target, charts: str, remote: Path) -> None:
    one = wanted(charts)
    replaced = replace(one, chart=replace(one.chart, content="0" * 64))
    with pytest.raises(ExternalFailure, match="not the one that was released"):
        flux.plan(target, replaced, None)
