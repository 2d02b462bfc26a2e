"""A shop with three published versions of one app, and a cluster that runs what the deploy repository declares."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from jenkins_cd import deploy as room
from jenkins_cd import deploy_steps
from jenkins_cd.attempt import Request
from jenkins_cd.config.types import DeployRepository, Environment, PlatformFile, Registry
from jenkins_cd.demo import services
from jenkins_cd.deploy import Done
from jenkins_cd.gitops.ledger import Ledger
from jenkins_cd.gitops.repository import Repository
from jenkins_cd.model import Release
from tests.delivery.app import App
from tests.delivery.progress import Notes
from tests.gitops.remotes import bare, git
from tests.gitops.samples import release

VERSIONS = ("1.3.0", "1.4.0", "1.5.0")
STEPS = tuple(deploy_steps.STAGES)
PLACE = "{}/shop/storefront"
CD = """\
app: storefront
project: shop
tests:
  smoke: {run: 'echo "$APP_URL $APP_VERSION $ENVIRONMENT" > seen; test "$APP_VERSION" != 1.5.0 || exit 3'}
"""


class Cluster:
    """Runs what the deploy repository declares for dev, but for the versions that are broken: they answer 500."""

    def __init__(self, remote: Path, app: App) -> None:
        self.remote = remote
        self.app = app
        self.broken: set[str] = set()
        self.environment = "dev"  # the one that the app answers for
        app.answers = self._answers()

    def _answers(self) -> Iterator[tuple[int, str]]:
        while True:
            version = self.declared(self.environment)
            yield (500, "it does not start") if version in self.broken else (200, json.dumps({"version": version}))

    def declared(self, environment: str = "dev") -> str | None:
        repository = Repository.open(str(self.remote))
        chart = repository.read(repository.tip("main") or "", f"{PLACE.format(environment)}/Chart.yaml")
        return yaml.safe_load(chart)["version"] if chart else None


@dataclass
class Shop:
    """The app's releases, where they go, and what runs."""

    folder: Path
    remote: Path  # the deploy repository, with the ledger
    cluster: Cluster
    platform: PlatformFile
    releases: dict[str, Release] = field(default_factory=dict)

    @property
    def ledger(self) -> Ledger:
        """Return the ledger as somebody reads it who remembers nothing."""
        return Ledger.open(self.platform)

    def request(self, version: str, environment: str = "dev", **more: Any) -> Request:
        asked = {"app": "storefront", "requested_by": "jane", "build_url": "https://jenkins.local/job/7", **more}
        return Request(version=version, environment=environment, **asked)

    def deploy(self, version: str, environment: str = "dev", *, approver: str | None = None, **more: Any) -> Done:
        """Deploy in one go."""
        self.cluster.environment = environment
        request = self.request(version, environment, approver=approver)
        return room.deploy(self.platform, request, self.folder / "out", Notes(), **more)

    def step(self, name: str, version: str, environment: str = "dev", **more: Any) -> Done:
        """Run one step of a deployment, as a process of its own would: nothing is handed on but the results folder."""
        self.cluster.environment = environment
        asked = self.request(version, environment, **more)
        return deploy_steps.run(name, self.platform, asked, self.folder / "out", Notes())

    def steps(self, version: str, environment: str = "dev", *, names: tuple[str, ...] = STEPS) -> Done:
        """Run several steps in a row; returns what came of the last."""
        return [self.step(name, version, environment) for name in names][-1]

    def change(self, environment: str, **rules: Any) -> None:
        """Change the rules of an environment."""
        changed = replace(self.platform.environments[environment], **rules)
        environments = {**self.platform.environments, environment: changed}
        self.platform = replace(self.platform, environments=environments)

    def refs(self) -> str:
        """Return what would differ had anything been written to the deploy repository or the ledger."""
        return git(self.remote, "for-each-ref")

    def file(self) -> Path:
        """Write the platform file and return it, for those who start programs."""
        registry, dev = self.platform.registry, self.platform.environments["dev"]
        rules = {"model": "flux", "health_url": dev.health_url, "settle": "50ms", "timeout": "5s"}
        content = {
            "registry": {"images": registry.images, "charts": registry.charts, "plain_http": True},
            "deploy_repository": {"url": str(self.remote)},
            "groups": {"release-managers": ["mia"]},
            "environments": {
                "dev": {**rules, "after": "ci", "tests": ["smoke"], "on_failure": "rollback"},
                "prod": {**rules, "after": "dev", "promotion": "manual", "approvers": ["ops", "release-managers"]},
            },
        }
        place = self.folder / "platform.yaml"
        place.write_text(yaml.safe_dump(content), encoding="utf-8")
        return place


@contextlib.contextmanager
def opened(folder: Path, registry: services.Registry, charts: str) -> Iterator[Shop]:
    """Set the shop up in an empty folder; `charts` is the repository that holds the charts of VERSIONS."""
    remote, app = bare(folder / "deploy.git", {"README.md": b"What runs where.\n"}), App()
    rules: dict[str, Any] = {"model": "flux", "health_url": app.url, "settle": "50ms", "timeout": "3s"}
    people: dict[str, Any] = {"promotion": "manual", "approvers": ("ops", "release-managers")}
    platform = PlatformFile(
        registry=Registry(images=f"{registry.host}/apps", charts=f"oci://{registry.host}/charts", plain_http=True),
        deploy_repository=DeployRepository(url=str(remote)),
        groups={"release-managers": ("mia",)},
        environments={
            "dev": Environment(after="ci", tests=("smoke",), on_failure="rollback", **rules),
            "prod": Environment(after="dev", **people, **rules),
        },
    )
    shop = Shop(folder, remote, Cluster(remote, app), platform)
    try:
        _publish(shop, charts)
        yield shop
    finally:
        app.stop()


def _publish(shop: Shop, charts: str) -> None:
    source = bare(shop.folder / "app.git", {"cd.yaml": CD.encode()})
    commit = git(source, "rev-parse", "main").strip()
    for version in VERSIONS:
        one = release(version, commit=commit, source=str(source))
        shop.releases[version] = replace(one, chart=replace(one.chart, repository=charts, content=""))
        shop.ledger.publish(shop.releases[version])
