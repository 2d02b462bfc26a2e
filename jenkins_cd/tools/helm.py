"""Helm 3 and 4: lint, render, package, push and pull charts. Nothing here talks to a cluster.

The commands used here take the same flags in both; what differs is where `push` prints the digest.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.lines import split_lines
from jenkins_cd.masking import last_lines
from jenkins_cd.tools import leftovers, process, registry
from jenkins_cd.tools.kubernetes_yaml import load_all
from jenkins_cd.tools.yaml_writer import dump

OLDEST = (3, 13)  # the first with --plain-http
INSTALL = "go install helm.sh/helm/v4/cmd/helm@v4.3.1"
TIMEOUT = 300.0  # seconds
EPOCH = datetime(1980, 1, 1, tzinfo=timezone.utc)
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.\d+\S*")
_UNREAD = re.compile(r"Unable to get an update from the .* chart repository .*\n\s*(\S.*)")
_DIGEST = re.compile(r"^Digest:\s*(sha256:[0-9a-f]{64})\s*$", re.MULTILINE)


def version() -> str:
    """Return Helm's version, such as `4.3.1`. Raises MissingTool, and BadInput for one that is too old."""
    said = _helm(["version", "--template", "{{.Version}}"])
    return _checked(said.require("ask Helm for its version").raw_stdout.strip())


def lint(chart: Path, values: Sequence[Path] = (), strict: bool = True) -> None:
    """Check a chart. Raises BadInput with what Helm finds; with `strict` a warning is enough."""
    said = _helm(["lint", *(["--strict"] if strict else []), *_values(values), "--", str(chart)])
    if said.exit_code != 0:
        raise BadInput(
            f"the chart {chart.name} does not pass helm lint{' --strict' if strict else ''}", said.line, _told(said)
        )


def template(chart: Path, name: str, namespace: str, values: Sequence[Path] = ()) -> str:
    """Return the manifests of a chart (a folder or a package) as YAML. Raises BadInput with Helm's reason."""
    said = _helm(["template", "--namespace", namespace, *_values(values), "--", name, str(chart)])
    if said.exit_code != 0:
        raise BadInput(f"the chart {chart.name} does not render", said.line, _told(said))
    return said.raw_stdout


def dependency_build(chart: Path, plain_http: bool = False, hint: str = "") -> None:
    """Fetch a chart's dependencies into its `charts` folder: as Chart.lock says, where there is one.

    Raises ExternalFailure with Helm's reason, and `hint` before ours.
    """
    sources = _sources(chart)
    hosts = [registry.split(one)[0] for one in sources if one.startswith("oci://")]
    with registry.credentials(*hosts) as login, _known(sources) as environment:
        said = _helm(["dependency", "build", *_plain(plain_http), "--", str(chart)], {**environment, **login})
    name = str(_yaml(chart / "Chart.yaml").get("name") or chart.name)
    if said.exit_code != 0 and "out of sync" in said.output:
        raise BadInput(
            f"the Chart.lock of the chart {name} does not fit the dependencies in its Chart.yaml",
            "run helm dependency update and commit Chart.lock, or remove it",
            _told(said),
        )
    where = "; ".join(filter(None, (hint, "check `dependencies` in its Chart.yaml")))
    _require(said, f"fetch the dependencies of the chart {name}", where)


def has_dependencies(chart: Path) -> bool:
    """Tell whether all that a chart folder depends on stands in its `charts` folder, in versions that fit."""
    listed = _helm(["dependency", "list", "--max-col-width", "1000", "--", str(chart)])
    listed.require(f"list the dependencies of the chart {chart.name}", "check `dependencies` in its Chart.yaml")
    rows = [line.split("\t") for line in listed.raw_stdout.split("\n")[1:]]
    return all(row[3].strip() in ("ok", "unpacked") for row in rows if len(row) == 4)


def package(chart: Path, into: Path, version: str, app_version: str = "", modified: datetime = EPOCH) -> Path:
    """Package a chart folder and return the file: the same content and `modified` give the same bytes."""
    into.mkdir(parents=True, exist_ok=True)
    flags = ["--version", version, *(["--app-version", app_version] if app_version else [])]
    with tempfile.TemporaryDirectory(dir=into) as aside:
        said = _helm(["package", *flags, "--destination", aside, "--", str(chart)])
        _require(said, f"package the chart {chart.name}")
        made = next(Path(aside).glob("*.tgz"), None)
        if made is None:
            raise ExternalFailure(f"helm package has made no file: {said.output}")
        repack(made, modified)
        return made.replace(into / made.name)


def push(file: Path, repository: str, plain_http: bool = False) -> str:
    """Push a packaged chart to `oci://host/path` and return its manifest's digest.

    Helm dates the manifest by the file's modification time, so a file of `package` gives the same digest each time.
    """
    with registry.credentials(registry.split(repository)[0]) as login:
        said = _helm(["push", *_plain(plain_http), "--", str(file), repository], login)
    _require(said, f"push {file.name} to {repository}", "check registry.charts of the platform file, and the login")
    found = _DIGEST.search(said.raw_stdout) or _DIGEST.search(said.raw_stderr)
    if found is None:
        raise ExternalFailure(f"helm push to {repository} tells no digest: {said.output}")
    return found[1]


def pull(repository: str, name: str, version: str, into: Path, plain_http: bool = False) -> Path:
    """Fetch a chart from `oci://host/path` and return the file. Raises ExternalFailure where it is not there."""
    into.mkdir(parents=True, exist_ok=True)
    flags = ["--version", version, "--destination", str(into), *_plain(plain_http)]
    with registry.credentials(registry.split(repository)[0]) as login:
        said = _helm(["pull", *flags, "--", f"{repository}/{name}"], login)
    _require(said, f"fetch the chart {name} {version} from {repository}")
    return into / f"{name}-{version}.tgz"


