"""Helm 3 and 4 on a cluster: install, upgrade, roll back and uninstall releases, and what Helm knows of them.

Flags differ by major version (https://helm.sh/docs/helm/helm_upgrade/ and its neighbours). Which cluster, as whom and
in which namespace is said by flags alone: what the environment says of that to Helm is not heard.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote_plus

from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import mask
from jenkins_cd.tools import answers, helm, helm_failures, leftovers, process
from jenkins_cd.tools.helm_failures import Busy as Busy
from jenkins_cd.tools.helm_failures import HookFailed as HookFailed

HISTORY = 10  # revisions that are kept
TIMEOUT = 120.0  # seconds for what waits for nothing in the cluster
GRACE = 60.0  # seconds beyond its own timeout, in which Helm writes down how it ended
LABELS = "JENKINS_CD_LABELS"
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
_FOREIGN = """
    HELM_KUBEAPISERVER HELM_KUBEASGROUPS HELM_KUBEASUSER HELM_KUBECAFILE HELM_KUBECONTEXT
    HELM_KUBEINSECURE_SKIP_TLS_VERIFY HELM_KUBETLS_SERVER_NAME HELM_KUBETOKEN HELM_NAMESPACE
"""
_DEAF = dict.fromkeys(_FOREIGN.split(), "")
# Each value is URL-encoded: Helm's templates have no JSON, and a manifest has lines of its own.
_TEMPLATE = """\
revision {{.Release.Version}}
status {{.Release.Info.Status}}
description {{urlquery .Release.Info.Description}}
deployed {{.Release.Info.LastDeployed.Unix}}
chart {{urlquery .Release.Chart.Metadata.Name}}
version {{urlquery .Release.Chart.Metadata.Version}}
manifest {{urlquery .Release.Manifest}}
{{range .Release.Hooks}}hook {{urlquery .Manifest}}
{{end}}{{range $key, $value := .Release.Labels}}label {{urlquery $key}} {{urlquery $value}}
{{end}}"""
_APPLY_METHOD = "method {{.Release.ApplyMethod}}\n"  # Helm 4 alone knows it


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a release is: its name, its namespace, and the kubeconfig of who works on it.

    `checks_fields`: the API server itself checks the fields of objects. Helm then asks it for all its schemas only to
    see that, and checks nothing; it takes a quarter of a second each time, and is told not to.
    """

    name: str
    namespace: str
    kubeconfig: Path
    checks_fields: bool = False


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a chart makes of its values: the manifest (YAML documents), and the hooks that are not part of it."""

    manifest: str
    hooks: tuple[str, ...] = ()
    revision: int = 0  # that it is, or would be; 0: nobody knows


@dataclass(frozen=True, kw_only=True)
class Installed(Rendered):
    """One revision of a release."""

    revision: int
    status: str  # deployed, superseded, failed, uninstalled, or one of PENDING
    description: str
    deployed: datetime  # UTC; when it began
    chart: str
    version: str  # the chart's
    labels: Mapping[str, str] = field(default_factory=dict)
    server_side: bool = False  # applied by the server (Helm 4)

    @property
    def pending(self) -> bool:
        """Tell whether somebody is at work on it, or was when he was stopped."""
        return self.status in PENDING


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One line of a release's history."""

    revision: int
    status: str
    chart: str  # name-version
    description: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an upgrade does beside applying the chart."""

    description: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 300.0  # seconds that each hook may take
    hooks: bool = True
    create_namespace: bool = False
    force_conflicts: bool = False  # take over what others have set on the server; only for what the server applies


@dataclass(frozen=True)
class Work:
    """Helm at work in the background. `stop` lets it write down that it was stopped."""

    service: process.Service
    log: Path
    what: str

    @property
    def running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self.service.exit_code is None

    @property
    def succeeded(self) -> bool:
        """Tell whether it has ended well."""
        return self.service.exit_code == 0

    @property
    def output(self) -> str:
        """Return what it has said so far."""
        return mask(self.log.read_text(encoding="utf-8", errors="replace"))

    def stop(self) -> None:
        """End it: it marks the release as failed."""
        self.service.stop()

    def failure(self) -> JenkinsCdError:
        """Return the error that its output tells of."""
        return helm_failures.explain(self.what, self.output)


class _Line(TypedDict):
    revision: int
    status: str
    chart: str
    description: str


class _Hook(TypedDict):
    manifest: str


class _Rendered(TypedDict):
    manifest: str


class _DryRun(_Rendered, total=False):
    hooks: list[_Hook] | None
    version: int | None


def status(place: Place, revision: int = 0) -> Installed | None:
    """Return the newest revision of a release, or a certain one, as a whole; None where there is none."""
    template = _TEMPLATE + (_APPLY_METHOD if major() > 3 else "")
    flags = ["--template", template, *(["--revision", str(revision)] if revision else [])]
    said = _helm(["get", "all", *_where(place), *flags, "--", place.name])
    if said.exit_code != 0 and helm_failures.absent(said.output):
        return None
    what = f"read the release {place.name}"
    text = _checked(said, what)
    with answers.printed("helm", what):
        return _installed(text)


def history(place: Place) -> list[Revision]:
    """Return the revisions of a release that are kept, the newest first; none where there is no such release."""
    said = _helm(["history", *_where(place), "--output", "json", "--max", "256", "--", place.name])
    if said.exit_code != 0 and helm_failures.absent(said.output):
        return []
    what = f"read the history of {place.name}"
    text = _checked(said, what)
    with answers.printed("helm", what):
        revisions = [Revision(**one) for one in answers.record(text, list[_Line])]
    return sorted(revisions, key=lambda one: one.revision, reverse=True)


def values(place: Place, revision: int = 0) -> dict[str, Any]:
    """Return the values that a release was given beside those of its chart."""
    flags = ["--output", "json", *(["--revision", str(revision)] if revision else [])]
    said = _helm(["get", "values", *_where(place), *flags, "--", place.name])
    what = f"read the values of {place.name}"
    text = _checked(said, what)
    with answers.printed("helm", what):
        return answers.document(text, dict[str, Any] | None) or {}


def dry_run(place: Place, chart: Path, files: Sequence[Path] = ()) -> Rendered:
    """Return what an upgrade to a chart (a folder or a package) would apply, rendered with what the cluster knows.

    Raises Busy where the release is pending, BadInput where the chart does not render or its objects are not valid.
    """
    arguments = [*_upgrade(place, chart, files, Change()), "--dry-run=server", "--output", "json"]
    what = f"render the chart {chart.name} for {place.namespace}/{place.name}"
    text = _checked(_helm(arguments), what)
    with answers.printed("helm", what):
        said = answers.document(text, _DryRun)
    hooks = tuple(hook["manifest"] for hook in said.get("hooks") or ())
    return Rendered(manifest=said["manifest"], hooks=hooks, revision=said.get("version") or 0)


def crds(chart: Path) -> str:
    """Return what stands in the `crds` folders of a chart and of its dependencies, as YAML documents."""
    if not helm.may_have(chart, "crds"):
        return ""
    return _checked(_helm(["show", "crds", "--", str(chart)]), f"read the CRDs of the chart {chart.name}")


@contextlib.contextmanager
def upgrade_install(place: Place, chart: Path, change: Change, files: Sequence[Path] = ()) -> Iterator[Work]:
    """Start an upgrade, or an installation where there is no release; at the end of the block it is ended.

    Helm waits for hooks alone. Values that an earlier revision was given are forgotten: `files` and the chart say all.
    """
    with _work(upgrade_arguments(major(), place, chart, change, files), f"upgrade {place.name}") as work:
        yield work


@contextlib.contextmanager
def rollback(place: Place, revision: int, change: Change) -> Iterator[Work]:
    """Start to put an earlier revision back, with its rollback hooks; at the end of the block Helm is ended.

    Helm makes a new revision of it, with the labels of the earlier one. Those of `change` stand in the environment of
    this Helm alone, as LABELS, to know it by.
    """
    arguments, what = rollback_arguments(major(), place, revision, change), f"roll {place.name} back to {revision}"
    with _work(arguments, what, {LABELS: ",".join(_pairs(change))}) as work:
        yield work


def uninstall(place: Place, timeout: float = TIMEOUT) -> None:
    """Remove a release with its history, if it is there. CRDs, and what the chart says to keep, stay."""
    flags = ["--timeout", _duration(timeout), "--ignore-not-found"]
    said = _helm(["uninstall", *_where(place), *flags, "--", place.name], timeout + GRACE)
    _checked(said, f"uninstall {place.name}")


def upgrade_arguments(helm_major: int, place: Place, chart: Path, change: Change, files: Sequence[Path]) -> list[str]:
    """Return Helm's arguments for an upgrade, for its major version."""
    return [*_upgrade(place, chart, files, change), *_forcing(helm_major, change), *_hooks(helm_major, change)]


