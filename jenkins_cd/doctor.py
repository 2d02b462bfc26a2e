"""What this configuration needs of the machine and of servers: found and wanted, and the command that mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jenkins_cd import toolchains
from jenkins_cd.config.types import AppFile, PlatformFile
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, MissingTool
from jenkins_cd.lines import split_lines
from jenkins_cd.toolchains import Tool
from jenkins_cd.tools import argocd, argocd_credentials, git, images, jenkins, process, registry

OWN_TOOLS: Mapping[str, Tool] = {
    "git": Tool(version=("git", "--version"), minimum="2.32", install="apt-get install git"),
    "helm": Tool(
        version=("helm", "version", "--short"), minimum="3.14", install="go install helm.sh/helm/v4/cmd/helm@v4.3.1"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that is needed."""

    name: str
    kind: Literal["tool", "server"]
    ok: bool
    wanted: str
    found: str
    mend: str = ""  # the command, or what to do


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """Everything that was looked at."""

    checks: tuple[Check, ...]
    schema: str = "jenkins_cd/doctor/v1"

    @property
    def ok(self) -> bool:
        """Tell whether nothing is missing."""
        return all(check.ok for check in self.checks)


def diagnose(workspace: Path, app: AppFile | None, platform: PlatformFile | None) -> Diagnosis:
    """Look at each tool and server that the configuration needs. Nothing is changed, nothing is raised."""
    tools = dict(OWN_TOOLS)
    checks: list[Check] = []
    if app:
        try:
            tools.update(toolchains.load(app.toolchain or toolchains.detect(workspace)).tools)
        except BadInput as error:
            checks.append(_broken("toolchain", "tool", "one that is known", error))
    checks = [_tool(name, tool) for name, tool in tools.items()] + checks
    if app and app.package.image.enabled:
        checks.append(_builder(app))
    return Diagnosis(checks=(*checks, *(_servers(platform) if platform else ())))


def _tool(name: str, tool: Tool) -> Check:
    wanted = f"≥ {tool.minimum}" if tool.minimum else "any"
    try:
        done = process.run(list(tool.version), timeout=30)
    except MissingTool:
        return Check(name=name, kind="tool", ok=False, wanted=wanted, found="missing", mend=tool.install)
    except JenkinsCdError as error:
        return _broken(name, "tool", wanted, error)
    number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    if done.exit_code != 0:
        said = split_lines(done.output)
        return Check(
            name=name, kind="tool", ok=False, wanted=wanted, found=said[-1] if said else "broken", mend=tool.install
        )
    new_enough = bool(number) and _numbers(number.group()) >= _numbers(tool.minimum or "0") if number else False
    ok = new_enough or not tool.minimum
    found = number.group() if number else "unknown"
    return Check(name=name, kind="tool", ok=ok, wanted=wanted, found=found, mend="" if ok else tool.install)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _builder(app: AppFile) -> Check:
    wanted = app.package.image.builder
    try:
        found = images.choose(wanted).name
    except JenkinsCdError as error:
        return _broken("image builder", "tool", wanted, error)
    return Check(name="image builder", kind="tool", ok=True, wanted=wanted, found=found)


def _servers(platform: PlatformFile) -> Iterator[Check]:
    settings = platform.registry
    hosts = {registry.split(settings.images)[0], registry.split(settings.charts.removeprefix("oci://"))[0]}
    for host in sorted(hosts):
        try:
            registry.ping(host, plain_http=settings.plain_http)
            yield Check(name=f"registry {host}", kind="server", ok=True, wanted="answers", found="answers")
        except JenkinsCdError as error:
            yield _broken(f"registry {host}", "server", "answers", error)
    declared = platform.deploy_repository
    repositories = {"deploy repository": declared.url if declared else None, "ledger": platform.ledger.url}
    for name, url in repositories.items():
        if url:
            yield _repository(name, url)
    if platform.jenkins.url and any(os.environ.get(name) for name in jenkins.TOKENS):
        yield _jenkins(platform.jenkins.url)
    models = {one.model for one in platform.environments.values()}
    if "argocd" in models and platform.argocd.url and argocd_credentials.given():
        yield _argocd(platform.argocd.url)


def _argocd(url: str) -> Check:
    """Ask Argo CD whom it takes us for. Only deployments need it, hence only where there is a credential."""
    try:
        server = argocd.connect(url, argocd.credentials())
        found = f"Argo CD {argocd.version(server)}, as {argocd.user(server)}"
    except JenkinsCdError as error:
        return _broken(f"argocd {url}", "server", "takes the token", error)
    return Check(name=f"argocd {url}", kind="server", ok=True, wanted="takes the token", found=found)


def _jenkins(url: str) -> Check:
    """Ask Jenkins whom it takes us for; only `jobs` and `trigger` need it, hence only where there is a token."""
    try:
        found = jenkins.ping(jenkins.connect(url))
    except JenkinsCdError as error:
        return _broken(f"jenkins {url}", "server", "takes the token", error)
    return Check(name=f"jenkins {url}", kind="server", ok=True, wanted="takes the token", found=found)


def _repository(name: str, url: str) -> Check:
    try:
        git.reachable(url)
    except JenkinsCdError as error:
        return _broken(f"{name} {url}", "server", "can be read", error)
    return Check(name=f"{name} {url}", kind="server", ok=True, wanted="can be read", found="can be read")


def _broken(name: str, kind: Literal["tool", "server"], wanted: str, error: JenkinsCdError) -> Check:
    mend = error.hint or ("try again" if isinstance(error, ExternalFailure) else "")
    return Check(name=name, kind=kind, ok=False, wanted=wanted, found=split_lines(error.message)[0], mend=mend)
