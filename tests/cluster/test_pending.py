from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from jenkins_cd.delivery import charts, declaration, pending, release_owner, rollback_record
from jenkins_cd.delivery.release_owner import Owner
from jenkins_cd.tools import helm_release
from jenkins_cd.tools.helm_release import Busy, Change, Installed
from tests.cluster.pushed import APP, App

SLOW = {"name": "migrate", "when": "pre-install,pre-upgrade"}  # it serves for ever
BUILD = "https://jenkins.local/job/shop/job/größe%2Fmain/7/?x=" + "y" * 90


def dead() -> Owner:
    """Return an owner on this machine whose process has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return replace(release_owner.ourselves(BUILD), process=ended.pid)


def elsewhere() -> Owner:
    return replace(release_owner.ourselves(BUILD), host="agent-7", machine="0123456789abcdef")


@contextlib.contextmanager
def helm_at_work(pushed: App, owner: Owner) -> Iterator[subprocess.Popen[bytes]]:
    """Let a Helm of `owner` work on the release until a hook keeps it."""
    pushed.says(hook=SLOW)
    before = helm_release.status(pushed.place)
    with process_of(pushed, owner) as helm:
        while (now := helm_release.status(pushed.place)) is None or now == before or not now.pending:
            assert helm.poll() is None
            time.sleep(0.05)
        yield helm


@contextlib.contextmanager
def process_of(pushed: App, owner: Owner) -> Iterator[subprocess.Popen[bytes]]:
    wanted = declaration.read(pushed.target, pushed.release("1.0.1"))
    with charts.unpacked(wanted.after, pushed.release("1.0.1"), True) as chart:
        change = Change(labels=release_owner.labels(owner))
        arguments = helm_release.upgrade_arguments(helm_release.major(), pushed.place, chart, change, ())
        helm = subprocess.Popen(["helm", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield helm
        finally:
            helm.kill()
            helm.wait()


def stuck(pushed: App, owner: Owner) -> None:
    """Leave the release pending, as a Helm does that is killed."""
    with helm_at_work(pushed, owner) as helm:
        helm.send_signal(signal.SIGKILL)
        helm.wait()
    pushed.says(hook=None)
    assert pushed.status.pending


def test_the_labels_of_a_release_carry_its_owner_whatever_the_builds_address() -> None:
    ours = release_owner.ourselves(BUILD)
    labels = release_owner.labels(ours)
    assert release_owner.of(labels) == ours
    assert all(len(value) <= 63 for value in labels.values())
    none = replace(ours, build="")
    assert release_owner.of({**labels, **release_owner.labels(none)}) == none
    assert release_owner.of({"owner": "helm"}) is None


def test_a_release_that_a_killed_helm_left_is_put_back_and_then_upgraded(pushed: App) -> None:
    pushed.apply("1.0.0")
    stuck(pushed, dead())
    plan = pushed.plan("1.0.1")
    assert "1.0.1" in plan.manifests or pushed.lab.image("1.0.1") in plan.manifests
    assert any("pending-upgrade since" in text and "größe%2Fmain/7" in text for text in pushed.notes.texts)
    assert pushed.status.pending
    assert pushed.deploy("1.0.1").reached
    assert any("who is gone: putting back revision 1" in text for text in pushed.notes.texts)
    history = {one.revision: one.description for one in helm_release.history(pushed.place)}
    assert history[3] == "Rollback to 1"
    assert pushed.status.revision == 4
    assert pushed.image == pushed.lab.image("1.0.1")


def test_a_first_installation_that_a_killed_helm_left_begins_anew(pushed: App) -> None:
    stuck(pushed, dead())
    assert pushed.deploy("1.0.0").reached
    assert pushed.status.revision == 1
    assert any("uninstalling this first installation" in text for text in pushed.notes.texts)


def test_a_release_whose_owner_lives_is_waited_for_and_then_said_to_be_held(
    pushed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "LOOK", 0.1)
    told: list[str] = []
    pushed.apply("1.0.0")
    with helm_at_work(pushed, release_owner.ourselves(BUILD)):
        with pytest.raises(Busy) as caught:
            pending.clear(pushed.place, 3.0, told.append)
        assert f"held by {BUILD} (process {os.getpid()} on " in caught.value.message
        assert f"helm -n {pushed.namespace} rollback {APP}" in caught.value.hint
        assert len(told) == 1


def test_who_waits_goes_on_when_the_other_one_is_through(pushed: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pending, "LOOK", 0.1)
    pushed.apply("1.0.0")
    with helm_at_work(pushed, release_owner.ourselves(BUILD)) as helm:
        pushed.says(hook=None)
        threading.Thread(target=_end_once_waited_for, args=(pushed, helm), daemon=True).start()
        assert pushed.deploy("1.0.1").reached
    assert any("waiting: the release storefront is pending-upgrade" in text for text in pushed.notes.texts)
    assert pushed.status.revision == 3


def _end_once_waited_for(pushed: App, helm: subprocess.Popen[bytes]) -> None:
    while not any("waiting: the release" in text for text in pushed.notes.texts):
        time.sleep(0.05)
    helm.terminate()


def test_a_helm_that_outlives_whoever_started_it_still_holds_the_release(pushed: App) -> None:
    pushed.apply("1.0.0")
    with helm_at_work(pushed, owner := dead()) as helm:
        assert not pending.gone(pushed.status, 300.0)
        helm.kill()
        helm.wait()
        assert pending.gone(pushed.status, 300.0)
    assert release_owner.of(pushed.status.labels) == owner


def test_an_owner_elsewhere_is_gone_after_twice_the_time_that_a_deployment_may_take(pushed: App) -> None:
    stuck(pushed, elsewhere())
    now = pushed.status
    assert not pending.gone(now, 300.0, now.deployed + timedelta(seconds=599))
    assert pending.gone(now, 300.0, now.deployed + timedelta(seconds=601))
    assert "on agent-7" in pending.held(now)


def test_a_rollback_has_the_owner_that_is_written_beside_it_and_none_where_that_is_not_clear(
    pushed: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck(pushed, dead())
    rollback = replace(pushed.status, status="pending-rollback", revision=7)  # with the labels of what it puts back
    monkeypatch.setattr(helm_release, "status", lambda _place: rollback)

    def now() -> Installed:
        found = pending.status(pushed.place)
        assert found
        return found

    assert "held by nobody we know" in pending.held(now())
    assert not pending.gone(now(), 300.0)
    rollback_record.begin(pushed.place, 7, release_owner.labels(killed := dead()))
    assert release_owner.of(now().labels) == killed
    assert pending.gone(now(), 300.0)
    rollback_record.begin(pushed.place, 7, release_owner.labels(elsewhere()))
    assert "on agent-7" in pending.held(now())
    assert not pending.gone(now(), 300.0)
    rollback_record.begin(pushed.place, 7, release_owner.labels(elsewhere()))
    assert "held by nobody we know" in pending.held(now())
    rollback_record.begin(pushed.place, 8, release_owner.labels(elsewhere()))()
    assert "held by nobody we know" in pending.held(now())
    assert not rollback_record._read(pushed.place)


def test_a_deployment_that_was_killed_with_its_helm_is_finished_by_the_next(pushed: App, tmp_path: Path) -> None:
    pushed.apply("1.0.0")
    stuck(pushed, dead())
    pushed.apply("1.0.1")
    pushed.apply("1.0.1")
    assert pushed.status.revision == 4


def test_our_own_process_is_known_by_its_number_and_its_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert release_owner._started(os.getpid()) == release_owner.ourselves("").started
    assert release_owner._started(2**22 + 1) is None
