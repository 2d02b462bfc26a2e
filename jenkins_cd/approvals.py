"""Approvals: made for the ledger, and found there again. A name counts for nothing, wherever else it stands."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from jenkins_cd.config.types import seconds
from jenkins_cd.errors import ExternalFailure
from jenkins_cd.gitops import order
from jenkins_cd.model import Approval, Deployment
from jenkins_cd.policy import Hands
from jenkins_cd.tools import registry, server_time

if TYPE_CHECKING:
    from jenkins_cd.attempt import Attempt, Request


def approval_by(attempt: Attempt, approver: str, at: datetime) -> Approval:
    """Return the approval of what is asked for, for the ledger to keep."""
    request, release = attempt.request, attempt.release
    return Approval(
        id=order.NEXT,
        app=release.app,
        project=release.project,
        version=release.version,
        environment=attempt.target.name,
        approver=approver,
        reason=request.approval_reason,
        at=at,
        requested_by=request.requested_by,
        build_url=request.build_url,
    )


def hands_of(attempt: Attempt) -> Hands:
    """Return who asked for this, and who wrote what is to be deployed."""
    asked = (attempt.request.requested_by, attempt.request.asked_for)
    return Hands(asked=asked, wrote=attempt.release.authors)


def told_time(attempt: Attempt) -> datetime | None:
    """Return the time by a server; where a freeze makes it matter and none has said so yet, the registry is asked."""
    if attempt.target.environment.freeze and server_time.now() is None:
        settings = attempt.target.platform.registry
        with contextlib.suppress(ExternalFailure):
            registry.greet(settings.charts, settings.plain_http)
    return server_time.now()


def resting_on(request: Request, approval: Approval) -> Request:
    """Return a request with what its approval in the ledger says."""
    return replace(
        request,
        approver=approval.approver,
        approval_reason=approval.reason,
        approval=approval.id,
        asked_for=approval.requested_by,
    )


def unused(attempt: Attempt, history: Sequence[Deployment], now: datetime) -> Approval | None:
    """Return the approval in the ledger that counts where nobody is named: the newest, if not used, and not too old."""
    request, rules = attempt.request, attempt.target.environment
    if request.approver is not None or rules.promotion == "automatic":
        return None
    given = attempt.ledger.approvals(request.app, request.environment)
    newest = next((one for one in given if one.version == request.version), None)
    if newest is None:
        return None
    there = [one for one in history if (one.environment, one.version) == (request.environment, request.version)]
    if any(one.approval == newest.id or order.key(one.id) > order.key(newest.id) for one in there):
        return None
    latest = order.moment(history[0].id) if history else now
    by_ledger = max(now, latest) - order.moment(newest.id)
    ages = (by_ledger, abs(now - newest.at))  # the clock of whoever approved may have been wrong, too
    return newest if max(ages) <= timedelta(seconds=seconds(rules.approval_valid)) else None
