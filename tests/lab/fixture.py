"""The lab as fixtures. A conftest that needs them says `from tests.lab.fixture import alone, lab, namespace, quiet`.

Each process that asks for the lab holds a lease until its session ends: with pytest-xdist all workers share one. A test
that disturbs it (a server that is restarted) asks for `alone`: then no test of another worker has a namespace.
`sonarqube` is a server of its own, which all workers share too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from jenkins_cd.errors import BadInput
from tests.lab import attached, lease, sonarqube_archive, state
from tests.lab import sonarqube as sonarqube_room
from tests.lab.lab import Lab
from tests.lab.progress import say
from tests.lab.sonarqube import SonarQube

# Read before the tests put the environment of whoever runs them aside.
KUBECONFIG = os.environ.get("JENKINS_CD_LAB_KUBECONFIG", "")
REGISTRY = os.environ.get("JENKINS_CD_LAB_REGISTRY", "")


def cannot(error: BadInput, what: str = "") -> NoReturn:
    """End a test on a machine that cannot run it: skipped, but in CI it fails."""
    end = pytest.fail if os.environ.get("CI") else pytest.skip
    end(f"{what}{error.message}: {error.hint}")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab: started or joined, or on the cluster of JENKINS_CD_LAB_KUBECONFIG. Where it cannot run, CI fails."""
    if KUBECONFIG:
        with attached.attach(tmp_path_factory.mktemp("lab"), Path(KUBECONFIG), REGISTRY) as found:
            yield found
        return
    try:
        lease.check()
    except BadInput as error:
        cannot(error, "the lab cannot run here: ")
    held = lease.join(say)
    yield held.lab
    held.leave()


@pytest.fixture(scope="session")
def sonarqube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SonarQube]:
    """A SonarQube, started by the first test that wants it: names of your own for projects and gates, please."""
    try:
        sonarqube_archive.check()
    except BadInput as error:
        cannot(error)
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "sonarqube"
    folder.mkdir(exist_ok=True)
    with sonarqube_room.shared(folder) as server:
        yield server


@pytest.fixture
def quiet(request: pytest.FixtureRequest, lab: Lab) -> Iterator[None]:
    """Let nobody disturb the lab as long as the test runs, or nobody use it where the test asks for `alone`."""
    state.prepare()
    with state.QUIET.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if "alone" in request.fixturenames else fcntl.LOCK_SH)
        yield


@pytest.fixture
def alone(quiet: None) -> None:
    """The test has the lab to itself, and may disturb it."""


@pytest.fixture
def namespace(lab: Lab, quiet: None) -> Iterator[str]:
    """A namespace for one test."""
    with lab.namespace() as name:
        yield name
