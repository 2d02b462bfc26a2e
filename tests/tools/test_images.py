from __future__ import annotations

import json
import uuid
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, ExternalFailure, MissingTool
from jenkins_cd.tools import images, registry

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
DOCKERFILE = "FROM scratch\nARG VERSION\nARG COLOUR\nLABEL told=$VERSION colour=$COLOUR\nCOPY . /app\n"


@pytest.fixture
def recipe(tmp_path: Path, registry: Registry) -> images.Recipe:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (context / "app.txt").write_text("app", encoding="utf-8")
    return images.Recipe(
        context=context,
        dockerfile=context / "Dockerfile",
        repository=f"{registry.host}/images-{uuid.uuid4().hex}",
        version="1.2.3",
        title="storefront",
        revision="1a2b3c4d" * 5,
        source="https://git.local/shop/storefront",
        created=WHEN,
        args={"COLOUR": "green, or 'blue'"},
    )


@pytest.fixture
def buildah() -> images.Builder:
    return images.choose("buildah")


def test_the_same_commit_gives_the_same_image(recipe: images.Recipe, buildah: images.Builder, tmp_path: Path) -> None:
    first = images.build(buildah, recipe, tmp_path / "first")
    (recipe.context / "app.txt").touch()
    results = recipe.context / ".jenkins-cd"
    results.mkdir()
    (results / "ci.json").write_text("what the run found differs each time", encoding="utf-8")
    assert images.build(buildah, recipe, tmp_path / "second") == first
    (recipe.context / "app.txt").write_text("changed", encoding="utf-8")
    assert images.build(buildah, recipe, tmp_path / "third") != first


