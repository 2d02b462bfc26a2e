"""The lab is what it says: a cluster with a node on which pods run, a registry, Git servers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jenkins_cd.errors import BadInput
from jenkins_cd.tools import process
from tests.lab import fixture, lease, manifests, places
from tests.lab.lab import Lab

OWN = pytest.mark.skipif(bool(fixture.KUBECONFIG), reason="the cluster is somebody else's")
PATIENCE = 60.0  # seconds


def until(found: Callable[[], Any]) -> Any:
    """Wait until the function returns something, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return value


def read(lab: Lab, namespace: str, what: str) -> Any:
    return json.loads(lab.kubectl("-n", namespace, "get", what, "-o", "json").stdout)


def apply(lab: Lab, namespace: str, *objects: str) -> None:
    lab.kubectl("-n", namespace, "apply", "-f", "-", stdin="\n---\n".join(objects))


def roll_out(lab: Lab, namespace: str, name: str) -> None:
    lab.kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", f"--timeout={PATIENCE:.0f}s")


def version_at(port: int) -> str:
    """Return the version that answers there, nothing as long as kube-proxy knows of no pod."""
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
        return str(json.loads(answer.read())["version"])
    return ""


def container_state(lab: Lab, namespace: str, pod: str) -> Any:
    statuses = read(lab, namespace, f"pod/{pod}")["status"].get("containerStatuses")
    return statuses[0] if statuses else {}


def test_a_deployment_answers_on_loopback_and_rolls_over_to_the_next_version(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, manifests.deployment("web", lab.image("1.0.0"), replicas=2), manifests.service("web"))
    roll_out(lab, namespace, "web")
    port = read(lab, namespace, "service/web")["spec"]["ports"][0]["nodePort"]
    assert until(lambda: version_at(port)) == "1.0.0"
    apply(lab, namespace, manifests.deployment("web", lab.image("1.0.1"), replicas=2))
    roll_out(lab, namespace, "web")
    until(lambda: version_at(port) == "1.0.1")
    running = read(lab, namespace, "pods")["items"]
    live = [one for one in running if not one["metadata"].get("deletionTimestamp")]
    digests = {one["status"]["containerStatuses"][0]["imageID"].partition("@")[2] for one in live}
    assert digests == {lab.digests["probe:1.0.1"]}


def test_a_pod_logs_crashes_and_is_started_again(lab: Lab, namespace: str) -> None:
    image = lab.image()
    apply(
        lab,
        namespace,
        manifests.pod("crash", image, restart="Always", PROBE_PRINT="no database", PROBE_EXIT_CODE="3"),
    )
    until(lambda: container_state(lab, namespace, "crash").get("restartCount"))
    state = until(lambda: container_state(lab, namespace, "crash").get("lastState", {}).get("terminated"))
    assert state["exitCode"] == 3
    waiting = until(lambda: container_state(lab, namespace, "crash")["state"].get("waiting"))
    assert waiting["reason"] == "CrashLoopBackOff"
    assert "no database" in lab.kubectl("-n", namespace, "logs", "crash", "--previous").stdout


def test_a_pod_that_takes_too_much_memory_is_killed_for_it(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, manifests.pod("greedy", lab.image(), memory="32Mi", PROBE_MEMORY="256"))
    state = until(lambda: container_state(lab, namespace, "greedy").get("state", {}).get("terminated"))
    assert state["reason"] == "OOMKilled"


def test_an_image_that_is_not_there_is_told_as_such(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, manifests.pod("absent", f"{lab.registry}/probe:9.9.9"))
    reasons = ("ErrImagePull", "ImagePullBackOff")
    until(
        lambda: container_state(lab, namespace, "absent").get("state", {}).get("waiting", {}).get("reason") in reasons
    )


@OWN
def test_pods_find_services_by_name_and_the_registry_by_the_machines(lab: Lab, namespace: str) -> None:
    apply(lab, namespace, manifests.deployment("web", lab.image()), manifests.service("web"))
    roll_out(lab, namespace, "web")

    def inside(*words: str) -> process.Completed:
        return lab.kubectl("-n", namespace, "exec", "deployment/web", "--", "/probe", *words, check=False)

    address = read(lab, namespace, "service/web")["spec"]["clusterIP"]
    until(lambda: inside("resolve", f"web.{namespace}.svc.cluster.local").stdout.strip() == address)
    until(lambda: '"version":"1.0.0"' in inside("get", f"http://web.{namespace}/health").stdout)
    assert inside("get", f"http://{lab.registry}/v2/").require("ask the registry").stdout == "{}"


def test_a_quota_is_kept(lab: Lab, namespace: str) -> None:
    lab.kubectl("-n", namespace, "create", "quota", "none", "--hard=pods=0")
    until(lambda: "pods" in read(lab, namespace, "quota/none").get("status", {}).get("hard", {}))
    refused = lab.kubectl("-n", namespace, "create", "-f", "-", stdin=manifests.pod("one", lab.image()), check=False)
    assert refused.exit_code == 1
    assert "exceeded quota" in refused.stderr


