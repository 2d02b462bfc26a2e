"""Lints Groovy: `python -m tests.jenkins.lint vars resources Jenkinsfile.example` prints what CodeNarc finds, and what
the Groovy sandbox of Jenkins would refuse.

A folder stands for the .groovy files in it. The exit code is 1 where something was found, 2 where it could not look.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.jenkins import sandbox
from tests.jenkins.cps_process import ProgramMissing, built

RULES = Path(__file__).with_name("codenarc.groovy")
ANNOTATIONS = Path(__file__).parent / "cps" / "lint" / "annotations"
OPTIONS = (
    "-Xshare:auto",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx384m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


class CannotLook(Exception):
    """CodeNarc did not come to an end: its last words."""


def findings(paths: Sequence[Path]) -> list[str]:
    """Return `file:line: message [rule]` for each finding, sorted by place.

    Raises CannotLook where a file is missing or is no Groovy.
    """
    files = sorted({each for path in paths for each in _groovy(path)})
    if missing := [str(each) for each in files if not each.is_file()]:
        raise CannotLook(f"there is no {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        # A folder of copies: CodeNarc walks all of the one it is given, through symbolic links too.
        for number, file in enumerate(files):
            (Path(folder) / str(number)).mkdir()
            shutil.copy(file, Path(folder) / str(number))
        packages = _report(Path(folder), files)["packages"]
    found = [
        (files[int(package["path"])], violation["lineNumber"] or 0, f"{violation['message']} [{violation['ruleName']}]")
        for package in packages
        for file in package["files"]
        for violation in file["violations"]
    ]
    for file in files:
        found += [(file, line, f"{text} [Sandbox]") for line, text in sandbox.refused(file.read_text(encoding="utf-8"))]
    found.sort(key=lambda each: each[:2])
    return [f"{file}:{line}: {text}" for file, line, text in found]


def _groovy(path: Path) -> Iterator[Path]:
    yield from path.rglob("*.groovy") if path.is_dir() else [path]


def _report(folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    command = [
        *("java", *OPTIONS, "-cp", f"{built()}/lint/*:{ANNOTATIONS}", "org.codenarc.CodeNarc"),
        *(f"-basedir={folder}", "-includes=**/*", f"-rulesetfiles=file:{RULES}", "-report=json:stdout"),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    start = done.stdout.find("{")
    if done.returncode or start < 0 or "Compilation failed" in done.stderr:
        words = done.stderr + done.stdout[:start]
        for number, file in enumerate(files):
            words = words.replace(str(folder / str(number) / file.name), str(file))
        raise CannotLook(f"CodeNarc failed:\n{words[-3000:]}")
    document: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout[start:])[0]
    return document


def main(arguments: Sequence[str]) -> int:
    """Print the findings of the files and folders named."""
    try:
        found = findings([Path(each) for each in arguments])
    except (CannotLook, ProgramMissing) as error:
        print(f"tests.jenkins.lint: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for each in found:
        print(each)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
