"""withCredentials and its bindings (https://www.jenkins.io/doc/pipeline/steps/credentials-binding/)."""
# ruff: noqa: N802, N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.jenkins.model import Credential, SecretFile, SecretText, SshKey, UsernamePassword
from tests.jenkins.steps.environment import Layer
from tests.jenkins.steps.errors import WrongArguments, aborted, missing_context
from tests.jenkins.steps.running import Held, Running
from tests.jenkins.steps.step import step

Binding = dict[str, Any]
# What each binding takes beside `credentialsId`, with * where it may be left out; and the credential that it wants.
BINDINGS: dict[str, tuple[tuple[str, ...], type]] = {
    "string": (("variable",), SecretText),
    "file": (("variable",), SecretFile),
    "usernamePassword": (("usernameVariable", "passwordVariable"), UsernamePassword),
    "usernameColonPassword": (("variable",), UsernamePassword),
    "sshUserPrivateKey": (("keyFileVariable", "usernameVariable*", "passphraseVariable*"), SshKey),
}


@step(block=True)
def withCredentials(at: Running, bindings: list[Binding]) -> Held:
    with contextlib.ExitStack() as stack:
        values: dict[str, str] = {}
        hidden: set[str] = set()
        for binding in bindings:
            new, names = stack.enter_context(_bound(at, binding))
            values.update(new)
            hidden |= names
        at.log("Masking supported pattern matches of " + " or ".join(f"${name}" for name in sorted(hidden)))
        return at.body(layers=(*at.scope.layers, Layer(values=values, secret=True, hidden=frozenset(hidden))))


@contextlib.contextmanager
def _bound(at: Running, binding: Mapping[str, Any]) -> Iterator[tuple[dict[str, str], set[str]]]:
    """Yield the variables of a binding, and which of them the log hides."""
    kind = _checked(binding)
    credential = _credential(at, binding["credentialsId"], BINDINGS[kind][1])
    if isinstance(credential, SecretText):
        yield {binding["variable"]: credential.secret}, {binding["variable"]}
    elif isinstance(credential, UsernamePassword) and kind == "usernameColonPassword":
        yield {binding["variable"]: f"{credential.username}:{credential.password}"}, {binding["variable"]}
    elif isinstance(credential, UsernamePassword):
        name, secret = binding["usernameVariable"], binding["passwordVariable"]
        yield {name: credential.username, secret: credential.password}, {secret}
    elif isinstance(credential, SecretFile):
        with _secret_file(at, credential.name, credential.content) as file:
            yield {binding["variable"]: str(file)}, {binding["variable"]}
    else:
        with _secret_file(at, f"ssh-key-{binding['keyFileVariable']}", credential.key.encode()) as file:
            values = {"keyFileVariable": str(file), "usernameVariable": credential.username}
            values["passphraseVariable"] = credential.passphrase
            given = {binding[name]: value for name, value in values.items() if binding.get(name)}
            yield given, set(given) - {binding.get("usernameVariable")}


def _checked(binding: Mapping[str, Any]) -> str:
    kind = str(binding.get("$class"))
    if kind not in BINDINGS:
        raise WrongArguments(f"withCredentials: {kind} is no binding that the runner knows ({', '.join(BINDINGS)})")
    wanted = {name.removesuffix("*"): name.endswith("*") for name in ("credentialsId", *BINDINGS[kind][0])}
    given = {name for name in binding if name != "$class"}
    required = {name for name, optional in wanted.items() if not optional}
    if given - set(wanted) or required - given:
        raise WrongArguments(f"{kind} takes {', '.join(wanted)}, and got {', '.join(sorted(given))}")
    return kind


def _credential(at: Running, identity: str, wanted: type) -> Credential:
    try:
        credential = at.controller.credential(identity)
    except KeyError:
        raise aborted(f"Could not find credentials entry with ID '{identity}'") from None
    if not isinstance(credential, wanted):
        raise aborted(
            f"Credentials '{identity}' is of type '{type(credential).__name__}' where '{wanted.__name__}' was expected"
        )
    return credential


@contextlib.contextmanager
def _secret_file(at: Running, name: str, content: bytes) -> Iterator[Path]:
    if at.scope.workspace is None:
        raise missing_context(at.name)
    folder = at.temporary / "secretFiles"
    folder.mkdir(parents=True, exist_ok=True)
    own = Path(tempfile.mkdtemp(dir=folder))
    try:
        file = own / name
        file.write_bytes(content)
        file.chmod(0o400)
        yield file
    finally:
        shutil.rmtree(own, ignore_errors=True)


@step(describes=True)
def usernamePassword(at: Running, credentialsId: str, usernameVariable: str, passwordVariable: str) -> Binding:
    return described("usernamePassword", locals())


@step(describes=True)
def usernameColonPassword(at: Running, credentialsId: str, variable: str) -> Binding:
    return described("usernameColonPassword", locals())


@step(describes=True)
def file(at: Running, credentialsId: str, variable: str) -> Binding:
    return described("file", locals())


@step(describes=True)
def sshUserPrivateKey(
    at: Running, credentialsId: str, keyFileVariable: str, usernameVariable: str = "", passphraseVariable: str = ""
) -> Binding:
    return described("sshUserPrivateKey", locals())


def described(symbol: str, arguments: Mapping[str, Any]) -> Binding:
    """Return the value that a symbol stands for: a map that names it, and what it was given."""
    given = {name: value for name, value in arguments.items() if name != "at" and value not in (None, "")}
    return {"$class": symbol, **given}
