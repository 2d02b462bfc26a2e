"""Who asks for what is done: recorded with each release and deployment."""

from __future__ import annotations

import os

VARIABLES = ("JENKINS_CD_REQUESTED_BY", "BUILD_USER_ID", "BUILD_USER")


def name() -> str:
    """Return whom Jenkins names, else the user of this machine; one line of at most 100 characters."""
    import getpass

    if named := in_jenkins():
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def in_jenkins() -> str:
    """Return whom Jenkins names, or an empty string: then whoever works at this machine may do so for somebody else."""
    values = (" ".join(os.environ.get(variable, "").split()) for variable in VARIABLES)
    return next((value[:100] for value in values if value), "")


def build_url() -> str:
    """Return the address of the Jenkins build that we run in, or an empty string."""
    return os.environ.get("BUILD_URL", "")
