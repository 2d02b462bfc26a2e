"""Steps around other steps (https://www.jenkins.io/doc/pipeline/steps/workflow-basic-steps/)."""
# ruff: noqa: N802, N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import threading
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from tests.jenkins.steps.environment import Layer
from tests.jenkins.steps.errors import BodyFailed, Thrown, aborted, interrupted
from tests.jenkins.steps.running import Body, Held, Running
from tests.jenkins.steps.shell import end_processes
from tests.jenkins.steps.step import not_here, step

Result = Literal["SUCCESS", "UNSTABLE", "FAILURE", "NOT_BUILT", "ABORTED"]
UNITS = {
    "NANOSECONDS": 1e-9,
    "MICROSECONDS": 1e-6,
    "MILLISECONDS": 1e-3,
    "SECONDS": 1,
    "MINUTES": 60,
    "HOURS": 3600,
    "DAYS": 86400,
}
Unit = Literal["NANOSECONDS", "MICROSECONDS", "MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"]


@step(block=True)
def node(at: Running, label: str = "") -> Held:
    workspace = _unused(at.build.workspace, at.scope.workspace)
    workspace.mkdir(parents=True, exist_ok=True)
    at.log(f"Running on {label or 'agent'} in {workspace}")
    cookie = str(uuid.uuid4())  # random, as in Jenkins: other runs on this machine are none of ours
    try:
        return at.body(
            workspace=workspace,
            folder=workspace,
            node_env=_agent(at, str(workspace), label, cookie),
            path=at.scope.path,
        )
    finally:
        end_processes("JENKINS_NODE_COOKIE", cookie)


def _unused(workspace: Path, held: Path | None) -> Path:
    """Return the job's workspace, or `name@2` and so on where a node around this one holds it already."""
    if held is None:
        return workspace
    number = held.name.removeprefix(workspace.name).removeprefix("@")
    return workspace.with_name(f"{workspace.name}@{int(number or 1) + 1}")


def _agent(at: Running, workspace: str, label: str, cookie: str) -> dict[str, str]:
    return {
        **at.build.agent,
        "NODE_NAME": label or "agent",
        "NODE_LABELS": label or "agent",
        "EXECUTOR_NUMBER": "0",
        "WORKSPACE": workspace,
        "WORKSPACE_TMP": f"{workspace}@tmp",
        "JENKINS_NODE_COOKIE": cookie,
    }


@step(block=True, node=True)
def ws(at: Running, dir: str) -> Held:  # noqa: A002
    workspace = at.folder.parent / dir
    workspace.mkdir(parents=True, exist_ok=True)
    env = {**(at.scope.node_env or {}), "WORKSPACE": str(workspace), "WORKSPACE_TMP": f"{workspace}@tmp"}
    return at.body(workspace=workspace, folder=workspace, node_env=env)


@step("dir", block=True, node=True)
def folder(at: Running, path: str) -> Held:
    at.log(f"Running in {at.path(path)}")
    return at.body(folder=at.path(path))


@step(block=True)
def stage(at: Running, name: str) -> Held:
    at.log(f"[Pipeline] {{ ({name})")
    return at.body(path=(*at.scope.path, name))


@step(block=True)
def withEnv(at: Running, overrides: list[str]) -> Held:
    if wrong := [each for each in overrides if "=" not in each]:
        raise aborted(f"withEnv: {wrong[0]!r} is not NAME=value")
    values = dict(each.split("=", 1) for each in overrides)
    return at.body(layers=(*at.scope.layers, Layer(values=values)))


@step()
def parallel(at: Running, **branches: Any) -> dict[str, Held]:
    """A map of closures, and failFast; the first and worst failure is thrown when all branches have ended."""
    fail_fast = branches.pop("failFast", False)
    ended = threading.Semaphore(0)
    bodies: dict[str, Body] = {}
    failures: list[Thrown] = []
    lock = threading.Lock()

    def follow(name: str, body: Body) -> None:
        try:
            body.result()
        except Thrown as error:
            at.log(f"Failed in branch {name}")
            with lock:
                failures.append(error)
                first = len(failures) == 1
            if fail_fast and first:
                at.run.interrupt(interrupted(f"Failed in branch {name}"), at.number)
        ended.release()

    for name, closure in branches.items():
        bodies[name] = at.start(closure, replace(at.scope, path=(*at.scope.path, name)))
    for name, body in bodies.items():
        threading.Thread(target=follow, args=(name, body), daemon=True).start()
    for _ in bodies:
        ended.acquire()
    if failures:
        raise failures[0] if fail_fast else min(failures, key=_severity)
    return {name: body.result() for name, body in bodies.items()}


