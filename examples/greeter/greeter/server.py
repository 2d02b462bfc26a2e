"""The HTTP side: `/?name=Ada&language=fr`, and `/health`."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from greeter.greeting import greeting


def answer(target: str, version: str) -> tuple[int, dict[str, str]]:
    """Return the status and the JSON for a request's target, such as `/?name=Ada`."""
    url = urlsplit(target)
    if url.path == "/health":
        return 200, {"status": "ok", "version": version}
    if url.path != "/":
        return 404, {"error": f"there is nothing at {url.path}"}
    query = {key: values[-1] for key, values in parse_qs(url.query).items()}
    return 200, {"greeting": greeting(query.get("name", ""), query.get("language", "en"))}


def server(host: str, port: int, version: str) -> ThreadingHTTPServer:
    """Return a server that listens; `serve_forever` makes it answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path, version)
            data = json.dumps(body).encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Say nothing: the platform's proxy logs the requests."""

    return ThreadingHTTPServer((host, port), Handler)


def main() -> None:
    """Serve on $PORT (8080 where unset)."""
    environment = os.environ
    port = int(environment.get("PORT", "8080"))
    with server(environment.get("HOST", ""), port, environment.get("APP_VERSION", "unknown")) as running:
        running.serve_forever()
