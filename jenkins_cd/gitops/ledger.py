"""The ledger: releases, deployments and their verdicts, approvals. One JSON file a record on a branch of its own.

    releases/<project>/<app>/<version>.json
    deployments/<environment>/<project>/<app>/<id>.json
    approvals/<environment>/<project>/<app>/<id>.json
    begun/<environment>/<project>/<app>/<id>.json

Records are only ever added, each with an ID that sorts after those of the app that were there. An app is named
`storefront`, or `shop/storefront` where two projects have one so named.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TypeVar

from jenkins_cd import results
from jenkins_cd.config.types import NAME, VERSION, Meta, PlatformFile
from jenkins_cd.errors import BadInput, GateFailed, Refused
from jenkins_cd.gitops import order, sources
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.masking import excerpt, mask
from jenkins_cd.model import Approval, Begun, Deployment, Release
from jenkins_cd.versions import newest, valid

T = TypeVar("T", Release, Deployment, Approval, Begun)
R = TypeVar("R", Deployment, Approval, Begun)
FRESH = 2.0  # seconds that the records are not fetched anew for; writing always starts from the newest
_ID = Meta(pattern=r"[0-9A-Za-z][0-9A-Za-z._-]*", max_length=100, expected="letters, digits, dots and dashes")


@dataclass
class Ledger:
    """The records in one branch of a repository."""

    repository: Repository
    branch: str
    apps_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # `apps` of the platform file
    _view: View | None = field(default=None, repr=False)
    _fetched: float = field(default=0.0, repr=False)

    @classmethod
    def open(cls, platform: PlatformFile) -> Ledger:
        """Return the platform's ledger. Nothing is fetched yet."""
        url = platform.ledger.url or platform.declared_in.url
        return cls(Repository.open(url), platform.ledger.branch, platform.apps)

    def apps(self) -> list[str]:
        """Return the apps that were released, sorted; with their project where the name alone is not enough."""
        places = self._places()
        names = [name for _, name in places]
        return sorted(name if names.count(name) == 1 else f"{project}/{name}" for project, name in places)

    def project(self, app: str) -> str | None:
        """Return the project that `app` belongs to, or None for an unknown app."""
        place = self._place(app)
        return place[0] if place else None

    def release(self, app: str, version: str) -> Release | None:
        """Return what was published as `version` of `app`, or None. Raises GateFailed for an unreadable record."""
        place = self._place(app)
        if place is None or not valid(version):
            return None
        path = f"releases/{'/'.join(place)}/{version}.json"
        content = self._now().read(path)
        return None if content is None else _decode(content, Release, path)

    def versions(self, app: str) -> list[str]:
        """Return the versions of `app` that were published, newest first (by SemVer)."""
        place = self._place(app)
        if place is None:
            return []
        stems = [_stem(path) for path in self._now().list(f"releases/{'/'.join(place)}/")]
        return newest([version for version in stems if valid(version)])

    def publish(self, release: Release) -> bool:
        """Add a release. Returns False where the same content (image, chart, commit) is there already.

        Raises Refused where other content was published as that version (a version means one thing for ever), and where
        the app's releases come from another source.
        """
        _check(VERSION, version=release.version)
        path = f"releases/{_folder(release)}/{release.version}.json"
        added = False

        def change(view: View) -> Mapping[str, bytes]:
            nonlocal added
            present = view.read(path)
            added = present is None
            if present is not None:
                _same_content(_decode(present, Release, path), release)
                return {}
            self._check_source(release, lambda: view)
            return {path: _encode(release)}

        self._write(f"Publish {release.app} {release.version}", change)
        return added

    def check_source(self, release: Release) -> None:
        """Return if the release comes from its app's own source. Raises Refused where it comes from another."""
        self._check_source(release, self._now)

    def check_tags(self, release: Release) -> None:
        """Raise Refused where another app has published what this release would push: the same chart or image."""
        view, own, ours = self._now(), f"releases/{_folder(release)}/", _pushed(release)
        paths = [path for path in view.list("releases/") if _stem(path) == release.version and not path.startswith(own)]
        for path, content in view.read_all(paths).items():
            other = _decode(content, Release, path)
            if both := ours & _pushed(other):
                what = f"{min(both)}:{release.version} is what {other.project}/{other.app} has published"
                hint = "give the app, or its chart, a name of its own"
                raise Refused(f"{what}: it is not for {release.project}/{release.app}", hint)

    def record(self, deployment: Deployment) -> Deployment:
        """Add a deployment, whatever its outcome; returns it with its ID. Recording it twice changes nothing."""
        subject = f"{deployment.app} {deployment.version} in {deployment.environment}: {deployment.outcome}"
        return self._add("deployments", deployment, f"Record {subject}")

    def approve(self, approval: Approval) -> Approval:
        """Add an approval; returns it with its ID. Recording it twice changes nothing."""
        subject = f"{approval.app} {approval.version} for {approval.environment} by {approval.approver}"
        return self._add("approvals", approval, f"Approve {subject}")

    def begin(self, begun: Begun) -> Begun:
        """Add that a deployment is about to be applied; returns it with its ID. Recording it twice changes nothing."""
        subject = f"{begun.app} {begun.version} in {begun.environment}"
        return self._add("begun", begun, f"Begin {subject}")

    def begun(self, app: str, environment: str) -> Begun | None:
        """Return the newest deployment of `app` to `environment` that was begun and never recorded, or None."""
        newest = next(self._records("begun", Begun, app, environment), None)
        latest = self.latest(app, environment)
        return None if newest and latest and order.key(latest.id) >= order.key(newest.id) else newest

    def begun_as(self, app: str, environment: str, id_: str) -> Begun | None:
        """Return what was begun under an ID, whatever became of it, or None."""
        return self._one("begun", Begun, app, environment, id_)

    def deployment(self, app: str, environment: str, id_: str) -> Deployment | None:
        """Return the deployment that was recorded under an ID, or None."""
        return self._one("deployments", Deployment, app, environment, id_)

    def approval(self, app: str, environment: str, id_: str) -> Approval | None:
        """Return the approval that was recorded under an ID, or None."""
        return self._one("approvals", Approval, app, environment, id_)

    def approvals(self, app: str, environment: str) -> list[Approval]:
        """Return the approvals of `app` for an environment, newest first."""
        return list(self._records("approvals", Approval, app, environment))

    def deployments(self, app: str, environment: str | None = None) -> list[Deployment]:
        """Return the deployments of `app`, to one environment or to all, newest first."""
        return list(self._deployments(app, environment))

    def latest(self, app: str, environment: str) -> Deployment | None:
        """Return the last deployment of `app` to `environment`, whatever its outcome, or None."""
        return next(self._deployments(app, environment), None)

    def verified(self, app: str, environment: str, before: str = "") -> Deployment | None:
        """Return the last deployment or rollback of `app` in `environment` that was verified, or None.

        With `before`, an ID, those are meant that were begun before it.
        """
        known = (one for one in self._deployments(app, environment) if one.outcome == "verified")
        return next((one for one in known if not before or order.key(one.id) < order.key(before)), None)

    def _deployments(self, app: str, environment: str | None) -> Iterator[Deployment]:
        return self._records("deployments", Deployment, app, environment)

    def _records(self, kind: str, type_: type[T], app: str, environment: str | None) -> Iterator[T]:
        """Read newest first, and no more than is asked for: a few at a time."""
        place, view = self._place(app), self._now()
        if place is None or (environment is not None and not re.fullmatch(NAME.pattern, environment)):
            return
        listed = view.list(f"{kind}/{environment}/{'/'.join(place)}/" if environment else f"{kind}/")
        paths = [path for path in listed if tuple(path.split("/")[2:4]) == place]
        paths.sort(key=lambda path: order.key(_stem(path)), reverse=True)
        size, start = 4, 0
        while start < len(paths):
            batch = view.read_all(paths[start : start + size])
            yield from (_decode(batch[path], type_, path) for path in paths[start : start + size])
            start, size = start + size, size * 8

    def _one(self, kind: str, type_: type[T], app: str, environment: str, id_: str) -> T | None:
        place = self._place(app)
        if place is None or not re.fullmatch(NAME.pattern, environment) or not re.fullmatch(_ID.pattern, id_):
            return None
        path = f"{kind}/{environment}/{'/'.join(place)}/{id_}.json"
        content = self._now().read(path)
        return None if content is None else _decode(content, type_, path)

    def _add(self, kind: str, record: R, message: str) -> R:
        """Add a record; one that is to be the next gets an ID that follows all of its app's that are there by then.

        Where one is there under its ID already, that one stays as it is, and is returned.
        """
        added, token = record, secrets.token_hex(4)

        def change(view: View) -> Mapping[str, bytes]:
            nonlocal added
            if record.id == order.NEXT:
                id_ = order.following(_ids(view, record), datetime.now(timezone.utc), token)
                added = replace(record, id=id_)
            path = _path(kind, added)
            present = view.read(path)
            if present is not None:
                added = _decode(present, type(record), path)
                return {}
            return {path: _encode(added)}

        self._write(message, change)
        return added

    def _check_source(self, release: Release, newest: Callable[[], View]) -> None:
        """Raise Refused unless the release's source is bound to its app, or that of the app's first release."""
        bound = sources.bound(self.apps_from, release.project, release.app)
        if bound is not None:
            if not sources.among(release.source, bound):
                _refuse_source(release, f"the platform file binds it to {' or '.join(map(mask, bound)) or 'nothing'}")
            return
        folder, view = f"releases/{_folder(release)}/", newest()
        paths = [path for path in view.list(folder) if path.endswith(".json")]
        known = {path: _decode(content, Release, path).source for path, content in view.read_all(paths).items()}
        if all(sources.same(source, release.source) for source in known.values()):
            return
        added = self.repository.added(view.commit or "", folder) if len(known) > 1 else ()
        first = next((known[path] for path in added if path in known), next(iter(known.values())))
        if not sources.same(first, release.source):
            _refuse_source(release, f"its first release came from {mask(first)}")

    def _now(self) -> View:
        """Return the records as they are now, or were a moment ago."""
        if self._view is None or time.monotonic() - self._fetched > FRESH:
            self._view, self._fetched = self.repository.view(self.repository.tip(self.branch)), time.monotonic()
        return self._view

    def _write(self, message: str, change: Callable[[View], Mapping[str, bytes]]) -> None:
        commit = self.repository.commit(self.branch, message, change)
        self._view, self._fetched = self.repository.view(commit or None), time.monotonic()

    def _places(self) -> list[tuple[str, str]]:
        """Return project and name of every app that has a release."""
        folders = {tuple(path.split("/")[1:3]) for path in self._now().list("releases/") if path.count("/") == 3}
        return sorted((project, name) for project, name in folders)

    def _place(self, app: str) -> tuple[str, str] | None:
        """Return project and name of `app`, given alone or with its project. Raises BadInput where two have it."""
        project, _, name = app.rpartition("/")
        found = [place for place in self._places() if place[1] == name and project in ("", place[0])]
        if len(found) > 1:
            choice = " or ".join("/".join(place) for place in found)
            raise BadInput(f"{len(found)} projects have an app {app!r}", f"name it with its project: {choice}")
        return found[0] if found else None