@OWN
def test_the_api_server_can_be_down_for_a_while(lab: Lab, alone: None, namespace: str) -> None:
    with lab.without("kube-apiserver"):
        assert lab.kubectl("get", "nodes", "--request-timeout=2s", check=False).exit_code == 1
    assert lab.kubectl("get", "namespace", namespace).exit_code == 0
    lab.restart("kube-apiserver")
    with lab.namespace() as other:
        apply(lab, other, manifests.deployment("web", lab.image()))
        roll_out(lab, other, "web")


@OWN
def test_a_server_that_the_lab_does_not_have_is_told_as_such(lab: Lab) -> None:
    with pytest.raises(BadInput, match="has no apiserver") as told:
        lab.restart("apiserver")
    assert "kube-apiserver" in told.value.hint


@OWN
def test_a_server_that_is_killed_is_started_again(lab: Lab, alone: None) -> None:
    place = f"{lab.git.folder}\0".encode()
    server = next(
        one for one in Path("/proc").glob("[0-9]*") if place in command_line(one) and b"githttp" in command_line(one)
    )
    os.kill(int(server.name), signal.SIGKILL)
    until(lambda: git("ls-remote", lab.git.http_url("none")).stderr.count("could not read Username"))


def command_line(folder: Path) -> bytes:
    with contextlib.suppress(OSError):
        return (folder / "cmdline").read_bytes()
    return b""


@pytest.mark.parametrize("version", ["3", "4"])
def test_both_versions_of_helm_install_a_chart(lab: Lab, namespace: str, version: str, tmp_path: Path) -> None:
    chart = tmp_path / "web"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: web\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "templates" / "web.yaml").write_text(manifests.deployment("web", lab.image()), encoding="utf-8")
    helm = lab.helm3 if version == "3" else lab.helm4
    told = process.run([str(helm), "version", "--template", "{{.Version}}"]).require("ask for the version").stdout
    assert told.startswith(f"v{version}.")
    install = ["install", "web", str(chart), "--namespace", namespace, "--wait", "--timeout=60s"]
    process.run([str(helm), f"--kubeconfig={lab.kubeconfig}", *install]).require("install it")
    assert read(lab, namespace, "deployment/web")["status"]["readyReplicas"] == 1


def git(*words: str, **env: str) -> process.Completed:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    return process.run(["git", *identity, *words], env={"GIT_TERMINAL_PROMPT": "0", **env})


def test_git_over_http_asks_for_a_password_and_lets_readers_only_read(lab: Lab, quiet: None, tmp_path: Path) -> None:
    name, clone = f"http-{os.getpid()}", str(tmp_path / "clone")
    lab.git.create(name)
    url = lab.git.http_url(name)
    person = {one: url.replace("//", f"//{one}:{lab.git.passwords[one]}@") for one in ("writer", "reader")}
    assert "could not read Username" in git("ls-remote", url).stderr
    assert "Authentication failed" in git("ls-remote", url.replace("//", "//writer:wrong@")).stderr
    git("clone", person["writer"], clone).require("clone")
    (tmp_path / "clone" / "large").write_bytes(os.urandom(3_000_000))  # Git sends it in chunks
    git("-C", clone, "add", ".").require("add")
    git("-C", clone, "commit", "--quiet", "-m", "Start").require("commit")
    git("-C", clone, "push", "origin", "HEAD:main").require("push")
    assert "refs/heads/main" in git("ls-remote", person["reader"]).require("read").stdout
    assert "403" in git("-C", clone, "push", person["reader"], "HEAD:other").stderr


def test_git_over_ssh_knows_its_people_by_their_keys(lab: Lab, quiet: None, tmp_path: Path) -> None:
    name, clone = f"ssh-{os.getpid()}", str(tmp_path / "clone")
    lab.git.create(name)
    url = lab.git.ssh_url(name)
    writer, reader = ({"GIT_SSH_COMMAND": lab.git.ssh_command(one)} for one in ("writer", "reader"))
    git("clone", url, clone, **writer).require("clone")
    git("-C", clone, "commit", "--quiet", "--allow-empty", "-m", "Start").require("commit")
    git("-C", clone, "push", "origin", "HEAD:main", **writer).require("push")
    assert "refs/heads/main" in git("ls-remote", url, **reader).require("read").stdout
    assert "may only read" in git("-C", clone, "push", "origin", "HEAD:other", **reader).stderr


@OWN
def test_a_second_start_joins_the_lab_that_runs_and_leaves_it_to_the_others(lab: Lab) -> None:
    command = [sys.executable, "-m", "tests.lab", "up"]
    second = subprocess.Popen(
        command, cwd=places.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert second.stdout
        told = iter(second.stdout.readline, "")
        assert any(lab.server in line for line in told)
        until(lambda: any(f"process {second.pid}" in one for one in lease.holders()))
        os.killpg(second.pid, signal.SIGTERM)
        _, said = second.communicate(timeout=PATIENCE)
    finally:
        if second.poll() is None:
            second.kill()
            second.wait()
    assert second.returncode == 130
    assert "joined the lab that runs" in said
    assert f"held by process {os.getpid()}" in said
    assert lab.kubectl("get", "nodes").exit_code == 0
