"""What the commands that deploy share: their options, and how what came of it is saved, shown and told."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jenkins_cd.cli import options, outcome

if TYPE_CHECKING:
    from jenkins_cd.attempt import Request
    from jenkins_cd.config.types import PlatformFile
    from jenkins_cd.deploy import Done
    from jenkins_cd.model import Deployment, TestReport
    from jenkins_cd.pipelines import PipelinePlan

_app = click.option("--app", required=True, metavar="NAME", help="The app.")
_version = click.option("--version", required=True, metavar="VERSION", help="A version that CI published.")
_maybe_version = click.option("--version", metavar="VERSION", help="A version that CI published; not with --resume.")


def common(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options that all of them take."""
    return _with(command, _version)


def common_or_resumed(command: Callable[..., int]) -> Callable[..., int]:
    """Add the same options, where the version may be that of a deployment that was begun."""
    return _with(command, _maybe_version)


def _with(command: Callable[..., int], version: Callable[..., Any]) -> Callable[..., int]:
    for option in (options.as_json, options.platform, options.folder, version, _app):
        command = option(command)
    return functools.wraps(command)(command)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked for on the command line, and where."""

    request: Request
    platform: PlatformFile
    place: str | None  # of the platform file
    folder: Path


def order(
    *,
    app: str,
    version: str | None,
    environment: str,
    folder: Path,
    platform: str | None,
    approver: str | None = None,
    reason: str = "",
) -> Order:
    """Return what is asked for, its names checked. Raises BadInput."""
    from jenkins_cd import requester, versions
    from jenkins_cd.attempt import Request
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.config.platform import locate
    from jenkins_cd.names import check_app, check_environment

    request = Request(
        app=check_app(app),
        version=versions.check(version) if version else "",
        environment=check_environment(environment) if environment else "",
        requested_by=requester.name(),
        build_url=requester.build_url(),
        approver=approver,
        approval_reason=reason,
    )
    return Order(
        request=request, platform=load_platform(platform, folder), place=locate(platform, folder), folder=folder
    )


def carry_out(work: Callable[..., Iterable[Done]], asked: Order, as_json: bool, *, show_plan: bool = True) -> int:
    """Do the work, save and show what came of it, and return the exit code."""
    from jenkins_cd import results
    from jenkins_cd.deploy import Deliveries
    from jenkins_cd.report import console
    from jenkins_cd.tools import process

    out = results.prepare(asked.folder.resolve())
    for old in (out / "tests").glob(f"{asked.request.environment or '*'}/junit.xml"):
        if not old.parent.is_symlink():
            old.unlink()  # Jenkins would show it as this run's
    done: list[Done] = []
    with process.interruptible(), console.progress() as progress, _failure_in_jenkins(out, asked.request):
        for one in work(asked.platform, asked.request, out, progress):
            done.append(one)
            for deployment in one.deployments:
                _save(out, deployment)
            _save_tests(out, one.deployments)
            _tell_failure(one, asked.request)
    page = _report(out, done)
    if not options.report(Deliveries(done=tuple(done)), as_json):
        for one in done:
            _show(one, page, show_plan)
    return 0 if all(one.verified or not (one.attempted or one.failure) for one in done) else 1


def show_steps(asked: Order, as_json: bool, steps: Callable[..., PipelinePlan]) -> int:
    """Show the steps of a pipeline and keep the platform file that they are planned with."""
    from jenkins_cd import pipelines, results

    snapshot = pipelines.snapshot(asked.place, results.prepare(asked.folder.resolve()))
    return options.report_pipeline(steps(asked.platform, asked.request, snapshot), as_json)


def junit_file(out: Path, environment: str) -> Path:
    """Return where the tests of an environment are kept as JUnit."""
    return out / "tests" / environment / "junit.xml"


def _save(out: Path, deployment: Deployment) -> None:
    from jenkins_cd import results

    results.save(out / "deployments", deployment.id, deployment)
    if deployment.kind == "deployment" and deployment.outcome != "verified":
        from jenkins_cd.report.verdict import next_step

        what = f"{deployment.app} {deployment.version} in {deployment.environment}"
        outcome.fail(f"{what}: {deployment.outcome}: {deployment.reason}", deployment.evidence, next_step(deployment))


def _tell_failure(done: Done, request: Request) -> None:
    """Tell of a step that failed and leaves the verdict to `--step record`."""
    if done.failure:
        where = f"{request.app} {request.version} in {request.environment}"
        outcome.fail(f"{where}: {done.failure}", "", "jenkins-cd deploy … --step record records the verdict")
        click.echo(f"jenkins-cd: {where}: {done.failure}", err=True)


def _save_tests(out: Path, deployments: Sequence[Deployment]) -> None:
    from jenkins_cd.report import junit

    report = junit.of_deployments(deployments)
    if report.cases or any(one.tests for one in deployments):
        _write_junit(out, deployments[0].environment, report)


def _write_junit(out: Path, environment: str, report: TestReport) -> None:
    from jenkins_cd import files, results
    from jenkins_cd.report import junit

    file = junit_file(out, environment)
    results.write(files.own_folder(out, *file.relative_to(out).parent.parts) / file.name, junit.xml(report))


@contextlib.contextmanager
def _failure_in_jenkins(out: Path, request: Request) -> Iterator[None]:
    """Tell Jenkins of an error in a phase that changes something: such a deployment has no record."""
    from jenkins_cd.errors import Interrupted, JenkinsCdError
    from jenkins_cd.model import TestReport
    from jenkins_cd.report import junit

    try:
        yield
    except JenkinsCdError as error:
        if error.phase in ("apply", "verify", "test") and request.environment and not isinstance(error, Interrupted):
            what, where = f"{error.phase} {request.app} {request.version}", f"deployment.{request.environment}"
            case = junit.failed(what, where, f"{error.message}\n{error.hint}")
            _write_junit(out, request.environment, TestReport(cases=(case,)))
        raise


def _show(done: Done, page: Path | None, show_plan: bool) -> None:
    from jenkins_cd.report import console

    if done.already:
        click.echo(f"{done.plan.environment}: {done.plan.wanted} is deployed and verified already; nothing was changed")
    elif not done.deployments and show_plan:
        console.plan(done.plan)
    for deployment in done.deployments:
        told = outcome.awaited() and deployment.kind == "deployment"  # of rollbacks it hears nothing
        console.deployment_summary(deployment, page, why=not told)


def _report(out: Path, done: list[Done]) -> Path | None:
    """Write the page anew, with the run of CI that this checkout holds, if it made what was deployed."""
    from jenkins_cd import results
    from jenkins_cd.model import CiResult
    from jenkins_cd.report import html

    deployments = [deployment for one in done for deployment in one.deployments]
    if not deployments:
        return None
    made = results.load(out, "ci", CiResult)
    wanted = {(one.app, one.project, one.version) for one in deployments}
    if made and (made.app, made.project, made.version) not in wanted:
        made = None
    return html.write(out / "report", made, deployments)
