"""Which answer belongs to which request about builds: start one, read it, read its log, stop it."""

from __future__ import annotations

import re

from tests.jenkins.controller import answers, inputs
from tests.jenkins.controller.answers import Answer, Request, as_text, container_error, need_post, not_found, oops
from tests.jenkins.controller.builds import RunningBuild
from tests.jenkins.controller.config_xml import Parameter
from tests.jenkins.controller.context import Controller, told
from tests.jenkins.controller.jobs import LASTS, Job, build_json, typed


def answer(here: Controller, request: Request, job: Job, rest: list[str]) -> Answer:
    """Return the answer to a request below a job. Raises Failed with that of an error."""
    if rest in (["build"], ["buildWithParameters"]):
        return _start(here, request, job, rest == ["buildWithParameters"])
    found = job.last(rest[0]) if rest[0] in LASTS else job.builds.get(int(rest[0])) if rest[0].isdecimal() else None
    if found is None:
        raise not_found()
    return _of_build(here, request, found, rest[1:])


def _of_build(here: Controller, request: Request, build: RunningBuild, rest: list[str]) -> Answer:
    match rest:
        case [] | ["console"]:
            return answers.page(f"{build.display_name} - Jenkins", "<h1>Build</h1>")
        case ["api", "json"]:
            return told(request, build_json(build, here.url))
        case ["consoleText"]:
            return as_text(build.text(here.faults.log_delay)[0])
        case ["logText", "progressiveText"]:
            return _log(here, request, build)
        case ["stop"]:
            return _stop(here, request, build)
        case ["wfapi", "pendingInputActions"]:
            return inputs.pending_actions(build)
        case ["wfapi", "inputSubmit"]:
            return inputs.act(request, build, request.value("inputId") or "", "proceed", here.users, here.url)
        case ["input", question, action]:
            return inputs.act(request, build, question, action, here.users, here.url)
    raise not_found()


def _start(here: Controller, request: Request, job: Job, with_parameters: bool) -> Answer:
    """Queue a build, as ParameterizedJobMixIn.doBuild and doBuildWithParameters do."""
    if request.method != "POST":
        raise need_post()
    here.users.check(request.user, "Job/Build")
    if job.disabled:
        raise container_error(409, f"{job.name} is not buildable")
    if with_parameters and not job.parameters:
        raise oops("java.lang.IllegalStateException: This build is not parameterized!")
    values = {one.name: _value(one, request.value(one.name)) for one in job.parameters} if with_parameters else {}
    if job.parameters and not with_parameters:
        values = _submitted(request, job)
    cause = {
        "_class": "hudson.model.Cause$UserIdCause",
        "shortDescription": f"Started by user {request.user}",
        "userId": request.user,
        "userName": request.user,
    }
    item, new = here.queue.add(job, values, [cause], request.user, _delay(request))
    return Answer(status=201 if new else 303, headers={"Location": f"{here.url}/queue/item/{item.id}/"})


def _submitted(request: Request, job: Job) -> dict[str, str | bool]:
    defined = {one.name: one for one in job.parameters}
    values: dict[str, str | bool] = {}
    for one in inputs.submitted(request):
        if one["name"] not in defined:
            raise oops(f"java.lang.IllegalArgumentException: No such parameter definition: {one['name']}")
        values[one["name"]] = _value(defined[one["name"]], str(one.get("value", "")))
    return values


def _value(parameter: Parameter, given: str | None) -> str | bool:
    value = parameter.default if given is None else given
    if parameter.choices and value not in parameter.choices:
        raise oops(f"java.lang.IllegalArgumentException: Illegal choice for parameter {parameter.name}: {value}")
    return typed(parameter, "true" if value == "on" else value)


def _delay(request: Request) -> float | None:
    """Return `delay=5sec` in seconds."""
    found = re.fullmatch(r"(\d+)(?:sec(?:s)?)?", request.value("delay") or "")
    return float(found[1]) if found else None


def _log(here: Controller, request: Request, build: RunningBuild) -> Answer:
    """Tell the log as it is kept, with console notes and cut anywhere; only its line ends are made CRLF on the way."""
    kept, more = build.raw(here.faults.log_delay)
    start = int(request.value("start", "0") or 0)
    if start > len(kept):  # as Jenkins does: another log than the reader thinks
        start = 0
    headers = {"X-Text-Size": str(len(kept)), **({"X-More-Data": "true"} if more else {})}
    body = kept[start:].replace(b"\n", b"\r\n")
    return Answer(body=body, type="text/plain;charset=utf-8", headers=headers)


def _stop(here: Controller, request: Request, build: RunningBuild) -> Answer:
    if request.method != "POST":
        raise need_post()
    here.users.check(request.user, "Job/Cancel")
    build.abort(request.user)
    return answers.redirect(f"{here.url}/{build.path}")
