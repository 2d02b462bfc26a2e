"""What becomes of one object that Argo CD is set up with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jenkins_cd.free_text import FreeText

Action = Literal["create", "update", "unchanged", "refused"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one object."""

    kind: str
    name: str
    action: Action
    note: FreeText = ""  # why it is refused, or what else is to know
    diff: FreeText = ""
    fields: tuple[str, ...] = ()  # what of it changes, where it is there

    @property
    def title(self) -> str:
        """Return what it is called in messages."""
        return f"{self.kind}/{self.name}"
