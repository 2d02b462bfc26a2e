"""What a deployment with the model argocd does from its commit on, as a program of its own: sync, follow, verdict.

    python benchmarks/argocd_client.py PLATFORM RELEASE [COMMIT]

prints how it ended as JSON. Without a commit it says `ready`, and reads one from standard input: a deployment is
running already when it commits. It imports the installed jenkins_cd and nothing else of this repository.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path


class Quiet:
    """Nobody watches."""

    def started(self, name: str, detail: str = "") -> None:
        """Say nothing."""

    def note(self, name: str, text: str) -> None:
        """Say nothing."""

    def finished(self, name: str, status: str, detail: str, seconds: float) -> None:
        """Say nothing."""


def main(platform_file: str, release_file: str, commit: str = "") -> None:
    """Follow a commit to its verdict."""
    import requests  # noqa: F401 - a deployment has used it by then

    from jenkins_cd import results
    from jenkins_cd.argocd import course, site
    from jenkins_cd.argocd.revisions import Wish
    from jenkins_cd.config.load import load_platform
    from jenkins_cd.delivery import Target, declaration
    from jenkins_cd.model import Release
    from jenkins_cd.tools import argocd

    platform = load_platform(platform_file, Path.cwd())
    release = results.from_json(Path(release_file).read_bytes(), Release, release_file)
    environment = platform.environments["dev"]
    names = {"app": release.app, "project": release.project, "environment": "dev"}
    url = environment.health_url.format(**names)
    target = Target(name="dev", environment=environment, platform=platform, url=url, progress=Quiet())
    where = site.opened(target, release)
    if not commit:
        print("ready", flush=True)
        commit = sys.stdin.readline().strip()
    wish = Wish(
        repository=declaration.repository_of(target),
        branch=declaration.branch_of(target),
        place=declaration.place_of(target, release),
        commit=commit,
    )
    course.begin(where, wish)
    ended = course.follow(where, wish)
    print(
        json.dumps({"reached": ended.reached, "why": ended.reason, "requests": argocd.requests_sent(where.server)}),
        flush=True,
    )
    gc.freeze()  # as the command does


if __name__ == "__main__":
    main(*sys.argv[1:])
