"""A deployment whose run was ended, and that is taken up again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jenkins_cd import resume
from jenkins_cd.delivery import flux, keeping
from jenkins_cd.deploy import Done
from jenkins_cd.errors import BadInput, ExternalFailure
from tests.delivery.progress import Notes
from tests.deployments import Shop
from tests.gitops.remotes import count


class Killed(BaseException):
    """The run ends here."""


def _killed(*_arguments: Any) -> Any:
    raise Killed


@pytest.fixture
def killed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Deploy a version, and end the run where that function of the model is called."""

    def deploy(version: str, where: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(flux, where, _killed)
            with pytest.raises(Killed):
                shop.deploy(version)

    return deploy


def _resumed(shop: Shop) -> Done:
    return resume.resume(shop.platform, "storefront", "dev", shop.folder / "out", Notes())


@pytest.mark.parametrize("where", ["apply", "follow"])
def test_a_deployment_that_was_killed_is_brought_to_its_verdict(shop: Shop, killed: Any, where: str) -> None:
    shop.deploy("1.3.0")
    killed("1.4.0", where)
    begun = shop.ledger.begun("storefront", "dev")
    assert begun
    done = _resumed(shop)
    assert done.verified
    assert shop.cluster.declared() == "1.4.0"
    recorded = shop.ledger.latest("storefront", "dev")
    assert recorded
    assert (recorded.id, recorded.version, recorded.outcome) == (begun.id, "1.4.0", "verified")
    assert (recorded.requested_by, recorded.build_url, recorded.previous) == (
        "jane",
        "https://jenkins.local/job/7",
        "1.3.0",
    )
    assert recorded.started == begun.started


def test_it_makes_no_second_commit(shop: Shop, killed: Any) -> None:
    killed("1.4.0", "follow")
    before = count(shop.remote)
    assert _resumed(shop).verified
    assert count(shop.remote) == before


@pytest.mark.parametrize("end", ["verified", "failed", "an error"])
def test_what_its_phases_open_is_shared_by_them_and_closed_at_every_end(
    shop: Shop, killed: Any, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    shop.deploy("1.3.0")
    killed("1.4.0", "follow")
    shop.cluster.broken |= {"1.4.0"} if end == "failed" else set()
    told: list[str] = []

    @contextlib.contextmanager
    def access() -> Iterator[None]:
        told.append("opened")
        try:
            yield
        finally:
            told.append("closed")

    def in_a_phase(name: str) -> None:
        works = getattr(flux, name)

        def phase(*arguments: Any) -> Any:
            with keeping.opened("access", access):
                told.append(name)
            if end == "an error" and name == "follow":
                raise ExternalFailure("the server is away")
            return works(*arguments)

        monkeypatch.setattr(flux, name, phase)

    in_a_phase("apply")
    in_a_phase("follow")
    deployment = _resumed(shop).deployments[0]
    assert deployment.outcome == ("failed" if end == "an error" else end)
    rollback = [] if end == "verified" else ["apply", "follow"]
    assert told == ["opened", "apply", "follow", *rollback, "closed"]


def test_a_version_that_does_not_come_up_is_put_back_by_the_run_that_takes_it_up(shop: Shop, killed: Any) -> None:
    shop.deploy("1.4.0")
    killed("1.5.0", "follow")
    shop.cluster.broken.add("1.5.0")
    failed, back = _resumed(shop).deployments
    assert (failed.outcome, back.kind, back.outcome, back.version) == ("failed", "rollback", "verified", "1.4.0")
    assert shop.cluster.declared() == "1.4.0"


def test_what_was_never_committed_is_not_put_over_what_somebody_declared_since(shop: Shop, killed: Any) -> None:
    killed("1.3.0", "apply")
    other = Shop(shop.folder / "elsewhere", shop.remote, shop.cluster, shop.platform, shop.releases)
    with pytest.MonkeyPatch.context() as patch:  # one that is not recorded yet
        patch.setattr(type(shop.ledger), "begin", lambda _ledger, begun: begun)
        patch.setattr(flux, "follow", _killed)
        with pytest.raises(Killed):
            other.deploy("1.4.0")
    (deployment,) = _resumed(shop).deployments
    assert deployment.outcome == "superseded"
    assert "declares 1.4.0 by now" in deployment.reason
    assert shop.cluster.declared() == "1.4.0"


def test_once_recorded_there_is_nothing_to_take_up(shop: Shop, killed: Any) -> None:
    killed("1.4.0", "follow")
    _resumed(shop)
    with pytest.raises(BadInput, match="no deployment of storefront to dev waits for its verdict"):
        _resumed(shop)


def test_a_later_deployment_settles_it(shop: Shop, killed: Any) -> None:
    killed("1.3.0", "follow")
    shop.deploy("1.4.0")
    with pytest.raises(BadInput, match="waits for its verdict"):
        _resumed(shop)
