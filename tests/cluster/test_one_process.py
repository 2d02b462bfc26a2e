"""What the phases of a deployment share where they run in one process, and where they must look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.cluster import access
from jenkins_cd.cluster.access import Access
from jenkins_cd.delivery import dangers, helm, keeping
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.model import Plan
from jenkins_cd.tools import helm_release, process
from jenkins_cd.tools.helm_release import Change, Place
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster.pushed import APP, MESSAGE, App


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each access that is opened, each rendering by the cluster, each look for dangers, each look at the release."""
    made: list[str] = []

    def told(module: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def spy(*given: Any, **named: Any) -> Any:
            made.append(name)
            return real(*given, **named)

        monkeypatch.setattr(module, name, spy)

    for module, name in (
        (access, "granted"),
        (helm_release, "dry_run"),
        (helm_release, "status"),
        (dangers, "check"),
    ):
        told(module, name)
    return made


def tokens(pushed: App) -> list[Any]:
    """Return the Secrets that tokens of steps are bound to."""
    return list(pushed.lab.select(pushed.namespace, "secrets", access.PURPOSE))


def upgrade_by_hand(pushed: App, chart: Path) -> None:
    with helm_release.upgrade_install(pushed.place, chart, Change(force_conflicts=True)) as work:
        while work.running:
            process.pause(0.02)
        assert work.succeeded, work.output


def apply(pushed: App, plan: Plan, version: str) -> str:
    return helm.apply(pushed.target, pushed.release(version), plan, MESSAGE.format(f"{APP} {version}"))


def test_one_access_and_one_rendering_serve_all_phases_and_nothing_of_them_is_left(
    pushed: App, calls: list[str]
) -> None:
    pushed.apply("1.0.0")
    calls.clear()
    with keeping.block():
        commit = apply(pushed, pushed.plan("1.0.1"), "1.0.1")
        assert len(tokens(pushed)) == 1
        assert sorted(calls) == ["check", "dry_run", "granted", "status"]
        assert helm.follow(pushed.target, pushed.release("1.0.1"), commit).reached
    assert calls.count("granted") == 1
    assert tokens(pushed) == []
    assert pushed.image == pushed.lab.image("1.0.1")


def test_the_access_is_gone_when_a_phase_fails(pushed: App) -> None:
    def failing() -> None:
        with keeping.block():
            pushed.plan("1.0.0")
            assert len(tokens(pushed)) == 1
            raise ExternalFailure("the ledger is away")

    with pytest.raises(ExternalFailure, match="the ledger is away"):
        failing()
    assert tokens(pushed) == []


def test_a_release_that_somebody_has_changed_since_the_plan_is_looked_at_and_rendered_again(
    pushed: App, calls: list[str]
) -> None:
    pushed.apply("1.0.0")
    with keeping.block():
        plan = pushed.plan("1.0.1")
        calls.clear()
        chart = Path(pushed.remote).parent / "by-hand"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {APP}\nversion: 9.9.9\n", encoding="utf-8")
        upgrade_by_hand(pushed, chart)
        apply(pushed, plan, "1.0.1")
    assert {"status", "dry_run", "check"} <= set(calls)
    assert [one.chart for one in helm_release.history(pushed.place)][:2] == [f"{APP}-1.0.1", f"{APP}-9.9.9"]
    assert pushed.image == pushed.lab.image("1.0.1")


def test_files_that_somebody_has_changed_since_the_plan_are_rendered_again(pushed: App, calls: list[str]) -> None:
    pushed.apply("1.0.0")
    with keeping.block():
        plan = pushed.plan("1.0.1")
        calls.clear()
        pushed.says(replicas=2)
        apply(pushed, plan, "1.0.1")
    assert {"dry_run", "check"} <= set(calls)
    assert pushed.live("deployments", APP)["spec"]["replicas"] == 2


def test_an_access_that_would_not_last_is_replaced(
    pushed: App, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with keeping.block():
        pushed.plan("1.0.0")
        monkeypatch.setattr(Access, "lasts", lambda _access, _seconds: False)
        pushed.plan("1.0.0")
    assert calls.count("granted") == 2
    assert tokens(pushed) == []


def test_a_step_of_its_own_keeps_nothing(pushed: App, calls: list[str]) -> None:
    pushed.apply("1.0.0")
    assert calls.count("granted") == 2
    assert calls.count("dry_run") == 2
    assert tokens(pushed) == []


@pytest.mark.parametrize(("left", "lasts"), [(None, True), (300, True), (30, False)])
def test_an_access_lasts_until_its_token_dies(left: int | None, lasts: bool) -> None:
    expires = None if left is None else datetime.now(timezone.utc) + timedelta(seconds=left)
    given = Access(cluster=Cluster(server="https://127.0.0.1:1"), kubeconfig=Path("/nowhere"), expires=expires)
    assert given.lasts(60) is lasts


def test_fields_are_left_to_a_server_that_checks_them_itself() -> None:
    place = Place(name="words", namespace="shop-dev", kubeconfig=Path("/run/step/kubeconfig"))
    flag = "--disable-openapi-validation"
    for helm_major in (3, 4):
        said = [
            helm_release.upgrade_arguments(helm_major, one, Path("chart"), Change(), ())
            for one in (place, replace(place, checks_fields=True))
        ]
        assert [flag in one for one in said] == [False, True]
