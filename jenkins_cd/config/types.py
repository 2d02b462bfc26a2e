"""The types of cd.yaml and platform.yaml. Validation, the JSON Schemas and the reference are all made from these.

A field is a key of the file; `Meta` says what a key means and what it may hold. Every key that has a default may be
left out. Keys of the files use underscores, stage names use dashes (`Meta.key`).
"""

# Without `from __future__ import annotations`: the types are read at every start, and evaluating strings takes longer
# than everything else that validation does.

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from jenkins_cd.config.argocd import ArgoCd as ArgoCd
from jenkins_cd.config.argocd import ArgoCdTarget as ArgoCdTarget
from jenkins_cd.config.helm import HelmTarget as HelmTarget
from jenkins_cd.config.jenkins import Jenkins as Jenkins
from jenkins_cd.config.jenkins import JenkinsCredentials as JenkinsCredentials
from jenkins_cd.config.kinds import APP_KEY as APP_KEY
from jenkins_cd.config.kinds import BRANCH as BRANCH
from jenkins_cd.config.kinds import DURATION as DURATION
from jenkins_cd.config.kinds import GIT_URL as GIT_URL
from jenkins_cd.config.kinds import GLOB as GLOB
from jenkins_cd.config.kinds import IMAGE_REPOSITORY as IMAGE_REPOSITORY
from jenkins_cd.config.kinds import JSON_PATH as JSON_PATH
from jenkins_cd.config.kinds import NAME as NAME
from jenkins_cd.config.kinds import OCI_URL as OCI_URL
from jenkins_cd.config.kinds import PATH as PATH
from jenkins_cd.config.kinds import PERSON as PERSON
from jenkins_cd.config.kinds import URL as URL
from jenkins_cd.config.kinds import VERSION as VERSION
from jenkins_cd.config.kinds import Meta as Meta
from jenkins_cd.config.record import record

Name = Annotated[str, NAME]
Duration = Annotated[str, DURATION]
RelativePath = Annotated[str, PATH]
FindingFormat = Literal["sarif", "go-vet-json", "deadcode-json", "gofmt-list", "mypy-json", "vulture", "diff", "text"]
CoverageFormat = Literal["cobertura", "go-cover"]
Builder = Literal["auto", "docker", "podman", "buildah"]


# --- cd.yaml ---------------------------------------------------------------------------------------------------------


@record(frozen=True, kw_only=True)
class Gate:
    """How many findings are allowed. A key that is left out is not a rule."""

    errors: Annotated[int | None, Meta("Findings of level error that are allowed.", minimum=0)] = None
    warnings: Annotated[int | None, Meta("Findings of level warning that are allowed.", minimum=0)] = None
    total: Annotated[int | None, Meta("Findings of any level that are allowed.", minimum=0)] = None
    new: Annotated[int | None, Meta("Findings that the baseline does not know.", minimum=0)] = None


@record(frozen=True, kw_only=True)
class CoverageConfig:
    """How much of the code the unit tests must reach, and where the report is."""

    minimum: Annotated[float | None, Meta("Percent that must be covered.", minimum=0, maximum=100)] = None
    report: Annotated[str | None, PATH, Meta("The coverage report, where `run` replaces the toolchain's command.")] = (
        None
    )
    format: Annotated[CoverageFormat | None, Meta("The report's format.")] = None


@record(frozen=True, kw_only=True)
class StageConfig:
    """A stage with nothing but a command: build."""

    enabled: Annotated[bool, Meta("Whether the stage runs at all.")] = True
    run: Annotated[str | None, Meta("A shell command instead of the toolchain's.", example="make build")] = None
    timeout: Annotated[Duration, Meta("The stage fails after this long.")] = "30m"


@record(frozen=True, kw_only=True)
class UnitTestsConfig(StageConfig):
    """The unit tests."""

    junit: Annotated[str | None, PATH, Meta("JUnit files that `run` writes (a glob).", example="reports/*.xml")] = None
    coverage: Annotated[CoverageConfig, Meta("The coverage that is wanted.")] = field(default_factory=CoverageConfig)


