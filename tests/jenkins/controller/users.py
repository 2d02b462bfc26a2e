"""Users, their tokens, permissions, sessions and crumbs.

A request with an API token needs no crumb; one with a password, or nobody's, needs that of its session
(https://www.jenkins.io/doc/book/security/csrf-protection/). Sessions and crumbs end with the controller's process.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

from tests.jenkins.controller.answers import container_error, denied

ANONYMOUS = "anonymous"
COOKIE = "JSESSIONID.4f1e2d3c"
CRUMB = "Jenkins-Crumb"


@dataclass
class User:
    """Somebody who may log in, and what they may not do."""

    name: str
    token: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    admin: bool = False
    denied: set[str] = field(default_factory=set)  # such as Job/Build


class Users:
    """Who may do what. As long as there is no user, everybody may do everything."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._crumbs: dict[str, str] = {}  # session → crumb

    def add(self, name: str, token: str, password: str | None = None, admin: bool = False) -> User:
        self._users[name] = User(name, token, password, admin)
        return self._users[name]

    def find(self, name: str) -> User | None:
        return self._users.get(name)

    def authenticated(self, headers: Mapping[str, str]) -> tuple[str, bool]:
        """Return who sends a request, and whether with an API token. Raises Failed (401) for a wrong secret."""
        scheme, _, encoded = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ANONYMOUS, False
        try:
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise container_error(401, "Malformed HTTP basic Authorization header") from None
        user = self._users.get(name)
        if user and secret in (user.token, user.password):
            return name, secret == user.token
        if not self._users:  # nobody has to log in
            return ANONYMOUS, False
        raise container_error(401, f"Invalid password/token for user: {name}")

    def check(self, name: str, permission: str) -> None:
        """Raise Failed (403) unless the user has a permission."""
        if not self.may(name, permission):
            raise denied(name, permission)

    def may(self, name: str, permission: str) -> bool:
        user = self._users.get(name)
        return permission not in user.denied if user else not self._users

    def administers(self, name: str) -> bool:
        user = self._users.get(name)
        return user.admin if user else not self._users

    def crumb(self, headers: Mapping[str, str]) -> tuple[str, str]:
        """Return the session of a request, a new one if need be, and its crumb."""
        session = self.session(headers) or f"node0{secrets.token_hex(12)}"
        return session, self._crumbs.setdefault(session, secrets.token_hex(32))

    def session(self, headers: Mapping[str, str]) -> str | None:
        """Return the session that the cookie names, unless it is over."""
        cookie = SimpleCookie(headers.get("Cookie", "")).get(COOKIE)
        return cookie.value if cookie and cookie.value in self._crumbs else None

    def check_crumb(self, headers: Mapping[str, str]) -> None:
        """Raise Failed (403) unless the request carries the crumb of its session."""
        session = self.session(headers)
        if session is None or headers.get(CRUMB) != self._crumbs[session]:
            raise container_error(403, "No valid crumb was included in the request")

    def end_sessions(self) -> None:
        self._crumbs.clear()
