"""A namespace of the lab in which rollouts are watched, and what is done beside that."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from jenkins_cd.cluster.rollout import Verdict
from jenkins_cd.tools.kubernetes import Cluster
from tests.cluster import objects
from tests.cluster.objects import LIMIT, Object
from tests.lab.lab import Lab


@dataclass(frozen=True)
class Stage:
    """A namespace, and what whoever watches was told of it."""

    lab: Lab
    namespace: str
    cluster: Cluster  # as its administrator
    told: list[str] = field(default_factory=list)

    def kubectl(self, *arguments: str) -> str:
        """Return what kubectl says of the namespace, as the administrator."""
        return self.lab.kubectl("--namespace", self.namespace, *arguments).stdout

    def apply(self, *given: Object) -> None:
        """Let the namespace have objects."""
        objects.apply(self.lab, self.namespace, *given)

    def follow(self, *given: Object, by: Cluster | None = None, limit: float = LIMIT) -> Verdict:
        """Follow the rollout of objects, `by` the administrator where nobody else is named."""
        return objects.follow(by or self.cluster, self.namespace, given, self.told, limit)

    def roll_out(self, *given: Object, by: Cluster | None = None, limit: float = LIMIT) -> Verdict:
        """Apply objects as the administrator, and follow that."""
        self.apply(*given)
        return self.follow(*given, by=by, limit=limit)

    def heard(self, text: str) -> bool:
        """Tell whether a line that was told has these words."""
        return any(text in line for line in self.told)


@pytest.fixture
def stage(lab: Lab, namespace: str, administrator: Cluster) -> Stage:
    """A new namespace, and nobody was told anything of it yet."""
    return Stage(lab, namespace, administrator)


@contextlib.contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Do something beside the block; at its end that has ended too. What it raises is raised."""
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(work)
        yield
    ended.result()
