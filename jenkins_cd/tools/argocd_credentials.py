"""Who we are at an Argo CD server: a token, a file that has one, or a name and a password that one is had for.

Tokens are JWTs (https://www.rfc-editor.org/rfc/rfc7519); what they say of themselves serves messages, never decisions.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jenkins_cd import files
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import from_environment, register

TOKEN = "JENKINS_CD_ARGOCD_TOKEN"  # noqa: S105 - the variable's name
USERNAME = "JENKINS_CD_ARGOCD_USERNAME"
PASSWORD = "JENKINS_CD_ARGOCD_PASSWORD"  # noqa: S105 - the variable's name


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """A token, a file with one that others renew, or a login; what is not given is empty."""

    token: str = field(default="", repr=False)
    token_file: str = ""
    username: str = ""
    password: str = field(default="", repr=False)

    @property
    def renewal(self) -> str:
        """Return what to do about a token that is not accepted, for people."""
        if self.username:
            return "log in again: check that the account is enabled and may log in"
        if self.token_file:
            return f"write a new token to {self.token_file}: `jenkins-cd argocd token` makes one"
        return f"make a new token (`jenkins-cd argocd token`), and set {TOKEN} to it"


def credentials() -> Credentials:
    """Return what the environment gives. Raises BadInput where that is nothing, half a login, or an unreadable file."""
    file = os.environ.get(f"{TOKEN}_FILE", "")
    token = from_environment(TOKEN)
    if token:
        return Credentials(token=token, token_file=file)
    username, password = os.environ.get(USERNAME, ""), from_environment(PASSWORD) or ""
    if bool(username) != bool(password):
        raise BadInput(
            f"{PASSWORD if username else USERNAME} is not set, but its other half is", "set both, or neither"
        )
    if not username:
        raise BadInput(
            "there is no credential for Argo CD",
            f"set {TOKEN} (or {TOKEN}_FILE) to a token of a project role, or {USERNAME} and {PASSWORD}",
        )
    return Credentials(username=username, password=password)


def given() -> bool:
    """Tell whether the environment gives any."""
    return any(os.environ.get(name) for name in (TOKEN, f"{TOKEN}_FILE", USERNAME))


@dataclass
class Login:
    """The token of the moment, seen by all threads, and how many requests were sent."""

    credentials: Credentials = field(repr=False)
    token: str = field(default="", repr=False)
    sent: int = 0
    renewing: threading.Lock = field(default_factory=threading.Lock, repr=False)
    counting: threading.Lock = field(default_factory=threading.Lock, repr=False)  # one that logs in is counted too

    def count(self) -> None:
        """Count one request."""
        with self.counting:
            self.sent += 1

    def renew(self, stale: str, log_in: Callable[[Credentials], str]) -> bool:
        """Get another token than the one that is not accepted, unless another thread has done so; False: there is none.

        `log_in` gets one for a name and a password.
        """
        with self.renewing:
            if self.token != stale:
                return True
            found = _read(self.credentials.token_file)
            if (not found or found == stale) and self.credentials.username:
                found = log_in(self.credentials)
            if not found or found == stale:
                return False
            self.token = register(found)
            return True


def subject(token: str) -> str:
    """Return whom a token is for: `proj:PROJECT:ROLE`, or the name of an account; empty where it does not say."""
    found = str(claims(token).get("sub") or "")
    return found if found.startswith("proj:") else found.partition(":")[0]


def claims(token: str) -> Mapping[str, Any]:
    """Return what a token says of itself (sub, iat, exp, jti); nothing where it is no JWT. Nothing is verified."""
    parts = token.split(".")
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def expired(token: str) -> bool:
    """Tell whether a token says of itself that its time is over."""
    expiry = claims(token).get("exp")
    return isinstance(expiry, int | float) and expiry <= time.time()


def _read(file: str) -> str:
    """Return the token in a file; whoever renews it may be writing just now."""
    try:
        return files.read_text(Path(file)).strip() if file else ""
    except files.Unfit:
        return ""
