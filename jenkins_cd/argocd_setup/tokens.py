"""One token for one build: made at its start, worthless after its end.

It is of a project's role, so of no more use than that role. Argo CD lists the tokens of a role in the AppProject, and
keeps those that have expired: ours are cleaned away whenever one is made or revoked. It takes a token that has the ID
of one in its list, or was issued in the same second: so each of ours has an ID, and a second, of its own. Else it would
be good even after it was revoked.
"""

from __future__ import annotations

import random
import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from jenkins_cd.argocd_setup.roles import CI
from jenkins_cd.errors import BadInput
from jenkins_cd.masking import excerpt
from jenkins_cd.tools import argocd_settings, process
from jenkins_cd.tools.argocd import Server
from jenkins_cd.tools.argocd_failures import Absent
from jenkins_cd.tools.argocd_settings import Token

PREFIX = "jenkins-cd-"
ATTEMPTS = 8
SHORTEST = 1.0  # seconds; zero would be for ever
_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_LONGEST = 150  # letters
_SOON = 60  # seconds that clocks may differ


@dataclass(frozen=True, kw_only=True)
class About:
    """What may be told of a token."""

    id: str
    project: str
    role: str
    expires: datetime
    schema: Literal["jenkins_cd/argocd/token/v1"] = "jenkins_cd/argocd/token/v1"


@dataclass(frozen=True, kw_only=True)
class Revoked:
    """What was revoked: the token that was asked for, if it was there, and ours that had expired."""

    found: bool
    expired: tuple[str, ...]
    schema: Literal["jenkins_cd/argocd/revoked/v1"] = "jenkins_cd/argocd/revoked/v1"


def make(server: Server, project: str, lifetime: float, role: str = CI, build: str = "") -> Token:
    """Return a new token of a role for `lifetime` seconds; the earlier one of that build is revoked.

    Raises BadInput where there is no such project or role, or the ID is none, and what the server refuses.
    """
    name = PREFIX + _checked(build or secrets.token_hex(8))
    try:
        mine, _ = _clear(server, project, role, name)
        seconds = frozenset(one.issued_at for one in mine)
        return _alone(server, project, role, max(lifetime, SHORTEST), name, seconds)
    except Absent as error:
        raise BadInput(
            f"Argo CD has no project {project} with the role {role}",
            "jenkins-cd render argocd --project NAME --apply makes the AppProject of a project, which is called as "
            "environments.<name>.argocd.project says",
        ) from error


def revoke(server: Server, project: str, role: str, build: str) -> Revoked:
    """Let the token of a build be worthless, and clean away ours that have expired. Nobody minds a second time.

    Raises BadInput where the ID is none, and what the server refuses.
    """
    try:
        mine, expired = _clear(server, project, role, PREFIX + _checked(build))
        return Revoked(found=bool(mine), expired=tuple(one.id for one in expired))
    except Absent:
        return Revoked(found=False, expired=())


def _alone(server: Server, project: str, role: str, lifetime: float, name: str, taken: frozenset[int]) -> Token:
    """Return a new token of a second of its own; after ATTEMPTS one that shares it, as nothing else is to be had."""
    for attempt in range(1, ATTEMPTS + 1):
        token = argocd_settings.create_token(server, project, role, lifetime, f"{name}.{secrets.token_hex(4)}")
        others = [one for one in argocd_settings.tokens(server, project, role) if one.id != token.id]
        if attempt == ATTEMPTS or token.issued_at not in taken.union(one.issued_at for one in others):
            break
        argocd_settings.delete_token(server, project, role, token)
        process.pause(1.0 + random.random() * attempt)  # noqa: S311 - others who wait are not to wait as long
    return token


def _clear(server: Server, project: str, role: str, name: str) -> tuple[list[Token], list[Token]]:
    """Delete the token `name`, or all of that build, and those of ours that have expired; returns both."""
    now = time.time()
    ours = [one for one in argocd_settings.tokens(server, project, role) if one.id.startswith(PREFIX)]
    expired = [one for one in ours if one.expires_at and one.expires_at + _SOON < now]
    mine = [one for one in ours if name in (one.id, one.id.rpartition(".")[0])]
    for one in (*mine, *(each for each in expired if each not in mine)):
        argocd_settings.delete_token(server, project, role, one)
    return mine, expired


def _checked(build: str) -> str:
    build = build.removeprefix(PREFIX)
    if not re.fullmatch(_ID, build) or len(build) > _LONGEST:
        raise BadInput(
            f"{excerpt(build, 100)!r} names no build",
            f"letters, digits, dots and dashes, {_LONGEST} at most, such as $BUILD_TAG",
        )
    return build
