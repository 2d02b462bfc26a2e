"""The variables `env`, `currentBuild`, and the builds that steps return, member by member."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.jenkins.model import RESULTS, Downstream
from tests.jenkins.steps.errors import NotJenkins, Thrown
from tests.jenkins.steps.running import Remote, Run, Scope, environment

Asked = Callable[[str, str, list[Any], Scope], Any]  # verb (get, set, call), member, arguments


def env(run: Run) -> Asked:
    """Answer for `env`: reading sees the blocks around, writing is for the whole build."""

    def asked(verb: str, member: str, arguments: list[Any], scope: Scope) -> Any:
        if verb == "get":
            return environment(run, scope).get(member)
        if verb == "set":
            run.env[member] = "null" if arguments[0] is None else str(arguments[0])
            return None
        if member == "getEnvironment":
            return environment(run, scope)
        raise NotJenkins(f"env has no method {member}")

    return asked


def current_build(run: Run) -> Asked:
    """Answer for `currentBuild` (RunWrapper): `result`, `displayName` and `description` can be set."""

    def asked(verb: str, member: str, arguments: list[Any], _: Scope) -> Any:
        if verb == "set":
            return _set(run, member, arguments[0])
        if verb == "get":
            return _known("currentBuild", _members(run), member)
        if member == "getBuildCauses" and arguments:
            return [cause for cause in run.build.causes if cause.get("_class") == arguments[0]]
        if member in ("resultIsBetterOrEqualTo", "resultIsWorseOrEqualTo"):
            mine, other = RESULTS.index(run.result or "SUCCESS"), RESULTS.index(arguments[0])
            return mine <= other if "Better" in member else mine >= other
        return _accessor(
            member, arguments, lambda each: _known("currentBuild", _members(run), each), lambda *each: _set(run, *each)
        )

    return asked


def _set(run: Run, member: str, value: Any) -> None:
    if member == "result":
        if value not in RESULTS:
            raise NotJenkins(f"currentBuild.result = {value!r}: it is one of {', '.join(RESULTS)}")
        run.worsen(value)
    elif member == "displayName":
        run.display_name = str(value)
    elif member == "description":
        run.description = str(value)
    elif member != "keepLog":
        raise NotJenkins(f"currentBuild.{member} cannot be set")


def _members(run: Run) -> dict[str, Any]:
    build = run.build
    return {
        **_names(build.job, build.number, run.display_name),
        "result": run.result,
        "currentResult": run.result or "SUCCESS",
        "description": run.description or None,
        "absoluteUrl": build.env.get("BUILD_URL", ""),
        "buildVariables": dict(run.env),
        "buildCauses": list(build.causes),
        "upstreamBuilds": _upstream_builds(run),
        "previousBuild": None,
        "changeSets": [],
        "duration": 1000,
        "durationString": "1 sec",
    }


def _names(job: str, number: int, display_name: str) -> dict[str, Any]:
    return {
        "number": number,
        "id": str(number),
        "displayName": display_name,
        "projectName": job.rpartition("/")[2],
        "fullProjectName": job,
        "fullDisplayName": f"{job.replace('/', ' » ')} {display_name}",
    }


def finished(run: Run, build: Downstream) -> Remote:
    """Return the object that stands for another build."""
    name = f"build {build.job}#{build.number}"
    known = {
        **_names(build.job, build.number, build.display_name or f"#{build.number}"),
        "result": build.result or None,
        "currentResult": build.result or "SUCCESS",
        "description": build.description or None,
        "absoluteUrl": build.url,
        "buildVariables": dict(build.variables),
    }

    def setting(member: str, _: Any) -> None:
        raise Thrown("java.lang.SecurityException", f"can only set the {member} property on the current build")

    def asked(verb: str, member: str, arguments: list[Any], _: Scope) -> Any:
        if verb == "set":
            return setting(member, arguments[0])
        if verb == "get":
            return _known(name, known, member)
        return _accessor(member, arguments, lambda each: _known(name, known, each), setting)

    run.remotes[name] = asked
    return Remote(name)


def _upstream_builds(run: Run) -> list[Remote]:
    return [
        finished(run, Downstream(job=cause["upstreamProject"], number=int(cause["upstreamBuild"])))
        for cause in run.build.causes
        if "upstreamProject" in cause
    ]


def _known(of: str, known: dict[str, Any], member: str) -> Any:
    if member not in known:
        raise NotJenkins(f"{of} has no property {member} here (it has {', '.join(sorted(known))})")
    return known[member]


def _accessor(
    method: str, arguments: list[Any], getting: Callable[[str], Any], setting: Callable[[str, Any], None]
) -> Any:
    prefix, name = method[:3], method[3:4].lower() + method[4:]
    if prefix == "get" and not arguments:
        return getting(name)
    if prefix == "set" and len(arguments) == 1:
        return setting(name, arguments[0])
    raise NotJenkins(f"a build has no method {method}")
