"""Evidence of what went wrong with an Application, for people: the cause first, then what one would look up next.

Everything comes from Argo CD's API, with no account in the cluster. It is bounded, masked, and what cannot be read is
said: nothing of it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from jenkins_cd.argocd import differences, pod_evidence, states, tree
from jenkins_cd.argocd.nodes import Node, owner
from jenkins_cd.argocd.pod_evidence import Told
from jenkins_cd.argocd.states import Object
from jenkins_cd.cluster.evidence import hidden
from jenkins_cd.cluster.scene import event_order, event_time, said, times
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.report.text import clean, fit, one_line, wrapped
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd import Ref, Server

T = TypeVar("T")
LINES = 120  # in all
COLUMNS = 160
ABOUT = 8  # objects whose events are read
_CAUSES = 20  # lines of what has gone wrong, and so on
_EVENTS = 14
_DIFFERENCES = 14
_LOGS = 24  # that are kept whatever else there is
_LAYERS = ("failed exit status 1: ", "code = Unknown desc = ", "code = Internal desc = ")
# What happens to a pod that its own state does not tell.
_BESIDE = frozenset({"Unhealthy", "FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"})
_HELM = " Use --debug flag to render out invalid YAML"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What there is to see."""

    page: str  # of the Application
    application: Object = field(default_factory=dict)
    nodes: tuple[Node, ...] = ()
    pods: tuple[Told, ...] = ()
    events: tuple[Object, ...] = ()
    managed: tuple[Object, ...] = ()
    trouble: tuple[str, ...] = ()  # what could not be read


def gather(server: Server, ref: Ref, *, page: str) -> Evidence:
    """Return what Argo CD knows of an Application. Raises nothing: what cannot be read is told in the result."""
    trouble: list[str] = []
    app = _tried(lambda: argocd_applications.read(server, ref), ref.rbac, trouble) or {}
    nodes = _tried(lambda: tree.read(argocd_applications.tree(server, ref)), "its resources", trouble) or ()
    chosen = pod_evidence.chosen(nodes)
    events: dict[str, Object] = {}
    for node in _about(nodes, chosen):
        found = _tried(partial(_events, server, ref, node), f"the events of {node.called}", trouble) or ()
        events |= {str((one.get("metadata") or {}).get("uid") or one): one for one in found}
    managed: Sequence[Object] = ()
    if states.sync_status(app) == "OutOfSync":
        managed = _tried(lambda: argocd_applications.managed(server, ref), "what is declared", trouble) or ()
    return Evidence(
        page=page,
        application=app,
        nodes=nodes,
        pods=pod_evidence.gather(server, ref, chosen, trouble),
        events=tuple(sorted((one for one in events.values() if one.get("metadata")), key=event_order)),
        managed=tuple(managed),
        trouble=tuple(trouble),
    )


def text(evidence: Evidence) -> str:
    """Return it for people: no more than LINES, safe to show anywhere."""
    name = str((evidence.application.get("metadata") or {}).get("name") or "the Application")
    drawn = split_lines(tree.text(evidence.nodes, name, evidence.application or None)) if evidence.nodes else []
    different = differences.lines(evidence.managed)
    parts = [
        _first(list(_causes(evidence)), _CAUSES),
        _first(list(_states(evidence)), _CAUSES),
        drawn,
        _titled("events (UTC):", list(_said_of(_telling(evidence)))[-_EVENTS:]),
        _first(_titled("not as declared:", [f"  {one}" for one in different]), _DIFFERENCES),
        [*(line for one in evidence.trouble for line in _wrapped(one)), f"more: {evidence.page}"],
    ]
    left = max(LINES - sum(map(len, parts)), _LOGS)
    parts.insert(3, _log_lines(evidence.pods, left))
    found = [fit(line, COLUMNS) for part in parts for line in split_lines(hidden(clean("\n".join(part))))]
    return "\n".join([*found[: LINES - 1], found[-1]] if len(found) > LINES else found)


def unready(server: Server, ref: Ref) -> str:
    """Return why a pod of what is deployed now is not ready, as `Deployment/web is Progressing: …`.

    Empty where nothing is said of it. Raises as the requests do.
    """
    nodes = tree.read(argocd_applications.tree(server, ref))
    for pod in pod_evidence.chosen(nodes):
        beside = _beside(sorted(_events(server, ref, pod), key=event_order)) if pod.health != "Healthy" else None
        if beside and (why := said(beside.get("message"))):
            above = owner(pod, nodes)
            return hidden(clean(f"{above.called} is {above.health or 'not ready'}: {why} ({pod.called})"))
    return ""


def whose(metadata: Object) -> str:
    """Return who made a commit, as ` by anna (https://…/job/7/)`; empty where nobody is named.

    `metadata` is of `argocd_applications.metadata`. Deployments are committed for somebody, whom a trailer names.
    """
    trailers = dict(re.findall(r"^(Requested-by|Build): (.+)$", str(metadata.get("message") or ""), re.MULTILINE))
    author = re.sub(r"\s*<[^>]*>$", "", str(metadata.get("author") or ""))
    who, build = trailers.get("Requested-by") or author, trailers.get("Build", "")
    return " " + clean(one_line(f"by {who}" + (f" ({build})" if build else ""))) if who else ""