def rollback_arguments(helm_major: int, place: Place, revision: int, change: Change) -> list[str]:
    """Return Helm's arguments for a rollback, for its major version."""
    flags = ["--history-max", str(HISTORY), "--timeout", _duration(change.timeout)]
    flags += _forcing(helm_major, change) + _hooks(helm_major, change)
    return ["rollback", *_where(place), *flags, place.name, str(revision)]


def major() -> int:
    """Return the major version of the Helm in PATH. Raises MissingTool."""
    with _asking:  # whoever comes meanwhile need not ask as well
        return _major(shutil.which("helm") or "helm")


_asking = threading.Lock()


@functools.lru_cache(maxsize=4)
def _major(_program: str) -> int:
    return int(helm.version().partition(".")[0])


def _where(place: Place) -> list[str]:
    return ["--kubeconfig", str(place.kubeconfig), "--namespace", place.namespace]


def _upgrade(place: Place, chart: Path, files: Sequence[Path], change: Change) -> list[str]:
    flags = ["--install", "--reset-values", "--history-max", str(HISTORY), "--timeout", _duration(change.timeout)]
    flags += ["--description", change.description] if change.description else []
    flags += [part for pair in _pairs(change) for part in ("--labels", pair)]
    flags += ["--create-namespace"] if change.create_namespace else []
    flags += ["--disable-openapi-validation"] if place.checks_fields else []
    flags += [part for file in files for part in ("--values", str(file))]
    return ["upgrade", *_where(place), *flags, place.name, str(chart)]


