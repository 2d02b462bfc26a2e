"""Small real projects with known flaws, and the Build that a stage gets for one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from jenkins_cd import toolchains
from jenkins_cd.config import Config
from jenkins_cd.config.check import parse
from jenkins_cd.config.types import AppFile
from jenkins_cd.model import Status
from jenkins_cd.stages import Build

GO = {
    "go.mod": "module example.com/shop\n\ngo 1.21\n",
    "main.go": """package main

import "fmt"

func main() {
	fmt.Printf("%d\\n", "one")
	total := add(1, 2)
	total = total
	fmt.Println(total)
}

func add(a, b int) int {
return a+b
}

func forgotten() int { return 1 }
""",
    "main_test.go": """package main

import "testing"

func TestAdd(t *testing.T) {
	if add(1, 2) != 3 {
		t.Fatal("wrong")
	}
}
""",
}
CLEAN_GO = {
    "go.mod": GO["go.mod"],
    "main.go": """package main

import "fmt"

func main() { fmt.Println(add(1, 2)) }

func add(a, b int) int { return a + b }
""",
    "main_test.go": GO["main_test.go"],
}
PYTHON = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
    "shop.py": """import os


def add(a: int, b: int) -> int:
    return a+b


def forgotten(name: str) -> int:
    return name


PATTERN = "\\d"
""",
    "test_shop.py": """from shop import add


def test_add() -> None:
    assert add(1, 2) == 3
""",
}
CLEAN_PYTHON = {
    "pyproject.toml": PYTHON["pyproject.toml"],
    "shop.py": "def add(a: int, b: int) -> int:\n    return a + b\n",
    "test_shop.py": PYTHON["test_shop.py"],
}


class Notes:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def started(self, name: str, detail: str = "") -> None:
        """Nothing to keep."""

    def note(self, name: str, text: str) -> None:
        self.lines.append(f"{name}: {text}")

    def finished(self, name: str, status: Status, detail: str, seconds: float) -> None:
        """Nothing to keep."""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project into a folder and return it."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def build(workspace: Path, cd: str = "", toolchain: str = "") -> Build:
    """Return what a stage is given for a checkout with this cd.yaml (without app and project)."""
    app, origins = parse(f"app: shop\nproject: demo\n{cd}", AppFile, "cd.yaml", "app")
    return Build(
        workspace=workspace,
        config=Config(app=app, platform=None, origins=origins),
        toolchain=toolchains.load(toolchain or toolchains.detect(workspace)),
        version="1.0.0",
        commit="1a2b3c4d" * 5,
        committed=datetime(2026, 1, 1, tzinfo=timezone.utc),
        dirty=False,
        source="file:///shop",
        progress=Notes(),
    )
