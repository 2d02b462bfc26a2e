"""Evidence of what went wrong with a release, for people: states, events, and the last lines of the logs.

Its size is bounded, and nothing that cannot be read is an error: it is said. Secrets are masked: those that are
registered, the values of the release's own Secrets, and what a log line itself calls a password.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from jenkins_cd.cluster import mirror, pods, rollout, workloads
from jenkins_cd.cluster.scene import (
    Object,
    Scene,
    annotation,
    containers,
    declarations,
    event_order,
    event_time,
    going,
    name,
    said,
    spec,
    status,
    times,
    true,
    uid,
)
from jenkins_cd.errors import JenkinsCdError, Stopped
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import MASK, mask
from jenkins_cd.report.text import clean
from jenkins_cd.tools import kubernetes
from jenkins_cd.tools.kubernetes import Cluster

LINES = 30  # of each log
WIDEST = 400  # characters of a line
PODS = 3  # of which more than a line is told
EVENTS = 20
LARGEST = 20_000  # characters in all
SHORTEST = 6  # characters of a Secret's value that is masked; a shorter one would blank out ordinary text
HASTE = 5.0  # seconds that the API server may be away

_CALLED_SECRET = re.compile(
    r"(?P<name>[\w.-]*(?:password|passwd|secret|token|api[_-]?key|authorization)[\w.-]*[\"']?\s*[=:]\s*"
    r"(?:(?:Bearer|Basic)\s+)?)(?P<value>\"[^\"]+\"|'[^']+'|[^\s,;&}\"']+)",
    re.IGNORECASE,
)


def diagnose(cluster: Cluster, namespace: str, objects: Sequence[Object]) -> str:
    """Return what there is to see of the objects of a release and its hooks, the telling things last.

    Raises nothing but Stopped: what cannot be read is told in a line.
    """
    hasty = replace(cluster, patience=HASTE)
    told: list[str] = []
    wanted = [one for one in objects if workloads.followed(one)]
    scene = mirror.read(hasty, namespace, rollout.kinds_of(wanted), lambda text: told.append(f"cannot be read: {text}"))
    troubled = [one for one in wanted if not _fine(one, scene)] or wanted
    shown = _shown(troubled, scene)
    parts = [
        "\n".join(_states(troubled, shown, scene)),
        "\n".join(_events([*_family(troubled, scene), *shown], scene)),
        *(_logs(hasty, namespace, pod) for pod in shown),
        "\n".join(told),
    ]
    hide = secrets_of(objects)
    return bounded(hidden("\n".join(part for part in parts if part), hide))


def secrets_of(objects: Iterable[Object]) -> frozenset[str]:
    """Return the values of the Secrets among these objects, line by line where they have several."""
    found: set[str] = set()
    for one in objects:
        if one["kind"] == "Secret":
            found |= {str(value) for value in (one.get("stringData") or {}).values()}
            found |= {_decoded(str(value)) for value in (one.get("data") or {}).values()}
    lines = (line.strip() for value in found for line in split_lines(value))
    return frozenset(line for line in lines if len(line) >= SHORTEST)


def hidden(text: str, secrets: Iterable[str] = ()) -> str:
    """Return text without registered secrets, these ones, and what is called a password or token in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return _CALLED_SECRET.sub(rf"\g<name>{MASK}", mask(text))


def bounded(text: str) -> str:
    """Return text of no more than LARGEST characters: its beginning and its end."""
    if len(text) <= LARGEST:
        return text
    half = LARGEST // 2
    return f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out) …\n{text[-half:]}"


def log_lines(text: str, number: int = LINES) -> list[str]:
    """Return the last lines of a log, safe to show, none too wide."""
    lines = split_lines(clean(text))[-number:]
    return [line if len(line) <= WIDEST else f"{line[:WIDEST]}…" for line in lines]


def _fine(wanted: Object, scene: Scene) -> bool:
    if annotation(wanted, rollout.HOOK) and scene.get(wanted["kind"], name(wanted)) is None:
        return True  # Helm removes hooks that have ended well
    return workloads.assess(wanted, scene).done


def _states(troubled: Iterable[Object], shown: Sequence[Object], scene: Scene) -> Iterator[str]:
    for wanted in troubled:
        state = workloads.assess(wanted, scene)
        yield f"{state.what}: {state.text}"
        for what, ill in state.ailments.items():
            if what == state.what and ill.text != state.text:
                yield f"  {ill.text}"
        for pod in state.pods:
            yield f"  pod {name(pod)} on {spec(pod).get('nodeName', 'no node')}: {pods.phrase(pod, scene)}"
            if pod in shown:
                yield from (f"    {line}" for line in _container_states(pod))