def _same_content(published: Release, release: Release) -> None:
    """Raise Refused unless both releases are the same image, chart and commit."""
    differences = [
        f"{what}: published {ours or 'none'}, now {theirs or 'none'}"
        for what, ours, theirs in zip(("image", "chart", "commit"), _content(published), _content(release), strict=True)
        if ours != theirs
    ]
    if differences:
        raise Refused(
            f"{release.app} {release.version} is published already, with other content\n" + "\n".join(differences),
            "a published version never changes: commit and release the next version",
        )


def _content(release: Release) -> tuple[str, str, str]:
    return release.image.content if release.image else "", release.chart.content, release.commit


def _refuse_source(release: Release, why: str) -> None:
    app = f"{release.project}/{release.app}"
    raise Refused(
        f"{app} {release.version} comes from {mask(release.source)} (commit {release.commit[:12]}),"
        f" which is not where releases of {app} come from: {why}",
        f"if it may come from there, the platform team says so in the platform file: apps: {{{app}: [URL, …]}}",
    )


def _pushed(release: Release) -> set[str]:
    image = {release.image.repository} if release.image else set()
    return {f"{release.chart.repository.removeprefix('oci://')}/{release.chart.name}"} | image


def _ids(view: View, record: Deployment | Approval | Begun) -> list[str]:
    """Return the IDs of all deployments and approvals of the record's app, in every environment."""
    place = (record.project, record.app)
    kinds = ("deployments", "begun", "approvals")
    paths = [path for kind in kinds for path in view.list(f"{kind}/") if tuple(path.split("/")[2:4]) == place]
    return [_stem(path) for path in paths]


