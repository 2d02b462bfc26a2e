"""The health endpoint: which version runs, and whether it stays. Facts about the app itself, whatever deploys it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from jenkins_cd.delivery import Followed
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask
from jenkins_cd.model import Health, Observation
from jenkins_cd.tools import http, process

INTERVAL = 0.5  # seconds between two looks, at most: the first ones follow faster
FIRST = 0.05
ANSWER = 5.0  # seconds that one answer may take
LARGEST = 64_000  # bytes of an answer that are read
KEPT = 2_000  # characters of it that are kept as evidence


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is waited for."""

    url: str  # the app's base URL
    health: Health
    version: str
    timeout: float  # seconds until it must have come up
    settle: float  # seconds that it must then stay up


def observe(url: str, health: Health, timeout: float = ANSWER) -> Observation:
    """Ask once. Never raises for what the app does: no answer, a bad status and a bad body are observations."""
    url, at = url.rstrip("/") + health.path, datetime.now(timezone.utc)
    try:
        status, body = _get(url, timeout)
    except ExternalFailure as error:
        return Observation(url=mask(url), at=at, error=error.message)
    version, error_text = _version(body, health.version)
    text = mask(body.decode("utf-8", "replace"))[:KEPT]
    return Observation(url=mask(url), at=at, status=status, version=version, body=text, error=error_text)


def reports(observation: Observation, version: str) -> bool:
    """Tell whether the app was well and of this version."""
    return observation.status is not None and 200 <= observation.status < 300 and observation.version == version


def wait(
    wanted: Wanted, note: Callable[[str], None], superseded: Callable[[], str], why: Callable[[str], str]
) -> Followed:
    """Look until the version is reported and stays so while it settles, or until the time is up.

    It must have come up within the timeout, and may settle beyond it. `note` is told each change of what is seen.
    `superseded` returns the other version that is wanted by now, or an empty string, and `why` says that of one.
    Raises Stopped.
    """
    started = time.monotonic()
    since: float | None = None  # when it began to report the version
    told, interval = "", FIRST
    while True:
        observation = observe(wanted.url, wanted.health)
        now = time.monotonic()
        since = (since or now) if reports(observation, wanted.version) else None
        if (seen := describe(observation)) != told:
            note(seen)
            told = seen
        if since is not None and now - since >= wanted.settle:
            reason = f"{wanted.version} is up after {since - started:.1f} s and stayed for {wanted.settle:g} s"
            return Followed(reached=True, superseded_by="", observation=observation, reason=reason)
        if other := superseded():
            return Followed(reached=False, superseded_by=other, observation=observation, reason=why(other))
        if since is None and now - started >= wanted.timeout:
            reason = f"{wanted.version} did not come up and stay up in {wanted.timeout:g} s; last seen: {seen}"
            return Followed(reached=False, superseded_by="", observation=observation, reason=reason)
        settled = wanted.settle - (now - since) if since is not None else INTERVAL
        process.pause(min(interval, max(settled, 0.01)))
        interval = min(interval * 2, INTERVAL, max(wanted.settle, FIRST))


def last_look(seen: Observation | None) -> list[str]:
    """Return what the app answered last, in full lines for people; none where it was never asked."""
    if seen is None:
        return []
    answer = seen.error if seen.status is None else seen.body
    head = f"last look: {seen.at:%Y-%m-%d %H:%M:%S} UTC, GET {seen.url}: {describe(seen)}"
    return [head, *(f"  {line}" for line in split_lines(answer)[:8])]


def describe(observation: Observation) -> str:
    """Return what was seen in one phrase."""
    if observation.status is None:
        return "no answer"
    version = f"version {observation.version}" if observation.version else f"no version ({observation.error})"
    return f"HTTP {observation.status}, {version}"


def _get(url: str, timeout: float) -> tuple[int, bytes]:
    """Return status and body, read for no longer than `timeout`: an app that hangs may hang in the middle of it."""
    deadline, body = time.monotonic() + timeout, bytearray()
    with http.request("GET", url, timeout=timeout, attempts=1, stream=True, clock=False) as answer:
        try:
            for data in answer.iter_content(1):
                body += data
                if len(body) >= LARGEST or time.monotonic() > deadline:
                    break
        except OSError as error:  # what requests raises is one
            raise ExternalFailure(f"GET {mask(url)}: the answer broke off ({mask(str(error))})") from error
        return answer.status_code, bytes(body)


def _version(body: bytes, path: str) -> tuple[str | None, str]:
    """Return what stands at a path such as `$.build.version`, or None and why there is nothing."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None, "the answer is not JSON"
    for name, index in re.findall(r"\.([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]", path):
        try:
            found = found[int(index)] if index and isinstance(found, list) else dict(found)[name]
        except (KeyError, IndexError, TypeError, ValueError):
            return None, f"the answer has no {path}"
    if isinstance(found, str) and found:
        return mask(found[:200]), ""
    return None, f"{path} of the answer is no text"