@record(frozen=True, kw_only=True)
class CheckConfig(StageConfig):
    """A stage whose output is findings."""

    report: Annotated[str | None, PATH, Meta("The report that `run` writes; standard output where left out.")] = None
    format: Annotated[FindingFormat | None, Meta("The report's format, needed with `run`.")] = None
    exit_codes: Annotated[
        tuple[int, ...], Meta("Exit codes of `run` that mean that it did its work, whatever it found.")
    ] = (0, 1)
    gate: Annotated[Gate, Meta("What makes it fail.")] = field(default_factory=lambda: Gate(errors=0))


@record(frozen=True, kw_only=True)
class SonarConfig:
    """The SonarQube scan."""

    enabled: Annotated[bool, Meta("Whether the stage runs at all.")] = True


@record(frozen=True, kw_only=True)
class CiConfig:
    """The stages of CI."""

    build: Annotated[StageConfig, Meta("Compile.")] = field(default_factory=StageConfig)
    unit_tests: Annotated[UnitTestsConfig, Meta("Unit tests with coverage.", key="unit-tests")] = field(
        default_factory=UnitTestsConfig
    )
    sonar_scan: Annotated[SonarConfig, Meta("SonarQube scan.", key="sonar-scan")] = field(default_factory=SonarConfig)
    compiler_warnings: Annotated[CheckConfig, Meta("What the compiler warns of.", key="compiler-warnings")] = field(
        default_factory=CheckConfig
    )
    dead_code: Annotated[CheckConfig, Meta("Code that nothing reaches.", key="dead-code")] = field(
        default_factory=lambda: CheckConfig(gate=Gate(new=0))
    )
    code_standard: Annotated[CheckConfig, Meta("Format and lint.", key="code-standard")] = field(
        default_factory=CheckConfig
    )
    baseline: Annotated[RelativePath, Meta("Findings that are known and allowed by `gate.new`.")] = (
        "findings-baseline.json"
    )


@record(frozen=True, kw_only=True)
class ImageConfig:
    """The container image."""

    enabled: Annotated[bool, Meta("Whether an image is built.")] = True
    dockerfile: Annotated[RelativePath, Meta("The Dockerfile.")] = "Dockerfile"
    context: Annotated[RelativePath, Meta("The folder that the build sees.")] = "."
    builder: Annotated[Builder, Meta("The program that builds; auto takes the first of buildah, podman, docker.")] = (
        "auto"
    )
    args: Annotated[Mapping[str, str], Meta("Build arguments. VERSION and REVISION are always given.")] = field(
        default_factory=dict
    )


@record(frozen=True, kw_only=True)
class ChartConfig:
    """The Helm chart: the app's own (`path`), or one that depends on a common chart (`common`)."""

    path: Annotated[str | None, PATH, Meta("The app's own chart.", example="chart")] = None
    common: Annotated[Name, Meta("The common chart that a generated chart depends on.")] = "common-chart"
    version: Annotated[str | None, VERSION, Meta("Its version; the one that ships with jenkins_cd where left out.")] = (
        None
    )
    values: Annotated[Mapping[str, Any], Meta("Values of the common chart that hold in every environment.")] = field(
        default_factory=dict
    )


@record(frozen=True, kw_only=True)
class PackageConfig:
    """What is packaged."""

    image: Annotated[ImageConfig, Meta("The image.")] = field(default_factory=ImageConfig)
    chart: Annotated[ChartConfig, Meta("The Helm chart.")] = field(default_factory=ChartConfig)


@record(frozen=True, kw_only=True)
class HealthConfig:
    """The endpoint that tells which version runs."""

    path: Annotated[
        str, Meta("The path of the health endpoint.", pattern=r"/[^\s]*", expected="a path such as `/health`")
    ] = "/health"
    version: Annotated[str, JSON_PATH, Meta("Where the version stands in its JSON answer.")] = "$.version"


