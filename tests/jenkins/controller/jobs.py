"""The jobs and folders of a controller, by their full names, and how they are told as JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.jenkins.controller import config_xml
from tests.jenkins.controller.builds import RunningBuild

COLORS = {None: "notbuilt", "SUCCESS": "blue", "UNSTABLE": "yellow", "FAILURE": "red", "ABORTED": "aborted"}
UNSAFE = "?*/\\%!@#$^&|<>[]:;"
CONCURRENT = "properties/org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty"
LASTS: Mapping[str, Callable[[RunningBuild], bool]] = {  # which builds the links of a job lead to
    "lastBuild": lambda build: build.number > 0,
    "lastCompletedBuild": lambda build: not build.building,
    "lastSuccessfulBuild": lambda build: build.result in ("SUCCESS", "UNSTABLE"),
    "lastStableBuild": lambda build: build.result == "SUCCESS",
    "lastUnstableBuild": lambda build: build.result == "UNSTABLE",
    "lastFailedBuild": lambda build: build.result == "FAILURE",
    "lastUnsuccessfulBuild": lambda build: build.result not in (None, "SUCCESS"),
}


@dataclass
class Job:
    """A job, or a folder of them."""

    name: str  # full: shop/storefront/main
    config: str  # as Jenkins writes it
    builds: dict[int, RunningBuild] = field(default_factory=dict)
    next_number: int = 1

    @property
    def root(self) -> Any:
        """Return the parsed config.xml."""
        return config_xml.parse(self.config)

    @property
    def kind(self) -> str:
        """Return the tag of the config.xml's root."""
        return str(self.root.tag)

    @property
    def folder(self) -> bool:
        return self.kind in (config_xml.FOLDER, config_xml.MULTIBRANCH)

    @property
    def disabled(self) -> bool:
        return bool(self.root.findtext("disabled") == "true")

    @property
    def concurrent(self) -> bool:
        return bool(self.root.find(CONCURRENT) is None)

    @property
    def script(self) -> str:
        """Return the pipeline's text that stands in the config.xml, empty where it comes from elsewhere."""
        return self.root.findtext("definition/script") or ""

    @property
    def parameters(self) -> tuple[config_xml.Parameter, ...]:
        return config_xml.parameters(self.root)

    @property
    def quiet(self) -> float | None:
        """Return its own quiet period in seconds."""
        own = self.root.findtext("quietPeriod")
        return float(own) if own else None

    @property
    def path(self) -> str:
        """Return where it stands below the controller's address, quoted."""
        return "".join(f"job/{quote(part, safe='')}/" for part in self.name.split("/"))

    def last(self, link: str = "lastBuild") -> RunningBuild | None:
        """Return the build that a link such as `lastSuccessfulBuild` leads to."""
        fits = LASTS[link]
        return next(
            (self.builds[number] for number in sorted(self.builds, reverse=True) if fits(self.builds[number])), None
        )


