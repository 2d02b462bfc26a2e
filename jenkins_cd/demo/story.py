"""The way of a release, told by the commands that a user would type; each is shown before it runs."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jenkins_cd.demo import site
from jenkins_cd.demo.services import leashed
from jenkins_cd.demo.site import Site
from jenkins_cd.errors import BadInput, GateFailed, Interrupted
from jenkins_cd.tools import process

KEPT = Path(".jenkins-cd") / "demo"  # in the folder that the demo was started in


@dataclass(frozen=True)
class Step:
    """A command of the story. `expected` is the exit code that the story wants, `why` says so where it is not 0."""

    line: str
    title: str = ""  # what the reader is about to see; steps without one go on with the one before
    expected: int = 0
    why: str = ""
    env: Mapping[str, str] = field(default_factory=dict)  # besides the site's


@dataclass(frozen=True)
class Additions:
    """What a site has to be told besides, and when."""

    validated: Sequence[Step] = ()  # both files are known
    released: Sequence[Step] = ()  # the first version is, and runs nowhere yet
    told: Sequence[Step] = ()  # all else


def play(folder: Path | None, keep: bool) -> Path:
    """Run the story in `folder` (an empty or new one; else a temporary one that is removed) and return its reports.

    With `keep` everything stays up afterwards until somebody presses Ctrl-C. Raises GateFailed where a step ended
    otherwise than it should, BadInput where `folder` is not empty or a program is missing.
    """
    if folder is not None:
        return _play(_empty(folder), keep)
    with tempfile.TemporaryDirectory(prefix="jenkins-cd-demo-") as temporary:
        return _play(Path(temporary), keep)


def _play(folder: Path, keep: bool) -> Path:
    with site.start(folder) as here:
        introduction = (
            f"A demo of jenkins-cd in {here.folder}:",
            f"  an OCI registry at {here.registry}, a deploy repository, an app's repository,",
            "  and an agent that stands in for a cluster: it runs as processes what the",
            "  deploy repository declares.",
        )
        return tell(here, introduction, keep=keep)


def tell(here: Site, introduction: Sequence[str], additions: Additions = Additions(), *, keep: bool = False) -> Path:
    """Run the story on a site that is up, and return its reports."""
    started = time.monotonic()
    _say(*introduction)
    reports = _fresh(KEPT.resolve())
    try:
        for step in _first_version(here, additions):
            run(here, step)
        _keep_report(here, reports / "1.0.0")
        for step in _bad_version(here):
            run(here, step)
        _keep_report(here, reports / "1.1.0")
        for step in additions.told:
            run(here, step)
    finally:
        if here.agent_log.exists():
            shutil.copy2(here.agent_log, reports / "agent.log")
    _say(
        "",
        f"All of it went as it should, in {time.monotonic() - started:.0f} s. To open in a browser:",
        f"  {_short(reports / '1.0.0' / 'index.html')}  from commit to staging",
        f"  {_short(reports / '1.1.0' / 'index.html')}  the version that was rolled back",
    )
    if here.agent_log.exists():
        _say(f"The stand-in for the cluster tells what it did in {_short(reports / 'agent.log')}")
    if keep:
        _wait(here)
    return reports


def _first_version(here: Site, additions: Additions) -> Sequence[Step]:
    return (
        Step("cat ../platform.yaml", "What the platform team has written"),
        Step("cat cd.yaml", "What the app's team has written"),
        Step("jenkins-cd validate", "Both files, checked"),
        *additions.validated,
        Step("jenkins-cd common-chart publish", "Once for all apps: the chart that they depend on"),
        Step("git tag v1.0.0", "A version, from its commit to a published release"),
        Step("git push --quiet origin v1.0.0"),
        Step("jenkins-cd ci"),
        *additions.released,
        Step(
            "jenkins-cd deliver --app storefront --version 1.0.0",
            "Through every automatic environment, tested in each",
        ),
        _ask(here, "dev"),
        _ask(here, "test"),
        Step(
            "jenkins-cd promote --app storefront --version 1.0.0 --to staging --approver qa --reason 'tried on test'",
            "A person decides",
        ),
        _ask(here, "staging"),
    )


def _bad_version(here: Site) -> Sequence[Step]:
    return (
        Step(
            f"git apply ../{site.BAD_VERSION.name}",
            "The next version passes every check, but where it runs /health answers 500",
        ),
        Step("git commit --quiet --all --message 'Ask the price service for the prices'"),
        Step("git tag v1.1.0"),
        Step("git push --quiet origin main v1.1.0"),
        Step("jenkins-cd ci"),
        Step(
            "jenkins-cd deliver --app storefront --version 1.1.0",
            expected=1,
            why="it never became healthy on dev, so 1.0.0 was put back, and test never saw it",
        ),
        _ask(here, "dev"),
        Step(
            "jenkins-cd promote --app storefront --version 1.1.0 --to staging --approver qa",
            "Nobody can promote what is not proven",
            expected=4,
            why="1.1.0 was never verified on test",
        ),
        Step("jenkins-cd status", "What runs where, and how it came to be"),
        Step("jenkins-cd history --app storefront"),
    )


def _ask(here: Site, environment: str) -> Step:
    return Step(f"curl --silent {here.urls[environment]}/health")


def run(here: Site, step: Step) -> None:
    """Show a step, then do it. Raises GateFailed where it does not end as it should."""
    if step.title:
        _say("", f"# {step.title}")
    _say(f"$ {step.line}")
    command = shlex.split(step.line)
    if command[0] == "jenkins-cd":  # this one, whatever is in PATH
        command[:1] = [sys.executable, "-m", "jenkins_cd"]
    code = process.attached(leashed(command, "TERM"), cwd=here.app, env={**here.env, **step.env})
    if code != step.expected:
        raise GateFailed(
            f"the demo went wrong: {step.line} ended with exit code {code}, expected {step.expected}",
            f"what stands in for the cluster tells what it saw in {_short(KEPT.resolve() / 'agent.log')}"
            if here.agent_log.exists()
            else "",
        )
    if step.expected:
        _say(f"# exit code {code}, as it should be: {step.why}")


def _wait(here: Site) -> None:
    kept = ("JENKINS_CD_PLATFORM", "XDG_CACHE_HOME", "CONTAINERS_STORAGE_CONF", "GOCACHE", "PATH")
    _say(
        "",
        "Everything is still up. To play with it, in another terminal:",
        *(f"  export {name}={shlex.quote(here.env[name])}" for name in kept),
        f"  cd {shlex.quote(str(here.app))}",
        "  jenkins-cd status",
        *(f"  {url}  {name}" for name, url in here.urls.items()),
        "Ctrl-C ends it" + (" and removes the folder." if _is_temporary(here.folder) else "."),
    )
    with contextlib.suppress(Interrupted):
        while True:
            process.pause(3600)


def _is_temporary(folder: Path) -> bool:
    return folder.name.startswith("jenkins-cd-demo-") and folder.parent == Path(tempfile.gettempdir()).resolve()


def _empty(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} is not an empty folder", "name a new folder, or leave --folder out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _keep_report(here: Site, to: Path) -> None:
    report = here.app / ".jenkins-cd" / "report"
    if not (report / "index.html").is_file():
        raise GateFailed(f"the demo went wrong: there is no report in {report}")
    shutil.copytree(report, to)


def _short(path: Path) -> str:
    """Return a path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - the story is told on standard output
