"""What a resource tree tells, on trees that a real Argo CD told: what is ill, what is of no interest, and for whom."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.argocd import states, tree
from jenkins_cd.argocd.nodes import Node, cause
from jenkins_cd.argocd.tree import failures, read, resources, text

HERE = Path(__file__).parent / "trees"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def recorded(name: str) -> tuple[tuple[Node, ...], datetime]:
    """Return the nodes of a tree, and when the sync before it began."""
    found = json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))
    since = states.moment(found["since"])
    assert since is not None
    return read(found), since


def pod(reason: str, message: str = "", **more: Any) -> Node:
    given = {"kind": "Pod", "name": "web-1", "uid": "p1", "status_reason": reason, "message": message, "created": NOW}
    return Node(**{"health": "Degraded", **given, **more})


def job(**more: Any) -> Node:
    return Node(**{"kind": "Job", "name": "migrate", "uid": "j", "health": "Degraded", "created": NOW, **more})


def reasons(name: str) -> dict[str, float]:
    return {failure.text: failure.grace for failure in failures(*recorded(name)).values()}


def test_what_runs_well_does_not_fail() -> None:
    assert reasons("good") == {}


def test_a_second_restart_is_a_crash_loop_of_each_workload_that_was_changed() -> None:
    assert reasons("crash") == {
        "DaemonSet/agent: a container crashes again and again, restarted 2 times"
        " (CrashLoopBackOff, Pod/agent-th5l4)": 0,
        "Deployment/web: a container crashes again and again, restarted 2 times"
        " (CrashLoopBackOff, Pod/web-695c65696b-c4fbn)": 0,
    }


def test_pods_that_were_ill_before_the_sync_say_nothing_of_it_while_controllers_have_not_acted() -> None:
    nodes, since = recorded("pull_begins")
    assert failures(nodes, since) == {}
    assert {node.name for node in failures(nodes, since - timedelta(minutes=1))} == {
        "agent-th5l4",
        "db-1",
        "web-695c65696b-c4fbn",
    }


def test_an_image_that_is_not_there_is_given_up_at_once_and_pods_of_older_revisions_do_not_count() -> None:
    assert reasons("pull") == {
        "Deployment/web: registry.local/probe:nothing-here cannot be pulled: not found"
        " (ErrImagePull, Pod/web-545f98ff5f-v564h)": 0
    }


def test_the_first_pull_from_a_registry_that_is_away_may_be_a_hiccup() -> None:
    message = 'failed to do request: Head "http://r/v2/x/manifests/9": dial tcp: lookup r: host not found'
    (found,) = failures([pod("ErrImagePull", message, images=("r/x:9",))], NOW).values()
    assert found.grace > 0
    assert found.text == f"Pod/web-1: r/x:9 cannot be pulled: {message} (ErrImagePull, Pod/web-1)"


@pytest.mark.parametrize(
    ("reason", "message", "final", "said"),
    [
        ("ImagePullBackOff", 'Back-off pulling image "r/x:9": ErrImagePull: r/x:9: not found', True, "r/x:9 cannot be"),
        ("ImagePullBackOff", 'Back-off pulling image "r/x:9"', False, "r/x:9 cannot be pulled"),
        ("ErrImagePull", 'failed to do request: Head "http://r/x": dial tcp 10.0.0.1:80: refused', False, "dial tcp"),
        ("Init:ImagePullBackOff", "", False, "a:1 or b:2 cannot be pulled"),
        ("InvalidImageName", 'Failed to apply default image tag "X": invalid', True, "a:1 or b:2 can never be pulled"),
        ("ErrImageNeverPull", 'Container image "r/x:9" is not present', True, "r/x:9 can never be pulled"),
        ("CreateContainerConfigError", 'secret "keys" not found', False, 'cannot be created: secret "keys" not found'),
        ("CrashLoopBackOff", "", False, "crashes again and again, it ends at once"),
    ],
)
def test_how_certain_it_is_depends_on_the_reason(reason: str, message: str, final: bool, said: str) -> None:
    (found,) = failures([pod(reason, message, images=("a:1", "b:2"))], NOW).values()
    assert found.final == final
    assert said in found.text


@pytest.mark.parametrize("reason", ["", "Running", "Pending", "ContainerCreating", "Error", "Completed", "Terminating"])
def test_other_reasons_are_none(reason: str) -> None:
    assert failures([pod(reason)], NOW) == {}


def test_a_job_that_failed_is_certain_but_not_the_run_of_a_cron_job_nor_an_old_one() -> None:
    message = "Job has reached the specified backoff limit"
    (found,) = failures([job(message=message)], NOW).values()
    assert (found.text, found.final) == (f"Job/migrate has failed: {message}", True)
    nightly = Node(kind="CronJob", name="nightly", uid="c")
    assert failures([nightly, job(parents=("c",))], NOW) == {}
    assert failures([job(created=NOW - timedelta(minutes=1))], NOW) == {}


def test_a_job_says_itself_how_many_crashes_are_too_many_but_an_image_that_is_not_there_is_not_waited_for() -> None:
    running = job(health="Progressing")
    assert failures([running, pod("CrashLoopBackOff", restarts=5, parents=("j",))], NOW) == {}
    image = 'Back-off pulling image "r/x:9": r/x:9: not found'
    (found,) = failures([running, pod("ImagePullBackOff", image, parents=("j",))], NOW).values()
    assert found.text.startswith("Job/migrate: r/x:9 cannot be pulled: not found")


def test_the_tree_in_text_shows_the_sick_first_and_no_revisions_or_slices() -> None:
    nodes, _ = recorded("crash")
    lines = text(nodes, "shop-web").splitlines()
    assert lines[0] == "✗ Application/shop-web Degraded"
    assert lines[1] == "├─ … DaemonSet/agent Progressing"
    assert "│  └─ ✗ Pod/agent-th5l4 Degraded: CrashLoopBackOff, restarted 2 times" in lines
    assert "│  ├─ ✗ Pod/db-1 Degraded: Error, restarted 2 times" in lines
    assert not [line for line in lines if "ControllerRevision" in line or "EndpointSlice" in line]
    assert len(lines) <= tree.LINES
    assert max(map(len, lines)) <= tree.COLUMNS


def test_replica_sets_of_the_past_are_left_out() -> None:
    nodes, _ = recorded("pull")
    assert [one.name for one in resources(nodes) if one.kind == "ReplicaSet"] == ["web-545f98ff5f", "web-5748f8f685"]


def test_with_the_application_it_is_told_what_is_not_as_declared() -> None:
    nodes, _ = recorded("good")
    app = {
        "metadata": {"name": "shop-web"},
        "status": {
            "sync": {"status": "OutOfSync"},
            "health": {"status": "Healthy"},
            "resources": [
                {"group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web", "status": "OutOfSync"}
            ],
        },
    }
    assert text(nodes, "", app).splitlines()[0] == "✓ Application/shop-web Healthy, OutOfSync"
    assert [one.name for one in resources(nodes, app) if one.sync == "OutOfSync"] == ["shop-web", "web"]


def test_what_is_missing_has_a_place_too_and_nothing_is_taken_for_granted() -> None:
    missing = {"kind": "Service", "name": "web", "namespace": "shop", "health": {"status": "Missing"}}
    (found,) = resources(read({"nodes": [missing, {}, {"kind": "Pod"}]}))
    assert (found.uid, found.health) == ("/Service/shop/web", "Missing")
    assert read({}) == ()
    assert text((), "shop-web") == "· Application/shop-web"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("rpc error: code = Unknown desc = no space left", "no space left"),
        ('failed to pull and unpack image "x": failed to resolve reference "x": x: not found', "x: not found"),
        ("back-off 20s restarting failed container=app pod=web_shop(1)", ""),
        ("Readiness gate\n is closed", "Readiness gate is closed"),
    ],
)
def test_messages_lose_their_layers(message: str, said: str) -> None:
    assert cause(message) == said
