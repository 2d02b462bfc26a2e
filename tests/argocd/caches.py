"""What Argo CD remembers of repositories, in the lab's Redis: entries are copied as they are, under other names."""

from __future__ import annotations

import re

from jenkins_cd.tools import process
from tests.lab.lab import Lab


def poison(lab: Lab, application: str, old: str, new: str) -> int:
    """Let the manifests of the old revision count for the new one; returns how many entries were made."""
    names = _names(lab, f"mfst|*|{application}|{old}|*")
    for name in names:
        _redis(lab, "COPY", name, name.replace(old, new), "REPLACE")
    return len(names)


def _names(lab: Lab, pattern: str) -> list[str]:
    return _redis(lab, "KEYS", pattern).splitlines()


def _redis(lab: Lab, *words: str) -> str:
    started = re.findall(r"port=(\d+)", (lab.logs / "argocd-redis.log").read_text(encoding="utf-8"))
    return process.run(["redis-cli", "-p", started[-1], *words]).require(f"redis {words[0]}").stdout.strip()
