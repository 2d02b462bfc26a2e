"""What the pods of an Application say of themselves: the states of their containers, and the ends of their logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jenkins_cd.argocd.nodes import Node, cause, newest
from jenkins_cd.argocd.states import Object
from jenkins_cd.cluster import evidence, pods
from jenkins_cd.cluster.scene import containers
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server
from jenkins_cd.tools.argocd_failures import Denied

PODS = 4  # that are told of; their logs are read
ALIKE = 2  # of them made of the same
LINES = 20  # of a log


@dataclass(frozen=True, kw_only=True)
class Log:
    """The end of a container's log."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Told:
    """A pod and what it says."""

    node: Node
    states: tuple[str, ...]  # a line a container
    logs: tuple[Log, ...]


def chosen(nodes: Sequence[Node]) -> list[Node]:
    """Return the pods worth a look: the newest of what is rolled out that are not well, else one of each that is."""
    young = sorted(newest(nodes), key=lambda one: one.age, reverse=True)
    sick = [one for one in young if one.health not in ("Healthy", "")]
    found: list[Node] = []
    for one in sick or young:
        alike = sum(each.parents == one.parents for each in found)
        if alike < (ALIKE if sick else 1):
            found.append(one)
    return found[:PODS]


def gather(server: Server, ref: Ref, nodes: Sequence[Node], trouble: list[str]) -> tuple[Told, ...]:
    """Return what those pods say, the newest first; what cannot be read is told in `trouble`."""
    found = []
    for node in nodes:
        try:
            pod = _live(server, ref, node)
        except JenkinsCdError as error:
            trouble.append(f"{node.called} cannot be read: {error.message}")
            continue
        denied = any(" logs of " in one or "logs, get" in one for one in trouble)
        logs = () if denied else tuple(_logs(server, ref, node, pod, trouble))
        found.append(Told(node=node, states=tuple(map(_state, containers(pod))), logs=logs))
    return tuple(found)


def _live(server: Server, ref: Ref, node: Node) -> Object:
    """Return a pod as it is in the cluster."""
    about = {"namespace": node.namespace, "name": node.name, "version": "v1", "kind": "Pod"}
    return argocd_applications.live(server, ref, about) or {}


def _state(one: Mapping[str, Any]) -> str:
    reason, message = pods.waiting(one)
    ended = (one.get("state") or {}).get("terminated")
    if reason:
        why = cause(message)
        text = f"waits, {reason}" + (f": {why}" if why else "")
    elif ended:
        text = f"has ended with {pods.exit_of(ended)}"
    else:
        text = "runs and is ready" if one.get("ready") else "runs, but is not ready"
    again, before = int(one.get("restartCount") or 0), (one.get("lastState") or {}).get("terminated")
    text += f"; restarts: {again}" if again else ""
    return f"{one.get('name')}: {text}" + (f", the run before ended with {pods.exit_of(before)}" if before else "")


def _logs(server: Server, ref: Ref, node: Node, pod: Object, trouble: list[str]) -> Iterator[Log]:
    for run in pods.logged_runs(pod):
        title = pods.log_title(node.called, run)
        try:
            lines = _log(server, ref, node, run)
        except Denied as error:
            trouble.append(f"logs cannot be read: {error.sentence}")
            return
        except JenkinsCdError as error:
            trouble.append(f"{title} cannot be read: {error.message}")
            continue
        if lines or not run.previous:
            yield Log(title=title, lines=lines)


def _log(server: Server, ref: Ref, node: Node, run: pods.LoggedRun) -> tuple[str, ...]:
    lines = argocd_applications.logs(
        server, ref, pod=node.name, namespace=node.namespace, container=run.container, tail=LINES, previous=run.previous
    )
    return tuple(evidence.log_lines("\n".join(lines), LINES))