def dependencies(chart: Path) -> list[dict[str, Any]]:
    """Return what the Chart.yaml of a chart folder depends on. Raises BadInput for a Chart.yaml that is none."""
    listed = _yaml(chart / "Chart.yaml").get("dependencies") or ()
    return [one for one in listed if isinstance(one, dict)]


def may_have(chart: Path, folder: str) -> bool:
    """Tell whether a chart, or a chart in it, may have a folder of that name. Where that cannot be seen, it may."""
    if not chart.is_dir():
        return True
    names = [file.relative_to(chart).as_posix() for file in chart.rglob("*")]
    inner: list[str] = []
    for name in filter(_packed, names):
        try:
            with tarfile.open(chart / name, "r:gz") as archive:
                inner += archive.getnames()
        except (tarfile.TarError, OSError):
            return True
    return any(map(_packed, inner)) or any(folder in name.split("/") for name in [*names, *inner])


def _packed(name: str) -> bool:
    return name.endswith((".tgz", ".tar.gz"))


def _helm(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> process.Completed:
    # It would read a kubeconfig that it has no use for, to the end: one that is a pipe it would wait for, or drain.
    env = {"KUBECONFIG": os.devnull, **(env or {})}
    return process.run(["helm", *arguments], env=env, timeout=TIMEOUT, install=INSTALL)


def _checked(text: str) -> str:
    found = _VERSION.match(text)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise BadInput(f"this Helm is {text or 'of no version'}; {wanted} or later is needed", INSTALL)
    return text.removeprefix("v")


def _values(files: Sequence[Path]) -> list[str]:
    return [part for file in files for part in ("--values", str(file))]


def _plain(plain_http: bool) -> list[str]:
    return ["--plain-http"] if plain_http else []


def _told(said: process.Completed) -> list[str]:
    """Return what Helm complained of, among praise: each complaint goes on up to an empty line or the next one."""
    told: list[str] = []
    going_on = False
    for line in split_lines(said.stdout + "\n" + said.stderr):
        if re.match(r"\[(ERROR|WARNING)\]|Error:", line):
            told.append(line.strip())
            going_on = True
        elif not line.strip() or line.startswith(("[INFO]", "==>")):
            going_on = False
        elif going_on:
            told[-1] = f"{told[-1].rstrip(':')}: {line.strip()}"
    return told or last_lines(said.output, 12) or ["Helm says nothing"]


def _require(said: process.Completed, purpose: str, hint: str = "") -> None:
    """Raise ExternalFailure unless Helm ended well: with its reason first, as some show a first line only."""
    if said.exit_code == 0:
        return
    unread = _UNREAD.search(f"{said.stdout}\n{said.stderr}")  # what it complains of at the end is a file of its cache
    reason = unread[1] if unread else _told(said)[-1].removeprefix("Error: ")
    reason = f"no end after {TIMEOUT:g} s" if said.timed_out else reason
    raise ExternalFailure(f"cannot {purpose}: {reason}\n{said.line} (exit code {said.exit_code})", hint)


def _sources(chart: Path) -> list[str]:
    """Return the repositories that a chart's dependencies come from. Raises BadInput for a Chart.yaml that is none."""
    return sorted({str(one["repository"]) for one in dependencies(chart) if one.get("repository")})


@contextlib.contextmanager
def _known(sources: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the environment in which Helm knows every index-based repository among `sources`.

    With a Chart.lock it fetches from none that `helm repo add` has not told it of, and no agent has been told. The
    user's own entries are kept, as they may hold a login.
    """
    wanted = [one for one in sources if one.startswith(("http://", "https://"))]
    if not wanted:
        yield {}
        return
    there = _yaml(Path(_helm(["env", "HELM_REPOSITORY_CONFIG"]).raw_stdout.strip())).get("repositories") or []
    entries = [one for one in there if isinstance(one, dict) and one.get("url") in wanted]
    missing = set(wanted) - {one["url"] for one in entries}
    entries += [{"name": hashlib.sha256(url.encode()).hexdigest()[:16], "url": url} for url in sorted(missing)]
    with leftovers.folder("helm") as folder:
        file = folder / "repositories.yaml"
        leftovers.write_secret(file, dump({"apiVersion": "", "repositories": entries}).encode())
        yield {"HELM_REPOSITORY_CONFIG": str(file)}


def _yaml(file: Path) -> dict[str, Any]:
    try:
        loaded = load_all(file.read_text(encoding="utf-8-sig")) if file.is_file() else []
    except ValueError as error:
        raise BadInput(f"{file.name} is no YAML: {error}") from error
    return loaded[0] if loaded and isinstance(loaded[0], dict) else {}


def repack(file: Path, modified: datetime) -> None:
    """Write a packaged chart anew: entries in order, one date, one owner, a gzip header that tells no time."""
    seconds = int(modified.timestamp())
    plain = io.BytesIO()
    with tarfile.open(file, "r:gz") as old, tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted((each for each in old if each.isfile()), key=lambda each: each.name):
            entry = tarfile.TarInfo(member.name)
            entry.size, entry.mtime, entry.mode = member.size, seconds, 0o644
            new.addfile(entry, old.extractfile(member))
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=seconds) as packed:
        packed.write(plain.getvalue())
    os.utime(fresh, (seconds, seconds))
    fresh.replace(file)
