from __future__ import annotations

from pathlib import Path

import pytest

from jenkins_cd.findings import PARSERS, reports

LINE = "grün.c:3: warning: schlecht\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_report_is_read_in_the_encodings_that_tools_and_shells_write(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "report").write_bytes(LINE.encode(encoding))
    assert reports.text(tmp_path / "report") == LINE


def test_bytes_that_are_no_text_take_no_finding_with_them(tmp_path: Path) -> None:
    (tmp_path / "report").write_bytes(LINE.encode("latin-1") + b"b.c:4: error: bad\n")
    found = PARSERS["text"](reports.text(tmp_path / "report"))
    assert [(item.line, item.level) for item in found] == [(3, "warning"), (4, "error")]
