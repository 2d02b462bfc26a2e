from __future__ import annotations

from dataclasses import dataclass, field

from jenkins_cd.model import Status


@dataclass
class Notes:
    """Progress that remembers."""

    texts: list[str] = field(default_factory=list)

    def started(self, name: str, detail: str = "") -> None:
        self.texts.append(f"{name} started {detail}")

    def note(self, name: str, text: str) -> None:
        self.texts.append(f"{name}: {text}")

    def finished(self, name: str, status: Status, detail: str, seconds: float) -> None:
        self.texts.append(f"{name} {status} {detail} {seconds}")
