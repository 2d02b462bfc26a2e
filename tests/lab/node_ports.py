"""Node ports for those who have to know theirs before there is a Service: free ones, which nobody else is told of."""

from __future__ import annotations

import fcntl
import json
import random
import time

from tests.lab import state
from tests.lab.lab import Lab
from tests.lab.network import NODE_PORTS

CLAIMED = 120.0  # seconds in which a Service has to have come


def claim(lab: Lab, count: int = 1) -> list[int]:
    """Return so many ports."""
    services = json.loads(lab.kubectl("get", "services", "--all-namespaces", "-o", "json").stdout)["items"]
    taken = {port.get("nodePort") for service in services for port in service["spec"].get("ports", ())}
    first, last = (int(port) for port in NODE_PORTS.split("-"))
    state.prepare()
    with state.PORTS.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        claimed = {int(port): at for port, at in json.loads(file.read() or "{}").items()}
        claimed = {port: at for port, at in claimed.items() if time.time() - at < CLAIMED}
        found = random.sample([*{*range(first, last + 1)} - taken - {*claimed}], count)
        file.truncate(0)
        json.dump({**claimed, **dict.fromkeys(found, time.time())}, file)
    return found
