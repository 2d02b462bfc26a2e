"""What a step fails with: exceptions that the script may catch, and mistakes that no script may hide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

INTERRUPTED = "org.jenkinsci.plugins.workflow.steps.FlowInterruptedException"


class Thrown(Exception):
    """A Java exception of the class `kind`; the script may catch it."""

    def __init__(self, kind: str, message: str | None, properties: Mapping[str, Any] | None = None) -> None:
        super().__init__(message or kind)
        self.kind = kind
        self.message = message
        self.properties = dict(properties or {})

    def encoded(self) -> dict[str, Any]:
        """Return it as the Java program wants it."""
        return {"type": self.kind, "message": self.message, "properties": self.properties}

    @property
    def interruption(self) -> bool:
        """Whether it ends the build, or a part, from outside: nobody's failure."""
        return self.kind == INTERRUPTED and bool(self.properties.get("actualInterruption", True))


class BodyFailed(Thrown):
    """What a body threw; given back, it is the very same object in the script."""

    def __init__(self, error: Mapping[str, Any], held: int) -> None:
        super().__init__(error["type"], error["message"], error.get("properties"))
        self.held = held

    def encoded(self) -> dict[str, Any]:
        return {"$held": self.held}


class NotJenkins(Exception):
    """The script does what the documented steps would not let pass: the run ends, and the script cannot catch it."""


class UnknownStep(NotJenkins):
    """A step that the runner does not know."""


class WrongArguments(NotJenkins):
    """A known step was called with an argument that it does not have, or of another type."""


def aborted(message: str) -> Thrown:
    """A failure whose message says everything."""
    return Thrown("hudson.AbortException", message)


def interrupted(description: str, result: str = "ABORTED", *, actual: bool = True, user: str | None = None) -> Thrown:
    """Somebody (`user`) or something ended a block or the build, which becomes `result` if nobody catches it."""
    cause = {"shortDescription": description, **({"user": user} if user else {})}
    return Thrown(INTERRUPTED, description, {"result": result, "causes": [cause], "actualInterruption": actual})


def missing_context(step: str, kind: str = "hudson.FilePath", provider: str = "node") -> Thrown:
    """The step was called outside the block that it needs."""
    return Thrown(
        "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException",
        f"Required context class {kind} is missing\n"
        f"Perhaps you forgot to surround the {step} step with a step that provides this, such as: {provider}",
    )
