"""Steps that wait for somebody or for another build: input and build.

https://www.jenkins.io/doc/pipeline/steps/pipeline-input-step/, https://www.jenkins.io/doc/pipeline/steps/pipeline-build-step/
"""
# ruff: noqa: N803 - steps and their parameters are called as Jenkins calls them

from __future__ import annotations

import hashlib
from typing import Any

from tests.jenkins.model import Downstream
from tests.jenkins.questions import Answer, Question, Rejected
from tests.jenkins.steps.errors import WrongArguments, aborted, interrupted
from tests.jenkins.steps.globals import finished
from tests.jenkins.steps.job import Value, default_of
from tests.jenkins.steps.running import Remote, Running
from tests.jenkins.steps.step import step


@step()
def input(  # noqa: A001
    at: Running,
    message: str = "Pipeline has paused and needs your input before proceeding",
    id: str = "",  # noqa: A002
    ok: str = "Proceed",
    cancel: str = "Abort",
    submitter: str = "",
    submitterParameter: str = "",
    parameters: list[Value] | None = None,
) -> Any:
    identity = id or hashlib.md5(message.encode()).hexdigest()  # noqa: S324 - Jenkins' way to name a question
    question = Question(
        id=identity[0].upper() + identity[1:],
        message=message,
        ok=ok,
        submitters=tuple(each.strip() for each in submitter.split(",") if each.strip()),
        parameters=tuple(each["name"] for each in parameters or []),
    )
    at.log(f"{message}\n{ok} or {cancel}")
    answer = _answer(at, question)
    at.log(f"Approved by {answer.submitter}")
    values: dict[str, Any] = {each["name"]: default_of(each) for each in parameters or []}
    values.update({name: value for name, value in answer.values.items() if name in values})
    if submitterParameter:
        values[submitterParameter] = answer.submitter
    return next(iter(values.values())) if len(values) == 1 else values or None


def _answer(at: Running, question: Question) -> Answer:
    try:
        return at.interruptible(lambda: at.controller.input(at.build, question))
    except Rejected as rejection:
        raise interrupted(f"Rejected by {rejection.submitter}", user=rejection.submitter) from None


@step()
def build(
    at: Running,
    job: str,
    parameters: list[Value] | None = None,
    wait: bool = True,
    propagate: bool = True,
    quietPeriod: int | None = None,
    waitForStart: bool = False,
) -> Remote | None:
    given = dict(_parameter(each) for each in parameters or [])
    done = at.interruptible(lambda: _built(at, job, given, wait))
    if not wait:
        return None
    at.log(f"Build {done.job} #{done.number} completed: {done.result}")
    if propagate and done.result != "SUCCESS":
        words = f"{done.job} #{done.number} completed with status {done.result} (propagate: false to ignore)"
        raise interrupted(words, done.result, actual=False)
    return finished(at.run, done)


def _built(at: Running, job: str, parameters: dict[str, str], wait: bool) -> Downstream:
    """Look for the job beside this one, then from the root, as Jenkins does."""
    folder = at.build.job.rpartition("/")[0]
    for name in (job[1:],) if job.startswith("/") else (f"{folder}/{job}" if folder else job, job):
        try:
            at.log(f"Scheduling project: {name}")
            return at.controller.build(at.build, name, parameters, wait)
        except KeyError:
            continue
    raise aborted(f"No item named {job} found")


def _parameter(value: Value) -> tuple[str, str]:
    if value.get("$class") not in ("string", "text", "booleanParam", "choice", "password") or "value" not in value:
        raise WrongArguments(f"build: {value} is no value of a parameter: string(name: …, value: …) is one")
    given = value["value"]
    return value["name"], str(given).lower() if isinstance(given, bool) else str(given)
