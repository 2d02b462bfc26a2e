from __future__ import annotations

import os
from pathlib import Path

import pytest

from jenkins_cd.demo.services import Registry, free_port
from jenkins_cd.errors import ExternalFailure, MissingTool
from jenkins_cd.tools import registry as oci


def test_a_registry_answers_as_soon_as_it_is_started_and_not_once_it_is_stopped(tmp_path: Path) -> None:
    running = Registry.start(tmp_path)
    try:
        assert oci.ping(running.host, plain_http=True) == "open to everybody"
    finally:
        running.stop()
    running.stop()  # twice is allowed
    with pytest.raises(ProcessLookupError):
        os.killpg(running.service.process.pid, 0)
    assert "listening on" in running.log.read_text(encoding="utf-8")


def test_a_registry_can_come_back_on_the_port_that_it_had(tmp_path: Path) -> None:
    port = free_port()
    for _ in range(2):
        running = Registry.start(tmp_path, port=port)
        running.stop()
        assert running.host == f"127.0.0.1:{port}"


def test_a_port_that_is_taken_is_told_and_another_is_found_where_any_will_do(tmp_path: Path) -> None:
    first = Registry.start(tmp_path / "first")
    try:
        with pytest.raises(ExternalFailure, match="address already in use"):
            Registry.start(tmp_path / "second", port=int(first.host.partition(":")[2]))
    finally:
        first.stop()


def test_a_missing_registry_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="docker-registry is not installed") as caught:
        Registry.start(tmp_path)
    assert caught.value.hint == "apt-get install -y docker-registry"
