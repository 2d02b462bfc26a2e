"""What happens to an Application, told as it happens: only what has changed since the look before, in short lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jenkins_cd.argocd import states
from jenkins_cd.argocd.states import Object, Operation
from jenkins_cd.argocd.windows import length
from jenkins_cd.report.text import clean, fit, one_line

WIDEST = 200  # columns of a line
EACH = 3  # resources with the same news in one look that are told one by one
_DONE = ("created", "configured", "unchanged", "pruned", "serverside-applied")  # how a result's message ends
_HOLLOW = ("one or more tasks are running", "Retrying operation", "waiting for completion of hook")  # told better
_RETRYING = ". Retrying attempt #"  # what follows is told better


@dataclass(frozen=True, kw_only=True)
class _Fact:
    """Something that holds now."""

    subject: str
    who: str
    what: str
    detail: str = ""
    quiet: bool = False  # at first: something is as it should be
    standing: bool = False  # it may have been so for long

    @property
    def line(self) -> str:
        """Return it for people."""
        said = f"{self.who} {self.what}".strip() + (f": {self.detail}" if self.detail else "")
        return fit(one_line(clean(said)), WIDEST)


@dataclass
class Narrator:
    """Tells what is new of one Application; what was there at the first look is no news, but for what is under way."""

    tell: Callable[[str], None]
    _known: dict[str, str] = field(default_factory=dict)
    _looked: bool = False
    _last: str = ""

    def see(self, application: Object) -> None:
        """Take a look, and tell what has changed. Nothing is told twice in a row."""
        news = [one for one in _facts(application) if self._new(one)]
        self._looked = True
        for what in dict.fromkeys(one.what for one in news):
            same = [one for one in news if one.what == what]
            if len(same) > EACH and not any(one.detail for one in same):
                names = ", ".join(one.who for one in same[:EACH])
                self._say(fit(clean(f"{names} and {len(same) - EACH} more {what}"), WIDEST))
            else:
                for one in same:
                    self._say(one.line)

    def _new(self, fact: _Fact) -> bool:
        """Tell whether a fact is news: a quiet one is where something else was known before."""
        before = self._known.get(fact.subject)
        self._known[fact.subject] = fact.line
        if before is None:
            return not fact.quiet and (self._looked or not fact.standing)
        return before != fact.line

    def _say(self, line: str) -> None:
        if line != self._last:
            self._last = line
            self.tell(line)


def _facts(app: Object) -> Iterator[_Fact]:
    operation = states.operation(app)
    if operation:
        yield from _of_operation(app, operation)
    yield from _of_health(app)
    if operation and not operation.running:
        yield _end(operation)


def _of_operation(app: Object, operation: Operation) -> Iterator[_Fact]:
    what = ", ".join(dict.fromkeys(one[:12] for one in operation.revisions)) or "what is declared"
    if operation.pending:
        yield _Fact(subject="sync", who="", what=f"a sync to {what} by {operation.by} waits to be begun")
        return
    if operation.running and not operation.backing_off:
        yield _begun(operation, what)
    yield from _of_results(app, operation)
    if operation.backing_off:
        yield _backing_off(app, operation)
    message = operation.message
    if operation.running and not operation.backing_off and message and not message.startswith(_HOLLOW):
        yield _Fact(subject="message", who="", what=f"{_wave(app, message)}{message.replace(' of /', ' of ')}")


def _begun(operation: Operation, what: str) -> _Fact:
    if operation.attempt:
        return _Fact(subject="sync", who="", what=f"attempt {operation.attempt + 1} has begun")
    return _Fact(subject="sync", who="", what=f"a sync to {what} by {operation.by} has begun")


def _backing_off(app: Object, operation: Operation) -> _Fact:
    number, limit, at = operation.attempt, _retry(app).get("limit") or 0, _again(app, operation)
    again = f"retry {number}{f' of {limit}' if limit > 0 else ''}"
    what = f"attempt {number} has failed; {again} {f'at {at:%H:%M:%S} UTC' if at else 'comes later'}"
    return _Fact(subject="sync", who="", what=what, detail=_why(operation).partition(_RETRYING)[0])


def _end(operation: Operation) -> _Fact:
    what = "the sync has ended well" if operation.succeeded else f"the sync has ended: {operation.phase}"
    detail = "" if operation.succeeded else _why(operation)
    return _Fact(subject="sync", who="", what=what, detail=detail, standing=True)


def _why(operation: Operation) -> str:
    """Return the message of a failure, unless what failed is told by itself."""
    return "" if operation.failures else operation.message


def _of_results(app: Object, operation: Operation) -> Iterator[_Fact]:
    result = (states.status(app).get("operationState") or {}).get("syncResult") or {}
    for one in result.get("resources") or ():
        subject = f"result {operation.started} {operation.attempt} {_key(one)} {one.get('syncPhase', '')}"
        who, what, detail = _hook(one) if one.get("hookType") else _applied(one)
        if what != "unchanged":
            yield _Fact(subject=subject, who=who, what=what, detail=detail, standing=not operation.running)


def _hook(one: Object) -> tuple[str, str, str]:
    phase, message = str(one.get("hookPhase") or "waits"), str(one.get("message") or "")
    return f"{one['hookType']} hook {states.called(one)}", phase, message if phase in ("Failed", "Error") else ""


def _applied(one: Object) -> tuple[str, str, str]:
    state, message = str(one.get("status") or "waits"), str(one.get("message") or "")
    done = message.rpartition(" ")[2]
    if state in ("Synced", "Pruned"):
        return states.called(one), done if done in _DONE else state, ""
    return states.called(one), state, message


def _of_health(app: Object) -> Iterator[_Fact]:
    """Yield how each resource is; where the server does not say that, how the Application is."""
    found = [(one, one["health"]) for one in states.resources(app) if one.get("health") and not one.get("hook")]
    for one, health in found:
        state = str(health.get("status") or "Unknown")
        detail = "" if state == "Healthy" else str(health.get("message") or "")
        quiet = state in ("Healthy", "Missing")
        subject = f"health {_key(one)}"
        yield _Fact(subject=subject, who=states.called(one), what=state, detail=detail, quiet=quiet, standing=True)
    if not found:
        state = states.health(app)
        quiet = state in ("Healthy", "Unknown")
        yield _Fact(subject="health", who="the Application is", what=state, quiet=quiet, standing=True)


def _wave(app: Object, message: str) -> str:
    """Return the wave of the resource that a sync waits for, as `wave 2: `, or "" where it is in none."""
    for one in states.resources(app):
        named = f" {one.get('group', '')}/{one.get('kind')}/{one.get('name')}"
        if one.get("syncWave") and (message.endswith(named) or f"{named} and " in message):
            return f"wave {one['syncWave']}: "
    return ""


def _again(app: Object, operation: Operation) -> datetime | None:
    """Return when the controller tries again: it waits longer after each failure."""
    backoff = _retry(app).get("backoff") or {}
    try:
        first, most = (
            _seconds(backoff.get(key) or default) for key, default in (("duration", "5s"), ("maxDuration", "3m"))
        )
        wait = first * float(backoff.get("factor") or 2) ** operation.attempt
        return operation.finished + timedelta(seconds=min(wait, most) if most else wait) if operation.finished else None
    except (ValueError, OverflowError):
        return None


def _seconds(duration: str) -> float:
    return float(duration) if duration.isdecimal() else length(duration).total_seconds()


def _retry(app: Object) -> Object:
    state = states.status(app).get("operationState") or {}
    return (state.get("operation") or {}).get("retry") or {}


def _key(one: Object) -> str:
    return "/".join(str(one.get(part, "")) for part in ("group", "kind", "namespace", "name"))
