"""Who asks for what is done: recorded with each release and deployment."""

from __future__ import annotations

import os

VARIABLES = ("JENKINS_CD_REQUESTED_BY", "BUILD_USER_ID", "BUILD_USER")


def name() -> str:
    """Return whom Jenkins names, else the user of this machine; one line of at most 100 characters."""
    import getpass

    for variable in VARIABLES:
        if value := os.environ.get(variable):
            return " ".join(value.split())[:100]
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def build_url() -> str:
    """Return the address of the Jenkins build that we run in, or an empty string."""
    return os.environ.get("BUILD_URL", "")
