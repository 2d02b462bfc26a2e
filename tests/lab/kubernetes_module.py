"""Write a go.mod that builds Kubernetes from outside of its repository.

Upstream's go.mod replaces its staging modules by folders of the repository, which a module's consumer does not have:
ours repeats its requirements and replaces each staging module by the version that is published with it (1.33.13 goes
with v0.33.13).
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.lab import versions

_STAGED = re.compile(r"^\s*(?:replace )?(k8s\.io/\S+) => \./staging", re.MULTILINE)
_REQUIRED = re.compile(r"require \((.*?)\)", re.DOTALL)
_VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_BUILD_DATE = "2026-01-01T00:00:00Z"  # upstream's binaries carry one, and clients read it


def go_mod(upstream: str, version: str) -> str:
    """Return our go.mod, made from the text of upstream's."""
    staged = sorted(set(_STAGED.findall(upstream)))
    published = f"v0.{version.removeprefix('1.')}"
    lines = [f"\tk8s.io/kubernetes v{version}"]
    for block in _REQUIRED.findall(upstream):
        for line in filter(None, map(str.strip, block.splitlines())):
            module = line.split()[0]
            if module != "//":
                lines.append(f"\t{module} {published}" if module in staged else f"\t{line}")
    replaced = [f"\t{module} => {module} {published}" for module in staged]
    kept = re.findall(r"^(?:go|godebug) [^\n]*", upstream, re.MULTILINE)
    return "\n".join(["module lab/kubernetes", *kept, "require (", *lines, ")", "replace (", *replaced, ")", ""])


def ldflags(version: str) -> str:
    """Return the linker's flags that make the programs tell their version."""
    values = {
        "gitVersion": f"v{version}",
        "gitMajor": version.split(".")[0],
        "gitMinor": version.split(".")[1],
        "gitTreeState": "clean",
        "gitCommit": "0" * 40,
        "buildDate": _BUILD_DATE,
    }
    settings = [f"-X {package}.{name}={value}" for package in _VERSION_PACKAGES for name, value in values.items()]
    return " ".join(["-s -w", *settings])


def write(folder: Path, upstream: Path, sources: Path) -> None:
    """Put go.mod and our two main packages into `folder`."""
    (folder / "go.mod").write_text(go_mod(upstream.read_text(encoding="utf-8"), versions.KUBERNETES), encoding="utf-8")
    for name in ("cluster", "kubectl"):
        (folder / "cmd" / name).mkdir(parents=True)
        source = sources / name / "main.go"
        (folder / "cmd" / name / "main.go").write_bytes(source.read_bytes())