def _path(kind: str, record: Deployment | Approval | Begun) -> str:
    _check(NAME, environment=record.environment)
    _check(_ID, id=record.id)
    return f"{kind}/{record.environment}/{_folder(record)}/{record.id}.json"


def _folder(record: Release | Deployment | Approval | Begun) -> str:
    _check(NAME, project=record.project, app=record.app)
    return f"{record.project}/{record.app}"


def _check(meta: Meta, **values: str) -> None:
    for what, value in values.items():
        if not re.fullmatch(meta.pattern, value) or len(value) > meta.max_length:
            raise BadInput(f"{excerpt(value, 100)!r} is no {what} for the ledger: expected {meta.expected}")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")


def _encode(record: Release | Deployment | Approval | Begun) -> bytes:
    """Return a record as indented JSON. What people or programs said in it may hold a secret: it is masked."""
    return (results.to_json(record) + "\n").encode()


def _decode(content: bytes, kind: type[T], path: str) -> T:
    import msgspec

    try:
        record = msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError as error:
        raise GateFailed(f"the ledger's {path} cannot be read: {error}", "correct or remove that file") from error
    if _place_of(record) != path.split("/")[1:]:
        raise GateFailed(f"the ledger's {path} is a record of something else", "correct or remove that file")
    return record


def _place_of(record: Release | Deployment | Approval | Begun) -> list[str]:
    """Return what the path of a record says beside its kind."""
    if isinstance(record, Release):
        return [record.project, record.app, f"{record.version}.json"]
    return [record.environment, record.project, record.app, f"{record.id}.json"]
