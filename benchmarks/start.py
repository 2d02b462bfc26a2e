"""How long it takes until jenkins-cd answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round, timed

TITLE = "starting"
NOTE = "installed as a wheel, byte code cached; validate reads examples/storefront and its platform.yaml"
EXAMPLES = Path(__file__).parent.parent / "examples"
BOOTSTRAP = Path(__file__).parent.parent / "resources/jenkins_cd/bootstrap.sh"
AGAINST: tuple[str, ...] = ("python -c pass", "helm version", "jenkins-cd --version")
AIMS: Mapping[str, Aim] = {"jenkins-cd --version": Aim(limit=0.060), "jenkins-cd validate": Aim(limit=0.100)}


def prepare(_folder: Path, installed: Installed) -> partial[Round]:
    """Return a round."""
    return partial(_once, installed)


def _once(installed: Installed) -> Round:
    validate = (installed.program, "validate", "--platform", EXAMPLES / "platform.yaml")
    commands: dict[str, tuple[str | Path, ...]] = {
        "python -S -E -c pass": (installed.python, "-S", "-E", "-c", "pass"),
        "python -c pass": (installed.python, "-c", "pass"),
        "helm version": ("helm", "version"),
        "jenkins-cd --version": (installed.program, "--version"),
        "bootstrap.sh, jenkins-cd --version": (
            "env", f"PATH={Path(installed.program).parent}:/usr/bin:/bin", 'JENKINS_CD_ARGUMENTS=["--version"]',
            "sh", BOOTSTRAP,
        ),
        "jenkins-cd validate": validate,
    }  # fmt: skip
    return {name: timed(argv, EXAMPLES / "storefront") for name, argv in commands.items()}