def _container_states(pod: Object) -> Iterator[str]:
    declared = {one["name"]: one.get("image") for one in declarations(spec(pod))}
    for one in containers(pod):
        reason, message = pods.waiting(one)
        now, before = one.get("state") or {}, (one.get("lastState") or {}).get("terminated")
        if reason:
            text = f"waiting, {reason}{f': {message}' if message else ''}"
        elif ended := now.get("terminated"):
            text = f"ended at {ended.get('finishedAt')} with {pods.exit_of(ended)}"
        else:
            since = (now.get("running") or {}).get("startedAt", "?")
            text = f"running since {since}, {'ready' if one.get('ready') else 'not ready'}"
        text += f"; restarts: {one.get('restartCount', 0)}"
        if before:
            text += f"; the run before ended at {before.get('finishedAt')} with {pods.exit_of(before)}"
        yield f"{one['name']} ({declared.get(one['name'], one.get('image'))}): {text}"


def _shown(troubled: Iterable[Object], scene: Scene) -> list[Object]:
    """Return the pods that are told of at length: of each object the newest that are not ready, else one that is."""
    found: dict[str, Object] = {}
    for wanted in troubled:
        live = scene.get(wanted["kind"], name(wanted))
        young = workloads.newest(live, scene) if live is not None else []
        young = sorted(young, key=lambda pod: str(pod["metadata"].get("creationTimestamp", "")), reverse=True)
        unready = [pod for pod in young if not true(pod, "Ready") and status(pod).get("phase") != "Succeeded"]
        found |= {uid(pod): pod for pod in (unready or young[:1])[:PODS]}
    return list(found.values())[:PODS]


def _family(troubled: Iterable[Object], scene: Scene) -> Iterator[Object]:
    """Yield the live objects, and the ReplicaSets that make their pods."""
    for wanted in troubled:
        live = scene.get(wanted["kind"], name(wanted))
        if live is None:
            continue
        yield live
        replica_set = workloads.newest_replica_set(live, scene) if wanted["kind"] == "Deployment" else None
        if replica_set is not None and not going(replica_set):
            yield replica_set


def _events(about: Iterable[Object], scene: Scene) -> Iterator[str]:
    """Yield the events about these objects, newest last; those that say the same are one, with how often."""
    number: dict[str, int] = {}
    lines: dict[str, str] = {}
    every = {uid(event) or name(event): event for one in about for event in scene.events(one)}
    for event in sorted(every.values(), key=event_order):
        what = event["involvedObject"]
        message = re.sub(rf'"{re.escape(what["name"])}-\w+"', f'"{what["name"]}-…"', said(event.get("message")))
        key = f"{event.get('type', '')} {event.get('reason', '')} {what['kind']} {what['name']}: {message}"
        number[key] = number.get(key, 0) + times(event)
        lines.pop(key, None)  # it stands where it was seen last
        lines[key] = event_time(event)[11:19]
    if lines:
        yield "events (UTC):"
    for key, at in list(lines.items())[-EVENTS:]:
        yield f"  {at} {key}{f' ({number[key]} times)' if number[key] > 1 else ''}"


def _logs(cluster: Cluster, namespace: str, pod: Object) -> str:
    parts = []
    for one in containers(pod):
        if not one.get("containerID") and not one.get("restartCount"):
            continue  # it has never run
        before = (one.get("lastState") or {}).get("terminated") or {}
        if before and before.get("containerID") != one.get("containerID"):  # else both logs are that run's
            parts += _log(cluster, namespace, pod, str(one["name"]), previous=True)
        parts += _log(cluster, namespace, pod, str(one["name"]), previous=False)
    return "\n".join(parts)


def _log(cluster: Cluster, namespace: str, pod: Object, called: str, *, previous: bool) -> list[str]:
    title = f"log of {name(pod)}, {called}{', the run before' if previous else ''}"
    try:
        text = kubernetes.logs(cluster, namespace, name(pod), called, previous=previous, tail=LINES)
    except Stopped:
        raise
    except JenkinsCdError as error:
        return [f"{title} cannot be read: {error.message}"]
    if text is None:
        return []
    lines = log_lines(text)
    return [f"{title} (last {LINES} lines):", *(f"  │ {line}" for line in lines)] if lines else [f"{title}: empty"]


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value
