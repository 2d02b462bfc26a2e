"""From a commit to a verdict: look, decide, act, until our version is there for its settling time or will not be.

https://argo-cd.readthedocs.io/en/stable/user-guide/ci_automation/ says `sync` and `wait`; why that is not enough
stands in docs/argocd.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from jenkins_cd.argocd import evidence, looks, states, tree, windows
from jenkins_cd.argocd.judge import Decision, Memory, Rules, confirmed, judge
from jenkins_cd.argocd.looks import Looks, Refresh
from jenkins_cd.argocd.narration import Narrator
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.argocd.site import Site
from jenkins_cd.argocd.states import Object
from jenkins_cd.config.types import seconds
from jenkins_cd.delivery import Followed, health
from jenkins_cd.errors import ExternalFailure, JenkinsCdError
from jenkins_cd.model import Observation, Outcome
from jenkins_cd.tools import argocd_applications
from jenkins_cd.tools.argocd_applications import SyncOrder
from jenkins_cd.tools.argocd_failures import Absent, Blocked, Busy, Denied, Expired, Rejected

LOOK = 0.2  # seconds between two questions to the app itself
QUIET = 1.0  # seconds that the stream is waited for
BETWEEN = 1.0  # seconds between two refreshes: the controller's times are whole seconds
REFRESH = 8.0  # seconds that the controller is given for one
POISONED = 8.0  # seconds after which an app that answers with another version makes us doubt the manifest cache
PODS = 2.0  # seconds between two looks at the pods
ILL = 10.0  # seconds after which an ailment that may pass is one that does not


@dataclass
class Course:
    """One deployment that is followed."""

    site: Site
    wish: Wish
    memory: Memory = field(default_factory=Memory)
    refreshed: float = 0.0  # when the last refresh was asked for
    pods: float = 0.0  # when the pods were looked at
    asked: float = 0.0  # when the app itself was asked
    told: str = ""
    observation: Observation | None = None
    trouble: str = ""  # why we cannot know at the moment

    def tell(self, text: str, decision: Decision | None = None) -> None:
        """Tell whoever watches, and nothing twice, nor what is told anyway."""
        if text != self.told and not (decision and decision.quiet):
            self.site.tell("verify", text)
            self.told = text

    @property
    def rules(self) -> Rules:
        """Return what is wanted of a sync."""
        return Rules(prune=self.site.rules.prune, resources=self.site.resources)


def begin(site: Site, wish: Wish) -> None:
    """Let Argo CD look at our commit, and ask for a sync where it needs one. What does not succeed `follow` does again.

    Raises Absent, Blocked and Denied.
    """
    course = Course(site=site, wish=wish)
    with looks.opened(site.server, site.ref, lambda _app: None) as seen:
        app = _refresh(course, seen, "normal")
        if app is not None:
            decision = judge(app, wish, course.rules, course.memory, time.monotonic())
            if decision.step == "sync":
                _sync(course, decision, app)


def follow(site: Site, wish: Wish) -> Followed:
    """Follow a commit to its verdict, or until time runs out."""
    course, begun = Course(site=site, wish=wish), time.monotonic()
    narrator = Narrator(lambda text: site.tell("verify", text))
    with looks.opened(site.server, site.ref, narrator.see) as seen:
        ended = _followed(course, seen, begun)
    if ended.reached or ended.superseded_by:
        return ended
    if ended.outcome == "failed":
        _give_up(course)
    return replace(ended, resources=_resources(course))


def _followed(course: Course, seen: Looks, begun: float) -> Followed:
    site, app, good_since = course.site, None, None
    settle, decision = seconds(site.target.environment.settle), Decision(step="wait", why="nothing was seen yet")
    while True:
        late = time.monotonic() - begun > site.timeout
        try:
            app = seen.newest(LOOK if decision.step == "good" else QUIET) or app
            if app is None:
                app = seen.read()
            decision = judge(app, course.wish, course.rules, course.memory, time.monotonic())
            course.trouble = ""
            if ended := _acted(course, seen, app, decision):
                return ended
            if decision.step == "good":
                good_since = _good_since(course, seen, good_since)
                if good_since is not None and time.monotonic() - good_since >= settle:
                    app = seen.read()
                    if _certain(course, seen, app):
                        return _reached(course, good_since - begun, settle)
            else:
                good_since = None
                course.memory.lasting("another version", 0.0, holds=False)
        except (Expired, Absent) as error:
            return _ended(course, "unknown", f"{error.message}", error.hint)
        except ExternalFailure as error:
            course.trouble, good_since = error.message.splitlines()[0], None
            course.tell(course.trouble)
        if late and good_since is None:
            return _too_late(course, app, decision)


def _acted(course: Course, seen: Looks, app: Object, decision: Decision) -> Followed | None:
    """Do what was decided; returns the verdict where there is one."""
    now = time.monotonic()
    if decision.step == "failed":
        return _ended(course, "failed", decision.why)
    if decision.step == "superseded":
        return _superseded(course, decision)
    if decision.step in ("refresh", "hard-refresh"):
        if decision.step == "hard-refresh":
            course.memory.hard_refreshed = True
        if now - course.refreshed >= BETWEEN:
            course.tell(decision.why, decision)
            _refresh(course, seen, "hard" if decision.step == "hard-refresh" else "normal")
    elif decision.step == "sync":
        return _sync(course, decision, app)
    elif decision.step == "terminate":
        course.tell(f"ending it: {decision.why}")
        _terminate(course)
    elif decision.step == "wait":
        course.tell(decision.why, decision)
        return _ill(course, app, now)
    return None


def _refresh(course: Course, seen: Looks, how: Refresh) -> Object | None:
    """Let the controller look again; None where it has not done so in time."""
    course.refreshed = time.monotonic()
    try:
        return seen.read(how, REFRESH)
    except (Absent, Expired, Denied):
        raise
    except ExternalFailure as error:
        course.trouble = error.message.splitlines()[0]
        return None


def _sync(course: Course, decision: Decision, app: Object) -> Followed | None:
    """Ask for a sync; returns the verdict where there will be none."""
    site, order = course.site, _order(course, decision, app)
    course.tell(f"syncing to {decision.revision[:12]}: {decision.why}")
    try:
        argocd_applications.sync(site.server, site.ref, order)
    except Busy:
        return None  # it began a moment ago: the next look shows by whom
    except Blocked:
        return _ended(course, "blocked", windows.describe(_windows(course), datetime.now(timezone.utc)))
    except (Rejected, Denied) as error:
        return _ended(course, "failed", error.message, error.hint)
    course.memory.tried.add(decision.revision)
    return None


def _order(course: Course, decision: Decision, app: Object) -> SyncOrder:
    """Return a sync to that revision. One that is automated must not name any, and syncs to the newest."""
    rules, wish = course.site.rules, course.wish
    order = SyncOrder(
        prune=rules.prune,
        options=rules.sync_options,
        resources=course.site.resources,
        retries=rules.retries,
        infos={states.INFO: wish.commit},
    )
    if states.automated(app):
        return order
    if not states.several_sources(app):
        return replace(order, revision=decision.revision)
    positions = tuple(index + 1 for index in wish.sources(app))
    return replace(order, revisions=(decision.revision,) * len(positions), positions=positions)


def _good_since(course: Course, seen: Looks, since: float | None) -> float | None:
    """Ask the app itself; returns since when everything is good, or None."""
    now = time.monotonic()
    if since is not None and now - course.asked < LOOK:
        return since
    course.asked = now
    target, release = course.site.target, course.site.release
    found = course.observation = health.observe(target.url, release.health)
    right = health.reports(found, release.version)
    doubt = course.memory.lasting("another version", now, holds=not right)
    if right:
        course.tell(f"Synced, Healthy, and {release.app} says {release.version}")
        return since or now
    course.tell(f"Synced and Healthy, but {target.url} says: {health.describe(found)}")
    if doubt > POISONED and not course.memory.hard_refreshed:
        course.memory.hard_refreshed = True
        course.tell("asking Argo CD to render it anew: its manifest cache may be wrong")
        _refresh(course, seen, "hard")
    return None


def _certain(course: Course, seen: Looks, app: Object) -> bool:
    """Tell whether the last comparison is good too, and certainly later than the sync."""
    decision = judge(app, course.wish, course.rules, course.memory, time.monotonic())
    if decision.step != "good":
        return False
    if confirmed(app):
        return True
    if time.monotonic() - course.refreshed >= BETWEEN / 2:
        _refresh(course, seen, "normal")
    return False


def _ill(course: Course, app: Object, now: float) -> Followed | None:
    """Look at the pods where it takes long; returns the verdict where one will not heal."""
    operation = states.operation(app)
    if operation is None or operation.started is None or now - course.pods < PODS:
        return None
    course.pods = now
    try:
        nodes = tree.read(argocd_applications.tree(course.site.server, course.site.ref))
    except JenkinsCdError:
        return None  # the verdict does not rest on it
    found = tree.ailments(nodes, operation.started)
    lasted = course.memory.lasting("ill", now, holds=bool(found))
    worst = next((one for one in found if one.certain), found[0] if found and lasted >= ILL else None)
    return _ended(course, "failed", worst.reason) if worst else None


def _superseded(course: Course, decision: Decision) -> Followed:
    """Return that somebody else's newer wish counts, and whose it is."""
    site, who = course.site, ""
    try:
        found = argocd_applications.metadata(site.server, site.ref, decision.revision)
        who = evidence.whose(found)
    except JenkinsCdError:
        who = ""  # it is superseded all the same
    version = course.wish.version(decision.revision)
    reason = f"superseded: {version} was declared meanwhile{who} in {decision.revision[:12]}"
    return Followed(reached=False, superseded_by=version, observation=course.observation, reason=reason)


