"""All races, and the suite that runs them again and again: `python -m tests.argocd.races --times 50`.

Each is run with manual and with automated sync; those that stop parts of Argo CD by all jobs at once, which deploy
through the same outage, and each of which must be right. It ends with 1 where a verdict was wrong, or a race could not
be run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import math
import multiprocessing
import os
import signal
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import pool as pools
from multiprocessing import synchronize, util
from pathlib import Path
from typing import Any

import click

from jenkins_cd import masking
from tests.argocd import race_histories, race_outages, scene
from tests.argocd.delivered import TOKEN, Delivered, prepared
from tests.argocd.outages import Outages
from tests.cluster import pushed
from tests.lab import lease, state
from tests.lab.lab import Lab
from tests.lab.progress import say

Race = Callable[[Delivered], None]
RACES: tuple[Race, ...] = (
    race_histories.synced_and_healthy_at_the_commit_before,
    race_histories.commits_of_another_app,
    race_histories.a_newer_commit_before_our_sync,
    race_histories.a_newer_commit_while_our_sync_is_under_way,
    race_histories.an_older_sync_that_waits_for_its_next_attempt,
    race_histories.a_failed_sync_of_the_same_commit_before_us,
    race_histories.a_poisoned_manifest_cache,
    race_histories.a_branch_that_goes_back_for_a_while,
    race_histories.two_builds_of_different_versions,
    race_histories.two_builds_of_the_same_version,
    race_histories.syncs_and_comparisons_of_the_same_second,
    race_outages.a_token_that_expires_and_is_renewed,
    race_outages.a_token_that_is_no_more,
    race_outages.a_build_that_is_killed_and_taken_up,
)
# These disturb the lab, and so need it alone.
LONELY: tuple[Race, ...] = (
    race_outages.a_controller_that_is_away_for_a_while,
    race_outages.a_controller_that_goes_away_in_the_middle,
    race_outages.a_controller_that_stays_away,
    race_outages.a_server_that_is_restarted,
    race_outages.a_redis_that_is_restarted,
    race_outages.a_repo_server_that_is_restarted,
)
MODES: Mapping[str, bool] = {"manual": False, "automated": True}
PATIENCE = 180.0  # seconds for the others
KNOWN: Mapping[str, Race] = {race.__name__: race for race in (*RACES, *LONELY)}


@dataclass(frozen=True, kw_only=True)
class Run:
    """How one run of a race ended."""

    race: str
    mode: str
    seconds: float
    verdict: str  # right, wrong or broken
    why: str = ""


@dataclass
class Worker:
    """Runs races, each on the app that the race before has left, or a new one where that went wrong."""

    lab: Lab
    charts: str
    folder: Path
    others: synchronize.Barrier
    apps: dict[str, tuple[Delivered, contextlib.ExitStack]] = field(default_factory=dict)
    made: int = 0

    def run(self, name: str, mode: str) -> Run:
        """Run one race."""
        race, begun = KNOWN[name], time.monotonic()
        verdict, why = "right", ""
        with contextlib.nullcontext() if race in LONELY else _quiet(alone=False):
            try:
                begun = time.monotonic()
                app = self._app(mode)
                app.token = app.scene.token("deployer").text  # no app outlives its token
                os.environ[TOKEN] = app.token
                race(app)
            except AssertionError:
                verdict, why = "wrong", traceback.format_exc()
            except Exception:
                verdict, why = "broken", traceback.format_exc()
            if verdict != "right":
                self.others.abort()  # nobody waits for us
                self.drop(mode)
        return Run(race=name, mode=mode, seconds=time.monotonic() - begun, verdict=verdict, why=why)

    def close(self) -> None:
        """Forget all apps."""
        for mode in [*self.apps]:
            self.drop(mode)

    def drop(self, mode: str) -> None:
        """Forget an app."""
        if mode in self.apps:
            self.apps.pop(mode)[1].close()

    def _app(self, mode: str) -> Delivered:
        if mode not in self.apps:
            stack, self.made = contextlib.ExitStack(), self.made + 1
            folder = self.folder / str(self.made)
            folder.mkdir()
            namespace = stack.enter_context(self.lab.namespace("race"))
            where = stack.enter_context(scene.opened(self.lab, namespace, folder / "scene"))
            app = prepared(where, folder, self.charts, automated=MODES[mode])
            jobs = self.others.parties
            app.outages = Outages(self.lab, lambda: self.others.wait(PATIENCE), spread=jobs // 2)
            self.apps[mode] = app, stack
        return self.apps[mode][0]


def main(arguments: Sequence[str]) -> int:
    """Run the suite, and print a line for each run and the table at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.argocd.races", description=__doc__)
    parser.add_argument("--times", type=int, default=1, metavar="N")
    parser.add_argument("--only", action="append", choices=[*KNOWN], default=[], metavar="RACE")
    parser.add_argument("--mode", action="append", choices=[*MODES], default=[])
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    given = parser.parse_args(arguments)
    names, modes = given.only or [*KNOWN], given.mode or [*MODES]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held, runs = lease.join(say), []
    helm = held.lab.helm4
    with tempfile.TemporaryDirectory() as folder, pushed.helm_in_path(helm, Path(folder) / "bin"):
        charts = pushed.publish(held.lab, Path(folder) / "charts")
        spawn = multiprocessing.get_context("spawn")
        others = spawn.Barrier(given.jobs)
        pool = spawn.Pool(given.jobs, _prepare, (charts, folder, others))
        try:
            for run in _runs(pool, others, names, modes, given.times):
                runs.append(run)
                click.echo(f"{run.verdict:6} {run.seconds:6.1f} s  {run.mode:9}  {run.race}\n{run.why}".rstrip())
            pool.close()
        except KeyboardInterrupt:
            pool.terminate()
        pool.join()
    click.echo(table(runs))
    held.leave()
    return int(any(one.verdict != "right" for one in runs))