def _severity(error: Thrown) -> int:
    return 2 if "result" in error.properties else 1 if error.kind == "hudson.AbortException" else 0


@step(block=True)
def timeout(at: Running, time: int, unit: Unit = "MINUTES", activity: bool = False) -> Held:
    not_here(at, activity=activity)
    timer = threading.Timer(time * UNITS[unit], lambda: _time_is_over(at))
    timer.daemon = True
    timer.start()
    at.log(f"Timeout set to expire in {time} {unit.lower()}")
    try:
        return at.body()
    except BodyFailed as error:
        if any(cause.get("timeout") == at.number for cause in error.properties.get("causes", [])):
            error.properties["actualInterruption"] = False
            raise Thrown(error.kind, error.message, error.properties) from None
        raise
    finally:
        timer.cancel()


def _time_is_over(at: Running) -> None:
    at.log("Cancelling nested steps due to timeout")
    error = interrupted("Timeout has been exceeded")
    error.properties["causes"][0]["timeout"] = at.number
    at.run.interrupt(error, at.number)


@step(block=True)
def lock(
    at: Running,
    resource: str = "",
    label: str = "",
    quantity: int = 0,
    variable: str = "",
    skipIfLocked: bool = False,
    inversePrecedence: bool = False,
    priority: int = 0,
) -> Held:
    not_here(at, label=label, quantity=quantity, skipIfLocked=skipIfLocked)
    held = at.controller.lock(at.build, resource)

    def enter() -> None:
        held.__enter__()
        if at.stopped:  # nobody waits for it any more
            held.__exit__(None, None, None)
            raise at.stopped

    at.log(f"Trying to acquire lock on [{resource}]")
    at.interruptible(enter)
    at.log(f"Lock acquired on [{resource}]")
    try:
        return at.body(layers=(*at.scope.layers, *([Layer(values={variable: resource})] if variable else [])))
    finally:
        held.__exit__(None, None, None)
        at.log(f"Lock released on resource [{resource}]")


@step(block=True)
def retry(at: Running, count: int, conditions: list[Any] | None = None) -> Held:
    not_here(at, conditions=conditions)
    for left in range(count - 1, -1, -1):
        try:
            return at.body()
        except Thrown as error:
            if error.interruption or not left:
                raise
            at.log(f"ERROR: {error.message}\nRetrying")
    raise aborted("retry count must be at least 1")


@step(block=True)
def catchError(
    at: Running,
    message: str = "",
    buildResult: Result = "FAILURE",
    stageResult: Result = "SUCCESS",
    catchInterruptions: bool = True,
) -> None:
    try:
        at.body()
    except Thrown as error:
        if error.interruption and not catchInterruptions:
            raise
        _caught(at, error, message, buildResult)


@step(block=True)
def warnError(at: Running, message: str, catchInterruptions: bool = True) -> None:
    try:
        at.body()
    except Thrown as error:
        if error.interruption and not catchInterruptions:
            raise
        _caught(at, error, message, "UNSTABLE")


def _caught(at: Running, error: Thrown, message: str, result: str) -> None:
    if message:
        at.log(f"ERROR: {message}")
    at.log(f"ERROR: {error.message}" if error.kind == "hudson.AbortException" else f"{error.kind}: {error.message}")
    at.run.worsen(error.properties.get("result", result))


@step(block=True)
def timestamps(at: Running) -> Held:
    return at.body()


@step(block=True)
def ansiColor(at: Running, colorMapName: str) -> Held:
    return at.body()


@step(block=True)
def script(at: Running) -> Held:
    return at.body()
