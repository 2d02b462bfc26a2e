"""The lab on a cluster that somebody else runs: its registry and Git servers are started here, on 127.0.0.1.

The cluster must be able to pull from the registry: a cluster that shares this machine's network is, others name one of
their own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from jenkins_cd.errors import BadInput
from tests.lab import build, gitserver, images, network, places, registry, site
from tests.lab.component import Running, bring_up
from tests.lab.lab import Lab
from tests.lab.network import Network
from tests.lab.pki import Keys
from tests.lab.site import Site

_LOOPBACK = Network(pods="127.0.0.0/24", services="127.0.0.0/24")  # its first address is 127.0.0.1


@contextlib.contextmanager
def attach(folder: Path, kubeconfig: Path, image_registry: str = "") -> Iterator[Lab]:
    """Yield a lab that uses the cluster of `kubeconfig`, and `image_registry` (HOST:PORT, plain HTTP) where given.

    Raises BadInput where the kubeconfig or a program is missing, ExternalFailure where a server does not come up.
    """
    if not kubeconfig.is_file():
        raise BadInput(f"there is no kubeconfig {kubeconfig}")
    if missing := {"kubectl", "sshd", images.LAYER}.intersection(build.missing()):
        raise BadInput(f"the lab is not built: {', '.join(sorted(missing))}", "python -m tests.lab build")
    ports = dict(zip(site.PORTS, network.free_ports(_LOOPBACK.gateway), strict=False))
    keys = Keys(folder=folder, server=_server(kubeconfig))
    here = Site(folder=folder, network=_LOOPBACK, ports=ports, keys=keys)
    gitserver.prepare(here)
    running: dict[str, Running] = {}
    try:
        own = [] if image_registry else registry.components(here)[:1]
        bring_up([*own, *gitserver.components(here)], folder, tell=lambda _name: None, known=running)
        if image_registry:
            (folder / "images.json").write_text(json.dumps(images.push_all(image_registry)), encoding="utf-8")
        yield Lab.of(here, kubeconfig, image_registry)
    finally:
        for one in running.values():
            one.stop()


def _server(kubeconfig: Path) -> str:
    from jenkins_cd.tools import process

    read = ["config", "view", "--minify", "--output", "jsonpath={.clusters[0].cluster.server}"]
    argv = [str(places.BIN / "kubectl"), f"--kubeconfig={kubeconfig}", *read]
    return process.run(argv).require("read the kubeconfig").stdout.strip()
