"""What a Pipeline's `input` step asks, and what comes back (https://www.jenkins.io/doc/pipeline/steps/pipeline-input-step/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Question:
    """A build that waits for somebody."""

    id: str  # capitalised, as it stands in the URL: /job/…/<number>/input/<id>/
    message: str
    ok: str = "Proceed"
    submitters: tuple[str, ...] = ()  # users who may answer; anybody where empty
    parameters: tuple[str, ...] = ()  # names of the values that are asked for


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who let it go on, and what they filled in."""

    submitter: str
    values: Mapping[str, str] = field(default_factory=dict)


class Rejected(Exception):
    """Somebody answered no."""

    def __init__(self, submitter: str) -> None:
        super().__init__(f"Rejected by {submitter}")
        self.submitter = submitter
