"""What Jenkins must know of a pipeline before it runs it: the steps, and for each the credentials it needs and no more.

The shared library in `vars/` shows and starts these steps; that they are made here is why Jenkins and a laptop cannot
drift apart. A step is one command of ours, one stage of Jenkins, one `sh`.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jenkins_cd import results
from jenkins_cd.config import platform as places
from jenkins_cd.config.types import Environment, JenkinsCredentials, PlatformFile
from jenkins_cd.free_text import FreeText
from jenkins_cd.model import Purpose


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential of Jenkins, and the variables that a step finds it in.

    `binding` and the keys of `variables` are those of Jenkins: https://www.jenkins.io/doc/pipeline/steps/credentials-binding/
    """

    binding: Literal["usernamePassword", "sshUserPrivateKey", "file", "string"]
    id: str
    variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a pipeline: what it waits for, when it can start, why it would be skipped, and what it needs."""

    stage: str  # as Jenkins shows it
    arguments: tuple[str, ...]  # of jenkins-cd
    needs: tuple[str, ...] = ()  # stages that must have passed
    wave: int = 0  # stages of one wave can run at the same time; 0 is the first
    skip_reason: FreeText = ""
    credentials: tuple[Credential, ...] = ()
    unstable: bool = False  # a failed gate makes the build UNSTABLE
    junit: str = ""  # the JUnit file that it writes, if it comes to tests
    findings: str = ""  # the SARIF file that it writes
    always: bool = False  # it runs also where the step that it needs has failed, to record that


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The platform file that a plan was made with. Later steps are held to it, wherever it came from."""

    file: str  # in the checkout
    digest: str  # sha256:…


@dataclass(frozen=True, kw_only=True)
class Downstream:
    """The shared deploy job, and the environments that a release is brought to in turn."""

    job: str
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Published:
    """What a pipeline leaves for people, as paths in the checkout."""

    report: str = f"{results.FOLDER}/report"  # a folder with index.html
    archive: str = f"{results.FOLDER}/**"
    exclude: str = ",".join(
        f"{results.FOLDER}/{one}"
        for one in ("tests/*/source/**", f"{results.OUTCOMES}/**", f"{results.LOCKS}/**", "jenkins_cd.whl")
    )


@dataclass(frozen=True, kw_only=True)
class PipelinePlan:
    """The steps of a pipeline that is no CI: a deployment, a promotion, the common chart."""

    title: str  # what the build is called
    steps: tuple[Step, ...]
    lock: str = ""  # the resource that is held meanwhile
    platform: Snapshot | None = None
    published: Published = field(default_factory=Published)
    delivery: Downstream | None = None
    schema: str = "jenkins_cd/pipeline-plan/v1"


_USER_AND_PASSWORD: Mapping[Purpose, str] = {"registry": "JENKINS_CD_REGISTRY", "git": "JENKINS_CD_GIT"}


def credentials(
    platform: PlatformFile | None, purposes: Sequence[Purpose], environment: str = ""
) -> tuple[Credential, ...]:
    """Return what Jenkins has to bind for these purposes: those that the platform file names an ID for.

    `environment` is the one whose cluster is meant by the purpose `cluster`.
    """
    known = platform.jenkins.credentials if platform else JenkinsCredentials()
    if "deploy-repository" in purposes and platform and platform.deploy_repository:
        purposes = (*purposes, "git")
    bound: list[Credential] = []
    for purpose, name in _USER_AND_PASSWORD.items():
        if purpose in purposes and (id_ := getattr(known, purpose)):
            variables = {"usernameVariable": f"{name}_USERNAME", "passwordVariable": f"{name}_PASSWORD"}
            bound.append(Credential(binding="usernamePassword", id=id_, variables=variables))
    if "git" in purposes and known.git_ssh:
        key = {"keyFileVariable": "JENKINS_CD_GIT_SSH_KEY"}
        bound.append(Credential(binding="sshUserPrivateKey", id=known.git_ssh, variables=key))
    if "cluster" in purposes and platform:
        bound += _of_cluster(platform, platform.environments[environment])
    return tuple(bound)


def _of_cluster(platform: PlatformFile, target: Environment) -> list[Credential]:
    """Return what a delivery of that model needs to reach the cluster, or Argo CD in its stead."""
    if target.model == "helm" and target.helm.credential:
        file = {"variable": "JENKINS_CD_KUBECONFIG"}
        return [Credential(binding="file", id=target.helm.credential, variables=file)]
    token = target.argocd.credential or platform.argocd.credential
    if target.model == "argocd" and token:
        text = {"variable": "JENKINS_CD_ARGOCD_TOKEN"}
        return [Credential(binding="string", id=token, variables=text)]
    return []


def snapshot(place: str | None, out: Path) -> Snapshot | None:
    """Keep the platform file in the results folder, and return where and what it is; None where there is none."""
    if place is None:
        return None
    text = places.content(place)
    results.write(out / results.SNAPSHOT, text.encode())
    return Snapshot(file=f"{results.FOLDER}/{results.SNAPSHOT}", digest=places.digest(text))


def rows(steps: Sequence[Step]) -> list[tuple[str, str, str]]:
    """Return stage, command and credentials of each step, for people."""
    return [
        (step.stage, shlex.join(("jenkins-cd", *step.arguments)), ", ".join(one.id for one in step.credentials) or "–")
        for step in steps
    ]
