"""Ask the program that a kubeconfig names for a credential, as the clients of hosted clusters do.

The protocol is https://kubernetes.io/docs/reference/config-api/client-authentication.v1/.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, TypedDict

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.masking import register
from jenkins_cd.tools import answers, process

TIMEOUT = 60.0  # seconds
_MARGIN = timedelta(minutes=1)  # a credential that ends sooner is asked for anew
_known: dict[str, dict[str, Any]] = {}  # a second answer of the same token would come masked


class _Status(TypedDict, total=False):
    token: str | None
    clientCertificateData: str | None
    clientKeyData: str | None
    expirationTimestamp: str | None


class _Credential(TypedDict):
    status: _Status


def credential(asked: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return `{"token": …}`, or `{"certificate": …, "key": …}`; `asked` is the kubeconfig's `exec`, below `folder`.

    Raises MissingTool where the program is not there (with the kubeconfig's own hint), ExternalFailure where it fails.
    """
    memory = json.dumps([dict(asked), cluster.get("server"), str(folder)], sort_keys=True, default=str)
    status = _known.get(memory) or {}
    if not status or _ends_soon(status):
        status = _known[memory] = _run(asked, cluster, folder)
    if token := status.get("token"):
        return {"token": register(str(token))}
    if status.get("clientCertificateData") and status.get("clientKeyData"):
        pair = str(status["clientCertificateData"]), str(status["clientKeyData"])
        return {"certificate": pair[0].encode(), "key": pair[1].encode()}
    raise ExternalFailure(f"{asked.get('command')} gives neither a token nor a certificate with its key")


def _run(asked: Mapping[str, Any], cluster: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    command = str(asked.get("command", ""))
    if "/" in command:
        command = str(folder / command)
    spec: dict[str, Any] = {"interactive": False}
    if asked.get("provideClusterInfo") is True:
        names = ("server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url")
        spec["cluster"] = {name: cluster[name] for name in names if cluster.get(name)}
    info = {"apiVersion": asked.get("apiVersion"), "kind": "ExecCredential", "spec": spec}
    env = {str(one["name"]): str(one["value"]) for one in asked.get("env") or ()}
    said = process.run(
        [command, *map(str, asked.get("args") or ())],
        env={**env, "KUBERNETES_EXEC_INFO": json.dumps(info)},
        timeout=TIMEOUT,
        install=str(asked.get("installHint") or ""),
    ).require("get the credential that the kubeconfig wants", "run it yourself: it may want a login first")
    try:
        credential: _Credential = answers.document(said.stdout, _Credential)
    except answers.Malformed as error:  # which tells the place alone: what is printed may be a secret
        raise ExternalFailure(f"{said.line} prints no ExecCredential: {error}") from error
    return dict(credential["status"])


def _ends_soon(status: Mapping[str, Any]) -> bool:
    ends = status.get("expirationTimestamp")
    if not ends:
        return False
    try:
        moment = datetime.fromisoformat(re.sub(r"\.\d+", "", str(ends)).replace("Z", "+00:00"))
        return moment - datetime.now(timezone.utc) < _MARGIN
    except (ValueError, TypeError):  # no time, or one without a zone
        return True
