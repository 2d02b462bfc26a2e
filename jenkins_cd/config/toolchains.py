"""Which toolchains there are: the files are the list. Their types are not loaded for it, as every start asks."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "toolchains"


def names() -> tuple[str, ...]:
    """Return the toolchains that there are, sorted."""
    return tuple(sorted(file.stem for file in FOLDER.glob("*.yaml")))
