"""Helpers of the page's tests: take a page apart, and serve it as Jenkins does."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

POLICY = "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';"
VOID = {"meta", "link", "img", "source", "br", "hr"}


@dataclass
class Page(HTMLParser):
    """What a page is made of: tags with their attributes, and its text."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    open: list[str] = field(default_factory=list)
    misnested: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def references(self) -> list[str]:
        """Return every address that the page names."""
        return [tag[1][name] for tag in self.tags for name in ("href", "src", "srcset") if name in tag[1]]

    def count(self, tag: str, class_: str = "") -> int:
        """Return how many of a tag there are, with a class."""
        return sum(
            name == tag and (not class_ or class_ in given.get("class", "").split()) for name, given in self.tags
        )


def read(file: Path) -> Page:
    """Return a page taken apart."""
    page = Page()
    page.feed(file.read_text(encoding="utf-8"))
    page.close()
    return page


class _Archive(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder with the policy that Jenkins serves archived pages with; yields the address."""
    handler = functools.partial(_Archive, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
