"""Runs a Jenkinsfile as Jenkins does: Groovy transformed, saved and restored at each step, and the steps for real."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.jenkins.cps_process import CpsProcess
from tests.jenkins.model import (
    RESULTS,
    Build,
    Call,
    Controller,
    Credential,
    Downstream,
    Outcome,
    Scm,
    SecretFile,
    SecretText,
    SshKey,
    UsernamePassword,
)
from tests.jenkins.steps import STEPS
from tests.jenkins.steps.environment import masked, overridden
from tests.jenkins.steps.errors import BodyFailed, NotJenkins, Thrown, UnknownStep, interrupted, missing_context
from tests.jenkins.steps.globals import current_build, env
from tests.jenkins.steps.running import Body, Held, Remote, Running, Scope
from tests.jenkins.steps.shell import GRACE
from tests.jenkins.steps.step import Closure, Foreign, Step
from tests.jenkins.strands import Strands

__all__ = [
    "Build",
    "Call",
    "Controller",
    "Credential",
    "Downstream",
    "NotJenkins",
    "Outcome",
    "Scm",
    "SecretFile",
    "SecretText",
    "SshKey",
    "UsernamePassword",
    "run",
]


def run(
    build: Build,
    controller: Controller,
    *,
    log: Callable[[str], None] = lambda _: None,
    aborted: threading.Event | None = None,
) -> Outcome:
    """Run a build to its end. `log` gets console lines as they come; setting `aborted` aborts it, as a user does.

    Raises NotJenkins where the script does what the documented steps would not let pass: a step that nobody knows, or
    an argument that a step does not have.
    """
    return PipelineRun(build, controller, log).outcome(aborted or threading.Event())


class PipelineRun:
    """A build that runs."""

    def __init__(self, build: Build, controller: Controller, console: Callable[[str], None]) -> None:
        self.build = build
        self.controller = controller
        self.result: str | None = None
        self.display_name = f"#{build.number}"
        self.description = ""
        self.env: dict[str, str] = {}
        self.parameters = dict(build.parameters)
        self.shelf = Path()
        self.calls: list[Call] = []
        self.secrets: set[str] = set()
        self.remotes = {
            "env": env(self),
            "currentBuild": current_build(self),
            "params": lambda *_: self.parameters,
            "scm": lambda *_: {"$class": "scm"},
        }
        self._console = console
        self._lines: list[str] = []
        self._lock = threading.RLock()
        self._strands = Strands()
        self._workers: list[threading.Thread] = []
        self._mistake: BaseException | None = None
        self._error = ""

    def outcome(self, aborted: threading.Event) -> Outcome:
        """Run it."""
        self.shelf = Path(tempfile.mkdtemp(prefix="jenkins-"))
        start = {
            "script": self.build.script,
            "library": str(self.build.library) if self.build.library else None,
            "values": ["params", *(["scm"] if self.build.scm else [])],
            "objects": ["env", "currentBuild"],
        }
        self._process = CpsProcess(start)
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(aborted, over), daemon=True)
        watcher.start()
        try:
            self._serve()
        finally:
            over.set()
            words = self._process.end()
            self._strands.end()
            for worker in self._workers:
                worker.join(2 * GRACE + 1)
            shutil.rmtree(self.shelf, ignore_errors=True)
        if self._mistake:
            raise self._mistake
        if words:
            self.log(words)
        self.log(f"Finished: {self.result or 'SUCCESS'}")
        return self._ended()

    def log(self, text: str) -> None:
        """Write lines to the console."""
        with self._lock:
            for line in text.removesuffix("\n").split("\n"):
                self._lines.append(line)
                self._console(line)

    def worsen(self, result: str) -> None:
        """Set the result, which can only get worse."""
        if RESULTS.index(result) > RESULTS.index(self.result or "SUCCESS"):
            self.result = result

    def start_body(self, call: int, closure: int, scope: Scope) -> Body:
        """Run a closure among the arguments of a call in blocks of its own."""
        strand, body = self._strands.start(call, scope)
        self._process.send({"call": call, "run": closure, "strand": strand})
        return body

    def interrupt(self, error: Thrown, call: int | None = None) -> None:
        """End what runs inside the bodies of a call (of the whole build for None) with this error."""
        self._strands.interrupt(error, call)

    def _watch(self, aborted: threading.Event, over: threading.Event) -> None:
        while not over.is_set():
            if aborted.wait(0.05):
                self.log("Aborted by user")
                self.worsen("ABORTED")
                self.interrupt(interrupted("Aborted by user", user="user"))
                return

    def _serve(self) -> None:
        for message in self._process.messages():
            if "call" in message:
                self._called(message)
            elif "ask" in message:
                self._process.send(self._answer(message))
            elif message.get("ended"):
                self._body_ended(message)
            elif "ended" in message:
                self._fail(message["error"]) if "error" in message else None
                return
            else:
                self._fail(message["fatal"])
                return
        if not self._mistake:
            self._mistake = RuntimeError(f"the program that runs the Groovy has gone: {self._process.end()}")

    def _called(self, message: Mapping[str, Any]) -> None:
        number, strand, name = message["call"], message["strand"], message["step"]
        scope = self._strands.scope(strand)
        interpolated: list[str] = []
        try:
            step = self._step(name)
            named, body = step.bound([decoded(each, interpolated) for each in message["arguments"]])
        except Thrown as error:
            self._process.send({"call": number, "error": error.encoded()})
            return
        except NotJenkins as mistake:
            self._over(mistake)
            return
        if not step.describes:
            self._record(step, named, scope, interpolated)
        running = Running(self, number, strand, scope, body, name)
        worker = threading.Thread(target=self._work, args=(step, running, named), daemon=True)
        self._workers.append(worker)
        worker.start()

    def _work(self, step: Step, running: Running, named: Mapping[str, Any]) -> None:
        try:
            answer = {"value": encoded(self._done(step, running, named))}
        except Thrown as error:
            answer = {"error": error.encoded()}
        except BaseException as error:  # a mistake of the script or ours: the run is over
            self._over(error)
            return
        self._process.send({"call": running.number, **answer})

    def _done(self, step: Step, running: Running, named: Mapping[str, Any]) -> Any:
        if step.node and running.scope.workspace is None:
            raise missing_context(step.name)
        self._strands.take_off(running)
        try:
            value = step.work(running, **named)
        finally:
            self._strands.landed(running)
        if running.stopped:
            raise running.stopped
        return value

    def _over(self, mistake: BaseException) -> None:
        self._mistake = self._mistake or mistake
        self._process.kill()

    def _step(self, name: str) -> Step:
        if name in self.build.missing:
            known = ", ".join(sorted(set(STEPS) - self.build.missing))
            raise Thrown("java.lang.NoSuchMethodError", f"No such DSL method '{name}' found among steps [{known}]")
        if name not in STEPS:
            raise UnknownStep(
                f"the runner knows no step `{name}`: it is written wrong, or its place is tests/jenkins/steps/"
            )
        return STEPS[name]

    def _record(self, step: Step, named: Mapping[str, Any], scope: Scope, interpolated: list[str]) -> None:
        secret = {name for layer in scope.layers if layer.secret for name in layer.values}
        values = {layer.values[name] for layer in scope.layers for name in layer.hidden}
        call = Call(
            name=step.name,
            arguments=dict(named),
            path=scope.path,
            env=overridden({}, scope.layers),
            secrets=frozenset(secret),
            interpolated=tuple(interpolated),
        )
        with self._lock:
            self.calls.append(call)
            self.secrets |= values
        self.log(f"[Pipeline] {step.name}")

    def _answer(self, message: Mapping[str, Any]) -> dict[str, Any]:
        arguments = [decoded(each, []) for each in message["arguments"]]
        asked = self.remotes[message["ask"]]
        try:
            value = asked(message["verb"], message["member"], arguments, self._strands.scope(message["strand"]))
        except Thrown as error:
            return {"answer": None, "error": error.encoded()}
        except NotJenkins as mistake:
            self._over(mistake)
            return {"answer": None}
        return {"answer": encoded(value)}

    def _body_ended(self, message: Mapping[str, Any]) -> None:
        error = BodyFailed(message["error"], message["held"]) if "error" in message else None
        self._strands.ended(message["ended"], Held(message["held"]), error)

    def _fail(self, error: Mapping[str, Any]) -> None:
        message, kind = error["message"] or "", error["type"]
        properties = error.get("properties", {})
        self.worsen(properties.get("result", "FAILURE"))
        plain = kind == "hudson.AbortException" or properties
        self._error = message if plain else f"{kind}: {message}"
        if properties:
            self.log(message)
        else:
            self.log(f"ERROR: {message}" if plain else f"{self._error}\n{error.get('trace', '')}")

    def _ended(self) -> Outcome:
        text = "\n".join([*self._lines, ""])
        return Outcome(
            result=self.result or "SUCCESS",
            error=self._error,
            display_name=self.display_name,
            description=self.description,
            calls=self.calls,
            log=text,
            masked_log=masked(text, self.secrets),
        )


def encoded(value: Any) -> Any:
    """Return a step's value as the Java program wants it."""
    if isinstance(value, Held):
        return {"$held": value.number}
    if isinstance(value, Remote):
        return {"$remote": value.name}
    if isinstance(value, Mapping):
        return {str(name): encoded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [encoded(each) for each in value]
    return value


def decoded(value: Any, interpolated: list[str]) -> Any:
    """Return an argument as a step wants it; strings that Groovy put together are noted."""
    if isinstance(value, list):
        return [decoded(each, interpolated) for each in value]
    if not isinstance(value, dict):
        return value
    if "$interpolated" in value:
        interpolated.append(value["$interpolated"])
        return value["$interpolated"]
    if "$closure" in value:
        return Closure(value["$closure"])
    if "$remote" in value:
        return Foreign(value["$remote"])
    if "$object" in value:
        return Foreign(value["$object"])
    return {name: decoded(each, interpolated) for name, each in value.items()}
