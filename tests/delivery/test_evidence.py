"""What evidence hides, how large it may get, and which events and logs it tells of."""

from __future__ import annotations

import base64

import pytest

from jenkins_cd.cluster import evidence, pods
from jenkins_cd.masking import hiding
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
    with hiding(found):
        assert evidence.hidden("12 tries with correct horse and MIIEvgIBADANBg") == "12 tries with **** and ****"


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


def test_events_that_say_the_same_are_one_line_where_it_was_seen_last() -> None:
    web = states.pod("web-1")
    seen = [
        states.event(web, "BackOff", "Back-off restarting", count=2, second=1),
        states.event(web, "Unhealthy", "Probe failed", second=2),
        states.event(web, "BackOff", "Back-off restarting", second=3),
    ]
    assert evidence.event_lines(seen, lambda event: str(event["message"])) == [
        "00:00:02 Probe failed",
        "00:00:03 Back-off restarting (3 times)",
    ]


def test_logs_are_those_of_the_runs_that_were_and_no_run_is_told_twice() -> None:
    never = {"name": "never"}
    first = {"name": "first", "containerID": "c://1"}
    again = {"name": "again", "containerID": "c://2", "restartCount": 1, "lastState": states.ended(3)}
    crashed = {"name": "crashed", "containerID": "containerd://1", "restartCount": 1, "lastState": states.ended(3)}
    containers = [{"image": "", **container} for container in (never, first, again, crashed)]
    runs = list(pods.logged_runs(states.pod("web-1", "web", *containers)))
    assert runs == [("first", False), ("again", True), ("again", False), ("crashed", False)]
    assert pods.log_title("web-1", runs[1]) == "log of web-1, again, the run before"
