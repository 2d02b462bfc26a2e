"""Speak HTTP, and retry what is worth a retry. No other room does, but for the libraries that bring their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jenkins_cd.errors import ExternalFailure
from jenkins_cd.masking import excerpt, mask
from jenkins_cd.tools import answers, server_time

if TYPE_CHECKING:
    import requests

TIMEOUT = 30.0  # seconds for one answer
ATTEMPTS = 5
RETRY_STATUSES = frozenset({429, 500, 502, 503, 504})  # 500: a registry that another writes the same to just now
SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})  # idempotent by RFC 9110, section 9.2.2


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    data: bytes | None = None,
    json: Any = None,
    timeout: float = TIMEOUT,
    attempts: int = ATTEMPTS,
    expect: tuple[int, ...] = (),
    stream: bool = False,
    clock: bool = True,
) -> requests.Response:
    """Send one request and return the answer, whatever its status, or one of `expect` where that is given.

    With `stream` the body is not read yet: the caller does, and closes the answer. Without `clock` what the server says
    of the time does not count.

    Idempotent methods are tried up to `attempts` times, with full-jitter backoff, where no connection came about or the
    server answers 429, 500, 502, 503 or 504. Raises ExternalFailure where no answer came, or not the expected one.
    """
    import requests
    import tenacity

    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(attempts if method in SAFE_METHODS else 1),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        retry=tenacity.retry_if_exception_type((requests.ConnectionError, requests.Timeout))
        | tenacity.retry_if_result(lambda answer: answer.status_code in RETRY_STATUSES),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    try:
        answer: requests.Response = retrying(
            requests.request,
            method,
            url,
            headers=headers,
            auth=_login(headers, auth),
            data=data,
            json=json,
            timeout=timeout,
            stream=stream,
            hooks={"response": answers.bounded},
        )
    except (requests.RequestException, ValueError) as error:  # ValueError: an address or a header that is none
        raise ExternalFailure(
            f"{method} {mask(url)}: no answer from {urlsplit(url).netloc.rpartition('@')[2]} ({_cause(error)})",
            "check that the address is right and that the server is up",
        ) from error
    if clock:
        server_time.note(answer.headers)
    if expect and answer.status_code not in expect:
        body = excerpt(answer.text, 300).strip()
        raise ExternalFailure(f"{method} {mask(url)}: HTTP {answer.status_code} {answer.reason} {body}".rstrip())
    return answer


def _login(headers: Mapping[str, str] | None, auth: tuple[str, str] | None) -> Any:
    """Return what `requests` is to log in with: names in UTF-8, and no ~/.netrc where a header says who we are."""
    if auth:
        return tuple(part.encode() for part in auth)
    return (lambda request: request) if headers and "Authorization" in headers else None


def _cause(error: BaseException) -> str:
    """Return the innermost reason in a few words; libraries wrap it in several layers."""
    seen: BaseException = error
    while (inner := seen.__cause__ or seen.__context__) is not None:
        seen = inner
    return mask(str(seen) or type(seen).__name__)
