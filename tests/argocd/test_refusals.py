"""What is not done, and why that is told: closed windows, missing rights, no Application, somebody's newer wish."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from jenkins_cd.argocd import acts, states, underway
from jenkins_cd.argocd.looks import Looks
from jenkins_cd.argocd.underway import Underway
from jenkins_cd.delivery import argocd
from jenkins_cd.errors import BadInput, Refused
from tests.argocd import proxy as faulty
from tests.argocd.apps import Make, app_as_wanted, app_charts, app_of_either_kind, app_of_manual_syncs  # noqa: F401
from tests.argocd.delivered import TOKEN, Delivered, declare
from tests.argocd.proxy import HANG
from tests.gitops.remotes import bare, count, git


def test_where_a_window_is_closed_nothing_is_committed_and_when_it_opens_is_told(app: Delivered) -> None:
    began = datetime.now(timezone.utc) - timedelta(minutes=2)
    app.scene.window(app.site.ref, schedule=f"{began.minute} {began.hour} * * *", duration="1h")
    commits, plan = count(app.remote), app.plan("1.0.0")
    with pytest.raises(Refused) as refused:
        argocd.apply(app.target, app.release("1.0.0"), plan, "Deploy")
    assert f"for 1h until {began + timedelta(hours=1):%Y-%m-%d %H:%M} UTC" in refused.value.message
    with pytest.raises(Refused):
        argocd.rehearse(app.target, app.release("1.0.0"))
    assert count(app.remote) == commits


def test_a_window_that_closes_after_the_commit_blocks_the_sync(app: Delivered) -> None:
    commit = declare(app, "1.0.0")
    app.scene.window(app.site.ref)
    app.begin("1.0.0", commit)
    followed = app.follow("1.0.0", commit)
    assert (followed.reached, followed.outcome) == (False, "blocked"), followed
    assert "blocked by the sync window deny `* * * * *` for 24h" in followed.reason


def test_without_the_right_to_sync_nothing_is_committed_and_the_right_is_named(make: Make) -> None:
    app = make(role="reader")
    commits, plan = count(app.remote), app.plan("1.0.0")
    with pytest.raises(Refused) as refused:
        argocd.apply(app.target, app.release("1.0.0"), plan, "Deploy")
    assert f"may not sync {app.site.ref.rbac}" in refused.value.message
    assert "applications, sync" in refused.value.message
    assert count(app.remote) == commits


def test_a_right_that_is_taken_away_after_the_commit_is_no_failure_of_the_version(manual: Delivered) -> None:
    commit = declare(manual, "1.0.0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(TOKEN, manual.scene.token("reader").text)
        manual.begin("1.0.0", commit)
        followed = manual.follow("1.0.0", commit)
    assert (followed.reached, followed.outcome) == (False, "blocked"), followed
    assert "lacks the right `applications, sync`" in followed.reason


def test_an_application_that_is_missing_is_told_with_the_command_that_makes_it(manual: Delivered) -> None:
    manual.rules(argocd_application="nothing")
    with pytest.raises(BadInput) as error:
        manual.plan("1.0.0")
    assert "Argo CD has no Application nothing" in error.value.message
    assert error.value.hint == "jenkins-cd render argocd --project shop --apply makes it, by who may set up Argo CD"


def test_an_application_of_something_else_is_told(manual: Delivered) -> None:
    commit = declare(manual, "1.0.0")
    deploy = manual.target.platform.declared_in
    other = bare(manual.remote.parent / "other.git", {"README": b"nothing"})
    git(manual.remote, "push", "--quiet", str(other), "+main:main")
    platform = replace(manual.target.platform, deploy_repository=replace(deploy, url=f"file://{other}"))
    target = replace(manual.target, platform=platform)
    followed = argocd.follow(target, manual.release("1.0.0"), commit)
    assert (followed.reached, followed.outcome) == (False, "failed"), followed
    assert "and not dev/shop/storefront of" in followed.reason


def test_a_refresh_that_the_controller_overlooks_is_asked_for_in_another_way(
    manual: Delivered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one like the first would change nothing in the Application: nobody would be told of it."""
    commit = declare(manual, "1.0.0")
    monkeypatch.setattr(underway, "PATIENCE", 5.0)
    with faulty.before(manual.scene.argocd.url) as proxy:
        server = manual.scene.as_who_has(manual.token, proxy.url)
        looks = Looks(server=server, ref=manual.site.ref, seen=lambda _app: None)
        at = Underway(site=manual.site, wish=manual.wish("1.0.0", commit), looks=looks)
        proxy.faults += [HANG, "503"]
        assert [at.refresh() for _ in range(3)] == [False, False, True]
        assert at.refresh()
    asked = [one.rpartition("refresh=")[2].partition("&")[0] for one in proxy.seen]
    assert asked == ["normal", "hard", "normal", "normal"]
    assert states.compared_revisions(at.app) == (commit,)


def test_a_look_that_is_old_by_now_lets_nobody_sync_over_a_newer_wish(manual: Delivered) -> None:
    ours = declare(manual, "1.0.0")
    manual.refresh()
    looks = Looks(server=manual.site.server, ref=manual.site.ref, seen=lambda _app: None)
    looks.read()
    declare(manual, "1.0.1")
    at = Underway(site=manual.site, wish=manual.wish("1.0.0", ours), looks=looks)
    decision = at.decision()
    assert (decision.step, decision.revision) == ("sync", ours)
    followed = acts.sync(at, decision)
    assert followed is not None
    assert followed.superseded_by == "1.0.1"
    assert states.operation(manual.application) is None
