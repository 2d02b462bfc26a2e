"""What the answers are made from, and how much of it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.jenkins.controller import tree
from tests.jenkins.controller.answers import Answer, Request, as_json, container_error
from tests.jenkins.controller.faults import Faults
from tests.jenkins.controller.jobs import Jobs
from tests.jenkins.controller.queue import Queue
from tests.jenkins.controller.users import Users


@dataclass(frozen=True)
class Controller:
    """What there is."""

    url: str
    jobs: Jobs
    queue: Queue
    users: Users
    faults: Faults


def told(request: Request, value: dict[str, Any], shallow: Callable[[dict[str, Any]], Any] = lambda one: one) -> Answer:
    """Return a value as JSON, the fields that `tree` names; `shallow` makes of it what is told at depth 0."""
    wanted = request.value("tree")
    if wanted is None:
        return as_json(value if int(request.value("depth", "0") or 0) else shallow(value))
    try:
        return as_json(tree.pick(value, tree.parse(wanted)))
    except ValueError as error:
        raise container_error(400, str(error)) from error
