"""What a copy of a namespace makes of a server that is away, and of one that has just come back."""

from __future__ import annotations

import pytest

from jenkins_cd.cluster import mirror
from jenkins_cd.cluster.mirror import Mirror, _News
from jenkins_cd.errors import BadInput, ExternalFailure, JenkinsCdError, Refused

AWAY = ExternalFailure("no answer from the API server")
REFUSED = Refused("the account may not list pods")


def taken(*news: _News) -> tuple[Mirror, list[str]]:
    """Return a copy that has taken that in, and what it told."""
    told: list[str] = []
    copy = Mirror(frozenset({"Pod", "Job"}), told.append)
    for one in news:
        copy.news.put(one)
    copy.take(0.0)
    return copy, told


def lost(kind: str, error: JenkinsCdError) -> _News:
    return _News(kind, "lost", error=error)


@pytest.mark.parametrize("error", [REFUSED, BadInput("does not accept the credential")])
def test_what_may_not_be_read_ends_it(error: JenkinsCdError) -> None:
    with pytest.raises(type(error)):
        taken(lost("Pod", error))


@pytest.mark.parametrize("first", [_News("Pod", "all"), lost("Pod", AWAY), lost("Job", AWAY)])
def test_a_server_that_has_just_come_back_may_refuse_what_it_allows(first: _News) -> None:
    copy, told = taken(first, lost("Pod", REFUSED), _News("Pod", "all"), _News("Job", "all"))
    assert copy.complete
    assert copy.trouble is None
    assert told[-1] == "the API server answers again"


def test_a_server_that_goes_on_refusing_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LOCKED_OUT", -1.0)
    with pytest.raises(Refused):
        taken(_News("Pod", "all"), lost("Pod", REFUSED))


def test_events_that_may_not_be_read_are_done_without() -> None:
    copy, told = taken(lost("Event", REFUSED))
    assert copy.trouble is None
    assert told == ["going on without events: the account may not list pods"]
