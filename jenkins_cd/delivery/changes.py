"""What a deployment would change: the files of the deploy repository, and what Helm makes of them, as unified diffs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from jenkins_cd.delivery import charts
from jenkins_cd.errors import JenkinsCdError
from jenkins_cd.gitops import image_names
from jenkins_cd.lines import split_lines
from jenkins_cd.model import Release
from jenkins_cd.tools import helm

Files = Mapping[str, bytes]


def overlay(present: Files, changed: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """Return the files as they are after a change; None removes one."""
    return {path: content for path, content in {**present, **changed}.items() if content is not None}


def of_files(before: Files, after: Files) -> str:
    """Return the unified diff of two sets of files by path."""
    paths = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    return "".join(_diff(path, _text(before.get(path)), _text(after.get(path))) for path in paths)


def of_manifests(before: Files, after: Files, release: Release, plain_http: bool) -> str:
    """Return the unified diff of what Helm renders of the chart, before and after.

    Raises BadInput where the chart after the change does not render; one that did not render before is no obstacle.
    """
    with ThreadPoolExecutor(2) as pool:
        old = pool.submit(_rendered_or_nothing, before, release, plain_http)
        new = pool.submit(render, after, release, plain_http)
        return _diff("manifests.yaml", old.result(), new.result())


def render(files: Files, release: Release, plain_http: bool) -> str:
    """Return the manifests of the chart that the files are: one folder, with Chart.yaml in it.

    Raises BadInput with Helm's reason, or where the chart makes another image of the release's, ExternalFailure where a
    dependency cannot be fetched or is not as it was released.
    """
    with charts.unpacked(files, release, plain_http) as chart:
        manifests = helm.template(chart, release.app, release.project)
    if release.image:
        image_names.check(release.image.repository, manifests)
    return manifests


def _rendered_or_nothing(files: Files, release: Release, plain_http: bool) -> str:
    try:
        return render(files, release, plain_http) if files else ""
    except JenkinsCdError:
        return ""


def _diff(path: str, before: str, after: str) -> str:
    old, new = split_lines(before, keep_ends=True), split_lines(after, keep_ends=True)
    names = f"a/{path}" if before else "/dev/null", f"b/{path}" if after else "/dev/null"
    lines = difflib.unified_diff(old, new, *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _text(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")
