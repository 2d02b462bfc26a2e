import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from greeter.server import server


@pytest.fixture
def url() -> Iterator[str]:
    with server("127.0.0.1", 0, "1.2.3") as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def get(url: str) -> dict[str, str]:
    with urllib.request.urlopen(url, timeout=5) as response:
        body: dict[str, str] = json.load(response)
        return body


def test_health_tells_the_version(url: str) -> None:
    assert get(f"{url}/health") == {"status": "ok", "version": "1.2.3"}


def test_a_greeting_is_answered(url: str) -> None:
    assert get(f"{url}/?name=Ada&language=de") == {"greeting": "Hallo, Ada!"}


def test_an_unknown_path_is_not_found(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{url}/nothing")
