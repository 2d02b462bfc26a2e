"""Build and push container images with buildah, podman or docker: whichever is there and works.

Labels are those of https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md; SOURCE_DATE_EPOCH is
https://reproducible-builds.org/specs/source-date-epoch/. An image is known by its ID, as a tag may move at any time.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jenkins_cd import files
from jenkins_cd.errors import BadInput, ExternalFailure
from jenkins_cd.masking import last_lines
from jenkins_cd.tools import answers, process, registry
from jenkins_cd.tools.answers import Malformed

BUILD_TIMEOUT = 3600.0  # seconds
PUSH_TIMEOUT = 1800.0
PROBE_TIMEOUT = 20.0
LABEL = "org.opencontainers.image."
RESULTS = ".jenkins-cd"  # our own folder changes with every run, and is no part of an image


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to build. `context` and `dockerfile` are paths on this machine, the file being inside the checkout."""

    context: Path
    dockerfile: Path
    repository: str
    version: str
    title: str
    revision: str  # the commit
    source: str  # the Git URL
    created: datetime  # the commit's date, UTC
    args: Mapping[str, str]

    @property
    def tag(self) -> str:
        """Return the local name, `repository:version`."""
        return f"{self.repository}:{self.version}"


@dataclass(frozen=True, kw_only=True)
class Builder:
    """A program that builds images, as data: how to tell that it works, and its command lines."""

    name: str
    probe: tuple[str, ...]  # fails where the program is there but cannot build
    install: str
    build: Callable[[Recipe, Path], list[str]]  # the command, given a folder for its files
    push: Callable[[str, str, bool, Mapping[str, str], Path], str]  # returns the digest


def choose(wanted: str) -> Builder:
    """Return the builder of that name, or for `auto` the first that works.

    Raises BadInput with what each of them said where none works; MissingTool where the wanted one is not installed.
    """
    if wanted != "auto":
        builder = BUILDERS[wanted]
        process.run(builder.probe, timeout=PROBE_TIMEOUT, install=builder.install).require(
            f"build images with {wanted}", "choose another with package.image.builder"
        )
        return builder
    problems = []
    for name, builder in BUILDERS.items():
        reason = _unusable(builder)
        if not reason:
            return builder
        problems.append(f"{name}: {reason}")
    raise BadInput("no program that builds images works here", BUILDERS["buildah"].install, problems)


def build(builder: Builder, recipe: Recipe, scratch: Path, log: Path | None = None) -> str:
    """Build an image under `recipe.tag` and return its ID: `sha256:…`, the digest of its config.

    Files for the builder are put into the folder `scratch`. Raises ExternalFailure with the builder's last words.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    identity = scratch / "image-id"
    identity.unlink(missing_ok=True)
    _write_ignore(recipe, scratch)
    environment = {
        "BUILDAH_ISOLATION": os.environ.get("BUILDAH_ISOLATION", "chroot"),  # works for root in a container, too
        "SOURCE_DATE_EPOCH": _epoch(recipe),
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",  # they tell the time
    }
    with registry.credentials(*_hosts(recipe.repository)) as login:  # base images may live there
        said = process.run(builder.build(recipe, scratch), env={**environment, **login}, timeout=BUILD_TIMEOUT, log=log)
    said.require(f"build the image {recipe.tag} with {builder.name}", f"the whole output is in {log}" if log else "")
    return _digest(identity, builder.name, f"read what {recipe.tag} was built to")


def push(builder: Builder, content: str, tag: str, scratch: Path, plain_http: bool = False) -> str:
    """Push the image with the ID `content` as `tag` and return the manifest's digest in the registry.

    Raises BadInput where this machine does not have that image, ExternalFailure where the push fails.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    if not _has(builder, content):
        raise BadInput(
            f"{builder.name} on this machine does not have the image {content[:19]} of {tag}",
            "build it here: jenkins-cd ci package upload",
        )
    with registry.credentials(registry.split(tag)[0]) as login:
        return builder.push(content, tag, plain_http, login, scratch)


def _unusable(builder: Builder) -> str:
    """Return why it does not work here, or an empty string."""
    from jenkins_cd.errors import MissingTool

    try:
        said = process.run(builder.probe, timeout=PROBE_TIMEOUT)
    except MissingTool:
        return f"not installed ({builder.install})"
    return "" if said.exit_code == 0 else (last_lines(said.output, 1) or [f"exit code {said.exit_code}"])[0]


def _has(builder: Builder, content: str) -> bool:
    argv = (
        ["buildah", "inspect", "--type", "image"] if builder.name == "buildah" else [builder.name, "image", "inspect"]
    )
    return process.run([*argv, "--", content], timeout=PROBE_TIMEOUT).exit_code == 0


