"""Races with commits, syncs and caches: each function lets one happen and asserts the verdict on it."""

from __future__ import annotations

import secrets
from concurrent.futures import Future
from unittest import mock

from jenkins_cd.argocd import course, states
from jenkins_cd.delivery import Followed
from jenkins_cd.tools import process
from tests.argocd import caches
from tests.argocd.delivered import BROKEN_HOOK, HOOK, Delivered, declare
from tests.cluster.pushed import VERSIONS
from tests.gitops.remotes import git

BUILD = "by jane (https://jenkins.local/job/shop/job/storefront%2Fmain/7/)"
OTHER = "dev/shop/basket/Chart.yaml"


def settled(app: Delivered) -> tuple[str, str]:
    """Let a version be there and verified, with nothing under way; returns two others."""
    app.says(hook=None, env=[])
    if not app.current:
        verified(app, app.deploy(VERSIONS[0]), VERSIONS[0])
    app.notes.texts.clear()
    first, second = (one for one in VERSIONS if one != app.current)
    return first, second


def verified(app: Delivered, followed: Followed, version: str) -> None:
    """Assert that a version is verified, and that this is true."""
    assert followed.reached, (followed.reason, app.notes.texts)
    assert followed.observation is not None
    assert followed.observation.version == version
    app.running(version)
    app.current = version


def superseded(app: Delivered, followed: Followed, version: str) -> None:
    """Assert that another version came between, and that it is told whose it is."""
    assert (followed.reached, followed.superseded_by) == (False, version), (followed, app.notes.texts)
    assert f"superseded: {version} was declared meanwhile {BUILD}" in followed.reason


def ending_hooks(app: Delivered, deploying: Future[Followed], code: int = 0) -> None:
    """Tell hooks to end as long as a deployment is under way."""
    while not deploying.done():
        app.end_hooks(code)
        process.pause(0.2)


def synced_and_healthy_at_the_commit_before(app: Delivered) -> None:
    """Nobody has told Argo CD of the commit: all is green, and old."""
    version, _ = settled(app)
    verified(app, app.follow(version, declare(app, version)), version)


def commits_of_another_app(app: Delivered) -> None:
    """They come before Argo CD looks, while it syncs, and while we wait for the version to stay up."""
    version, _ = settled(app)
    commit = declare(app, version)
    _beside(app)
    app.begin(version, commit)
    _beside(app)
    with app.deploying(version, commit) as following:
        app.until(lambda: app.told("Synced, Healthy, and") or following.done(), "the version")
        _beside(app)
        app.refresh()
    verified(app, following.result(), version)


def a_newer_commit_before_our_sync(app: Delivered) -> None:
    """Another build was faster."""
    ours, newer = settled(app)
    commit = declare(app, ours)
    declare(app, newer)
    app.begin(ours, commit)
    superseded(app, app.follow(ours, commit), newer)
    verified(app, app.deploy(newer), newer)


def a_newer_commit_while_our_sync_is_under_way(app: Delivered) -> None:
    """Ours is an older sync under way to the other build, which has to wait for our hook."""
    ours, newer = settled(app)
    app.says(hook=HOOK)
    with app.deploying(ours) as first:
        app.until(lambda: app.hooks or first.done(), "our hook")
        assert not first.done(), first.result()
        with app.deploying(newer) as second:
            app.until(lambda: app.told("waiting for that to end") or second.done(), "the other build to wait")
            ending_hooks(app, second)
    superseded(app, first.result(), newer)
    verified(app, second.result(), newer)


def an_older_sync_that_waits_for_its_next_attempt(app: Delivered) -> None:
    """It would hold ours up for as long as it is tried again and again."""
    version, _ = settled(app)
    app.says(hook=BROKEN_HOOK)
    app.refresh()

    def backing_off() -> bool:
        app.sync(retries=20)  # unless Argo CD itself was faster, and tries that one again
        operation = states.operation(app.application)
        if operation and operation.pending:
            app.refresh()  # Argo CD can overlook that it is there
        return bool(operation and operation.backing_off)

    app.until(backing_off, "the next attempt")
    app.says(hook=None)
    verified(app, app.deploy(version), version)
    assert app.told("ending it: the sync of")


def a_failed_sync_of_the_same_commit_before_us(app: Delivered) -> None:
    """What it failed from is over: a build that is run again gets a verdict of its own, and commits nothing."""
    version, _ = settled(app)
    app.says(hook=HOOK)
    followed = _with_hooks(app, version, code=3)
    assert (followed.reached, followed.superseded_by, followed.outcome) == (False, "", "failed"), followed
    failed = app.repository.tip("main")
    verified(app, _with_hooks(app, version), version)
    assert app.repository.tip("main") == failed


def a_poisoned_manifest_cache(app: Delivered) -> None:
    """Argo CD takes the old manifests for those of our commit: Synced and Healthy at ours, and the old pods run."""
    version, _ = settled(app)
    before = states.compared_revisions(app.application)[0]
    commit = declare(app, version)
    assert caches.poison(app.lab, app.site.ref.name, before, commit)
    with mock.patch.object(course, "POISONED", 1.0):
        verified(app, app.deploy(version), version)
    assert app.told("asking Argo CD to render it anew")


def a_branch_that_goes_back_for_a_while(app: Delivered) -> None:
    """What Argo CD asks lags behind: with automated sync it goes back to the commit before."""
    version, _ = settled(app)
    old = app.repository.tip("main") or ""
    with app.deploying(version) as deploying:
        app.until(lambda: app.told("the sync has ended well") or deploying.done(), "the sync")
        new = git(app.remote, "rev-parse", "main").strip()
        git(app.remote, "update-ref", "refs/heads/main", old)
        try:
            app.refresh()
            app.until(lambda: _went_back(app, old), "the sync to the commit before")
        finally:
            git(app.remote, "update-ref", "refs/heads/main", new)
    verified(app, deploying.result(), version)


def two_builds_of_different_versions(app: Delivered) -> None:
    """The newer commit counts: its build is verified, the other one too or superseded, and all agree in the end."""
    versions = settled(app)
    with app.deploying(versions[0]) as first, app.deploying(versions[1]) as second:
        results = {versions[0]: first, versions[1]: second}
    newest = app.declared
    verified(app, results.pop(newest).result(), newest)
    (older,) = results.values()
    if not older.result().reached:
        superseded(app, older.result(), newest)


def two_builds_of_the_same_version(app: Delivered) -> None:
    """Both are right."""
    version, _ = settled(app)
    with app.deploying(version) as first, app.deploying(version) as second:
        pass
    verified(app, first.result(), version)
    verified(app, second.result(), version)


def syncs_and_comparisons_of_the_same_second(app: Delivered) -> None:
    """Commits that change nothing are synced at once; `running` asserts that a later comparison was waited for."""
    settled(app)
    for _ in range(2):
        app.says(unused=secrets.token_hex(4))
        app.refresh()
        app.until(app.sync, "the sync that is under way")
        verified(app, app.deploy(app.current), app.current)


def _with_hooks(app: Delivered, version: str, code: int = 0) -> Followed:
    with app.deploying(version) as deploying:
        ending_hooks(app, deploying, code)
    return deploying.result()


def _went_back(app: Delivered, old: str) -> bool:
    found = app.application
    operation = states.operation(found)
    revisions = operation.revisions if operation and app.automated else states.compared_revisions(found)
    return revisions == (old,)


def _beside(app: Delivered) -> None:
    content = f"apiVersion: v2\nname: basket\nversion: 1.0.{secrets.randbelow(10**6)}\n".encode()
    app.repository.commit("main", "Deploy basket", lambda _view: {OTHER: content})
