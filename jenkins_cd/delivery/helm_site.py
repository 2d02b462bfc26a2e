"""Where Helm pushes a release to: the place, what we may do there, and what the chart would be there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.cluster import access
from jenkins_cd.cluster.access import Access
from jenkins_cd.config.types import HelmTarget, seconds
from jenkins_cd.delivery import Target, charts, dangers, manifests
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.model import Release
from jenkins_cd.tools import helm, helm_release, kubeconfig, kubernetes, kubernetes_kinds
from jenkins_cd.tools.helm_release import Installed, Place, Rendered

SPARE = 120.0  # seconds that an access lasts beyond what is waited for


@dataclass(frozen=True, kw_only=True)
class Site:
    """One app's release in one environment, with an access that lasts as long as the block of `opened`."""

    target: Target
    release: Release
    access: Access
    place: Place

    @property
    def rules(self) -> HelmTarget:
        """Return what the platform file says of this environment."""
        return self.target.environment.helm

    @property
    def timeout(self) -> float:
        """Return how many seconds a version may take to come up, and each of its hooks to end."""
        return seconds(self.target.environment.timeout)

    def tell(self, phase: str, text: str) -> None:
        """Tell whoever watches."""
        self.target.progress.note(f"{self.target.name} {phase}", text)

    def check(self, files: Mapping[str, bytes]) -> None:
        """Raise BadInput or Refused where the chart that the files are may not be pushed here."""
        with charts.unpacked(files, self.release, self.target.platform.registry.plain_http) as chart:
            self.rendered(chart)

    def rendered(self, chart: Path, pending: bool = False) -> Rendered:
        """Return what an upgrade to a chart would apply; Helm cannot ask the cluster for that of a `pending` release.

        Raises Refused where that is more than the platform file allows, BadInput where it does not render.
        """
        with ThreadPoolExecutor(1) as pool:
            crds = pool.submit(helm_release.crds, chart)
            try:
                rendered = self._template(chart) if pending else helm_release.dry_run(self.place, chart)
            except (BadInput, Refused):  # Helm looks for each object, also where we may not look, before it shows any
                self._without_dangers(self._template(chart), crds.result())
                raise
        self._without_dangers(rendered, crds.result())
        return rendered

    def _template(self, chart: Path) -> Rendered:
        return manifests.parted(helm.template(chart, self.place.name, self.place.namespace))

    def _without_dangers(self, rendered: Rendered, crds: str) -> None:
        dangers.check(
            [*manifests.of(rendered), *manifests.objects(crds)],
            what=f"{self.release.app} {self.release.version} for {self.target.name}",
            namespace=self.place.namespace,
            account=self.rules.service_account,
            allow=self.rules.allow,
            namespaced=self.namespaced,
        )

    def namespaced(self, api_version: str, kind: str) -> bool | None:
        """Tell whether objects of a kind live in a namespace; None where the cluster does not know the kind."""
        try:
            return kubernetes_kinds.find(self.access.cluster, api_version, kind).namespaced
        except kubernetes.Absent:
            return None

    def lacks_namespace(self) -> bool:
        """Tell whether the namespace has to be made, and may be."""
        if not self.rules.create_namespace:
            return False
        try:
            return kubernetes.get(self.access.cluster, f"/api/v1/namespaces/{self.place.namespace}") is None
        except Refused:
            return False  # an account of the namespace may not look: it is there

    def status(self) -> Installed | None:
        """Return what runs now, as Helm knows it; None also where only the history of it is left."""
        found = helm_release.status(self.place)
        return found if found and found.status != "uninstalled" else None


@contextlib.contextmanager
def opened(target: Target, release: Release) -> Iterator[Site]:
    """Give access to where a release goes, for the length of the block. Raises what `access.granted` raises."""
    rules = target.environment.helm
    names = {"app": release.app, "project": release.project, "environment": target.name}
    namespace = rules.namespace.format(**names)
    lasting = max(seconds(rules.session), seconds(target.environment.timeout) + SPARE)
    given = access.granted(kubeconfig.locate(), rules.context, namespace, rules.service_account, lasting)
    with given as granted:
        place = Place(name=rules.release.format(**names), namespace=namespace, kubeconfig=granted.kubeconfig)
        yield Site(target=target, release=release, access=granted, place=place)
