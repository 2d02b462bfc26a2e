"""What Helm's complaints about a cluster mean. It has one exit code for all of them."""

from __future__ import annotations

import re
from collections.abc import Callable

from jenkins_cd.errors import BadInput, ExternalFailure, GateFailed, JenkinsCdError, Refused
from jenkins_cd.lines import split_lines
from jenkins_cd.tools import kubernetes_failures
from jenkins_cd.tools.kubernetes_failures import Forbidden

_AWAY = (
    r"cluster unreachable|reachability check failed|connection refused|connection reset|EOF|i/o timeout|"
    r"TLS handshake|no such host|etcdserver|context deadline exceeded|it took too long|[Tt]oo many requests|"
    r"the server is currently unable|ServiceUnavailable|http2: |Internal error occurred|InternalError"
)
_HOOK_UNSEEN = (  # Helm's own request for the hook's object failed: of the hook itself that says nothing
    r"(?:hooks? failed|failed (?:pre|post)-\S+):\s+(?:\d+ errors? occurred:\s+\* )?"
    r'(?:(?:Get|Post|Put|Patch|Delete) "https?://|unable to decode an event from the watch stream|'
    r"the server is currently unable|etcdserver: |http2: |unexpected EOF)"
)
_LONGEST = 1500  # characters of what Helm says


class Busy(ExternalFailure):
    """Somebody else is at work on the release, or was when he was stopped."""


class HookFailed(GateFailed):
    """A hook of the release did not end well."""


def absent(said: str) -> bool:
    """Tell whether Helm says that there is no such release."""
    return "release: not found" in said


def explain(what: str, said: str) -> JenkinsCdError:
    """Return the failure that Helm's output tells of; `what` completes "cannot …"."""
    lines = [
        line for line in split_lines(said) if line.strip() and not line.startswith(("WARNING:", "level=", "time="))
    ]
    text = "\n".join(lines)[-_LONGEST:].replace("Error: ", "", 1)
    message = f"cannot {what}: {text or 'Helm says nothing'}"
    for pattern, make in _MEANINGS:
        if re.search(pattern, said):
            return make(message, said)
    return BadInput(message, "look at the chart and its values")


def _forbidden(message: str, said: str) -> JenkinsCdError:
    right = kubernetes_failures.missing(said)
    if right is None:  # a quota, an admission policy
        return Refused(message)
    return Forbidden(f"{right.user} may not {right.verb} {right.kind}: {message}", right)


def _busy(message: str, _said: str) -> JenkinsCdError:
    return Busy(message, "wait until the other one is through")


def _owned(message: str, _said: str) -> JenkinsCdError:
    return BadInput(
        message, "an object of that name is there and belongs to somebody else: delete it, or give it another name"
    )


def _no_namespace(message: str, _said: str) -> JenkinsCdError:
    return BadInput(message, "make the namespace, or set helm.create_namespace in the platform file")


def _hook(message: str, _said: str) -> JenkinsCdError:
    return HookFailed(message, "look at the log of the hook's pod")


def _unknown(message: str, _said: str) -> JenkinsCdError:
    return ExternalFailure(
        message, "the credential has expired or belongs to another cluster, or the API server has only just started"
    )


def _away(message: str, _said: str) -> JenkinsCdError:
    return ExternalFailure(message, "check that the API server is up and can be reached, and try again")


_MEANINGS: tuple[tuple[str, Callable[[str, str], JenkinsCdError]], ...] = (
    (r"another operation \(install/upgrade/rollback\) is in progress|cannot re-use a name that is still in use", _busy),
    (r'secrets "sh\.helm\.release\.[^"]+" already exists|release: already exists', _busy),
    (r'forbidden: User "[^"]*" cannot ', _forbidden),  # also the hook's object, of which that says nothing
    (_HOOK_UNSEEN, _away),
    (r"hooks? failed|failed (pre|post)-|Hook (pre|post)-\S+ .* failed|job \S+ failed: ", _hook),
    (r"Unauthorized|client to provide credentials", _unknown),
    (r'namespaces "[^"]+" not found', _no_namespace),
    (r"forbidden", _forbidden),
    (r"cannot be imported into the current release|invalid ownership metadata", _owned),
    (_AWAY, _away),
)
