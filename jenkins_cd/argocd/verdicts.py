"""How a deployment ends, and how that is worded: who was faster, why it failed, what nobody knows."""

from __future__ import annotations

from datetime import datetime, timezone

from jenkins_cd.argocd import states
from jenkins_cd.argocd.judge import Decision, is_ours
from jenkins_cd.argocd.underway import FAULTS, Underway
from jenkins_cd.delivery import Followed, health
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.model import Outcome
from jenkins_cd.report.text import clean, one_line
from jenkins_cd.tools import argocd_applications

AGAIN = "the same jenkins-cd deploy, run again, takes up the wait"


def reached(at: Underway, took: float, settle: float) -> Followed:
    """Return that the version is there, `took` seconds after we began to look, and has stayed for its settling time."""
    version = at.site.release.version
    reason = f"{version} is Synced, Healthy and up after {took:.1f} s and stayed for {settle:g} s"
    return Followed(reached=True, superseded_by="", observation=at.observation, reason=reason)


def superseded(at: Underway, revision: str, before: str = "") -> Followed:
    """Return that somebody else's newer wish counts, and whose it is; `before` is what we had to say until then."""
    version, who = at.wish.version(revision), _whose(at, revision)
    reason = f"superseded: {version} was declared meanwhile{who} in {revision[:12]}"
    reason += f"; before that: {before}" if before else ""
    return Followed(reached=False, superseded_by=version, observation=at.observation, reason=reason)


def failed(at: Underway, reason: str, hint: str = "") -> Followed:
    """Return that it failed; but where somebody has declared another version since, that counts: nobody wants ours."""
    try:
        newer = at.wish.newer()
    except FAULTS:
        newer = ""  # what we know of ours holds all the same
    return superseded(at, newer, reason) if newer else _ended(at, "failed", reason, hint)


def unknown(at: Underway, error: JenkinsCdError) -> Followed:
    """Return that nobody tells us how it is, and how to go on."""
    return _ended(at, "unknown", f"it cannot be known: {split_lines(error.message)[0]}", error.hint, AGAIN)


def blocked(at: Underway, error: JenkinsCdError) -> Followed:
    """Return that a sync window is closed now, and until when."""
    from jenkins_cd.argocd import windows

    try:
        found = argocd_applications.windows(at.site.server, at.site.ref)
        until = windows.describe(found, datetime.now(timezone.utc))
    except FAULTS:
        until = ""
    return _ended(at, "blocked", until or error.message, error.hint, AGAIN)


def denied(at: Underway, error: JenkinsCdError) -> Followed:
    """Return that a right was missing when the commit was there already."""
    return _ended(at, "blocked", error.message, error.hint, AGAIN)


def too_late(at: Underway) -> Followed | None:
    """Return the verdict at the end of the time; None where everything is good by now and the app was not asked yet.

    That it failed is said only where Argo CD is at work.
    """
    took, known = f"in {at.site.target.timeout:g} s", at.refresh()
    if not known:
        at.looks.read()  # raises where it is the server that is away
        why = f"Argo CD's application controller does not compare it, also not {took}: it is paused, overloaded or down"
        return _ended(at, "unknown", why, f"look at the controller and at {at.site.page}", AGAIN)
    decision, operation = at.decision(), states.operation(at.app)
    if decision.step == "superseded":
        return superseded(at, decision.revision)
    if decision.step == "good" and at.asked == 0:
        return None
    if operation and operation.pending:
        why = f"Argo CD's application controller has not begun with the sync {took}: it is overloaded"
        return _ended(at, "unknown", why, f"look at {at.site.page}", AGAIN)
    if operation and operation.running and not is_ours(at.app, at.wish, operation):
        return _ended(at, "blocked", f"nothing was done {took}: {decision.why}", f"look at {at.site.page}", AGAIN)
    version = at.site.release.version
    return failed(at, f"{version} did not come up and stay up {took}; last seen: {_last(at, decision)}")


def _last(at: Underway, decision: Decision) -> str:
    if decision.step == "good" and at.observation:
        return f"Synced and Healthy, but {at.site.target.url} says: {health.describe(at.observation)}"
    operation = states.operation(at.app)
    if decision.step != "wait" or operation is None or not is_ours(at.app, at.wish, operation):
        return decision.why
    from jenkins_cd.argocd import evidence

    try:
        return evidence.unready(at.site.server, at.site.ref) or decision.why
    except FAULTS:
        return decision.why


def _whose(at: Underway, revision: str) -> str:
    from jenkins_cd.argocd import evidence

    source = next(iter(at.wish.sources(at.app)), 0)
    try:
        return evidence.whose(argocd_applications.metadata(at.site.server, at.site.ref, revision, source))
    except FAULTS:
        return ""  # it is superseded all the same


def _ended(at: Underway, outcome: Outcome, reason: str, *hints: str) -> Followed:
    hint = "; ".join(one for one in hints if one)
    said = one_line(clean(f"{reason} ({hint})" if hint else reason))
    return Followed(reached=False, superseded_by="", observation=at.observation, reason=said, outcome=outcome)
