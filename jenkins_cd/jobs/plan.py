"""The shared jobs of a Jenkins controller: which there have to be, how they differ from those there, and making it so.

A job or folder is ours if its description says so. Others are never changed, and nothing is ever removed.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from xml.etree.ElementTree import Element

from jenkins_cd import in_turn
from jenkins_cd.config.types import PlatformFile
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.jobs import xml as job_xml
from jenkins_cd.jobs.remote_build import REQUEST_ID
from jenkins_cd.jobs.xml import Parameter
from jenkins_cd.lines import split_lines

if TYPE_CHECKING:
    from jenkins_cd.tools.jenkins import Connection

Action = Literal["create", "update", "unchanged", "refused"]
APPS_SHOWN = 50


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one job or folder."""

    name: str  # full: delivery/deploy
    kind: Literal["folder", "job"]
    action: Action
    note: str = ""  # why it is refused, or what else is to know
    diff: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """All jobs and folders that there have to be, folders first. `applied`: the changes are made."""

    url: str  # of the controller
    changes: tuple[Change, ...]
    applied: bool = False
    schema: str = "jenkins_cd/jobs/v1"


@dataclass(frozen=True)
class Plan:
    """The changes, and for those that are made the XML to send."""

    jobs: Jobs
    xml: Mapping[str, str]


def wanted(platform: PlatformFile, apps: Sequence[str]) -> dict[str, Element]:
    """Return the folders and jobs that there have to be, by full name, folders first.

    Raises BadInput where the platform file gives one name to two of them.
    """
    names = platform.jenkins
    jobs = {names.deploy_job: _deploy(platform, apps)}
    count = 1
    if manual := [name for name, one in platform.environments.items() if one.promotion == "manual"]:
        jobs[names.promote_job] = _promote(platform, apps, manual)
        count += 1
    if names.common_chart_job:
        jobs[names.common_chart_job] = _common_chart(platform)
        count += 1
    folders = {
        "/".join(parts[:depth]): job_xml.folder("Jobs that all apps share.")
        for parts in (name.split("/") for name in jobs)
        for depth in range(1, len(parts))
    }
    if len(jobs) != count or folders.keys() & jobs.keys():
        raise BadInput(
            f"the names of the jobs get into each other's way: {', '.join(sorted({*jobs, *folders}))}",
            "under `jenkins` in the platform file, name deploy_job, promote_job and common_chart_job apart",
        )
    return {**dict(sorted(folders.items())), **jobs}


def plan(connection: Connection, platform: PlatformFile, apps: Sequence[str], *, adopt: bool = False) -> Plan:
    """Return what has to change on a controller. Only reads; `adopt` lets jobs be changed that are not ours."""
    from jenkins_cd.tools import jenkins

    changes: list[Change] = []
    xml: dict[str, str] = {}
    new: set[str] = set()  # folders that are not there: there is no need to look into them
    for name, root in wanted(platform, apps).items():
        there = None if name.rpartition("/")[0] in new else _read(connection, name)
        change, result = _change(name, root, there, adopt)
        changes.append(replace(change, url=jenkins.job_url(connection, name)))
        if change.action in ("create", "update"):
            xml[name] = job_xml.to_xml(result)
        if there is None:
            new.add(name)
    return Plan(Jobs(url=connection.url, changes=tuple(changes)), xml)


def apply(connection: Connection, planned: Plan, tell: Callable[[str], None]) -> Jobs:
    """Carry out a plan and return what was done; `tell` hears of each change once it is made.

    Raises Refused before the first change where one is refused. A failure half way names what was done before.
    """
    from jenkins_cd.tools import jenkins

    require_allowed(planned.jobs)
    sends = {"create": jenkins.create, "update": jenkins.update}
    steps = [
        (f"{one.name} {one.action}d", functools.partial(sends[one.action], connection, one.name, planned.xml[one.name]))
        for one in planned.jobs.changes
        if one.action in sends
    ]
    in_turn.carry_out(steps, tell)
    return replace(planned.jobs, applied=True)


