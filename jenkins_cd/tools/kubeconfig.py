"""Read a kubeconfig, and write one that holds no more than is needed.

The format is https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/; how a program gives a credential is
https://kubernetes.io/docs/reference/config-api/client-authentication.v1/.
"""

from __future__ import annotations

import base64
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jenkins_cd import files
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import register

if TYPE_CHECKING:
    import ssl

VARIABLES = ("JENKINS_CD_KUBECONFIG", "KUBECONFIG")
PATIENCE = 15.0
_HINT = "kubectl config view --flatten --minify --raw prints one that holds everything"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """An API server, and who we are there. `patience`: how long (seconds) reading goes on asking one that is away."""

    server: str  # https://HOST:PORT, without a slash at its end
    ca: bytes | None = field(default=None, repr=False)  # PEM; None: the authorities that this machine trusts
    token: str | None = field(default=None, repr=False)
    certificate: bytes | None = field(default=None, repr=False)  # PEM, with `key` instead of a token
    key: bytes | None = field(default=None, repr=False)
    namespace: str = "default"
    insecure: bool = False  # whoever answers is trusted
    tls_server_name: str = ""  # the name in the server's certificate, where its address is another
    proxy: str = ""
    patience: float = PATIENCE

    @classmethod
    def of(cls, kubeconfig: Path, context: str | None = None) -> Cluster:
        """Return what a context of a kubeconfig means (None: its current one), its secrets masked from then on.

        A program that the kubeconfig names is run for the credential. Raises BadInput where the file is no kubeconfig
        or misses something, ExternalFailure where that program fails.
        """
        config = _load(kubeconfig)
        name = context or config.get("current-context")
        if not name:
            raise BadInput(f"{kubeconfig} has no current context", "say which with `helm.context` of the environment")
        chosen = _named(config, "context", name, kubeconfig)
        if not chosen.get("cluster") or not chosen.get("user"):
            raise BadInput(f"{kubeconfig}: the context {name} lacks its cluster or its user", _HINT)
        cluster = _named(config, "cluster", chosen["cluster"], kubeconfig)
        if not str(cluster.get("server", "")).startswith(("https://", "http://")):
            raise BadInput(f"{kubeconfig}: the cluster {chosen['cluster']} has no server", _HINT)
        return cls(
            server=str(cluster["server"]).rstrip("/"),
            ca=_content(cluster, "certificate-authority", kubeconfig),
            namespace=str(chosen.get("namespace") or "default"),
            insecure=cluster.get("insecure-skip-tls-verify") is True,
            tls_server_name=str(cluster.get("tls-server-name") or ""),
            proxy=str(cluster.get("proxy-url") or ""),
            **_credential(_named(config, "user", chosen["user"], kubeconfig), chosen["user"], cluster, kubeconfig),
        )

    def tls(self) -> ssl.SSLContext:
        """Return what checks the server, and shows it our certificate. Raises BadInput for what is no certificate."""
        import ssl

        try:
            context = ssl.create_default_context(cadata=self.ca.decode() if self.ca else None)
            if self.insecure:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if self.certificate and self.key:
                _show(context, self.certificate + b"\n" + self.key)
        except (ssl.SSLError, ValueError) as error:
            raise BadInput(f"the certificates for {self.server} cannot be read: {error}", _HINT) from error
        return context