def _runs(
    pool: pools.Pool, others: synchronize.Barrier, names: Sequence[str], modes: Sequence[str], times: int
) -> Iterator[Run]:
    """Yield how each run ended: of those races that disturb nobody first."""
    apart = [name for name in names if KNOWN[name] not in LONELY]
    yield from pool.imap_unordered(_run, [(name, mode) for _ in range(times) for mode in modes for name in apart])
    jobs = others.parties
    for name, mode in [(name, mode) for mode in modes for name in names if name not in apart]:
        for _ in range(math.ceil(times / jobs)):
            others.reset()
            with _quiet(alone=True):
                yield from pool.imap_unordered(_run, [(name, mode)] * jobs)


def table(runs: Sequence[Run]) -> str:
    """Return how many runs of each race were right, and how long they took."""
    lines = [f"{'race':52} {'sync':9} {'runs':>4} {'right':>5} {'wrong':>5} {'broken':>6} {'median s':>8}"]
    for race, mode in sorted({(one.race, one.mode) for one in runs}):
        mine = [one for one in runs if (one.race, one.mode) == (race, mode)]
        lines.append(f"{race:52} {mode:9} {_numbers(mine)}")
    return "\n".join([*lines, f"{'all':52} {'':9} {_numbers(runs)}"])


def _numbers(runs: Sequence[Run]) -> str:
    right, wrong, broken = (sum(one.verdict == word for one in runs) for word in ("right", "wrong", "broken"))
    median = statistics.median(one.seconds for one in runs) if runs else 0.0
    return f"{len(runs):4} {right:5} {wrong:5} {broken:6} {median:8.1f}"


_worker: list[Worker] = []


def _prepare(charts: str, folder: str, others: synchronize.Barrier) -> None:
    """Set a process of the suite up."""
    home = Path(tempfile.mkdtemp(dir=folder))
    os.environ |= {"XDG_CACHE_HOME": str(home / "cache"), "GIT_CONFIG_GLOBAL": str(home / "gitconfig")}
    (home / "gitconfig").write_text("[user]\n\tname = Test\n\temail = test@example.invalid\n", encoding="utf-8")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was made is removed all the same
    worker = Worker(lease.join(say).lab, charts, home, others)
    _worker.append(worker)
    util.Finalize(None, worker.close, exitpriority=1)


def _run(task: tuple[str, str]) -> Run:
    forms = set(masking._forms)
    ended = _worker[0].run(*task)
    masking._forms = forms  # the tokens of all runs together make masking slow
    return ended


@contextlib.contextmanager
def _quiet(*, alone: bool) -> Iterator[Any]:
    """Let nobody disturb the lab, or nobody else use it; as the fixtures of the tests do."""
    with state.QUIET.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