def _reached(course: Course, took: float, settle: float) -> Followed:
    version = course.site.release.version
    reason = f"{version} is Synced, Healthy and up after {took:.1f} s and stayed for {settle:g} s"
    return Followed(reached=True, superseded_by="", observation=course.observation, reason=reason)


def _too_late(course: Course, app: Object | None, decision: Decision) -> Followed:
    """Return the verdict at the end of the time: failed, or unknown where nobody has told us how it is."""
    site = course.site
    took = f"in {site.timeout:g} s"
    if course.trouble:
        return _ended(course, "unknown", f"it cannot be known: {course.trouble}", f"look at {site.page}")
    operation = states.operation(app) if app else None
    if (operation and operation.pending) or decision.step in ("refresh", "hard-refresh"):
        why = f"the application controller has not acted {took}: it is paused, overloaded or down"
        return _ended(course, "unknown", why, f"look at Argo CD's application controller, and at {site.page}")
    why = decision.why
    if decision.step == "good" and course.observation:
        why = f"Synced and Healthy, but {site.target.url} says: {health.describe(course.observation)}"
    return _ended(course, "failed", f"{site.release.version} did not come up and stay up {took}; last seen: {why}")


def _ended(course: Course, outcome: Outcome, reason: str, hint: str = "") -> Followed:
    said = f"{reason} ({hint})" if hint else reason
    return Followed(reached=False, superseded_by="", observation=course.observation, reason=said, outcome=outcome)


def _give_up(course: Course) -> None:
    """End our own sync where it still runs: it would stand in the way of the next one."""
    try:
        app = argocd_applications.read(course.site.server, course.site.ref)
        operation = states.operation(app)
        if operation and operation.running and operation.token == course.wish.commit:
            course.tell("ending our sync, which would only stand in the way")
            _terminate(course)
    except JenkinsCdError as error:
        course.tell(f"it is not known whether our sync still runs: {error.message.splitlines()[0]}")


def _terminate(course: Course) -> None:
    try:
        argocd_applications.terminate(course.site.server, course.site.ref)
    except Rejected:
        return  # it has ended by itself


def _resources(course: Course) -> tuple[tree.Resource, ...]:
    try:
        return tree.resources(tree.read(argocd_applications.tree(course.site.server, course.site.ref)))
    except JenkinsCdError:
        return ()


def _windows(course: Course) -> argocd_applications.Windows:
    return argocd_applications.windows(course.site.server, course.site.ref)
