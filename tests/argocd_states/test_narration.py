"""What is told of a sync: played from what a real server said of three of them, look by look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.argocd.narration import WIDEST, Narrator
from tests.argocd_states.applications import application, ended, merged, running

ROLLOUT = "Waiting for rollout to finish: observed deployment generation less than desired generation"
RECORDED = Path(__file__).parent.parent / "data" / "argocd" / "syncs.json"


def recorded(name: str) -> list[dict[str, Any]]:
    return list(json.loads(RECORDED.read_text(encoding="utf-8"))[name])


def told(*looks: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    narrator = Narrator(lines.append)
    for one in looks:
        narrator.see(one)
    return lines


def resource(name: str, health: str = "", message: str = "") -> dict[str, Any]:
    about = {"health": {"status": health, "message": message}} if health else {}
    return {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": name, **about}


def seen(*resources: dict[str, Any], **state: Any) -> dict[str, Any]:
    """Return an application with these resources; with a state while it syncs."""
    app = application("a" * 40, status={"resources": list(resources)})
    return merged(app, running("b" * 40, **state)) if state else app


def test_a_first_sync_with_a_hook_and_waves() -> None:
    assert told(*recorded("first")) == [
        "a sync to 44ce1f0c4c73 by admin waits to be begun",
        "a sync to 44ce1f0c4c73 by admin has begun",
        "PreSync hook Job/migrate Running",
        f"Deployment/web Progressing: {ROLLOUT}",
        "PreSync hook Job/migrate Succeeded",
        "Secret/key, ConfigMap/web, ConfigMap/conf and 1 more created",
        "wave 2: waiting for healthy state of Service/late",
        "Deployment/web Healthy",
        "Service/late created",
        "Service/late Healthy",
        "the sync has ended well",
    ]


def test_a_hook_that_fails_and_when_the_next_attempt_comes() -> None:
    assert told(*recorded("second")) == [
        "a sync to 70fa11de88fd by admin waits to be begun",
        "a sync to 70fa11de88fd by admin has begun",
        "PreSync hook Job/migrate Running",
        "PreSync hook Job/migrate Failed: Job has reached the specified backoff limit",
        "attempt 1 has failed; retry 1 of 1 at 09:52:49 UTC",
        "attempt 2 has begun",
        "the sync has ended: Failed",
    ]


def test_what_is_refused_and_what_would_have_to_be_pruned() -> None:
    lines = told(*recorded("retried"))
    assert lines[2] == "Secret/key PruneSkipped: ignored (requires pruning)"
    assert lines[3].startswith('ConfigMap/BAD NAME SyncFailed: ConfigMap "BAD NAME" is invalid: metadata.name: Invalid')
    assert "ConfigMap/conf configured" in lines
    assert not any("unchanged" in line for line in lines)


@pytest.mark.parametrize("name", ["first", "second", "retried"])
def test_lines_are_short_and_none_is_told_twice(name: str) -> None:
    looks = recorded(name)
    lines = told(*(look for look in looks for _ in range(3)))
    assert lines == told(*looks)
    assert len(set(lines)) == len(lines)
    assert all(len(line) <= WIDEST and "\n" not in line for line in lines)


def test_what_was_there_before_is_no_news() -> None:
    old = seen(resource("web", "Degraded", "crashed last week"), resource("db", "Healthy"))
    old = merged(old, {"status": {"operationState": ended("Failed", "a" * 40, message="long ago")}})
    assert told(old, old) == []
    assert told(old, seen(resource("web", "Healthy"), resource("db", "Healthy"))) == ["Deployment/web Healthy"]


def test_what_becomes_ill_is_told_with_its_reason_and_what_is_well_only_afterwards() -> None:
    looks = [
        seen(resource("web", "Healthy")),
        seen(resource("web", "Degraded", 'exceeded its "progress" deadline\nby far'), resource("new", "Healthy")),
        seen(resource("web", "Healthy"), resource("new", "Healthy")),
    ]
    assert told(*looks) == [
        'Deployment/web Degraded: exceeded its "progress" deadline by far',
        "Deployment/web Healthy",
    ]


def test_the_same_news_of_many_is_one_line() -> None:
    names = [f"web-{number}" for number in range(6)]
    looks = [seen(*(resource(name, "Healthy") for name in names)), seen(*(resource(name, "Missing") for name in names))]
    assert told(*looks) == ["Deployment/web-0, Deployment/web-1, Deployment/web-2 and 3 more Missing"]


def test_pruned_objects_are_named() -> None:
    result = {"resources": [{**resource("old"), "status": "Pruned", "message": "pruned"}]}
    assert told(seen(), seen(message="x", syncResult=result))[-2:] == ["Deployment/old pruned", "x"]


def test_where_no_resource_tells_its_health_the_application_does() -> None:
    looks = [application("a" * 40), application("a" * 40, status={"health": {"status": "Progressing"}})]
    assert told(*looks) == ["the Application is Progressing"]


def test_the_wait_before_a_retry_follows_the_application_s_own_backoff() -> None:
    backoff = {"duration": "20", "factor": 3, "maxDuration": "1m"}
    state = {
        "phase": "Running",
        "finishedAt": "2026-01-02T03:04:05Z",
        "retryCount": 1,
        "message": "no. Retrying attempt #1 at 3AM.",
    }
    look = seen(**state)
    look["status"]["operationState"]["operation"]["retry"] = {"limit": -1, "backoff": backoff}
    look["operation"]["retry"] = {"limit": -1, "backoff": backoff}
    assert told(look) == ["attempt 1 has failed; retry 1 at 03:05:05 UTC: no"]


def test_nothing_in_a_message_steers_the_terminal() -> None:
    looks = [seen(resource("web", "Healthy")), seen(resource("web", "Degraded", "\x1b[31mred\u202e"))]
    assert told(*looks) == ["Deployment/web Degraded: red<U+202E>"]


def test_an_application_that_says_nothing_is_taken_as_it_is() -> None:
    assert told({}, {"status": {}}, {"metadata": {"name": "x"}, "status": {"resources": [{}]}}) == []
