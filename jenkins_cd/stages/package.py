"""The stage `package`: the image and the chart of this commit, on this machine. Nothing is published here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from jenkins_cd import common_chart, files
from jenkins_cd.config.types import ImageConfig, StageConfig
from jenkins_cd.errors import BadInput
from jenkins_cd.model import Chart, Command, Image, PackageResult, Purpose, StageResult
from jenkins_cd.stages import Build, chart, commands
from jenkins_cd.tools import helm, images, process

NEEDS: tuple[str, ...] = ("build",)
CREDENTIALS: tuple[Purpose, ...] = ("registry", "deploy-repository")  # base images and dependencies; values
STAGE = "package"


def skip_reason(build: Build) -> str:
    """Return an empty string: there is always something to package."""
    del build
    return ""


def run(build: Build) -> StageResult:
    """Build the image, then make, check and package the chart; both lie in `.jenkins-cd/package` or in the image store.

    Raises BadInput where the Dockerfile or the chart is unfit, naming the environment that it does not render for,
    MissingTool, and ExternalFailure where a program fails.
    """
    work = commands.begin(build, STAGE, StageConfig())
    with _recorded(work):
        builder, image = _image(build, work)
        package = _chart(build, work, image)
    made = [f"image {image.repository}:{build.version}" if image else "no image (package.image.enabled is false)"]
    made.append(f"chart {package[0].name} {build.version}")
    return replace(
        commands.finish(work, "passed", ", ".join(made)),
        package=PackageResult(
            builder=builder,
            image=image,
            image_tag=f"{image.repository}:{build.version}" if image else "",
            chart=package[0],
            chart_file=package[1].relative_to(build.workspace.resolve()).as_posix(),
        ),
    )


@contextmanager
def _recorded(work: commands.Work) -> Iterator[None]:
    """Record the programs that run in the block, and log their output where it is not logged yet."""
    with process.recording() as ended:
        try:
            yield
        finally:
            for done in ended:
                work.ran.append(Command(line=done.line, exit_code=done.exit_code, seconds=done.seconds))
            with files.appending(work.log) as log:
                log.writelines(f"$ {done.line}\n{done.output}\n".encode() for done in ended if done.argv[0] == "helm")


def _image(build: Build, work: commands.Work) -> tuple[str, Image | None]:
    """Build the image; returns the builder's name and the image, or nothing of both where there is to be none."""
    config = build.config.app.package.image
    if not config.enabled:
        return "", None
    context, dockerfile = _sources(build, config)
    platform, app = build.config.platform, build.config.app.app
    recipe = images.Recipe(
        context=context,
        dockerfile=dockerfile,
        repository=f"{platform.registry.images}/{app}" if platform else app,
        version=build.version,
        title=app,
        revision=build.commit,
        source=build.source,
        created=build.committed,
        args=config.args,
    )
    builder = images.choose(config.builder)
    build.progress.note(STAGE, f"building {recipe.tag} with {builder.name}")
    content = images.build(builder, recipe, work.out / "image", work.log)
    return builder.name, Image(repository=recipe.repository, content=content)


def _sources(build: Build, config: ImageConfig) -> tuple[Path, Path]:
    """Return context and Dockerfile. Raises BadInput where one is missing or leads out of the checkout."""
    checkout = build.workspace.resolve()
    context, dockerfile = (checkout / config.context).resolve(), (checkout / config.dockerfile).resolve()
    for key, path in (("context", context), ("dockerfile", dockerfile)):
        if not path.is_relative_to(checkout):
            raise BadInput(f"package.image.{key}: {getattr(config, key)} leads out of the checkout, to {path}")
    if not context.is_dir():
        raise BadInput(f"package.image.context: there is no folder {config.context} in the checkout")
    if not dockerfile.is_file():
        raise BadInput(
            f"package.image.dockerfile: there is no {config.dockerfile} in the checkout",
            "write one, name another with package.image.dockerfile, or set package.image.enabled to false",
        )
    return context, dockerfile


def _chart(build: Build, work: commands.Work, image: Image | None) -> tuple[Chart, Path]:
    """Check and package the chart; what is rendered is the package, as it will be published."""
    platform = build.config.platform
    source = chart.prepare(build, work.out, image)
    name = chart.name(source)
    build.progress.note(STAGE, f"packaging the chart {name} with Helm {helm.version()}")
    helm.lint(source)
    file = helm.package(source, work.out, build.version, build.version, build.committed)
    rendered = chart.render(build, file, name, work.out)
    if rendered:
        build.progress.note(STAGE, f"the chart renders for {', '.join(rendered)}")
    repository = platform.registry.charts if platform else ""
    return Chart(name=name, repository=repository, content=common_chart.sha256(file)), file