@record(frozen=True, kw_only=True)
class AppTest:
    """A test that runs against the deployed app, with APP_URL, APP_VERSION and ENVIRONMENT set."""

    run: Annotated[str, Meta("The shell command.", example="./smoke.sh")]
    junit: Annotated[str | None, PATH, Meta("JUnit files that it writes (a glob).", example="reports/*.xml")] = None
    timeout: Annotated[Duration, Meta("The test fails after this long.")] = "10m"


@record(frozen=True, kw_only=True)
class AppFile:
    """cd.yaml: what the app's team says of its app."""

    app: Annotated[Name, Meta("The app's name.", example="storefront")]
    project: Annotated[Name, Meta("The product that it belongs to.", example="shop")]
    toolchain: Annotated[str | None, NAME, Meta("go, python or custom; detected where left out.")] = None
    ci: Annotated[CiConfig, Meta("The stages of CI.")] = field(default_factory=CiConfig)
    package: Annotated[PackageConfig, Meta("Image and chart.")] = field(default_factory=PackageConfig)
    health: Annotated[HealthConfig, Meta("How the running app is asked for its version.")] = field(
        default_factory=HealthConfig
    )
    tests: Annotated[Mapping[Name, AppTest], Meta("Tests that environments can ask for, by name.")] = field(
        default_factory=dict
    )


# --- platform.yaml ---------------------------------------------------------------------------------------------------


@record(frozen=True, kw_only=True)
class Registry:
    """Where images and charts are kept."""

    images: Annotated[
        str, IMAGE_REPOSITORY, Meta("Images are pushed to <images>/<app>.", example="registry.local/apps")
    ]
    charts: Annotated[
        str, OCI_URL, Meta("Charts are pushed to <charts>/<name>.", example="oci://registry.local/charts")
    ]
    plain_http: Annotated[bool, Meta("Speak HTTP without TLS to it.")] = False


@record(frozen=True, kw_only=True)
class DeployRepository:
    """The Git repository that declares what runs where."""

    url: Annotated[str, GIT_URL, Meta("Its URL.")]
    branch: Annotated[str, BRANCH, Meta("The branch that the environments follow.")] = "main"


@record(frozen=True, kw_only=True)
class Ledger:
    """Where releases, deployments and approvals are recorded."""

    url: Annotated[
        str | None, GIT_URL, Meta("Its Git URL; the deploy repository where left out, and needed where there is none.")
    ] = None
    branch: Annotated[str, BRANCH, Meta("Its branch.")] = "ledger"


@record(frozen=True, kw_only=True)
class Releases:
    """Which commits become releases. All others, and pull requests, are checked and packaged, and go nowhere."""

    branches: Annotated[tuple[Annotated[str, GLOB], ...], Meta("Branches whose commits are released.")] = (
        "main",
        "master",
    )
    tags: Annotated[tuple[Annotated[str, GLOB], ...], Meta("Version tags (v1.2.3) that are released.")] = ("*",)


@record(frozen=True, kw_only=True)
class Approvals:
    """What an approval must be, beyond being one of the approvers'."""

    four_eyes: Annotated[
        bool, Meta("Whether who asked for the promotion, or wrote the release's commit, cannot approve it.")
    ] = False


@record(frozen=True, kw_only=True)
class Freeze:
    """A time in which nothing is deployed."""

    start: Annotated[str, Meta("Its start (ISO 8601, with a zone).", key="from", example="2026-12-20T00:00:00Z")]
    end: Annotated[str, Meta("Its end (ISO 8601, with a zone).", key="to", example="2027-01-02T00:00:00Z")]
    why: Annotated[str, Meta("Shown to whoever it stops.")]