def _tried(read: Callable[[], T], what: str, trouble: list[str]) -> T | None:
    try:
        return read()
    except JenkinsCdError as error:
        trouble.append(f"{what} cannot be read: {error.message}" + (f" ({error.hint})" if error.hint else ""))
        return None


def _about(nodes: Sequence[Node], pods: Iterable[Node]) -> list[Node]:
    """Return the objects whose events may tell more: those pods, what made them, and whatever is not well."""
    by_uid = {one.uid: one for one in nodes}
    near = [each for pod in pods for each in (pod, *(by_uid[uid] for uid in pod.parents if uid in by_uid))]
    above = [owner(pod, nodes) for pod in near if pod.kind == "Pod"]
    order = ("Degraded", "Unknown", "Progressing")
    sick = sorted((one for one in nodes if one.health in order), key=lambda one: order.index(one.health))
    found = {one.uid: one for one in (*near, *above, *sick) if "/" not in one.uid}  # else it is not there
    return list(found.values())[:ABOUT]


def _events(server: Server, ref: Ref, node: Node) -> list[Object]:
    return [*argocd_applications.events(server, ref, node.uid, node.name, node.namespace)]


def _causes(evidence: Evidence) -> Iterator[str]:
    """Yield why it is not good: conditions, what became of the sync, the resources that failed in it."""
    app = evidence.application
    for one in states.status(app).get("conditions") or ():
        if str(one.get("type")).endswith("Error") or str(one.get("type")) == "SharedResourceWarning":
            yield from _wrapped(f"{one.get('type')}: {_plain(str(one.get('message') or ''))}")
        if one.get("type") == "InvalidSpecError":
            yield "  jenkins-cd render argocd --check tells what differs from the platform file"
    operation = states.operation(app)
    if operation is None:
        yield "there was no sync"
        return
    what = ", ".join(one[:12] for one in operation.revisions) or "what is declared"
    how = "is under way" if operation.running else f"has ended: {operation.phase}"
    yield from _wrapped(f"the sync to {what} by {operation.by} {how}: {_plain(operation.message)}".rstrip(": "))
    for failure in operation.failures:
        yield from _wrapped(f"  {_plain(failure)}")


def _states(evidence: Evidence) -> Iterator[str]:
    for told in evidence.pods:
        node = told.node
        if node.health == "Healthy":
            continue
        yield f"{node.called}: {node.status_reason or node.health}, {node.ready or '0'} containers are ready"
        about = _about_pod(evidence, node)
        lines = [*told.states]
        if beside := _beside(about):
            lines.append(said(beside.get("message")) + _often(times(beside)))
        for line in lines:
            yield from _wrapped(f"  {line}")


def _beside(events: Sequence[Object]) -> Object | None:
    """Return the newest event of those about a pod, the newest last, that says what its state does not."""
    return next((one for one in reversed(events) if one.get("reason") in _BESIDE), None)


def _telling(evidence: Evidence) -> Sequence[Object]:
    """Return the warnings but for those that are told of pods; without any, where something is not well, all events."""
    warnings = [one for one in evidence.events if one.get("type") == "Warning"]
    ill = any(one.health not in ("", "Healthy") for one in evidence.nodes)
    known = [_beside(_about_pod(evidence, told.node)) for told in evidence.pods if told.node.health != "Healthy"]
    return [one for one in warnings if one not in known] if warnings else evidence.events if ill else ()


def _said_of(events: Sequence[Object]) -> Iterator[str]:
    """Yield a line an event; those that say the same are one, with how often."""
    number: dict[str, int] = {}
    at: dict[str, str] = {}
    for one in events:
        what = one.get("involvedObject") or {}
        message = said(one.get("message"))
        line = f"{one.get('reason', '')} {what.get('kind', '')}/{what.get('name', '')}: {message}"
        number[line] = number.get(line, 0) + times(one)
        at.pop(line, None)  # it stands where it was seen last
        at[line] = event_time(one)[11:19]
    for line, moment in at.items():
        yield f"  {moment} {line}{_often(number[line])}"


def _often(number: int) -> str:
    return f" ({number} times)" if number > 1 else ""


def _about_pod(evidence: Evidence, pod: Node) -> list[Object]:
    return [one for one in evidence.events if (one.get("involvedObject") or {}).get("name") == pod.name]


def _log_lines(pods: Sequence[Told], most: int) -> list[str]:
    """Return the ends of the logs, each as long as there is room for all."""
    logs = [log for told in pods for log in told.logs]
    room = max(most // max(len(logs), 1) - 1, 3)
    lines: list[str] = []
    for log in logs[: max(most // 4, 1)]:
        lines.append(f"{log.title}:" if log.lines else f"{log.title}: empty")
        lines += [f"  │ {line}" for line in log.lines[-room:]]
    return lines[:most]


def _plain(message: str) -> str:
    """Return a message without the layers that Argo CD puts around it."""
    text = one_line(message)
    for layer in _LAYERS:
        text = text.rpartition(layer)[2]
    return text.removesuffix(_HELM)


def _wrapped(line: str) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    first, *later = wrapped(line.strip(), COLUMNS - 4 - len(indent))
    return [f"{indent}{first}", *(f"{indent}    {one}" for one in later[:4])]


def _first(lines: list[str], most: int) -> list[str]:
    return lines if len(lines) <= most else [*lines[: most - 1], f"  and {len(lines) - most + 1} more lines"]


def _titled(title: str, lines: list[str]) -> list[str]:
    return [title, *lines] if lines else []
