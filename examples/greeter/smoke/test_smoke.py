"""Against the deployed app: jenkins_cd sets APP_URL and APP_VERSION."""

import json
import os
import urllib.request


def get(path: str) -> dict[str, str]:
    with urllib.request.urlopen(os.environ["APP_URL"] + path, timeout=10) as response:
        body: dict[str, str] = json.load(response)
        return body


def test_it_is_the_version_that_was_deployed() -> None:
    assert get("/health")["version"] == os.environ["APP_VERSION"]


def test_it_greets() -> None:
    assert get("/?name=Ada") == {"greeting": "Hello, Ada!"}
