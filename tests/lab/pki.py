"""The cluster's keys, certificates and kubeconfigs, made anew at each start: nothing of them is worth keeping."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.tools import process

NODE = "node1"
_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_DAYS = "30"


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The folder of the cluster's keys, and the kubeconfigs of its people."""

    folder: Path
    server: str  # https://ADDRESS:PORT

    @property
    def admin(self) -> Path:
        """Return the kubeconfig of the cluster's administrator."""
        return self.folder / "kubeconfig"

    @property
    def node(self) -> Path:
        """Return the kubelet's kubeconfig."""
        return self.folder / "node.kubeconfig"

    @property
    def authority(self) -> str:
        """Return the file of the certificate authority."""
        return self.file("ca.crt")

    def file(self, name: str) -> str:
        """Return the path of one file."""
        return str(self.folder / name)


def make(folder: Path, server: str, gateway: str, api: str) -> Keys:
    """Make all keys in `folder`. `gateway` is where the servers listen, `api` the address of service `kubernetes`."""
    keys = Keys(folder=folder, server=server)
    folder.mkdir(mode=0o700)
    _openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", keys.file("tokens.key")])
    _openssl(["ec", "-in", keys.file("tokens.key"), "-pubout", "-out", keys.file("tokens.pub")])
    authority = ["-keyout", keys.file("ca.key"), "-out", keys.authority, "-subj", "/CN=lab"]
    _openssl(["req", "-x509", *_EC, "-days", _DAYS, *authority])
    names = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
    addresses = (f"IP:{address}" for address in ("127.0.0.1", gateway, api))
    names_of_api = ",".join([*(f"DNS:{name}" for name in names), *addresses])
    _certificate(keys, "api", "/CN=kube-apiserver", f"subjectAltName={names_of_api}")
    _certificate(
        keys, "api-client", "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth"
    )
    _certificate(keys, "front-proxy", "/CN=front-proxy", "extendedKeyUsage=clientAuth")
    _certificate(keys, "kubelet", f"/CN={NODE}", f"subjectAltName=DNS:{NODE},IP:{gateway},IP:127.0.0.1")
    _accounts(keys)
    return keys


def _accounts(keys: Keys) -> None:
    """Write the file of tokens (token,user,uid,groups) and the kubeconfigs that hold them."""
    admin, node = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    lines = [f'{admin},admin,admin,"system:masters"', f'{node},system:node:{NODE},{NODE},"system:nodes"', ""]
    _private(keys.folder / "tokens.csv", "\n".join(lines))
    for file, token in ((keys.admin, admin), (keys.node, node)):
        _private(file, json.dumps(kubeconfig(keys, token)))


def kubeconfig(keys: Keys, token: str) -> dict[str, object]:
    """Return a kubeconfig, as JSON is YAML, that carries the authority inside: it may be copied anywhere."""
    import base64

    authority = base64.b64encode(Path(keys.authority).read_bytes()).decode()
    cluster = {"server": keys.server, "certificate-authority-data": authority}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": {"token": token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }


def _private(file: Path, text: str) -> None:
    file.touch(0o600)
    file.write_text(text, encoding="utf-8")


def _certificate(keys: Keys, name: str, subject: str, extension: str) -> None:
    request, extensions = keys.folder / f"{name}.csr", keys.folder / f"{name}.ext"
    extensions.write_text(extension, encoding="utf-8")
    _openssl(["req", *_EC, "-keyout", keys.file(f"{name}.key"), "-out", str(request), "-subj", subject])
    signer = ["-CA", keys.authority, "-CAkey", keys.file("ca.key"), "-CAcreateserial", "-days", _DAYS]
    files = ["-in", str(request), "-out", keys.file(f"{name}.crt"), "-extfile", str(extensions)]
    _openssl(["x509", "-req", *files, *signer])


def _openssl(arguments: list[str]) -> None:
    process.run(["openssl", *arguments]).require("make the cluster's keys")