def _pairs(change: Change) -> list[str]:
    return [f"{name}={value}" for name, value in change.labels.items()]


def _forcing(helm_major: int, change: Change) -> list[str]:
    return ["--force-conflicts"] if helm_major > 3 and change.force_conflicts else []


def _hooks(helm_major: int, change: Change) -> list[str]:
    """Return what makes Helm wait for hooks and nothing else: Helm 3 does so by itself."""
    return [*(["--wait=hookOnly"] if helm_major > 3 else []), *([] if change.hooks else ["--no-hooks"])]


def _duration(seconds: float) -> str:
    return f"{max(1, round(seconds))}s"


def _helm(arguments: Sequence[str], timeout: float = TIMEOUT) -> process.Completed:
    return process.run(["helm", *arguments], env=_DEAF, timeout=timeout, install=helm.INSTALL)


def _checked(said: process.Completed, what: str) -> str:
    if said.exit_code != 0:
        raise helm_failures.explain(what, "it took too long" if said.timed_out else said.output)
    return said.stdout


@contextlib.contextmanager
def _work(arguments: Sequence[str], what: str, env: Mapping[str, str] | None = None) -> Iterator[Work]:
    with leftovers.folder("helm") as folder:
        log = folder / "output"
        service = process.serve(["helm", *arguments], log=log, env={**_DEAF, **(env or {})}, install=helm.INSTALL)
        try:
            yield Work(service, log, what)
        finally:
            service.stop()


def _installed(said: str) -> Installed:
    """Return what `_TEMPLATE` made of a revision."""
    lines = [line.split(" ") for line in split_lines(said) if line]
    one = {name: unquote_plus(rest[0]) for name, *rest in lines if rest and name not in ("hook", "label")}
    return Installed(
        revision=int(one["revision"]),
        status=one["status"],
        description=one["description"],
        deployed=datetime.fromtimestamp(int(one["deployed"]), timezone.utc),
        chart=one["chart"],
        version=one["version"],
        manifest=one["manifest"],
        hooks=tuple(unquote_plus(rest[0]) for name, *rest in lines if name == "hook"),
        labels={unquote_plus(rest[0]): unquote_plus(rest[1]) for name, *rest in lines if name == "label"},
        server_side=one.get("method") == "ssa",
    )
