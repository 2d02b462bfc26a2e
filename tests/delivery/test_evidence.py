"""What evidence hides, and how large it may get."""

from __future__ import annotations

import base64

import pytest

from jenkins_cd.cluster import evidence
from tests.delivery import states


@pytest.mark.parametrize(
    ("line", "safe"),
    [
        ("DB_PASSWORD=hunter22 host=db", "DB_PASSWORD=**** host=db"),
        ('{"api_key": "abc123", "user": "jane"}', '{"api_key": ****, "user": "jane"}'),
        ("Authorization: Bearer eyJhbGciOi.x.y", "Authorization: Bearer ****"),
        ("token: 'a b c'", "token: ****"),
        ("connecting to postgres://shop:hunter22@db/shop", "connecting to postgres://****@db/shop"),
        ("the password is wrong", "the password is wrong"),
    ],
)
def test_what_a_log_line_calls_a_secret_is_masked(line: str, safe: str) -> None:
    assert evidence.hidden(line) == safe


def test_the_values_of_a_releases_secrets_are_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvgIBADANBg\n-----END KEY-----"
    secret = {
        "kind": "Secret",
        "metadata": {"name": "shop"},
        "data": {"pin": base64.b64encode(b"12").decode(), "key": base64.b64encode(key.encode()).decode()},
        "stringData": {"password": "correct horse"},
    }
    found = evidence.secrets_of([secret, states.wanted("Deployment")])
    assert "12" not in found, "so short a value would blank out ordinary text"
    assert evidence.hidden("12 tries with correct horse and MIIEvgIBADANBg", found) == "12 tries with **** and ****"


def test_its_size_is_bounded_and_both_ends_are_kept() -> None:
    text = evidence.bounded("begin" + "x" * 100_000 + "end")
    assert len(text) < evidence.LARGEST + 100
    assert text.startswith("begin")
    assert text.endswith("end")
    assert "80,008 characters left out" in text
    assert evidence.bounded("short") == "short"


def test_a_log_is_cut_to_its_last_lines_and_cannot_steer_a_terminal() -> None:
    lines = evidence.log_lines("\n".join(str(number) for number in range(99)) + "\n\x1b[2J" + "w" * 999)
    assert len(lines) == evidence.LINES
    assert lines[0] == "70"
    assert lines[-1] == "w" * evidence.WIDEST + "…"
