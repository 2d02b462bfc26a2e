"""Put the machine back as it was: what the keeper does at its end, and at its start after a crash."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from pathlib import Path

from jenkins_cd.errors import ExternalFailure
from tests.lab import cgroups, iptables, network, state

# Folders with fixed names in the programs of the node and sshd: the lab covers them with empty ones of its own.
COVERED = ("/run/netns", "/run/containerd", "/run/sshd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers")
_PATIENCE = 5.0  # seconds that the dead may take to let go of a folder


def remember() -> Path:
    """Make the lab's folder and write down what will be changed, before the first change; returns the folder.

    Raises ExternalFailure on a node of a Kubernetes cluster: its rules and ours would be one heap.
    """
    if rules := iptables.left():
        raise ExternalFailure(
            f"this machine seems to be a node of a Kubernetes cluster: {len(rules)} rules of kube-proxy are there",
            "the lab needs a machine of its own",
        )
    folder = Path(tempfile.mkdtemp(prefix="jenkins-cd-lab-"))
    missing = [name for name in COVERED if not Path(name).exists()]
    state.write(state.BEFORE, {"folder": str(folder), "sysctls": network.read_sysctls(), "made": missing})
    for name in missing:
        Path(name).mkdir(mode=0o755)
    return folder


def clean() -> bool:
    """Undo what is written down; returns whether there was anything. It may be done again where it was killed."""
    before = state.read(state.BEFORE)
    if before is None:
        return False
    network.remove_bridge()
    iptables.remove()
    cgroups.remove()
    network.restore_sysctls(before["sysctls"])
    for name in before["made"]:
        with contextlib.suppress(OSError):
            Path(name).rmdir()
    _remove(Path(before["folder"]))
    state.BEFORE.unlink()
    return True


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
