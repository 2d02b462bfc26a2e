"""What WWW-Authenticate may say: RFC 9110, section 11.6.1."""

from __future__ import annotations

import pytest

from jenkins_cd.tools.challenges import parse

BEARER = 'Bearer realm="https://auth.local/token",service="here",scope="repository:a/b:pull,push"'
MEANT = ("bearer", {"realm": "https://auth.local/token", "service": "here", "scope": "repository:a/b:pull,push"})
BASIC = ("basic", {"realm": "Registry"})


def parsed(header: str) -> list[tuple[str, dict[str, str]]]:
    return [(one.scheme, dict(one.parameters)) for one in parse(header)]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (BEARER, [MEANT]),
        (f'{BEARER}, Basic realm="Registry"', [MEANT, BASIC]),
        (f'Basic realm="Registry", {BEARER}', [BASIC, MEANT]),
        (f"Negotiate, NTLM, {BEARER}", [("negotiate", {}), ("ntlm", {}), MEANT]),
        (f'Negotiate oYH1MIHy==, {BEARER},Basic realm="Registry"', [("negotiate", {}), MEANT, BASIC]),
        (BEARER.replace("Bearer", "bEARER").replace("realm", "REALM"), [MEANT]),
        (BEARER.replace(",service", " ,\t service ").replace('="here"', ' = "here"'), [MEANT]),
        (BEARER.replace('"here"', "here").replace('"https://auth.local/token"', "https://auth.local/token"), [MEANT]),
        (BEARER.replace(",", " , ,").replace("pull , ,push", "pull,push"), [MEANT]),
        (r'Newauth realm="a, \"Basic realm=\\b\"", Basic',
         [("newauth", {"realm": r'a, "Basic realm=\b"'}), ("basic", {})]),
        ('Digest qop="auth, auth-int", nonce="a=b", Basic realm="Registry"',
         [("digest", {"qop": "auth, auth-int", "nonce": "a=b"}), BASIC]),
        ('Basic realm="Registry", realm="second"', [BASIC]),
        ('Bearer realm="https://auth.local/token" service="here"',
         [("bearer", {"realm": "https://auth.local/token", "service": "here"})]),
    ],
)  # fmt: skip
def test_challenges_are_told_apart_in_any_order(header: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert parsed(header) == found


def test_what_stands_in_quotes_is_no_challenge() -> None:
    assert parsed(r'Basic realm="x, Bearer realm=\"https://evil.local\""') == [
        ("basic", {"realm": 'x, Bearer realm="https://evil.local"'})
    ]


@pytest.mark.parametrize("header", ["", " ,, ", '"', "\\", '="x"', 'realm="x"', "<html>", "\x00", "é"])
def test_what_is_no_challenge_is_passed_over(header: str) -> None:
    assert parsed(header) == []
    assert parsed(f"{header}, {BEARER}")[-1:] in ([MEANT], []), "a quote that is never closed takes all with it"


def test_an_endless_header_takes_no_time() -> None:
    for piece in ('a="', "a=", "\\", '"\\', ", ", "Bearer ", "=", "a b="):
        parse(piece * 20_000)
