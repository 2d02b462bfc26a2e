"""The control group that the lab's pods live under, in each hierarchy of this machine."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

NAME = "jenkins-cd-lab"
_ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 5.0  # seconds that the dead may take to leave their group


def hierarchies() -> list[Path]:
    """Return the roots: one with cgroup v2, one a controller with v1."""
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    return sorted(one for one in _ROOT.iterdir() if one.is_dir() and not one.is_symlink())


def make() -> None:
    """Make the group in each hierarchy."""
    for root in hierarchies():
        if (root / "cgroup.subtree_control").exists():
            available = (root / "cgroup.controllers").read_text(encoding="ascii").split()
            with contextlib.suppress(OSError):  # some cannot be had here, and are not needed
                (root / "cgroup.subtree_control").write_text(
                    " ".join(f"+{name}" for name in available), encoding="ascii"
                )
        (root / NAME).mkdir(exist_ok=True)


def remove() -> None:
    """Remove the group with everything below it; nothing happens where it is not there."""
    deadline = time.monotonic() + _PATIENCE
    for root in hierarchies():
        while (root / NAME).exists():
            _remove_empty(root / NAME)
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)


def _remove_empty(group: Path) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()


def left() -> list[Path]:
    """Return the groups of ours that are there."""
    return [root / NAME for root in hierarchies() if (root / NAME).exists()]
