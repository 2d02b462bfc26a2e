"""The keys of platform.yaml that speak of Jenkins: where it is, its jobs, and the IDs of what it keeps secret."""

# Without `from __future__ import annotations`, as in types.py: evaluating strings takes longer than all of validation.

from dataclasses import field
from typing import Annotated, Literal

from jenkins_cd.config.kinds import CREDENTIAL, JOB, LABEL, LIBRARY, URL, Meta
from jenkins_cd.config.record import record

Check = Literal["unit-tests", "sonar-scan", "compiler-warnings", "dead-code", "code-standard"]


@record(frozen=True, kw_only=True)
class JenkinsCredentials:
    """IDs of credentials that Jenkins keeps, by what they are for. What is left out is not bound."""

    registry: Annotated[str | None, CREDENTIAL, Meta("User name and password for images and charts.")] = None
    git: Annotated[
        str | None, CREDENTIAL, Meta("User name and password (or token) for Git over HTTPS: deploy repository, ledger.")
    ] = None
    git_ssh: Annotated[str | None, CREDENTIAL, Meta("SSH user name with private key, for Git over SSH.")] = None


@record(frozen=True, kw_only=True)
class Jenkins:
    """The Jenkins server that runs the shared library."""

    url: Annotated[str | None, URL, Meta("Its address, for `jobs` and `trigger`.", example="https://ci.local")] = None
    library: Annotated[str, LIBRARY, Meta("The name that the shared library is registered under.")] = "jenkins-cd"
    agent: Annotated[str, LABEL, Meta("Label of the agents that the generated jobs run on; any where empty.")] = ""
    deploy_job: Annotated[str, JOB, Meta("The shared deploy job, with its folders.")] = "delivery/deploy"
    promote_job: Annotated[str, JOB, Meta("The job that people promote with.")] = "delivery/promote"
    common_chart_job: Annotated[str | None, JOB, Meta("The job that publishes the common chart; none by default.")] = (
        None
    )
    credentials: Annotated[JenkinsCredentials, Meta("What the steps are given, each only what it needs.")] = field(
        default_factory=JenkinsCredentials
    )
    unstable: Annotated[
        tuple[Check, ...], Meta("Checks that make a build UNSTABLE where they fail, not FAILED; it publishes nothing.")
    ] = ()
