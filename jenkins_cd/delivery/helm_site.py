"""Where Helm pushes a release to: the place, what we may do there, and what the chart would be there."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from jenkins_cd.cluster import access
from jenkins_cd.cluster.access import Access
from jenkins_cd.config.types import HelmTarget, seconds
from jenkins_cd.delivery import Target, charts, dangers, keeping, manifests, pending
from jenkins_cd.errors import BadInput, Refused
from jenkins_cd.gitops import image_names
from jenkins_cd.model import Release
from jenkins_cd.tools import helm, helm_release, kubeconfig, kubernetes, kubernetes_kinds
from jenkins_cd.tools.helm_release import Busy, Installed, Place, Rendered
from jenkins_cd.tools.kubernetes import Cluster

SPARE = 120.0  # seconds that an access lasts beyond what is waited for; half of it may be gone when a phase begins
CHECKS_FIELDS = (1, 27)  # the version of Kubernetes from which on the server checks fields, always

Mark = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class _Seen:
    now: Installed
    mark: Mark


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

    def check(self, files: Mapping[str, bytes]) -> None:
        """Raise BadInput or Refused where the chart that the files are may not be pushed here."""
        with self.chart(files) as chart:
            self.rendered(chart)

    def chart(self, files: Mapping[str, bytes]) -> AbstractContextManager[Path]:
        """Give the folder of the chart that the files are, with its dependencies: one folder as long as one process.

        Raises what `charts.unpacked` raises.
        """
        key = ("chart", self.release.chart, self.release.version, tuple(sorted(files.items())))
        plain_http = self.target.platform.registry.plain_http
        return keeping.opened(key, lambda: charts.unpacked(files, self.release, plain_http))

    def rendered(self, chart: Path, *, to_look_at: bool = False) -> Rendered:
        """Return what an upgrade to a chart would apply.

        Raises Refused where that is more than the platform file allows, BadInput where it does not render, and Busy for
        a pending release: of that Helm asks the cluster nothing. `to_look_at`, it is rendered without the cluster then.
        """
        crds = helm_release.crds(chart)
        try:
            rendered = self._dry_run(chart, to_look_at)
        except (BadInput, Refused):  # Helm looks for each object, also where we may not look, before it shows any
            self._without_dangers(self._template(chart), crds)
            raise
        self._without_dangers(rendered, crds)
        keeping.remember(self._key(chart), rendered)
        return rendered

    def rendered_for(self, chart: Path, now: Installed | None) -> Rendered:
        """Return what `rendered` does: what it has said in this process already, where the release is as it was then.

        `chart` is a folder of `chart`, which nobody changes. What was kept has been looked through for dangers.
        """
        kept = keeping.remembered(self._key(chart), Rendered)
        if kept and kept.revision == (now.revision if now else 0) + 1:
            return kept
        return self.rendered(chart)

    def _key(self, chart: Path) -> tuple[str, Path, str, str, str]:
        return "rendered", chart, self.access.cluster.server, self.place.namespace, self.place.name

    def _dry_run(self, chart: Path, to_look_at: bool) -> Rendered:
        try:
            return helm_release.dry_run(self.place, chart)
        except Busy:
            if to_look_at:
                return self._template(chart)  # of no revision: nothing is applied on its account
            raise

    def _template(self, chart: Path) -> Rendered:
        return manifests.parted(helm.template(chart, self.place.name, self.place.namespace))

    def _without_dangers(self, rendered: Rendered, crds: str) -> None:
        if self.release.image:
            image_names.check(self.release.image.repository, "\n".join([rendered.manifest, *rendered.hooks]))
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
        found = pending.status(self.place)
        return found if found and found.status != "uninstalled" else None

    def look(self) -> tuple[Installed | None, Mark]:
        """Return what `status` does, and the mark of before that."""
        mark = self._mark()
        return self.status(), mark

    def seen(self, now: Installed | None, mark: Mark) -> Installed | None:
        """Remember what a look has shown, for `as_seen`, and return it."""
        if now and mark and not now.pending:
            keeping.remember(("seen", self.place), _Seen(now, mark))
        return now

    def as_seen(self) -> Installed | None:
        """Return what was seen last in this process, if Helm has written nothing of the release since; else None."""
        last = keeping.remembered(("seen", self.place), _Seen)
        return last.now if last and last.mark == self._mark() else None

    def _mark(self) -> Mark:
        """Return what is another one once Helm has written anything of the release; empty where that cannot be seen.

        Helm keeps each revision in a Secret: https://helm.sh/docs/topics/advanced/#storage-backends.
        """
        path = f"/api/v1/namespaces/{self.place.namespace}/secrets"
        try:
            found = kubernetes.list_(
                self.access.cluster, path, labelSelector=f"owner=helm,name={self.place.name},status!=superseded"
            )
        except Refused:
            return frozenset()
        return frozenset((one["metadata"]["uid"], one["metadata"]["resourceVersion"]) for one in found.items)


@contextlib.contextmanager
def opened(target: Target, release: Release) -> Iterator[Site]:
    """Give access to where a release goes, for the length of the block, or of the deployment where that is one process.

    Raises what `access.granted` raises.
    """
    rules = target.environment.helm
    names = {"app": release.app, "project": release.project, "environment": target.name}
    namespace = rules.namespace.format(**names)
    needed = target.timeout + SPARE
    asked = kubeconfig.locate(), rules.context, namespace, rules.service_account, max(seconds(rules.session), needed)
    given = keeping.opened(
        ("access", *asked), lambda: access.granted(*asked), lambda kept: kept.lasts(needed - SPARE / 2)
    )
    with given as granted:
        place = Place(
            name=rules.release.format(**names),
            namespace=namespace,
            kubeconfig=granted.kubeconfig,
            checks_fields=_checks_fields(granted.cluster),
        )
        yield Site(target=target, release=release, access=granted, place=place)


@functools.lru_cache(maxsize=4)
def _checks_fields(cluster: Cluster) -> bool:
    """Tell whether the server checks the fields of what it is sent, so that nobody has to do so before it.

    https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation
    """
    try:
        found = kubernetes.get(cluster, "/version") or {}
    except Refused:
        return False
    said = re.match(r"(\d+) (\d+)", f"{found.get('major')} {found.get('minor')}")  # 33 may be told as "33+"
    return said is not None and (int(said[1]), int(said[2])) >= CHECKS_FIELDS
