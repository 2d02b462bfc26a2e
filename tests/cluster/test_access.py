from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jenkins_cd.cluster import access, rights
from jenkins_cd.cluster.access import Access
from jenkins_cd.errors import BadInput, ExternalFailure, Refused
from jenkins_cd.masking import mask
from jenkins_cd.tools import kubernetes, process
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster.accounts import ACCOUNT, MINUTES, granted
from tests.lab.lab import Lab

REMEMBERED = 30.0  # an API server remembers a token that it has checked for ten seconds
STEP = """
import sys, time
from pathlib import Path
from jenkins_cd.cluster import access
from jenkins_cd.tools import process
with process.interruptible(), access.granted(Path(sys.argv[1]), None, sys.argv[2], "jenkins-cd", 900) as given:
    print(given.kubeconfig, given.secret, flush=True)
    time.sleep(120)
"""


def secrets(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/secrets"


def folders(runtime: Path) -> list[Path]:
    return [one for one in runtime.iterdir() if one.is_dir()]


def dies(cluster: Cluster, namespace: str) -> bool:
    """Tell whether a token is dead, at the latest when the API server has forgotten it."""
    deadline = time.monotonic() + REMEMBERED
    while time.monotonic() < deadline:
        try:
            kubernetes.get(replace(cluster, patience=0), f"{secrets(namespace)}/none")
        except BadInput as error:
            return "does not accept the credential" in error.message
        process.pause(0.2)
    return False


@contextmanager
def step(kubeconfig: Path, namespace: str) -> Iterator[tuple[subprocess.Popen[str], Path, str]]:
    """Run a step in a process of its own; yields it with its kubeconfig and the Secret of its token."""
    with subprocess.Popen(
        [sys.executable, "-c", STEP, str(kubeconfig), namespace], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        try:
            file, secret = running.stdout.readline().split()
            yield running, Path(file), secret
        finally:
            running.kill()


def test_a_step_has_a_token_of_minutes_in_a_file_that_only_we_can_read(
    prepared: Path, namespace: str, runtime: Path
) -> None:
    with granted(prepared, namespace) as given:
        assert [stat.S_IMODE(one.stat().st_mode) for one in (given.kubeconfig, given.kubeconfig.parent, runtime)] == [
            0o600,
            0o700,
            0o700,
        ]
        assert given.expires
        assert timedelta(minutes=14) < given.expires - datetime.now(timezone.utc) < timedelta(minutes=15, seconds=30)
        written = given.kubeconfig.read_text(encoding="utf-8")
        assert given.cluster.token
        assert given.cluster.token in written
        assert str(Cluster.of(prepared).token) not in written
        assert given.cluster.token not in mask(written)
        assert Cluster.of(given.kubeconfig).namespace == namespace


def test_nothing_is_left_when_the_step_ends_or_fails_and_its_token_is_dead(
    prepared: Path, administrator: Cluster, namespace: str, runtime: Path
) -> None:
    def failing() -> Access:
        with granted(prepared, namespace) as given:
            assert kubernetes.get(administrator, given.secret)
            ended.append(given)
            raise ExternalFailure("the deployment failed")

    ended: list[Access] = []
    before = folders(runtime)
    with pytest.raises(ExternalFailure, match="the deployment failed"):
        failing()
    assert folders(runtime) == before
    assert kubernetes.get(administrator, ended[0].secret) is None
    assert dies(ended[0].cluster, namespace)


def test_what_a_killed_step_left_is_removed_by_the_next_and_its_token_is_dead(
    prepared: Path, administrator: Cluster, namespace: str
) -> None:
    with granted(prepared, namespace), step(prepared, namespace) as (running, file, secret):
        access.clean_up()
        assert file.exists()  # it lives
        left = Cluster.of(file)
        running.kill()
        running.wait()
        assert file.exists()
    with access.granted(prepared, None, namespace, ACCOUNT, MINUTES):
        assert not file.parent.exists()
        assert kubernetes.get(administrator, secret) is None
    assert dies(left, namespace)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_step_that_is_stopped(
    prepared: Path, administrator: Cluster, namespace: str, number: signal.Signals
) -> None:
    with granted(prepared, namespace):
        pass
    with step(prepared, namespace) as (running, file, secret):
        running.send_signal(number)
        running.wait(30)
    assert not file.parent.exists()
    assert kubernetes.get(administrator, secret) is None


def test_what_was_killed_before_it_had_written_anything_is_removed_too(runtime: Path) -> None:
    (runtime / "1-torn").mkdir(parents=True)
    runtime.chmod(0o700)
    (runtime / "1-torn" / "kubeconfig").write_text('{"clus', encoding="utf-8")
    (runtime / "1-torn" / "secret").write_text("/api/v1/namespaces/shop/secrets/x", encoding="utf-8")
    access.clean_up()
    assert folders(runtime) == []


def test_secrets_of_tokens_that_have_died_elsewhere_are_deleted(
    prepared: Path, administrator: Cluster, namespace: str
) -> None:
    label, _, value = access.PURPOSE.partition("=")
    for name, ends in (("dead", "2020-01-01T00:00:00+00:00"), ("alive", "2999-01-01T00:00:00+00:00")):
        metadata = {"name": name, "labels": {label: value}, "annotations": {"jenkins-cd/expires": ends}}
        kubernetes.post(administrator, secrets(namespace), {"metadata": metadata})
    with granted(prepared, namespace):
        there = kubernetes.list_(administrator, secrets(namespace), labelSelector=access.PURPOSE).items
        names = {one["metadata"]["name"] for one in there}
    assert "alive" in names
    assert "dead" not in names
    assert len(names) == 2


def test_an_account_that_may_not_make_secrets_has_a_token_for_its_whole_time(prepared: Path, namespace: str) -> None:
    with granted(prepared, namespace, rights.reader(ACCOUNT)) as given:
        assert given.secret == ""
        assert kubernetes.list_(given.cluster, f"/api/v1/namespaces/{namespace}/pods").items == ()


def test_no_token_is_shorter_than_the_server_gives(prepared: Path, namespace: str) -> None:
    with granted(prepared, namespace, seconds=1) as given:
        assert given.expires
        assert given.expires - datetime.now(timezone.utc) > timedelta(minutes=9)


def test_without_an_account_it_is_the_given_credential_in_a_file_of_its_own(
    lab: Lab, namespace: str, runtime: Path
) -> None:
    with access.granted(Path(lab.kubeconfig), None, namespace, None, MINUTES) as given:
        assert given.expires is None
        assert given.kubeconfig != Path(lab.kubeconfig)
        assert json.loads(given.kubeconfig.read_bytes())["contexts"][0]["context"]["namespace"] == namespace
        assert lab.kubectl("--kubeconfig", str(given.kubeconfig), "get", "pods").exit_code == 0
    assert folders(runtime) == []


def test_an_account_that_is_not_there_is_told(lab: Lab, namespace: str, runtime: Path) -> None:
    with pytest.raises(BadInput, match=f"no service account jenkins-cd in the namespace {namespace}") as caught:
        access.granted(Path(lab.kubeconfig), None, namespace, ACCOUNT, MINUTES).__enter__()
    assert "render rbac" in caught.value.hint


def test_a_credential_that_may_not_ask_for_tokens_is_told(prepared: Path, namespace: str) -> None:
    with pytest.raises(Refused, match="agent may not create serviceaccounts/token in the namespace"):
        access.granted(prepared, None, namespace, "default", MINUTES).__enter__()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a folder that belongs to somebody else")
@pytest.mark.parametrize("fault", ["open to others", "of somebody else", "a link"])
def test_no_credential_is_put_where_others_could_read_it(runtime: Path, tmp_path: Path, fault: str) -> None:
    runtime.mkdir(mode=0o700)
    if fault == "open to others":
        runtime.chmod(0o750)
    elif fault == "of somebody else":
        os.chown(runtime, 12345, 12345)
    else:
        runtime.rename(tmp_path / "elsewhere")
        runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="not a folder of ours alone"):
        access.clean_up()
