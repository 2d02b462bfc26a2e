from __future__ import annotations

import threading
import time

import pytest

from jenkins_cd.delivery import Followed, health
from jenkins_cd.model import Health
from tests.delivery.app import App


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "INTERVAL", 0.02)


def follow(
    app: App, *, version: str = "1.4.0", timeout: float = 1.0, settle: float = 0.1
) -> tuple[Followed, list[str]]:
    notes: list[str] = []
    wanted = health.Wanted(url=app.url, health=Health(), version=version, timeout=timeout, settle=settle)
    return health.wait(wanted, notes.append, lambda: "", str), notes


def test_a_version_that_is_up_and_stays_is_reached(app: App) -> None:
    app.says('{"version": "1.4.0"}')
    followed, notes = follow(app)
    assert followed.reached
    assert notes == ["HTTP 200, version 1.4.0"]
    assert followed.observation is not None
    assert followed.observation.version == "1.4.0"


def test_each_change_of_what_is_seen_is_told_once(app: App) -> None:
    app.says('{"version": "1.3.0"}')
    threading.Timer(0.2, app.says, ["starting", 503]).start()
    threading.Timer(0.4, app.says, ['{"version": "1.4.0"}']).start()
    followed, notes = follow(app)
    assert followed.reached
    assert notes == [
        "HTTP 200, version 1.3.0",
        "HTTP 503, no version (the answer is not JSON)",
        "HTTP 200, version 1.4.0",
    ]


def test_settling_begins_anew_when_it_flaps(app: App) -> None:
    app.answers = iter([(200, '{"version": "1.4.0"}')] * 3 + [(500, "")])
    app.says('{"version": "1.4.0"}')
    started = time.monotonic()
    followed, notes = follow(app, settle=0.3)
    assert followed.reached
    assert time.monotonic() - started > 0.36
    assert len(notes) == 3


def test_what_never_settles_fails(app: App) -> None:
    app.answers = iter([(200, '{"version": "1.4.0"}'), (200, '{"version": "1.4.0"}'), (500, "")] * 1000)
    followed, _ = follow(app, timeout=0.5, settle=60)
    assert not followed.reached
    assert "did not come up and stay up in 0.5 s" in followed.reason


def test_what_comes_up_in_time_may_settle_beyond_it(app: App) -> None:
    app.says('{"version": "1.4.0"}')
    followed, _ = follow(app, timeout=0.05, settle=0.4)
    assert followed.reached


@pytest.mark.parametrize(
    ("status", "body", "seen"),
    [
        (200, '{"version": "1.3.0"}', "HTTP 200, version 1.3.0"),
        (500, '{"version": "1.4.0"}', "HTTP 500, version 1.4.0"),
        (404, "<html>", "HTTP 404, no version (the answer is not JSON)"),
        (200, "", "HTTP 200, no version (the answer is not JSON)"),
        (200, "[]", "HTTP 200, no version (the answer has no $.version)"),
        (200, '{"version": 1.4}', "HTTP 200, no version ($.version of the answer is no text)"),
        (200, '{"version": null}', "HTTP 200, no version ($.version of the answer is no text)"),
        (200, "[" * 9000, "HTTP 200, no version (the answer is not JSON)"),
    ],
)
def test_what_is_not_the_version_is_not_taken_for_it(app: App, status: int, body: str, seen: str) -> None:
    app.says(body, status)
    followed, _ = follow(app, timeout=0.1)
    assert not followed.reached
    assert followed.reason == f"1.4.0 did not come up and stay up in 0.1 s; last seen: {seen}"
    assert followed.observation is not None
    assert followed.observation.status == status
    assert followed.observation.body == body[: health.KEPT]


def test_an_app_that_does_not_answer_is_seen_as_such(app: App) -> None:
    app.stop()
    followed, notes = follow(app, timeout=0.1)
    assert not followed.reached
    assert notes == ["no answer"]
    assert followed.observation is not None
    assert "refused" in followed.observation.error.lower()


@pytest.mark.parametrize("fault", ["hang", "drip", "cut", "endless"])
def test_an_app_that_hangs_holds_nobody_up(app: App, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(health, "ANSWER", 0.3)
    app.fault = fault
    started = time.monotonic()
    observation = health.observe(app.url, Health(), 0.3)
    assert observation.version is None
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("$.version", "1"),
        ("$.build.version", "2"),
        ("$.parts[1].version", "3"),
        ("$.parts[9].version", None),
        ("$.no", None),
    ],
)
def test_the_version_is_found_by_its_path(app: App, path: str, version: str | None) -> None:
    app.says('{"version": "1", "build": {"version": "2"}, "parts": [{}, {"version": "3"}]}')
    assert health.observe(app.url + "/", Health(version=path)).version == version


def test_a_deployment_that_another_one_overtook_ends(app: App) -> None:
    app.says('{"version": "1.3.0"}')
    wanted = health.Wanted(url=app.url, health=Health(), version="1.4.0", timeout=30, settle=1)
    wishes = iter(["", "", "1.5.0"])
    followed = health.wait(wanted, lambda _seen: None, lambda: next(wishes), str)
    assert (followed.reached, followed.superseded_by) == (False, "1.5.0")
