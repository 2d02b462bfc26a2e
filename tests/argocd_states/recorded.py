"""What a real server said of an Application: after changes by hand, and with a newer commit in Git besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jenkins_cd.argocd import managed
from jenkins_cd.argocd.managed import Managed

DATA = Path(__file__).parent.parent / "data" / "argocd"


def said(scene: str) -> dict[str, Any]:
    """Return all of a scene: `drifted` or `newer`."""
    return dict(json.loads((DATA / "managed.json").read_text(encoding="utf-8"))[scene])


def items(scene: str) -> list[Managed]:
    """Return the objects of a scene."""
    return [managed.of(one) for one in said(scene)["managed"]]
