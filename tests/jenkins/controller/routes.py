"""Which answer belongs to which request: the controller itself, its queue, its jobs and folders."""

from __future__ import annotations

from typing import Any

from tests.jenkins.controller import answers, build_routes
from tests.jenkins.controller.answers import Answer, Request, as_json, failure, need_post, not_found, oops
from tests.jenkins.controller.context import Controller, told
from tests.jenkins.controller.jobs import UNSAFE, Job, job_json
from tests.jenkins.controller.queue import item_json
from tests.jenkins.controller.users import COOKIE, CRUMB

XML_TYPES = ("application/xml", "text/xml")


def answer(here: Controller, request: Request) -> Answer:
    """Return the answer to a request of an authenticated user. Raises Failed with that of an error."""
    here.users.check(request.user, "Overall/Read")
    match request.path:
        case () | ("login",):
            return answers.page("Dashboard - Jenkins", "<h1>Welcome to Jenkins!</h1>")
        case ("me", "api", "json") if request.user == "anonymous":
            raise answers.denied(request.user, "Overall/Administer")
        case ("me", "api", "json"):
            return told(request, _user(here, request.user))
        case ("whoAmI", "api", "json"):
            return told(request, _who(request.user))
        case ("crumbIssuer", "api", "json"):
            return _crumb(here, request)
        case ("queue", *rest):
            return _queue(here, request, rest)
        case ("api", "json") | ("createItem",) | ("job", *_):
            return _item(here, request)
    raise not_found()


def _user(here: Controller, name: str) -> dict[str, Any]:
    address = f"{here.url}/user/{name}"
    return {"_class": "hudson.model.User", "absoluteUrl": address, "fullName": name, "id": name, "property": []}


def _who(name: str) -> dict[str, Any]:
    known = name != "anonymous"
    common = {"_class": "hudson.security.WhoAmI", "anonymous": not known, "authenticated": known, "name": name}
    return {**common, "authorities": ["authenticated"] if known else []}


def _crumb(here: Controller, request: Request) -> Answer:
    session, crumb = here.users.crumb(request.headers)
    body = {"_class": "hudson.security.csrf.DefaultCrumbIssuer", "crumb": crumb, "crumbRequestField": CRUMB}
    cookie = f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"
    return Answer(body=as_json(body).body, type="application/json;charset=utf-8", headers={"Set-Cookie": cookie})


def _queue(here: Controller, request: Request, rest: list[str]) -> Answer:
    match rest:
        case ["api", "json"]:
            items = [item_json(one, here.url) for one in here.queue.waiting()]
            return told(request, {"_class": "hudson.model.Queue", "items": items})
        case ["item", number, "api", "json"] if number.isdecimal():
            item = here.queue.find(int(number))
            if item is None or not here.users.may(request.user, "Job/Read"):
                raise not_found()
            return told(request, item_json(item, here.url))
        case ["item", number] if number.isdecimal():
            return answers.page(f"Queue item {number} - Jenkins")
        case ["cancelItem"] if request.method != "POST":
            raise need_post()
        case ["cancelItem"]:
            number = request.value("id") or ""
            if not number.isdecimal() or here.queue.find(int(number)) is None:
                raise answers.container_error(404, f"Provided id ({number}) not found")
            if not here.users.may(request.user, "Job/Cancel"):
                raise answers.container_error(422, f"Item for id ({number}) is not cancellable")
            here.queue.cancel(int(number))
            return Answer(status=204)
    raise not_found()


def _item(here: Controller, request: Request) -> Answer:
    """Find the job or folder that the path leads to, and let what is left of the path work on it."""
    name, rest = "", list(request.path)
    while rest[:1] == ["job"] and len(rest) > 1:
        name, rest = f"{name}/{rest[1]}".lstrip("/"), rest[2:]
    job = here.jobs.find(name)
    if name and (job is None or not here.users.may(request.user, "Job/Read")):
        raise not_found()
    match rest:
        case ["createItem"] if job is None or job.folder:
            return _create(here, request, name)
        case ["api", "json"] if job is None:
            return told(request, _root(here))
    if job is None:
        raise not_found()
    return _of_job(here, request, job, rest)


def _of_job(here: Controller, request: Request, job: Job, rest: list[str]) -> Answer:
    match rest:
        case []:
            return answers.page(f"{job.name} - Jenkins", f"<h1>{job.name}</h1>")
        case ["api", "json"]:
            queued = any(one.job is job for one in here.queue.waiting())
            return told(request, job_json(job, here.url, here.jobs.inside(job.name), queued), _shallow)
        case ["config.xml"] if request.method == "GET":
            here.users.check(request.user, "Job/ExtendedRead")
            return Answer(body=job.config.encode(), type="application/xml")
        case ["config.xml"]:
            return _configure(here, request, job)
        case ["doDelete"]:
            return _delete(here, request, job)
    if job.folder:
        raise not_found()
    return build_routes.answer(here, request, job, rest)


def _create(here: Controller, request: Request, folder: str) -> Answer:
    if request.method != "POST":
        raise need_post()
    here.users.check(request.user, "Job/Create")
    name = (request.value("name") or "").strip()
    if not name:
        raise failure("Query parameter 'name' is required")
    if unsafe := next((one for one in name if one in UNSAFE), None):
        raise failure(f"'{unsafe}' is an unsafe character")
    if not request.content_type.startswith(XML_TYPES):
        raise failure("No mode given")
    try:
        here.jobs.create(f"{folder}/{name}".lstrip("/"), request.body.decode())
    except KeyError:
        raise failure(f"A job already exists with the name '{name}'") from None
    except ValueError as error:
        raise oops(str(error)) from error
    return Answer()


def _configure(here: Controller, request: Request, job: Job) -> Answer:
    here.users.check(request.user, "Job/Configure")
    if request.method != "POST":
        raise answers.container_error(400, f"Unexpected request method {request.method}")
    try:
        here.jobs.update(job.name, request.body.decode())
    except ValueError as error:
        raise oops(str(error)) from error
    return Answer()


def _delete(here: Controller, request: Request, job: Job) -> Answer:
    if request.method != "POST":
        raise need_post()
    here.users.check(request.user, "Job/Delete")
    here.jobs.delete(job.name)
    return answers.redirect(f"{here.url}/")


def _root(here: Controller) -> dict[str, Any]:
    return {
        "_class": "hudson.model.Hudson",
        "mode": "NORMAL",
        "nodeDescription": "the Jenkins controller's built-in node",
        "numExecutors": here.queue.executors,
        "jobs": [job_json(one, here.url, here.jobs.inside(one.name)) for one in here.jobs.inside("")],
        "quietingDown": False,
        "url": f"{here.url}/",
        "useCrumbs": True,
        "useSecurity": True,
    }


def _shallow(job: dict[str, Any]) -> dict[str, Any]:
    """Tell builds and inner jobs as links, as Jenkins does at depth 0."""
    keep = ("_class", "number", "url", "name", "color")

    def link(value: Any) -> Any:
        return {key: one for key, one in value.items() if key in keep} if isinstance(value, dict) else value

    lists: dict[str, Any] = {key: [link(one) for one in job[key]] for key in ("builds", "jobs") if key in job}
    links = {key: link(value) for key, value in job.items() if key.endswith("Build")}
    return {**job, **lists, **links}
