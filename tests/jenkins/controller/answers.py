"""What a request is, and the shapes of Jenkins's answers: JSON, its error pages, and those of the servlet container."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

VERSION = "2.579"
HTML = "text/html;charset=utf-8"
REASONS = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request whose user is known."""

    method: str
    path: tuple[str, ...]  # decoded, a part each
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    user: str  # "anonymous" where nobody is logged in

    def value(self, name: str, default: str | None = None) -> str | None:
        """Return a value of the query, else of the form that was posted, else `default`."""
        return {**self.form, **self.query}.get(name, [default])[0]

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the fields of the form that was posted."""
        if not self.content_type.startswith("application/x-www-form-urlencoded"):
            return {}
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def content_type(self) -> str:
        """Return the type of the body, in lower case."""
        return self.headers.get("Content-Type", "").lower()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is sent back."""

    status: int = 200
    body: bytes = b""
    type: str = HTML
    headers: Mapping[str, str] = field(default_factory=dict)


class Failed(Exception):
    """A request that ends with the answer of an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def as_json(value: Any) -> Answer:
    return Answer(body=json.dumps(value).encode(), type="application/json;charset=utf-8")


def as_text(data: bytes, **headers: str) -> Answer:
    return Answer(
        body=data, type="text/plain;charset=utf-8", headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def page(title: str, body: str = "", status: int = 200) -> Answer:
    text = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"
    return Answer(status=status, body=text.encode())


def container_error(status: int, message: str) -> Failed:
    """Return an error page of the servlet container (Jetty)."""
    said = html.escape(message)
    body = f"<h2>HTTP ERROR {status} {said}</h2><table><tr><th>STATUS:</th><td>{status}</td></tr></table>"
    return Failed(page(f"Error {status} {said}", body, status))


def failure(message: str) -> Failed:
    """Return what hudson.model.Failure answers: 400, the message in a header and in a page without a stack trace."""
    body = f'<div id="main-panel"><h1>Error</h1><p>{html.escape(message)}</p></div>'
    answer = page("Jenkins", body, 400)
    return Failed(Answer(status=400, body=answer.body, headers={"X-Error": message}))


def oops(exception: str) -> Failed:
    """Return the page for an exception that nobody expected, with the stack trace that old controllers show."""
    body = (
        '<div id="main-panel"><h1>Oops!</h1><p>A problem occurred while processing the request.</p>'
        f"<h2>Stack trace</h2><pre>{html.escape(exception)}\n\tat hudson.model.Whatever.whatever(Whatever.java:1)\n"
        "</pre></div>"
    )
    return Failed(page("Oops - Jenkins", body, 500))


def not_found(message: str = "Not Found") -> Failed:
    return container_error(404, message)


def denied(user: str, permission: str) -> Failed:
    """Return what AccessDeniedException3 answers; `permission` is as in the permission matrix, such as `Job/Build`."""
    owner, _, name = permission.partition("/")
    java = {"Job": "Item", "Overall": "Hudson", "Run": "Run"}.get(owner, owner)
    headers = {
        "X-You-Are-Authenticated-As": user,
        "X-Required-Permission": f"hudson.model.{java}.{name}",
        "X-Permission-Implied-By": "hudson.model.Hudson.Administer",
    }
    said = f"{html.escape(user)} is missing the {permission} permission"
    body = f'<div id="main-panel"><h1>Access Denied</h1><p>{said}</p></div>'
    return Failed(Answer(status=403, body=page("Jenkins", body).body, headers=headers))


def redirect(to: str) -> Answer:
    return Answer(status=302, headers={"Location": to})


def need_post() -> Failed:
    """Return what a method with @RequirePOST answers to a GET."""
    answer = page("Form post required", "<h1>This URL requires POST</h1>", 405)
    return Failed(Answer(status=405, body=answer.body, headers={"Allow": "POST"}))


def starting() -> Answer:
    """Return the page of a controller that is not up yet."""
    body = (
        "<h1>Please wait while Jenkins is getting ready to work ...</h1><p>Your browser will reload automatically.</p>"
    )
    return page("Starting Jenkins", body, 503)


def gateway(status: int) -> Answer:
    """Return the page of a proxy in front of a controller that is not there."""
    said = f"{status} {REASONS[status]}"
    return page(said, f"<center><h1>{said}</h1></center><hr><center>nginx</center>", status)
