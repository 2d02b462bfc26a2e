"""A deployment that was begun: taken up again as the ledger has it, and what it leaves where it is interrupted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone

from jenkins_cd import approvals, policy
from jenkins_cd.attempt import Attempt, Request
from jenkins_cd.errors import Interrupted
from jenkins_cd.gitops import order
from jenkins_cd.model import Begun


def taken_up(attempt: Attempt, begun: Begun) -> Attempt:
    """Return the attempt that was begun, as the ledger has it. Raises Refused where policy never allowed it.

    Its approval is looked up again: a name counts for nothing, wherever it stands.
    """
    request, platform = _request_of(attempt.request, begun), attempt.target.platform
    if begun.approval:
        found = attempt.ledger.approval(request.app, begun.environment, begun.approval)
        request = approvals.resting_on(request, found) if found and found.version == begun.version else request
    passed = (datetime.now(timezone.utc) - begun.started).total_seconds()
    attempt = replace(
        attempt,
        request=request,
        id=begun.id,
        started=begun.started,
        token=order.token(begun.id),
        clock=attempt.clock - max(passed, 0.0),
    )
    history, hands = attempt.ledger.deployments(request.app), approvals.hands_of(attempt)
    policy.check_begun(platform, request.environment, request.version, history, approver=request.approver, hands=hands)
    return attempt


def _request_of(request: Request, begun: Begun) -> Request:
    return replace(
        request,
        version=begun.version,
        requested_by=begun.requested_by,
        build_url=begun.build_url,
        approver=None,
        approval_reason=begun.approval_reason,
        approval="",
    )


@contextlib.contextmanager
def left_behind(attempt: Attempt) -> Iterator[None]:
    """Let an interruption of what was begun say what it leaves."""
    try:
        yield
    except Interrupted as stop:
        release, place = attempt.release, attempt.target.name
        left = f"{release.app} {release.version} {_state(attempt)}: what runs in {place} is unknown"
        again = f"jenkins-cd deploy --app {attempt.request.app} --environment {place}"
        more = f"{again} --resume takes it up, or " if attempt.model.RESUMABLE else ""
        hint = f"{more}{again} --version {release.version} deploys it anew; jenkins-cd status shows it as unknown"
        raise type(stop)(f"{stop.message}; {left}", hint) from stop


def _state(attempt: Attempt) -> str:
    passed = {phase.name for phase in attempt.phases if phase.status == "passed"}
    if "record" in passed:
        return "failed, and the version before was being put back"
    return "was applied and is not judged" if "apply" in passed else "may have been applied and is not judged"
