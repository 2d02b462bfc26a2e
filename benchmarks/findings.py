"""What very many findings cost: a SARIF report is read, judged, written and shown, next to reading it and no more."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.installed import Installed
from benchmarks.measure import Aim, Round, timed

TITLE = "very many findings"
FINDINGS = 30_000
NOTE = (
    f"one stage whose checker reports {FINDINGS:,} findings in 200 files as SARIF; the other only formats that report"
)
BARE = "python3 -m json.tool"
WHOLE = "jenkins-cd ci code-standard"
AGAINST: tuple[str, ...] = (BARE,)
AIMS: Mapping[str, Aim] = {WHOLE: Aim(limit=4, against=BARE)}
_APP = f"""\
app: odd
project: benchmarks
toolchain: custom
ci:
  code-standard:
    run: cat odd.sarif
    format: sarif
    gate: {{errors: {FINDINGS}, warnings: {FINDINGS}}}
"""


def prepare(folder: Path, installed: Installed) -> partial[Round]:
    """Return a round."""
    folder = folder / "app"
    folder.mkdir()
    for number in range(200):
        (folder / f"f{number}.c").write_text("int x;\n" * 200)
    (folder / "cd.yaml").write_text(_APP)
    (folder / "odd.sarif").write_text(json.dumps(_report(), indent=1))
    for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "--message", "An app with findings")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return partial(_once, installed, folder)


def _once(installed: Installed, checkout: Path) -> Round:
    return {
        BARE: timed(("python3", "-m", "json.tool", "odd.sarif", "formatted.json"), checkout),
        WHOLE: timed((installed.program, "ci", "code-standard"), checkout),
    }


def _report() -> dict[str, object]:
    rules = [{"id": f"r{number}"} for number in range(50)]
    results = [_result(number) for number in range(FINDINGS)]
    runs = [{"tool": {"driver": {"name": "odd", "rules": rules}}, "results": results}]
    return {"version": "2.1.0", "runs": runs}


def _result(number: int) -> dict[str, object]:
    region = {"startLine": number // 200 + 1, "startColumn": 5}
    place = {"artifactLocation": {"uri": f"f{number % 200}.c"}, "region": region}
    return {
        "ruleId": f"r{number % 50}",
        "level": ("warning", "error", "note")[number % 3],
        "message": {"text": f"number {number} is odd"},
        "locations": [{"physicalLocation": place}],
    }
