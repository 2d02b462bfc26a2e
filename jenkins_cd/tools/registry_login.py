"""Log in to an OCI registry: with Basic, or with a token that its token service gives.

How a registry asks for a token is https://distribution.github.io/distribution/spec/auth/token/. The service may be on
another host, and the registry names it, so whoever answers for the registry could name any. The name and password go
only

- over HTTPS to the registry's own host, or to one of its domain: `auth.docker.io` for `registry-1.docker.io`;
- over HTTP (`registry.plain_http`) to the registry's own host and port;
- to the host that JENKINS_CD_REGISTRY_TOKEN_HOST names, where it is neither.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.masking import excerpt, from_environment, read, register
from jenkins_cd.tools import challenges, http

USERNAME = "JENKINS_CD_REGISTRY_USERNAME"
PASSWORD = "JENKINS_CD_REGISTRY_PASSWORD"  # noqa: S105 - the variable's name
TOKEN_HOST = "JENKINS_CD_REGISTRY_TOKEN_HOST"  # noqa: S105 - the variable's name
_PORTS = {"https": 443, "http": 80}


def login() -> tuple[str, str] | None:
    """Return the name and password that the environment gives, None without them. Raises BadInput for half of it."""
    name, password = read(USERNAME), from_environment(PASSWORD)
    if not name and not password:
        return None
    if not name or not password:
        missing = PASSWORD if name else USERNAME
        raise BadInput(f"{missing} is not set, but its other half is", "set both, or neither")
    return name, password


def basic(pair: tuple[str, str]) -> str:
    """Return name and password as Basic has them (RFC 7617, in UTF-8), masked from then on."""
    return register(base64.b64encode(":".join(pair).encode()).decode())


def authorization(host: str, header: str, plain_http: bool) -> str:
    """Return the Authorization header that answers the challenges of a registry: Bearer if it may be, else Basic.

    `header` is its WWW-Authenticate. Raises ExternalFailure where it asks for something else, where it wants a login
    and none is given, and where the token service is not one that the login may go to, or gives no token.
    """
    asked = challenges.parse(header)
    bearer = next((one for one in asked if one.scheme == "bearer" and one.parameters.get("realm")), None)
    if bearer:
        return f"Bearer {_token(host, bearer.parameters, plain_http)}"
    if not any(one.scheme == "basic" for one in asked):
        schemes = ", ".join(one.scheme for one in asked) or "nothing that can be understood"
        raise ExternalFailure(
            f"{host} wants a login with {excerpt(schemes, 200)}; known are Basic, and Bearer with a realm",
            "check that the registry, and no proxy or other server, answers there",
        )
    pair = login()
    if pair is None:
        raise ExternalFailure(
            f"{host} wants a login, and none is given", f"set {USERNAME} and {PASSWORD} (or {PASSWORD}_FILE)"
        )
    return f"Basic {basic(pair)}"


def _token(host: str, challenge: Mapping[str, str], plain_http: bool) -> str:
    """Return a token for what a challenge asks for. Without a login it is one for everybody."""
    pair, realm = login(), challenge["realm"]
    place = _place(realm)
    if place is None or not _may_be_asked(place, host, plain_http, bool(pair)):
        hint = f"if that is its token service: it must use HTTPS, and {TOKEN_HOST} must name its host"
        raise ExternalFailure(
            f"{host} sends us to {excerpt(realm, 200)} for a token: the login is not sent there", hint
        )
    asked = urlencode({key: challenge[key] for key in ("service", "scope") if key in challenge})
    url = place._replace(query="&".join(filter(None, (place.query, asked))), fragment="").geturl()
    headers = {"Authorization": f"Basic {basic(pair)}"} if pair else {}
    answer = http.request("GET", url, headers=headers)
    token = _given(answer.content) if answer.status_code == 200 else None
    if token is None:
        what = "answers something else" if answer.status_code == 200 else "refuses"
        raise ExternalFailure(
            f"{excerpt(realm, 200)} gives no token for {host}: it {what} (HTTP {answer.status_code})",
            f"check {USERNAME} and {PASSWORD}, and that the token service answers there",
        )
    return register(token)


def _given(body: bytes) -> str | None:
    """Return the token in an answer: `token`, or `access_token` as OAuth 2 calls it; None where there is none."""
    import json

    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    values = [found.get(name) for name in ("token", "access_token")] if isinstance(found, dict) else []
    return next((one for one in values if isinstance(one, str) and re.fullmatch(r"[!-~]+", one)), None)


def _place(realm: str) -> SplitResult | None:
    """Return the parts of a realm that is an address, without a login in it; None for another."""
    try:
        parts = urlsplit(realm)
        well = bool(parts.hostname) and (parts.port is None or parts.port > 0) and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if well and re.fullmatch(r"[!-~]+", realm) and parts.scheme in _PORTS else None


def _may_be_asked(place: SplitResult, host: str, plain_http: bool, with_login: bool) -> bool:
    """Tell whether a token may be asked for there, `with_login` or without one."""
    if place.scheme == "http" and not plain_http:
        return False
    if not with_login or place.netloc.lower() == (os.environ.get(TOKEN_HOST) or "").lower():
        return True
    registry = urlsplit(f"{'http' if plain_http else 'https'}://{host}")
    if place.scheme == "http":
        return _address(place) == _address(registry)
    return _of_domain(place.hostname or "", registry.hostname or "")


def _address(place: SplitResult) -> tuple[str | None, int | None]:
    return place.hostname, place.port or _PORTS[place.scheme]


def _of_domain(name: str, registry: str) -> bool:
    """Tell whether a host is the registry's, or in the domain that the registry's is in. An address is in none."""
    first, _, rest = registry.partition(".")
    domain = rest if "." in rest else registry
    addresses = re.compile(r"[\d.]+|.*:.*")
    if name == registry or addresses.fullmatch(registry) or addresses.fullmatch(name) or not first:
        return name == registry
    return name == domain or name.endswith(f".{domain}")