def test_a_builder_gets_the_login_of_the_registry_and_no_secret_in_its_environment(
    recipe: images.Recipe, buildah: images.Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a Dockerfile runs can read the environment of the programs above it."""
    secrets = {"JENKINS_CD_REGISTRY_USERNAME": "robot", "JENKINS_CD_REGISTRY_PASSWORD": "canary-of-the-registry",
               "JENKINS_CD_GIT_PASSWORD": "canary-of-git", "JENKINS_CD_ARGOCD_TOKEN": "canary-of-argocd"}  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    script = f"env > {tmp_path}/seen; cat $REGISTRY_AUTH_FILE > {tmp_path}/login; echo sha256:1 > $0"
    writes = replace(buildah, build=lambda _recipe, scratch: ["sh", "-c", script, str(scratch / "image-id")])
    assert images.build(writes, recipe, tmp_path / "made") == "sha256:1"
    assert "canary" not in (tmp_path / "seen").read_text(encoding="utf-8")
    assert recipe.repository.partition("/")[0] in (tmp_path / "login").read_text(encoding="utf-8")


def test_an_image_says_what_it_is(recipe: images.Recipe, buildah: images.Builder, tmp_path: Path) -> None:
    content = images.build(buildah, recipe, tmp_path / "made")
    digest = images.push(buildah, content, recipe.tag, tmp_path / "made", plain_http=True)
    assert registry.digest(recipe.repository, "1.2.3", plain_http=True) == digest
    assert registry.image_content(recipe.repository, "1.2.3", plain_http=True) == content
    config = json.loads(registry.blob(recipe.repository, content, plain_http=True))
    assert config["created"] == "2026-03-04T05:06:07Z"
    labels = config["config"]["Labels"]
    assert {key: labels[f"org.opencontainers.image.{key}"] for key in ("title", "version", "revision", "source")} == {
        "title": "storefront",
        "version": "1.2.3",
        "revision": recipe.revision,
        "source": recipe.source,
    }
    assert labels["org.opencontainers.image.created"] == "2026-03-04T05:06:07Z"
    assert (labels["told"], labels["colour"]) == ("1.2.3", "green, or 'blue'")


def test_what_is_pushed_is_the_image_that_was_built_though_its_tag_has_moved(
    recipe: images.Recipe, buildah: images.Builder, tmp_path: Path
) -> None:
    content = images.build(buildah, recipe, tmp_path / "made")
    images.build(buildah, replace(recipe, revision="0" * 40), tmp_path / "other")
    images.push(buildah, content, recipe.tag, tmp_path / "made", plain_http=True)
    assert registry.image_content(recipe.repository, "1.2.3", plain_http=True) == content


def test_the_users_list_of_what_to_leave_out_is_kept(recipe: images.Recipe, tmp_path: Path) -> None:
    (recipe.context / ".dockerignore").write_text("*.txt\n", encoding="utf-8")
    images._write_ignore(recipe, tmp_path)
    assert (tmp_path / "Dockerfile.dockerignore").read_text(encoding="utf-8") == "*.txt\n.jenkins-cd\n"


def test_a_build_that_fails_says_why_and_logs_it_all(
    recipe: images.Recipe, buildah: images.Builder, tmp_path: Path
) -> None:
    recipe.dockerfile.write_text("FROM scratch\nCOPY no-such-file /\n", encoding="utf-8")
    log = tmp_path / "package.log"
    with pytest.raises(ExternalFailure, match=r"(?s)cannot build the image .*with buildah.*no-such-file") as caught:
        images.build(buildah, recipe, tmp_path / "made", log)
    assert str(log) in caught.value.hint
    assert "COPY no-such-file /" in log.read_text(encoding="utf-8")


def test_an_image_that_is_not_on_this_machine_is_told(buildah: images.Builder, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not have the image sha256:") as caught:
        images.push(buildah, f"sha256:{'0' * 64}", "registry.local/apps/a:1.0.0", tmp_path)
    assert "jenkins-cd ci package upload" in caught.value.hint


@pytest.mark.usefixtures("logged_in")
def test_a_login_of_the_environment_is_used(
    recipe: images.Recipe, buildah: images.Builder, tmp_path: Path, locked_registry: Registry
) -> None:
    private = replace(recipe, repository=f"{locked_registry.host}/apps/storefront")
    content = images.build(buildah, private, tmp_path / "made")
    digest = images.push(buildah, content, private.tag, tmp_path / "made", plain_http=True)
    assert registry.digest(private.repository, "1.2.3", plain_http=True) == digest


def fake(folder: Path, name: str, script: str) -> None:
    """Stand in for a program that cannot be broken on demand."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_auto_takes_the_first_that_works(programs: Path) -> None:
    fake(programs, "docker", "exit 0")
    assert images.choose("auto").name == "docker"
    fake(programs, "podman", "exit 0")
    assert images.choose("auto").name == "podman"
    fake(programs, "buildah", "exit 0")
    assert images.choose("auto").name == "buildah"
    fake(programs, "buildah", "echo no user namespaces >&2; exit 125")
    assert images.choose("auto").name == "podman"


def test_where_none_works_each_says_why(programs: Path) -> None:
    fake(programs, "docker", "echo Cannot connect to the Docker daemon. >&2; exit 1")
    with pytest.raises(BadInput, match="no program that builds images works here") as caught:
        images.choose("auto")
    assert caught.value.problems == (
        "buildah: not installed (apt-get install -y buildah)",
        "podman: not installed (apt-get install -y podman)",
        "docker: Cannot connect to the Docker daemon.",
    )


def test_the_one_that_is_asked_for_must_work(programs: Path) -> None:
    with pytest.raises(MissingTool, match="podman is not installed"):
        images.choose("podman")
    fake(programs, "docker", "echo Cannot connect to the Docker daemon. >&2; exit 1")
    with pytest.raises(ExternalFailure, match="Cannot connect to the Docker daemon"):
        images.choose("docker")


def test_docker_gets_the_same_labels_and_the_commits_date(recipe: images.Recipe, tmp_path: Path) -> None:
    images._write_ignore(recipe, tmp_path)
    line = images.BUILDERS["docker"].build(recipe, tmp_path)
    other = images.BUILDERS["buildah"].build(recipe, tmp_path)
    details = images._details(recipe)
    assert line[-len(details) - 2 : -2] == other[-len(details) - 2 : -2] == details
    assert f"SOURCE_DATE_EPOCH={int(WHEN.timestamp())}" in line
    assert line[-2:] == other[-2:] == ["--", str(recipe.context)]
    assert (tmp_path / "Dockerfile").read_text(encoding="utf-8") == DOCKERFILE  # beside its list of what to leave out