def locate(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the kubeconfig to start from: JENKINS_CD_KUBECONFIG, else KUBECONFIG, else ~/.kube/config.

    Raises BadInput where it is not there, or KUBECONFIG lists several.
    """
    name = next((name for name in VARIABLES if environment.get(name)), "")
    given = [part for part in environment.get(name, "").split(os.pathsep) if part]
    if len(given) > 1:
        raise BadInput(f"{name} lists {len(given)} files", f"name one: {_HINT}")
    file = Path(given[0]) if given else (files.home() or Path("/")) / ".kube" / "config"
    if not file.is_file():
        raise BadInput(
            f"there is no kubeconfig {file}",
            f"set {VARIABLES[0]} to the file that lets us in; Jenkins binds a secret file",
        )
    return file


def dump(cluster: Cluster) -> bytes:
    """Return a kubeconfig for one cluster as who the Cluster says, as JSON, which is YAML."""
    place = {
        "server": cluster.server,
        "certificate-authority-data": _encoded(cluster.ca),
        "insecure-skip-tls-verify": cluster.insecure,
        "tls-server-name": cluster.tls_server_name,
        "proxy-url": cluster.proxy,
    }
    user = {
        "token": cluster.token,
        "client-certificate-data": _encoded(cluster.certificate),
        "client-key-data": _encoded(cluster.key),
    }
    name = "jenkins-cd"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {key: value for key, value in place.items() if value}}],
        "users": [{"name": name, "user": {key: value for key, value in user.items() if value}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": cluster.namespace}}],
        "current-context": name,
    }
    return json.dumps(document).encode()


def _load(file: Path) -> dict[str, Any]:
    import yaml

    try:
        data = files.read(file)
    except files.Unfit as error:
        raise BadInput(f"the kubeconfig {error.message}", _HINT) from error
    try:
        loaded = yaml.load(data, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506, a safe one
    except yaml.YAMLError as error:
        # Not the parser's words: they quote the file, and it holds secrets.
        raise BadInput(f"{file} is no kubeconfig: it is no YAML", _HINT) from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("clusters"), list):
        raise BadInput(f"{file} is no kubeconfig: it lists no clusters", _HINT)
    return loaded


def _named(config: Mapping[str, Any], kind: str, name: str, file: Path) -> dict[str, Any]:
    from jenkins_cd.suggest import nearest

    listed = [one for one in config.get(f"{kind}s") or () if isinstance(one, dict)]
    for one in listed:
        if one.get("name") == name:
            return one[kind] if isinstance(one.get(kind), dict) else {}
    there = [str(one.get("name")) for one in listed]
    raise BadInput(f"{file} has no {kind} {name}{nearest(str(name), there)}", f"it has {', '.join(there) or 'none'}")


def _content(place: Mapping[str, Any], key: str, file: Path) -> bytes | None:
    """Return what stands in `key-data`, or in the file that `key` names, relative to the kubeconfig."""
    try:
        if encoded := place.get(f"{key}-data"):
            return base64.b64decode(str(encoded), validate=True)
        return files.read(file.parent / str(place[key])) if place.get(key) else None
    except (files.Unfit, ValueError) as error:
        raise BadInput(f"{file}: {key} cannot be read: {error}", _HINT) from error


def _credential(user: Mapping[str, Any], name: str, cluster: Mapping[str, Any], file: Path) -> dict[str, Any]:
    if token := user.get("token"):
        return {"token": register(str(token))}
    if token_file := user.get("tokenFile"):
        try:
            return {"token": register(files.read_text(file.parent / str(token_file)).strip())}
        except files.Unfit as error:
            raise BadInput(f"{file}: the token of {name} cannot be read: {error}", _HINT) from error
    certificate, key = _content(user, "client-certificate", file), _content(user, "client-key", file)
    if certificate and key:
        return {"certificate": certificate, "key": key}
    if isinstance(user.get("exec"), dict):
        from jenkins_cd.tools import kubeconfig_program

        return kubeconfig_program.credential(user["exec"], cluster, file.parent)
    raise BadInput(
        f"{file}: the user {name} has no credential that can be used here",
        "a token, a client certificate with its key, or a program (`exec`) is needed",
    )


def _encoded(data: bytes | None) -> str | None:
    return base64.b64encode(data).decode() if data else None


def _show(context: ssl.SSLContext, pair: bytes) -> None:
    """Load a certificate with its key, for which OpenSSL wants a file: one in memory, where there is such a thing."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("certificate"), "wb") as stream:
            stream.write(pair)
            stream.flush()
            context.load_cert_chain(f"/proc/self/fd/{stream.fileno()}")
        return
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(pair)
        stream.flush()
        context.load_cert_chain(stream.name)