class Jobs:
    """All jobs and folders. Names are full names; a folder must be there before what is in it."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()

    def __iter__(self) -> Iterator[Job]:
        return iter(list(self._jobs.values()))

    def find(self, name: str) -> Job | None:
        return self._jobs.get(name)

    def inside(self, folder: str) -> list[Job]:
        """Return what is in a folder, at the top where `folder` is empty."""
        return [job for job in self if job.name.rpartition("/")[0] == folder]

    def create(self, name: str, xml: str) -> Job:
        """Add a job. Raises ValueError for XML that is none, KeyError where the name is taken."""
        with self._lock:
            if name in self._jobs:
                raise KeyError(name)
            self._jobs[name] = Job(name, config_xml.rewritten(config_xml.parse(xml)))
            return self._jobs[name]

    def update(self, name: str, xml: str) -> None:
        """Give a job another config.xml. Raises ValueError for XML that is none, or of another kind of job."""
        job, root = self._jobs[name], config_xml.parse(xml)
        if root.tag != job.kind:
            raise ValueError(f"java.io.IOException: Expecting {job.kind} but got {root.tag}")
        job.config = config_xml.rewritten(root)

    def delete(self, name: str) -> None:
        """Remove a job, and all that is in it."""
        with self._lock:
            self._jobs = {key: job for key, job in self._jobs.items() if key != name and not key.startswith(f"{name}/")}


def job_json(job: Job, url: str, children: list[Job], in_queue: bool = False) -> dict[str, Any]:
    """Return a job, or folder, with all its fields; `url` is the controller's."""
    short = job.name.rpartition("/")[2]
    common = {
        "_class": config_xml.CLASSES[job.kind],
        "actions": [],
        "description": job.root.findtext("description") or "",
        "displayName": job.root.findtext("displayName") or short,
        "displayNameOrNull": job.root.findtext("displayName"),
        "fullDisplayName": job.name.replace("/", " » "),
        "fullName": job.name,
        "name": short,
        "url": f"{url}/{job.path}",
        "healthReport": [],
    }
    if job.folder:
        views = [{"_class": "hudson.model.AllView", "name": "All", "url": f"{url}/{job.path}"}]
        inner = [job_json(child, url, []) for child in children]
        return {**common, "jobs": inner, "primaryView": views[0], "views": views}
    return {**common, **_buildable(job, url, in_queue)}


def _buildable(job: Job, url: str, in_queue: bool) -> dict[str, Any]:
    latest = job.last()
    told = {number: build_json(build, url) for number, build in sorted(job.builds.items(), reverse=True)}
    links = {link: told[found.number] if (found := job.last(link)) else None for link in LASTS}
    return {
        "buildable": not job.disabled,
        "builds": list(told.values()),
        "color": "disabled" if job.disabled else _color(latest, job),
        "firstBuild": told[min(told)] if told else None,
        "inQueue": in_queue,
        "keepDependencies": False,
        **links,
        "nextBuildNumber": job.next_number,
        "property": _properties(job),
        "concurrentBuild": job.concurrent,
        "disabled": job.disabled,
    }


def _color(latest: RunningBuild | None, job: Job) -> str:
    if latest and latest.building:
        before = job.last("lastCompletedBuild")
        return f"{COLORS.get(before.result if before else None, 'red')}_anime"
    return COLORS.get(latest.result if latest else None, "red")


def _properties(job: Job) -> list[dict[str, Any]]:
    defined = [
        {
            "_class": f"hudson.model.{one.kind}",
            "defaultParameterValue": {
                "_class": f"hudson.model.{one.kind.replace('Choice', 'String').replace('Definition', 'Value')}",
                "name": one.name,
                "value": typed(one, one.default),
            },
            "description": one.description,
            "name": one.name,
            "type": one.kind,
            **({"choices": list(one.choices)} if one.choices else {}),
        }
        for one in job.parameters
    ]
    return [{"_class": "hudson.model.ParametersDefinitionProperty", "parameterDefinitions": defined}] if defined else []


def typed(parameter: config_xml.Parameter, value: str) -> str | bool:
    """Return a parameter's value as Jenkins tells it in JSON."""
    return value == "true" if parameter.kind == "BooleanParameterDefinition" else value


def build_json(build: RunningBuild, url: str) -> dict[str, Any]:
    """Return a build with all its fields; `url` is the controller's."""
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "actions": build.actions(),
        "artifacts": [],
        "building": build.building,
        "description": build.description or None,
        "displayName": build.display_name,
        "duration": build.duration,
        "estimatedDuration": -1,
        "executor": None,
        "fullDisplayName": f"{build.job.replace('/', ' » ')} {build.display_name}",
        "id": str(build.number),
        "inProgress": build.building,
        "keepLog": False,
        "number": build.number,
        "queueId": build.queue_id,
        "result": build.result,
        "timestamp": build.timestamp,
        "url": f"{url}/{build.path}",
        "changeSets": [],
        "culprits": [],
        "nextBuild": None,
        "previousBuild": None,
    }