def _details(recipe: Recipe) -> list[str]:
    """Return the labels and build arguments that every builder takes alike."""
    labels = {
        "title": recipe.title,
        "version": recipe.version,
        "revision": recipe.revision,
        "source": recipe.source,
        "created": recipe.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    args = {**recipe.args, "VERSION": recipe.version, "REVISION": recipe.revision}
    flags = [part for key, value in labels.items() for part in ("--label", f"{LABEL}{key}={value}")]
    return flags + [part for key, value in args.items() for part in ("--build-arg", f"{key}={value}")]


def _epoch(recipe: Recipe) -> str:
    return str(int(recipe.created.timestamp()))


def _build_with(program: str) -> Callable[[Recipe, Path], list[str]]:
    def command(recipe: Recipe, scratch: Path) -> list[str]:
        flags = ["--timestamp", _epoch(recipe), "--ignorefile", str(scratch / "Dockerfile.dockerignore")]
        flags += ["--iidfile", str(scratch / "image-id"), "--tag", recipe.tag, "--file", str(recipe.dockerfile)]
        return [program, "build", *flags, *_details(recipe), "--", str(recipe.context)]

    return command


def _build_with_docker(recipe: Recipe, scratch: Path) -> list[str]:
    # Docker looks for the list of what to leave out beside the Dockerfile only.
    (scratch / "Dockerfile").write_bytes(files.read(recipe.dockerfile))
    flags = ["--iidfile", str(scratch / "image-id"), "--tag", recipe.tag, "--file", str(scratch / "Dockerfile")]
    epoch = ["--build-arg", f"SOURCE_DATE_EPOCH={_epoch(recipe)}"]
    return ["docker", "build", *flags, *epoch, *_details(recipe), "--", str(recipe.context)]


def _push_with(program: str) -> Callable[[str, str, bool, Mapping[str, str], Path], str]:
    def push(content: str, tag: str, plain_http: bool, login: Mapping[str, str], scratch: Path) -> str:
        digest = scratch / "image-digest"
        digest.unlink(missing_ok=True)
        flags = ["--digestfile", str(digest), *(["--tls-verify=false"] if plain_http else [])]
        said = process.run([program, "push", *flags, "--", content, f"docker://{tag}"], env=login, timeout=PUSH_TIMEOUT)
        said.require(f"push the image {tag}", "check registry.images of the platform file, and the login")
        return _digest(digest, program, f"read the digest of {tag}")

    return push


def _digest(file: Path, program: str, what: str) -> str:
    """Return the digest that a program wrote to a file. Raises ExternalFailure where that is none."""
    with answers.printed(program, what):
        found = re.fullmatch(r"(?:sha256:)?[0-9a-f]{64}", file.read_text(encoding="ascii").strip())
        if found is None:
            raise Malformed("it is no digest")
        return found[0]


def _push_with_docker(content: str, tag: str, plain_http: bool, login: Mapping[str, str], scratch: Path) -> str:
    """Plain HTTP is a setting of the daemon (`insecure-registries`), which allows it for loopback addresses."""
    del plain_http, scratch
    process.run(["docker", "tag", content, tag], timeout=PROBE_TIMEOUT).require(f"name the image {tag}")
    said = process.run(["docker", "push", "--", tag], env=login, timeout=PUSH_TIMEOUT)
    said.require(f"push the image {tag}", "check registry.images of the platform file, and the login")
    told = process.run(
        ["docker", "image", "inspect", "--format", "{{json .RepoDigests}}", "--", content], timeout=PROBE_TIMEOUT
    ).require(f"read the digest of {tag}")
    repository = tag.rpartition(":")[0]
    with answers.printed("docker", f"read the digest of {tag}"):
        names = answers.document(told.raw_stdout, list[str] | None) or ()
    for name in names:
        if name.startswith(f"{repository}@"):
            return str(name.partition("@")[2])
    raise ExternalFailure(f"docker pushed {tag}, but tells no digest of it")


def _write_ignore(recipe: Recipe, scratch: Path) -> None:
    """Write the list of what the build does not see: the user's own, and our folder of results."""
    own = (
        recipe.dockerfile.with_name(f"{recipe.dockerfile.name}.dockerignore"),
        recipe.context / ".containerignore",
        recipe.context / ".dockerignore",
    )
    text = next((files.read_text(file) for file in own if os.path.lexists(file)), "")
    (scratch / "Dockerfile.dockerignore").write_text(f"{text.rstrip()}\n{RESULTS}\n".lstrip(), encoding="utf-8")


def _hosts(repository: str) -> list[str]:
    return [registry.split(repository)[0]] if "/" in repository else []


BUILDERS: Mapping[str, Builder] = {
    "buildah": Builder(
        name="buildah",
        probe=("buildah", "info"),
        install="apt-get install -y buildah",
        build=_build_with("buildah"),
        push=_push_with("buildah"),
    ),
    "podman": Builder(
        name="podman",
        probe=("podman", "info"),
        install="apt-get install -y podman",
        build=_build_with("podman"),
        push=_push_with("podman"),
    ),
    "docker": Builder(
        name="docker",
        probe=("docker", "version", "--format", "{{.Server.Version}}"),
        install="install Docker Engine, or use buildah: apt-get install -y buildah",
        build=_build_with_docker,
        push=_push_with_docker,
    ),
}
