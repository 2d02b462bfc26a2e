"""What is decided on an Application: each case that could fool us, alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from jenkins_cd.argocd.judge import (
    CERTAIN,
    DEGRADED,
    DIFFERENT,
    PENDING,
    REFUSED,
    SOON,
    UNREADY,
    Decision,
    Memory,
    Rules,
    confirmed,
    judge,
)
from jenkins_cd.argocd.looks import Looks
from jenkins_cd.argocd.revisions import Wish, same_repository
from jenkins_cd.argocd.states import moment
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.tools.argocd import Credentials, Ref, connect
from tests.argocd_states.applications import AT, PLACE, SOURCE, application, ended, merged, running
from tests.gitops.remotes import bare

CHART = "apiVersion: v2\nname: storefront\nversion: {}\n"
OTHER = "dev/shop/basket/Chart.yaml"
NOW = 1000.0


@dataclass(frozen=True)
class History:
    """Five commits: `old`, `ours`, `beside` (of another app), `newer` (of ours), `newest` (beside, after newer)."""

    old: str
    ours: str
    beside: str
    newer: str
    newest: str
    wish: Wish

    def decide(self, app: dict[str, Any], rules: Rules | None = None, memory: Memory | None = None) -> Decision:
        url = self.wish.repository.url
        for part in (app["spec"], app["status"]["sync"]["comparedTo"]):
            if "source" in part:
                part["source"]["repoURL"] = url
        return judge(app, self.wish, rules or Rules(), memory or Memory(), NOW)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("history")
    repository = Repository(str(bare(folder / "deploy.git")), folder / "mirror")
    chart = f"{PLACE}/Chart.yaml"
    steps = [(chart, "1.3.0"), (chart, "1.4.0"), (OTHER, "7.0.0"), (chart, "1.5.0"), (OTHER, "7.0.1")]
    old, ours, beside, newer, newest = (_commit(repository, path, version) for path, version in steps)
    wish = Wish(repository=repository, branch="main", place=PLACE, commit=ours)
    return History(old, ours, beside, newer, newest, wish)


def _commit(repository: Repository, path: str, version: str) -> str:
    files = {path: CHART.format(version).encode()}
    return repository.commit("main", f"{path} {version}", lambda _view: files)


def test_synced_and_healthy_at_our_commit_is_good(history: History) -> None:
    assert history.decide(application(history.ours)).step == "good"


def test_synced_and_healthy_at_the_commit_before_is_not_ours(history: History) -> None:
    assert history.decide(application(history.old)).step == "refresh"


def test_a_commit_of_another_app_after_ours_is_as_good(history: History) -> None:
    assert history.decide(application(history.beside)).step == "good"


@pytest.mark.parametrize("revision", ["newer", "newest"])
def test_a_newer_commit_of_ours_supersedes_and_is_named(history: History, revision: str) -> None:
    decision = history.decide(application(getattr(history, revision)))
    assert (decision.step, decision.revision) == ("superseded", getattr(history, revision))
    assert "1.5.0" in decision.why


def test_a_commit_that_nobody_knows_is_not_ours(history: History) -> None:
    assert history.decide(application("f" * 40)).step == "refresh"


def test_a_first_commit_of_an_application_is_waited_for(history: History) -> None:
    app = application("")
    del app["status"]["sync"]["revision"]
    assert history.decide(app).step == "refresh"


def test_out_of_sync_at_our_commit_asks_for_a_sync_to_what_was_compared(history: History) -> None:
    app = application(history.beside, status={"sync": {"status": "OutOfSync"}})
    decision = history.decide(app)
    assert (decision.step, decision.revision) == ("sync", history.beside)


def test_automated_sync_is_given_a_moment_then_asked_for(history: History) -> None:
    app = application(history.ours, status={"sync": {"status": "OutOfSync"}})
    app["spec"]["syncPolicy"] = {"automated": {}}
    assert history.decide(app).step == "wait"
    assert history.decide(app, memory=Memory(since={"out of sync": NOW - 5})).step == "sync"


def test_automated_sync_that_is_switched_off_is_none(history: History) -> None:
    app = application(history.ours, status={"sync": {"status": "OutOfSync"}})
    app["spec"]["syncPolicy"] = {"automated": {"enabled": False}}
    assert history.decide(app).step == "sync"


def test_a_sync_of_somebody_else_is_waited_for(history: History) -> None:
    app = application(history.old, **running(history.old, by="jane", message="applying"))
    decision = history.decide(app)
    assert decision.step == "wait"
    assert "jane syncs" in decision.why


def test_a_sync_of_an_older_commit_that_would_only_be_tried_again_is_ended(history: History) -> None:
    app = application(history.old, **running(history.old, finishedAt=AT.format(3), retryCount=1))
    assert history.decide(app).step == "terminate"


def test_a_retry_of_ours_is_waited_for(history: History) -> None:
    app = application(history.old, **running(history.ours, token=history.ours, finishedAt=AT.format(3), retryCount=1))
    assert history.decide(app).step == "wait"


def test_a_sync_that_nobody_has_begun_with_is_waited_for_whatever_was_before(history: History) -> None:
    app = application(history.ours, **running(history.ours, token=history.ours))
    assert history.decide(app).step == "wait"
    assert "to begin" in history.decide(app).why


def test_a_sync_that_the_controller_has_overlooked_is_brought_to_its_mind(history: History) -> None:
    app, memory = application(history.ours, **running(history.ours, token=history.ours)), Memory()
    assert history.decide(app, memory=memory).step == "wait"
    memory.since["pending"] = NOW - PENDING
    assert history.decide(app, memory=memory).step == "refresh"
    assert history.decide(app, memory=memory).step == "wait", "and is given time"


def test_a_sync_of_a_newer_commit_supersedes(history: History) -> None:
    app = application(history.old, **running(history.newer, message="applying"))
    assert history.decide(app).step == "superseded"


def test_our_sync_that_failed_is_a_failure_with_its_cause(history: History) -> None:
    results = {"resources": [{"kind": "Service", "name": "web", "status": "SyncFailed", "message": "port 0"}]}
    state = ended("Failed", history.ours, token=history.wish.token, retryCount=2, syncResult=results)
    decision = history.decide(application(history.ours, status={"operationState": state}))
    assert (decision.step, decision.why) == ("failed", "the sync failed after 3 attempts: Service/web: port 0")


def test_a_sync_that_failed_before_it_knew_its_revision_is_ours_by_its_token(history: History) -> None:
    state = ended("Error", "", token=history.wish.token, message="cannot load the project")
    assert history.decide(application(history.old, status={"operationState": state})).step == "failed"


def test_a_failure_of_an_older_commit_is_not_ours(history: History) -> None:
    state = ended("Failed", history.old, message="it broke")
    app = application(history.ours, status={"operationState": state, "sync": {"status": "OutOfSync"}})
    assert history.decide(app).step == "sync"


def test_a_failure_of_automated_sync_at_our_commit_is_ours_where_we_saw_it_at_work(history: History) -> None:
    memory = Memory()
    at_work = application(history.old, **running(history.ours, message="applying"))
    assert history.decide(at_work, memory=memory).step == "wait"
    state = ended("Failed", history.ours, message="it broke")
    assert history.decide(application(history.ours, status={"operationState": state}), memory=memory).step == "failed"


def test_a_sync_to_our_commit_that_somebody_else_began_and_ended_is_no_verdict(history: History) -> None:
    memory = Memory()
    at_work = application(history.old, **running(history.ours, message="applying"))
    assert history.decide(at_work, memory=memory).step == "wait"
    state = ended("Failed", history.ours, message="Operation terminated", retryCount=1)
    assert history.decide(application(history.ours, status={"operationState": state}), memory=memory).step == "sync"
    state = ended("Failed", history.ours, token=history.wish.token, message="Operation terminated")
    assert history.decide(application(history.ours, status={"operationState": state}), memory=memory).step == "failed"


@pytest.mark.parametrize("token", ["", "of another run"])
def test_a_failure_from_before_we_came_is_no_verdict_but_tried_once_more(history: History, token: str) -> None:
    state = ended("Failed", history.ours, token=token and f"{history.ours} {token}", message="it broke")
    decision = history.decide(application(history.ours, status={"operationState": state}))
    assert (decision.step, decision.revision) == ("sync", history.ours)


def test_a_newer_sync_that_is_over_supersedes_whatever_was_compared(history: History) -> None:
    state = ended("Succeeded", history.newer)
    app = application(history.ours, status={"operationState": state, "sync": {"status": "OutOfSync"}})
    assert (history.decide(app).step, history.decide(app).revision) == ("superseded", history.newer)


def test_a_comparison_from_before_the_end_of_the_sync_says_nothing(history: History) -> None:
    state = ended("Succeeded", history.ours, token=history.ours, at=20)
    app, memory = application(history.ours, status={"operationState": state}), Memory()
    assert history.decide(app, memory=memory).step == "wait"  # Argo CD looks by itself
    memory.since["unseen"] -= SOON
    assert history.decide(app, memory=memory).step == "refresh"
    memory.since["unseen"] -= 3600
    assert history.decide(app, memory=memory).step == "refresh"  # for as long as it takes


def test_while_a_version_comes_up_it_is_compared_once_when_that_is_later_than_the_sync_for_certain(
    history: History,
) -> None:
    state = ended("Succeeded", history.ours, token=history.ours, at=10)
    app = application(history.ours, status={"operationState": state, "health": {"status": "Progressing"}})
    memory = Memory()
    assert history.decide(app, memory=memory).step == "wait"
    memory.since["unsure"] -= CERTAIN
    assert history.decide(app, memory=memory).step == "refresh"
    assert history.decide(app, memory=memory).step == "wait"  # it was asked for


@pytest.mark.parametrize(("at", "certain"), [(9, True), (10, False), (11, False)])
def test_a_comparison_of_the_same_second_is_not_certain(history: History, at: int, *, certain: bool) -> None:
    state = ended("Succeeded", history.ours, token=history.ours, at=at)
    assert confirmed(application(history.ours, status={"operationState": state})) is certain


def test_a_comparison_with_an_earlier_spec_says_nothing(history: History) -> None:
    app = application(history.ours)
    app["spec"]["source"]["helm"] = {"releaseName": "storefront"}
    assert history.decide(app).step == "refresh"


def test_what_stays_out_of_sync_after_the_sync_is_not_synced_again_and_again(history: History) -> None:
    resources = [{"kind": "Deployment", "name": "web", "status": "OutOfSync"}]
    state = ended("Succeeded", history.ours, token=history.ours)
    app = application(
        history.ours, status={"operationState": state, "sync": {"status": "OutOfSync"}, "resources": resources}
    )
    decision = history.decide(app)
    assert (decision.step, "Deployment/web" in decision.why) == ("wait", True)


def test_what_differs_for_long_from_what_was_synced_is_rendered_anew_and_then_synced_once_more(
    history: History,
) -> None:
    state = ended("Succeeded", history.ours, token=history.ours)
    app = application(history.ours, status={"operationState": state, "sync": {"status": "OutOfSync"}})
    memory = Memory(since={"out of sync": NOW - DIFFERENT})
    decision = history.decide(app, memory=memory)
    assert (decision.step, decision.doubt) == ("hard-refresh", "different")
    memory.doubted.add(decision.doubt)
    assert history.decide(app, memory=memory).step == "wait"
    memory.stale.add(moment(AT.format(1)))
    assert history.decide(app, memory=memory).step == "sync"


def test_a_comparison_that_nobody_could_make_is_not_good_even_without_prune(history: History) -> None:
    app = application(history.ours, status={"sync": {"status": "Unknown"}})
    assert history.decide(app, Rules(prune=False)).step == "refresh"


def test_without_prune_what_is_only_in_the_way_is_no_obstacle(history: History) -> None:
    resources = [{"kind": "Service", "name": "old", "status": "OutOfSync", "requiresPruning": True}]
    app = application(history.ours, status={"sync": {"status": "OutOfSync"}, "resources": resources})
    assert history.decide(app, Rules(prune=False)).step == "good"
    assert history.decide(app, Rules(prune=True)).step == "sync"


def test_where_only_some_resources_are_synced_only_they_count(history: History) -> None:
    resources = [
        {"group": "apps", "kind": "Deployment", "name": "web", "status": "Synced", "health": {"status": "Healthy"}},
        {"kind": "Service", "name": "web", "status": "OutOfSync", "health": {"status": "Degraded"}},
    ]
    more = {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}, "resources": resources}
    app = application(history.ours, status=more)
    assert history.decide(app, Rules(resources=("apps:Deployment:web",))).step == "good"
    assert history.decide(app, Rules(resources=(":Service:web",))).step == "sync"


@pytest.mark.parametrize("state", ["Progressing", "Missing", "Suspended", "Unknown"])
def test_what_is_not_healthy_yet_is_waited_for(history: History, state: str) -> None:
    assert history.decide(application(history.ours, status={"health": {"status": state}})).step == "wait"


def test_degraded_for_a_moment_is_no_failure_and_for_longer_it_is(history: History) -> None:
    app = application(history.ours, status={"health": {"status": "Degraded"}})
    assert history.decide(app).step == "wait"
    assert history.decide(app, memory=Memory(since={"degraded": NOW - DEGRADED})).step == "failed"


def test_a_moment_of_health_in_between_begins_the_count_anew(history: History) -> None:
    memory = Memory(since={"degraded": NOW - DEGRADED})
    history.decide(application(history.ours), memory=memory)
    assert history.decide(application(history.ours, status={"health": {"status": "Degraded"}}), memory=memory).step == (
        "wait"
    )


def test_how_long_it_was_degraded_is_not_counted_over_a_sync_in_between(history: History) -> None:
    memory = Memory(since={"degraded": NOW - DEGRADED})
    assert history.decide(application(history.ours, **running(history.ours, message="x")), memory=memory).step == "wait"
    again = application(history.ours, status={"health": {"status": "Degraded"}})
    assert history.decide(again, memory=memory).step == "wait"


def test_what_cannot_be_rendered_is_looked_at_past_the_caches_once_then_failed(history: History) -> None:
    condition = {"type": "ComparisonError", "message": "helm template failed: bad indentation"}
    app = application(history.ours, status={"sync": {"status": "Unknown"}, "conditions": [condition]})
    memory = Memory()
    assert history.decide(app, memory=memory).step == "hard-refresh"
    memory.doubted.add("unready")
    assert history.decide(app, memory=memory).step == "wait"
    memory.since["unready"] = NOW - UNREADY
    decision = history.decide(app, memory=memory)
    assert (decision.step, "bad indentation" in decision.why) == ("failed", True)


@pytest.mark.parametrize(
    "said",
    [
        "application repo https://git.local/shop/deploy.git is not permitted in project 'shop'",
        "application destination {https://prod.local shop} is not permitted in project 'shop'",
        "application destination server 'a' and namespace '' do not match any of the allowed destinations in project",
        "spec.source.targetRevision is required if the manifest source is a helm chart",
    ],
)
def test_what_the_project_refuses_has_failed_once_it_is_compared_again(history: History, said: str) -> None:
    stale = {"type": "ComparisonError", "message": "of a comparison before"}
    conditions = [stale, {"type": "InvalidSpecError", "message": said}]
    app = application(history.ours, status={"sync": {"status": "Unknown"}, "conditions": conditions})
    memory = Memory()
    assert history.decide(app, memory=memory) == Decision(step="hard-refresh", why=said, doubt="unready")
    memory.doubted.add("unready")
    assert history.decide(app, memory=memory).step == "wait"
    memory.since["refused"] = NOW - REFUSED
    decision = history.decide(app, memory=memory)
    assert (decision.step, decision.lasting, said in decision.why) == ("failed", True, True)
    assert history.decide(application(history.ours), memory=memory).step == "good"
    assert "refused" not in memory.since


@pytest.mark.parametrize(
    "said",
    [
        "Application referencing project shop which does not exist",
        "there are no clusters with this name: prod",
        "Unable to get cluster: cluster not found",
    ],
)
def test_what_a_controller_may_not_know_yet_is_waited_for(history: History, said: str) -> None:
    conditions = [{"type": "InvalidSpecError", "message": said}]
    app = application(history.ours, status={"sync": {"status": "Unknown"}, "conditions": conditions})
    memory = Memory(since={"unready": NOW - UNREADY + 1}, doubted={"unready"})
    assert history.decide(app, memory=memory).step == "wait"
    memory.since["unready"] = NOW - UNREADY
    assert history.decide(app, memory=memory).step == "failed"


def test_how_long_it_was_refused_is_not_counted_over_a_sync_in_between(history: History) -> None:
    memory = Memory(since={"refused": NOW - REFUSED})
    assert history.decide(application(history.ours, **running(history.ours, message="x")), memory=memory).step == "wait"
    assert "refused" not in memory.since


def test_a_part_of_argo_cd_that_is_away_is_no_failure_of_the_app(history: History) -> None:
    condition = {"type": "ComparisonError", "message": "rpc error: code = Unavailable desc = connection refused"}
    app = application(history.ours, status={"sync": {"status": "Unknown"}, "conditions": [condition]})
    assert history.decide(app, memory=Memory(since={"unready": NOW - 3 * UNREADY}, doubted={"unready"})).step == "wait"


def test_an_application_that_is_being_deleted_is_a_failure(history: History) -> None:
    app = merged(application(history.ours), {"metadata": {"deletionTimestamp": AT.format(1)}})
    assert history.decide(app).step == "failed"


def test_an_application_that_follows_something_else_is_told(history: History) -> None:
    app = application(history.ours)
    app["spec"]["source"]["path"] = "prod/shop/storefront"
    decision = history.decide(app)
    assert (decision.step, "prod/shop/storefront" in decision.why) == ("failed", True)


def test_of_several_sources_only_the_deploy_repository_counts(history: History) -> None:
    url = history.wish.repository.url
    sources = [{"repoURL": "https://charts.local", "chart": "web"}, {**SOURCE, "repoURL": url, "ref": "values"}]
    app = application(history.ours)
    app["spec"] = {"project": "shop", "sources": sources}
    app["status"]["sync"] = {
        "status": "Synced", "revisions": ["1.2.3", history.beside], "comparedTo": {"sources": sources},
    }  # fmt: skip
    assert history.decide(app).step == "good"
    app["status"]["sync"]["revisions"] = ["1.2.4", history.newer]
    assert history.decide(app).step == "superseded"


def test_a_branch_that_was_rewritten_without_our_commit_is_never_a_success(history: History) -> None:
    repository = history.wish.repository
    wish = Wish(repository=repository, branch="main", place=PLACE, commit=history.newer)
    assert wish.standing(history.ours) == "older"
    assert wish.standing("0" * 40) == "older"


def test_the_newest_wish_is_told_where_it_is_another(history: History) -> None:
    assert history.wish.newer() == history.newest
    assert Wish(repository=history.wish.repository, branch="main", place=PLACE, commit=history.newer).newer() == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://git.local/a/b.git", "https://jane@git.local/a/b", True),
        ("git@git.local:a/b.git", "ssh://git@git.local:2222/a/b", True),
        ("https://git.local/a/b", "https://git.local/a/c", False),
        ("https://git.local/a/b", "https://other.local/a/b", False),
    ],
)
def test_urls_of_one_repository_are_known_however_they_are_written(one: str, other: str, *, same: bool) -> None:
    assert same_repository(one, other) is same


def test_a_look_that_was_on_its_way_while_a_newer_one_came_is_nothing() -> None:
    seen: list[str] = []
    looks = Looks(
        server=connect("http://127.0.0.1:1", Credentials(token="x")),
        ref=Ref(name="web", project="shop"),
        seen=lambda app: seen.append(app["metadata"]["resourceVersion"]),
    )
    for version in ("100", "102", "101", "102", "103"):
        looks.take({"metadata": {"resourceVersion": version}})
    assert seen == ["100", "102", "102", "103"]
    assert looks.app == {"metadata": {"resourceVersion": "103"}}


def test_a_controller_that_has_just_started_and_knows_no_project_yet_is_no_failure(history: History) -> None:
    said = "InvalidSpecError: Application referencing project shop which does not exist"
    state = ended("Error", history.ours, token=history.wish.token, message=said)
    condition = {"type": "InvalidSpecError", "message": said}
    app = application(history.ours, status={"operationState": state, "sync": {"status": "OutOfSync"}})
    assert history.decide(app).step == "sync"
    app["status"]["conditions"] = [condition]
    assert history.decide(app, memory=Memory(since={"unready": NOW - 2 * UNREADY})).step != "sync"