def require_allowed(jobs: Jobs) -> None:
    """Raise Refused, naming each, where a change is refused."""
    in_turn.require_allowed(
        ((one.name, one.note) for one in jobs.changes if one.action == "refused"),
        "these are not ours to change",
        "--adopt takes over pipeline jobs that are there; or name other jobs under `jenkins` in the platform file",
    )


def _read(connection: Connection, name: str) -> Element | None:
    from jenkins_cd.tools import jenkins

    xml = jenkins.config(connection, name)
    try:
        return None if xml is None else job_xml.parse(xml)
    except ValueError as error:
        raise ExternalFailure(
            f"the config.xml of {name} cannot be read: {error}", f"look at {jenkins.job_url(connection, name)}"
        ) from error


def _change(name: str, root: Element, there: Element | None, adopt: bool) -> tuple[Change, Element]:
    """Return what becomes of one job or folder, and how it looks then."""
    kind: Literal["folder", "job"] = "folder" if root.tag == job_xml.FOLDER else "job"
    if there is None:
        return Change(name=name, kind=kind, action="create", diff=_diff(name, "", job_xml.pretty(root))), root
    if there.tag != root.tag:
        what = "folder" if kind == "folder" else "pipeline job"
        note = f"it is there and is no {what} but a {there.tag}; what it is cannot be changed: rename or remove it"
        return Change(name=name, kind=kind, action="refused", note=note), there
    mine = job_xml.ours(there)
    if kind == "folder" and not mine:
        return Change(name=name, kind=kind, action="unchanged", note="not ours; used as it is"), there
    if not (mine or adopt):
        return Change(name=name, kind=kind, action="refused", note="it is there, and was not made by jenkins-cd"), there
    result = job_xml.laid_over(there, root)
    diff = _diff(name, job_xml.pretty(there), job_xml.pretty(result))
    note = "" if mine else "taken over"
    return Change(name=name, kind=kind, action="update" if diff else "unchanged", note=note, diff=diff), result


def _diff(name: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        split_lines(before), split_lines(after), f"{name} (there)" if before else "/dev/null", name, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def _deploy(platform: PlatformFile, apps: Sequence[str]) -> Element:
    environments = tuple(platform.environments)
    return job_xml.pipeline(
        "Deploys a release of an app to one environment, and tests it there.",
        (
            Parameter(name="APP", kind="String", description="\n".join(_known(apps))),
            Parameter(name="VERSION", kind="String", description="A version that CI published."),
            Parameter(name="ENVIRONMENT", kind="Choice", description="Where to.", choices=environments),
            Parameter(
                name=REQUEST_ID, kind="String", description="Leave it empty: jenkins-cd trigger finds its build by it."
            ),
        ),
        _script(platform, "deployPipeline"),
    )


def _promote(platform: PlatformFile, apps: Sequence[str], environments: Sequence[str]) -> Element:
    # Jenkins wants at least one choice.
    which = Parameter(name="APP", kind="Choice", description="The app.", choices=apps)
    first = Parameter(name="APP", kind="String", description="The app. None was released when this job was made.")
    return job_xml.pipeline(
        "Brings a release that is proven in one environment to the next, once somebody who may has approved it.",
        (
            which if apps else first,
            Parameter(
                name="VERSION", kind="String", description="A version that is verified in the environment before."
            ),
            Parameter(name="ENVIRONMENT", kind="Choice", description="Where to.", choices=environments),
            Parameter(name="REASON", kind="Text", description="Why; kept in the ledger."),
        ),
        _script(platform, "promotePipeline"),
    )


def _common_chart(platform: PlatformFile) -> Element:
    return job_xml.pipeline(
        "Publishes the common chart that ships with jenkins-cd.", (), _script(platform, "commonChartPipeline")
    )


def _script(platform: PlatformFile, step: str) -> str:
    agent = platform.jenkins.agent
    options = f"agent: '{agent}'" if agent else ""
    return f"@Library('{platform.jenkins.library}') _\n{step}({options})\n"


def _known(apps: Sequence[str]) -> Iterator[str]:
    yield "The app, or project/app where two projects have one so named."
    if apps:
        more = f" and {len(apps) - APPS_SHOWN} more" if len(apps) > APPS_SHOWN else ""
        yield f"Released until now: {', '.join(apps[:APPS_SHOWN])}{more}."
