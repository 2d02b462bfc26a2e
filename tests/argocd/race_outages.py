"""Races with what fails around us: parts of Argo CD that stop, tokens that are no more; each asserts the verdict."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from jenkins_cd.argocd import underway, verdicts
from jenkins_cd.argocd_setup import tokens
from jenkins_cd.tools import argocd_settings
from jenkins_cd.tools.argocd_settings import Token
from tests.argocd import pipeline
from tests.argocd.delivered import HOOK, TOKEN, Delivered
from tests.argocd.race_histories import ending_hooks, settled, verified

CONTROLLER = "argocd-application-controller"
SLOW = 4  # seconds until a new pod is ready


def a_controller_that_is_away_for_a_while(app: Delivered) -> None:
    """It is not there when we ask for the refresh."""
    version, _ = settled(app)
    with contextlib.ExitStack() as stack, app.outages.without(CONTROLLER):
        deploying = stack.enter_context(app.deploying(version))
        app.until(lambda: _asked(app) or deploying.done(), "our refresh")
    verified(app, deploying.result(), version)


def a_controller_that_goes_away_in_the_middle(app: Delivered) -> None:
    """What it said last is old: the sync goes on when it has come back."""
    version, _ = settled(app)
    app.says(hook=HOOK)
    with contextlib.ExitStack() as stack:
        deploying = stack.enter_context(app.deploying(version))
        app.until(lambda: app.hooks or deploying.done(), "our hook")
        with app.outages.without(CONTROLLER):
            app.end_hooks()
            app.until(lambda: not app.hooks, "the end of the hook")
        ending_hooks(app, deploying)  # Argo CD may not have noted that it had begun with that
    verified(app, deploying.result(), version)


def a_controller_that_stays_away(app: Delivered) -> None:
    """Nobody knows what became of it: that is said, and how to go on, which then is what happens."""
    version, _ = settled(app)
    timeout = app.target.environment.timeout
    app.rules(timeout="3s")
    with app.outages.without(CONTROLLER), mock.patch.object(underway, "PATIENCE", 1.0):
        followed = app.deploy(version)
    app.rules(timeout=timeout)
    assert (followed.reached, followed.outcome) == (False, "unknown"), followed
    assert "application controller" in followed.reason
    assert verdicts.AGAIN in followed.reason
    commit = app.repository.tip("main")
    verified(app, app.deploy(version), version)
    assert app.repository.tip("main") == commit


def a_server_that_is_restarted(app: Delivered) -> None:
    """The stream is cut, and requests fail."""
    _restarted(app, "argocd-server")


def a_redis_that_is_restarted(app: Delivered) -> None:
    """Everything of Argo CD is started again with it, and remembers nothing."""
    _restarted(app, "argocd-redis")


def a_repo_server_that_is_restarted(app: Delivered) -> None:
    """For a moment nothing can be rendered."""
    _restarted(app, "argocd-repo-server")


def a_token_that_expires_and_is_renewed(app: Delivered) -> None:
    """Whoever renews it writes the new one to the file."""
    version, _ = settled(app)
    app.says(env=_slow(SLOW))
    with _token_file(app.scene.token("deployer", 5).text) as file, app.deploying(version) as deploying:
        new = file.with_name("new")
        new.write_text(app.token, encoding="ascii")
        new.replace(file)
    verified(app, deploying.result(), version)


def a_token_that_is_no_more(app: Delivered) -> None:
    """Nobody renews it: there is an end at once, and no verdict on the version."""
    version, _ = settled(app)
    app.says(hook=HOOK)
    token = tokens.make(app.scene.admin, app.scene.project, 300.0, "deployer")  # of a second of its own
    with mock.patch.dict(os.environ, {TOKEN: token.text}), app.deploying(version) as deploying:
        app.until(lambda: app.hooks or deploying.done(), "our hook")
        _revoke(app, token)
    followed = deploying.result()
    assert (followed.reached, followed.outcome) == (False, "unknown"), followed
    assert "does not accept the token" in followed.reason
    assert verdicts.AGAIN in followed.reason
    with app.deploying(version) as again:
        ending_hooks(app, again)
    verified(app, again.result(), version)


def a_build_that_is_killed_and_taken_up(app: Delivered) -> None:
    """Argo CD goes on without it; another build says what became of it."""
    version, _ = settled(app)
    app.says(env=_slow(SLOW))
    agent = pipeline.of(app, app.remote.parent)
    running = agent.start("--version", version)
    app.until(lambda: app.image == app.lab.image(version) or running.poll() is not None, "the sync")
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    commit = app.repository.tip("main")
    resumed = agent.deploy("--resume")
    assert (resumed.code, agent.outcomes[-1]) == (0, (version, "verified")), resumed.all
    assert app.repository.tip("main") == commit
    app.running(version)
    app.current = version


def _restarted(app: Delivered, component: str) -> None:
    version, _ = settled(app)
    app.says(env=_slow(SLOW + app.outages.spread))
    with app.deploying(version) as deploying:
        app.until(lambda: app.told("has begun") or deploying.done(), "the sync")
        app.outages.restart(component)
    verified(app, deploying.result(), version)


def _slow(seconds: int) -> list[dict[str, str]]:
    return [{"name": "PROBE_READY_AFTER", "value": str(seconds)}]


def _asked(app: Delivered) -> bool:
    annotations = app.application["metadata"].get("annotations") or {}
    return "argocd.argoproj.io/refresh" in annotations


@contextlib.contextmanager
def _token_file(text: str) -> Iterator[Path]:
    with TemporaryDirectory() as folder, mock.patch.dict(os.environ):
        file = Path(folder) / "token"
        file.write_text(text, encoding="ascii")
        os.environ.pop(TOKEN, None)
        os.environ[f"{TOKEN}_FILE"] = str(file)
        yield file


def _revoke(app: Delivered, token: Token) -> None:
    argocd_settings.delete_token(app.scene.admin, app.scene.project, "deployer", token)