@record(frozen=True, kw_only=True)
class Environment:
    """A place that releases are deployed to."""

    model: Annotated[Literal["argocd", "flux", "helm"], Meta("The delivery model.")]
    after: Annotated[Name, Meta("The environment that a release must be verified in before; `ci` for the first.")]
    health_url: Annotated[
        str,
        URL,
        Meta(
            "The app's base URL; {app}, {project} and {environment} are filled in.", example="https://{app}.dev.local"
        ),
    ]
    promotion: Annotated[Literal["automatic", "manual"], Meta("Who brings releases here: `deliver` or a person.")] = (
        "automatic"
    )
    approvers: Annotated[
        tuple[Annotated[str, PERSON], ...], Meta("Who may promote to it, users or `groups`; anybody where empty.")
    ] = ()
    approvals: Annotated[Approvals | None, Meta("Instead of the platform's `approvals`, for this environment.")] = None
    approval_valid: Annotated[Duration, Meta("How long an approval counts that was not used yet.")] = "24h"
    tests: Annotated[tuple[Name, ...], Meta("Tests of cd.yaml that must pass here.")] = ()
    timeout: Annotated[Duration, Meta("How long a version may take to come up.")] = "10m"
    settle: Annotated[Duration, Meta("How long it must stay up before it counts.")] = "5s"
    on_failure: Annotated[Literal["keep", "rollback"], Meta("What happens to a version that fails.")] = "keep"
    freeze: Annotated[tuple[Freeze, ...], Meta("Times in which nothing is deployed.")] = ()
    helm: Annotated[HelmTarget, Meta("Where the model `helm` pushes to.")] = field(default_factory=HelmTarget)
    argocd: Annotated[ArgoCdTarget, Meta("How the model `argocd` syncs.")] = field(default_factory=ArgoCdTarget)


@record(frozen=True, kw_only=True)
class Defaults:
    """What holds for every app that does not say otherwise: the layer below cd.yaml."""

    ci: Annotated[CiConfig, Meta("As `ci` of cd.yaml.")] = field(default_factory=CiConfig)
    package: Annotated[PackageConfig, Meta("As `package` of cd.yaml.")] = field(default_factory=PackageConfig)
    health: Annotated[HealthConfig, Meta("As `health` of cd.yaml.")] = field(default_factory=HealthConfig)


@record(frozen=True, kw_only=True)
class PlatformFile:
    """platform.yaml: what the platform team says for all apps. cd.yaml cannot override it, but for `defaults`."""

    registry: Annotated[Registry, Meta("Images and charts.")]
    deploy_repository: Annotated[
        DeployRepository | None, Meta("What runs where; may be left out where every environment has the model `helm`.")
    ] = None
    environments: Annotated[Mapping[Name, Environment], Meta("The environments, by name.")]
    ledger: Annotated[Ledger, Meta("The record of releases and deployments.")] = field(default_factory=Ledger)
    releases: Annotated[Releases, Meta("What is released.")] = field(default_factory=Releases)
    apps: Annotated[
        Mapping[
            Annotated[str, APP_KEY],
            Annotated[
                tuple[Annotated[str, GIT_URL], ...],
                Meta(
                    "Git URLs that releases of the app come from; {app}, {project} and * are filled in.",
                    expected="a Git URL or a list of them",
                    single=True,
                ),
            ],
        ],
        Meta("Where each app's releases come from; the source of its first release where left out."),
    ] = field(default_factory=dict)
    approvals: Annotated[Approvals, Meta("What an approval must be.")] = field(default_factory=Approvals)
    groups: Annotated[Mapping[Name, tuple[Annotated[str, PERSON], ...]], Meta("Groups of approvers, by name.")] = field(
        default_factory=dict
    )
    argocd: Annotated[ArgoCd, Meta("The Argo CD server.")] = field(default_factory=ArgoCd)
    jenkins: Annotated[Jenkins, Meta("The Jenkins server and its jobs.")] = field(default_factory=Jenkins)
    defaults: Annotated[Defaults, Meta("Defaults of all apps.")] = field(default_factory=Defaults)

    @property
    def declared_in(self) -> DeployRepository:
        """Return the deploy repository. Raises BadInput where there is none: then everything is pushed with Helm."""
        from jenkins_cd.errors import BadInput

        if self.deploy_repository is None:
            raise BadInput(
                "there is no deploy repository: every environment is pushed to with the values in the app's chart",
                "add `deploy_repository: {url: …}` to the platform file",
            )
        return self.deploy_repository


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """Return a checked duration such as `10m` in seconds."""
    digits = duration.rstrip("msh")
    return int(digits) * _UNITS[duration[len(digits) :]]
