from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml

from jenkins_cd import masking
from jenkins_cd.errors import BadInput, ExternalFailure, MissingTool
from jenkins_cd.tools import kubeconfig, kubeconfig_program
from jenkins_cd.tools.kubeconfig import Cluster

SERVER = "https://api.internal:6443"
TOKEN = "sesame-open-7"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test know the secrets and the answers of another."""
    monkeypatch.setattr(kubeconfig_program, "_known", {})
    forms = set(masking._forms)
    yield
    masking._forms.clear()
    masking._forms.update(forms)


def write(folder: Path, user: dict[str, Any], cluster: dict[str, Any] | None = None) -> Path:
    """Write a kubeconfig with two contexts: `dev`, the current one, in the namespace `shop`, and `prod`."""
    document = {
        "clusters": [{"name": "c", "cluster": {"server": f"{SERVER}/", **(cluster or {})}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [
            {"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "shop"}},
            {"name": "prod", "context": {"cluster": "c", "user": "u"}},
        ],
        "current-context": "dev",
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def context(name: str, current: str, **what: str) -> str:
    """Return a kubeconfig without clusters."""
    return f"clusters: []\ncurrent-context: {current}\ncontexts: [{{name: {name}, context: {json.dumps(what)}}}]\n"


def program(folder: Path, status: dict[str, Any] | str) -> dict[str, Any]:
    """Write a program that answers with `status`, and notes its calls; returns what a kubeconfig says of it."""
    answer = status if isinstance(status, str) else json.dumps({"kind": "ExecCredential", "status": status})
    file = folder / "login"
    file.write_text(f"#!/bin/sh\necho \"$1 $ACCOUNT $KUBERNETES_EXEC_INFO\" >> {folder}/calls\necho '{answer}'\n")
    file.chmod(0o700)
    environment = [{"name": "ACCOUNT", "value": "agent"}]
    return {"exec": {"command": "./login", "args": ["token"], "env": environment, "provideClusterInfo": True}}


def test_a_context_is_a_server_a_namespace_and_a_credential_that_is_masked_from_then_on(tmp_path: Path) -> None:
    file = write(tmp_path, {"token": TOKEN}, {"certificate-authority-data": base64.b64encode(b"PEM").decode()})
    dev, prod = Cluster.of(file), Cluster.of(file, "prod")
    assert (dev.server, dev.namespace, dev.token, dev.ca) == (SERVER, "shop", TOKEN, b"PEM")
    assert prod.namespace == "default"
    assert masking.mask(f"it is {TOKEN}") == "it is ****"
    assert TOKEN not in repr(dev)


def test_files_are_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    for name in ("ca", "crt", "key", "token"):
        (tmp_path / name).write_text(f"{name} {TOKEN}\n", encoding="utf-8")
    authority = {"certificate-authority": "ca", "tls-server-name": "api", "proxy-url": "http://proxy:3128"}
    shown = Cluster.of(write(tmp_path, {"client-certificate": "crt", "client-key": "key"}, authority))
    assert (shown.ca, shown.certificate, shown.key) == (
        b"ca sesame-open-7\n",
        b"crt sesame-open-7\n",
        b"key sesame-open-7\n",
    )
    assert (shown.tls_server_name, shown.proxy, shown.token) == ("api", "http://proxy:3128", None)
    assert Cluster.of(write(tmp_path, {"tokenFile": "token"})).token == f"token {TOKEN}"


def test_a_program_is_asked_for_the_credential_once_as_long_as_it_is_good(tmp_path: Path) -> None:
    ends = datetime.now(timezone.utc) + timedelta(minutes=10)
    file = write(tmp_path, program(tmp_path, {"token": TOKEN, "expirationTimestamp": f"{ends:%Y-%m-%dT%H:%M:%SZ}"}))
    assert {Cluster.of(file).token for _ in range(2)} == {TOKEN}
    (call,) = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert call.startswith("token agent {")
    assert json.loads(call.removeprefix("token agent "))["spec"]["cluster"]["server"] == f"{SERVER}/"


@pytest.mark.parametrize("ends", ["{:%Y-%m-%dT%H:%M:%S.123456789Z}", "soon"])
def test_a_program_is_asked_again_for_what_ends_soon(tmp_path: Path, ends: str) -> None:
    moment = ends.format(datetime.now(timezone.utc) + timedelta(seconds=20))
    file = write(tmp_path, program(tmp_path, {"token": TOKEN, "expirationTimestamp": moment}))
    Cluster.of(file)
    program(tmp_path, {"token": "another-one"})
    assert Cluster.of(file).token == "another-one"


def test_a_program_may_give_a_certificate(tmp_path: Path) -> None:
    file = write(tmp_path, program(tmp_path, {"clientCertificateData": "crt", "clientKeyData": "key"}))
    assert (Cluster.of(file).certificate, Cluster.of(file).key) == (b"crt", b"key")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({}, "gives neither a token nor a certificate"),
        ("what?", "prints no ExecCredential"),
        ("'; exit 3; '", "exit code 3"),
    ],
)
def test_a_program_that_gives_nothing_is_told(tmp_path: Path, status: dict[str, Any] | str, words: str) -> None:
    with pytest.raises(ExternalFailure, match=words):
        Cluster.of(write(tmp_path, program(tmp_path, status)))


def test_a_program_that_is_missing_is_told_with_the_kubeconfigs_own_hint(tmp_path: Path) -> None:
    user = {"exec": {"command": "no-such-login", "installHint": "ask the cloud team"}}
    with pytest.raises(MissingTool) as caught:
        Cluster.of(write(tmp_path, user))
    assert "ask the cloud team" in caught.value.hint


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"token: {TOKEN}\n\t- {{", "it is no YAML"),
        ("- a list", "lists no clusters"),
        ("clusters: []", "has no current context"),
        (context("dev", "def"), r"has no context def \(did you mean dev\?\)"),
        (context("a", "a", cluster="c"), "the context a lacks its cluster or its user"),
        (context("a", "a", cluster="c", user="u"), "has no cluster c"),
        (
            context("a", "a", cluster="c", user="u").replace("clusters: []", "clusters: [{name: c}]"),
            "the cluster c has no server",
        ),
    ],
)
def test_a_kubeconfig_that_is_none_is_told_without_its_secrets(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "config").write_text(content, encoding="utf-8")
    with pytest.raises(BadInput, match=words) as caught:
        Cluster.of(tmp_path / "config")
    assert TOKEN not in caught.value.message


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({}, "no credential that can be used"),
        ({"username": "u", "password": TOKEN}, "no credential that can be used"),
        ({"tokenFile": "gone"}, "the token of u cannot be read"),
        ({"client-certificate": "gone", "client-key": "gone"}, "client-certificate cannot be read"),
        ({"client-certificate-data": "§", "client-key-data": "§"}, "client-certificate cannot be read"),
    ],
)
def test_a_credential_that_cannot_be_used_is_told(tmp_path: Path, user: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Cluster.of(write(tmp_path, user))


@pytest.mark.parametrize(
    "cluster",
    [
        Cluster(server=SERVER, ca=b"PEM", token=TOKEN, namespace="shop"),
        Cluster(server=SERVER, certificate=b"crt", key=b"key", tls_server_name="api", proxy="http://proxy:3128"),
        Cluster(server=SERVER, token=TOKEN, insecure=True),
    ],
)
def test_what_is_written_is_read_back(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "config").write_bytes(kubeconfig.dump(cluster))
    assert Cluster.of(tmp_path / "config") == cluster


def test_the_kubeconfig_to_start_from_is_ours_else_kubectls_else_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".kube").mkdir()
    files = [tmp_path / "ours", tmp_path / "kubectls", tmp_path / ".kube" / "config"]
    for file in files:
        file.touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    names = dict(zip(kubeconfig.VARIABLES, map(str, files), strict=False))
    assert kubeconfig.locate(names) == files[0]
    assert kubeconfig.locate({"KUBECONFIG": str(files[1])}) == files[1]
    assert kubeconfig.locate({"JENKINS_CD_KUBECONFIG": ""}) == files[2]
    files[2].unlink()
    with pytest.raises(BadInput, match="there is no kubeconfig") as caught:
        kubeconfig.locate({})
    assert "JENKINS_CD_KUBECONFIG" in caught.value.hint
    with pytest.raises(BadInput, match="KUBECONFIG lists 2 files"):
        kubeconfig.locate({"KUBECONFIG": f"{files[0]}:{files[1]}"})
