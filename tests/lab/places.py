"""Where the lab keeps what: its programs in the checkout, its state on the machine, its data in a temporary folder."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LINKS = ROOT / ".venv" / "lab"  # made by the build: links into the cache, which tests cannot find as they move it
BIN = LINKS / "bin"
IMAGES = LINKS / "images"
STATE = Path("/run/jenkins-cd-lab")  # one lab a machine
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def tools() -> Path:
    """Return the folder of the built tools, shared by all checkouts of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jenkins-cd" / "tools"


def path() -> str:
    """Return the PATH of the lab's programs: the pinned ones, then this checkout's, then the machine's."""
    return f"{BIN}:{ROOT / '.venv' / 'bin'}:{SYSTEM_PATH}"
