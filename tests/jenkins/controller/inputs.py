"""What can be done to a build that waits for an `input`: …/<number>/input/<id>/ of the Pipeline: Input Step plugin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.jenkins.controller.answers import (
    Answer,
    Failed,
    Request,
    as_json,
    container_error,
    failure,
    need_post,
    not_found,
    oops,
    redirect,
)
from tests.jenkins.controller.builds import Pending, RunningBuild
from tests.jenkins.controller.users import Users
from tests.jenkins.questions import Answer as Given
from tests.jenkins.questions import Question


def pending_actions(build: RunningBuild) -> Answer:
    """Answer …/wfapi/pendingInputActions of the Pipeline: REST API plugin."""
    return as_json([_described(build, one.question) for one in list(build.pending.values())])


def act(request: Request, build: RunningBuild, question: str, action: str, users: Users, url: str) -> Answer:
    """Carry out proceed, proceedEmpty, abort or submit."""
    pending = build.pending.get(question)
    if pending is None or action not in ("proceed", "proceedEmpty", "abort", "submit"):
        raise not_found()
    if request.method != "POST":
        raise need_post()
    no = action == "abort" or (action == "submit" and request.value("proceed") is None)
    _check(request.user, pending.question, users, no)
    given = None if no else Given(submitter=request.user, values=_values(request, pending, action))
    if not build.settle(question, given, request.user):
        raise failure("This input has been already given")
    return redirect(f"{url}/{build.path}console") if action == "submit" else Answer()


def _check(user: str, question: Question, users: Users, no: bool) -> None:
    if users.administers(user) or (no and users.may(user, "Job/Cancel")):
        return
    who = ",".join(question.submitters)
    verb = "cancel" if no else "submit"
    if question.submitters and user not in question.submitters:
        raise failure(f"You need to be {who} to {verb} this.")
    if not question.submitters and not users.may(user, "Job/Build"):
        raise failure(f"You need to have Job/Build permissions to {verb} this.")


def _values(request: Request, pending: Pending, action: str) -> Mapping[str, str]:
    if action == "proceedEmpty":
        return {}
    values = {one["name"]: str(one.get("value", "")) for one in submitted(request)}
    for name in values:
        if name not in pending.question.parameters:
            raise oops(f"java.lang.IllegalArgumentException: No such parameter definition: {name}")
    return values


def submitted(request: Request) -> list[dict[str, Any]]:
    """Return `parameter` of the form's `json` field. Raises Failed (400) where there is no such field."""
    try:
        form = json.loads(request.form["json"][0])
    except KeyError:
        raise _nothing() from None
    except ValueError:
        raise container_error(400, "Failed to parse form") from None
    parameter = form.get("parameter") or []
    return parameter if isinstance(parameter, list) else [parameter]


def _nothing() -> Failed:
    return container_error(
        400,
        "Nothing is submitted. This page expects a form submission but had only {}. Is this form really a POST form?",
    )


def _described(build: RunningBuild, question: Question) -> dict[str, Any]:
    inputs = [
        {"type": "StringParameterDefinition", "name": name, "description": "", "definition": {"defaultVal": ""}}
        for name in question.parameters
    ]
    return {
        "id": question.id,
        "proceedText": question.ok,
        "message": question.message,
        "inputs": inputs,
        "proceedUrl": f"/{build.path}wfapi/inputSubmit?inputId={question.id}",
        "abortUrl": f"/{build.path}input/{question.id}/abort",
        "redirectApprovalUrl": f"/{build.path}input/",
    }
