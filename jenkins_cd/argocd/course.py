"""From a commit to a verdict: look, decide, act, until our version is there for its settling time or will not be.

https://argo-cd.readthedocs.io/en/stable/user-guide/ci_automation/ says `sync` and `wait`; why that is not enough
stands in docs/argocd.md.
"""

from __future__ import annotations

import time
from dataclasses import replace

from jenkins_cd.argocd import acts, looks, verdicts
from jenkins_cd.argocd.judge import confirmed
from jenkins_cd.argocd.looks import Looks
from jenkins_cd.argocd.narration import Narrator
from jenkins_cd.argocd.revisions import Wish
from jenkins_cd.argocd.site import Site
from jenkins_cd.argocd.underway import FAULTS, Underway
from jenkins_cd.delivery import Followed, health
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import process
from jenkins_cd.tools.argocd_failures import Absent, Denied, Expired

LOOK = 0.1  # seconds between two questions to the app itself
AFRESH = 0.25  # seconds between two comparisons of a good version, which count from the second after its sync
QUIET = 1.0  # seconds that the stream is waited for
POISONED = 8.0  # seconds after which an app that answers with another version makes us doubt the manifest cache
STALE = 4.0  # seconds after which a look counts no more: the server's stream can lose one
GONE = 3.0  # seconds after which an Application that is not there is gone


def begin(site: Site, wish: Wish) -> None:
    """Let Argo CD look at our commit, and ask for a sync where it needs one; also where the last one to it failed.

    The commit is there already: what stands in the way is told, and `follow` tries again and says what became of it.
    """
    at = Underway(site=site, wish=wish, looks=Looks(server=site.server, ref=site.ref, seen=lambda _app: None))
    try:
        if at.refresh():
            decision = replace(at, wish=replace(wish, run="")).decision()  # no sync is ours yet
            if decision.step == "sync":
                acts.sync(at, decision)
    except FAULTS as error:
        at.tell(split_lines(error.message)[0])


def follow(site: Site, wish: Wish) -> Followed:
    """Follow a commit to its verdict, or until time runs out."""
    narrator = Narrator(lambda text: site.target.tell("verify", text))
    with looks.opened(site.server, site.ref, narrator.see) as seen:
        at = Underway(site=site, wish=wish, looks=seen)
        ended = _followed(at)
        if ended.reached or ended.superseded_by:
            return ended
        if ended.outcome == "failed":
            acts.give_up(at)
        return replace(ended, resources=acts.resources(at))


def _followed(at: Underway) -> Followed:
    while True:
        late = at.late
        try:
            ended = _looked(at)
            if ended is None and late and at.good_since is None:
                ended = verdicts.too_late(at)
        except (Denied, Expired) as error:
            return verdicts.unknown(at, error)
        except (Absent, ExternalFailure) as error:
            at.good_since = None
            at.tell(split_lines(error.message)[0])
            gone = at.memory.lasting("gone", time.monotonic(), holds=isinstance(error, Absent))
            patience = GONE if at.app or not at.site.made_later else at.site.target.timeout
            ended = verdicts.unknown(at, error) if late or gone > patience else None
            process.pause(LOOK)
        if ended is not None:
            return ended


def _looked(at: Underway) -> Followed | None:
    """Take one look and do what it calls for; returns the verdict where there is one."""
    process.pause(0)
    at.looks.wait(_patience(at))
    if time.monotonic() - at.looks.at > STALE:
        at.looks.read()
    at.memory.forget("gone")
    decision = at.decision()
    if decision.step == "good":
        return _settled(at)
    at.good_since, at.asked = None, 0.0
    at.memory.forget("another version")
    return acts.act(at, decision)


def _patience(at: Underway) -> float:
    """Return for how many seconds the stream is waited for: no longer than until something else is due."""
    if at.good_since is not None:
        settled = at.good_since + at.site.target.settle
        due = settled if confirmed(at.app) else at.refreshed + AFRESH
        return min(LOOK, max(due - time.monotonic(), 0.0))
    return QUIET if at.asked == 0 else LOOK


def _settled(at: Underway) -> Followed | None:
    """Return the verdict where everything has been good for the settling time, the app's own answer too."""
    _ask(at)
    settle = at.site.target.settle
    if at.good_since is None or not _confirmed(at) or time.monotonic() - at.good_since < settle:
        return None
    at.looks.read()
    certain = confirmed(at.app) and at.decision().step == "good"
    return verdicts.reached(at, at.good_since - at.begun, settle) if certain else None


def _ask(at: Underway) -> None:
    """Ask the app itself whether it is our version, at most every LOOK."""
    now = time.monotonic()
    if now - at.asked < LOOK:
        return
    at.asked = now
    target, release = at.site.target, at.site.release
    at.observation = health.observe(target.url, release.health)
    right = health.reports(at.observation, release.version)
    doubt = at.memory.lasting("another version", now, holds=not right)
    if right:
        at.good_since = at.good_since or now
        at.tell(f"Synced, Healthy, and {release.app} says {release.version}")
        return
    at.good_since = None
    at.tell(f"Synced and Healthy, but {target.url} says: {health.describe(at.observation)}")
    if doubt > POISONED and "another version" not in at.memory.doubted:
        at.tell("asking Argo CD to render it anew: its manifest cache may be wrong")
        acts.render_anew(at, "another version")


def _confirmed(at: Underway) -> bool:
    """Tell whether the last comparison is certainly later than the sync; where it is not, ask for another."""
    if confirmed(at.app):
        return True
    if time.monotonic() - at.refreshed >= AFRESH:
        at.refresh()
    return False  # the next look tells
