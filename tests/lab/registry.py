"""The registry: one store behind two servers, as it is reached by the same name from everywhere but by one tool.

Its name is the bridge's address, for the machine, containerd and pods alike. Some tools speak plain HTTP to loopback
only: for them it also listens on 127.0.0.1, with the same port.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.lab import images
from tests.lab.component import Component, answers, nothing
from tests.lab.site import Site


def components(site: Site) -> list[Component]:
    """Return both servers; the lab's images are put in as soon as the first one answers."""
    first = _server(site, "registry", site.registry, lambda: _images(site))
    return [first, _server(site, "registry-loopback", site.local("registry"), nothing)]


def _images(site: Site) -> None:
    digests = images.push_all(site.registry)
    (site.folder / "images.json").write_text(json.dumps(digests), encoding="utf-8")


def _server(site: Site, name: str, host: str, then: Callable[[], None]) -> Component:
    config = site.folder / f"{name}.json"
    return Component(
        name=name,
        argv=["docker-registry", "serve", str(config)],
        ready=answers(f"http://{host}/v2/"),
        prepare=lambda: _write(config, site.folder / "registry", host),
        then=then,
        env={"OTEL_TRACES_EXPORTER": "none"},
    )


def _write(config: Path, folder: Path, host: str) -> None:
    """Write its configuration: https://distribution.github.io/distribution/about/configuration/."""
    document = {
        "version": 0.1,
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder)}, "delete": {"enabled": True}},
        "http": {"addr": host, "secret": "shared-by-both-servers-of-the-lab"},
    }
    config.write_text(json.dumps(document), encoding="utf-8")
