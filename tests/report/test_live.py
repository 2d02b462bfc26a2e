"""The live view on a real terminal: a pseudo-terminal of 80 columns."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

SCRIPT = """
import threading, time
from jenkins_cd.report import console

def run(name, seconds, status, detail):
    progress.started(name, "a command line that is much longer than the room that is left for it on a terminal")
    time.sleep(seconds)
    progress.finished(name, status, detail, seconds)

with console.progress() as progress:
    threads = [threading.Thread(target=run, args=one) for one in (
        ("build", 0.5, "passed", "built"), ("unit-tests", 0.9, "failed", "2 of 15 tests failed"),
        ("code-standard", 0.7, "passed", "no findings"))]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    progress.finished("sonar-scan", "skipped", "no SonarQube server in the platform file", 0.0)
print("the result")
"""
COLOUR = re.compile(r"\x1b\[[\d;]*m")
MOVES = re.compile(r"\x1b\[[?\d;]*[A-Za-z]")


def watched(**more: str) -> tuple[str, str]:
    """Run the script with a terminal for standard error; returns what that showed, and standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    hidden = ("CI", "JENKINS_URL", "NO_COLOR", "COLUMNS", "LINES")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"TERM": "xterm-256color", **more}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other end was closed
            while data := os.read(ours, 65536):
                shown += data
        os.close(ours)
        assert process.stdout is not None
        result = process.stdout.read()
    assert process.returncode == 0
    return shown.decode(), result


def frames(shown: str) -> list[list[str]]:
    """Return what stood on the screen at each redraw: runs of lines between movements of the cursor upwards."""
    pieces = re.split(r"(?:\x1b\[2K)?(?:\x1b\[1A\x1b\[2K)+|\x1b\[2K", shown)
    return [[line.rstrip() for line in MOVES.sub("", piece).replace("\r", "").split("\n")] for piece in pieces]


def test_all_running_stages_are_shown_at_once_and_ended_ones_stay_as_lines() -> None:
    shown, result = watched()
    seen = frames(shown)
    together = [frame for frame in seen if sum("… running" in line for line in frame) == 3]
    assert together
    assert [line.split()[2] for line in together[-1] if "running" in line] == ["build", "unit-tests", "code-standard"]
    ended = [line for frame in seen for line in frame if line.startswith(("✓", "✗", "-"))]
    assert [re.sub(r" +", " ", line) for line in ended] == [
        "✓ passed build built 0.5 s",
        "✓ passed code-standard no findings 0.7 s",
        "✗ failed unit-tests 2 of 15 tests failed 0.9 s",
        "- skipped sonar-scan no SonarQube server in the platform file 0 ms",
    ]
    assert result == "the result\n"


def test_no_line_is_wider_than_the_terminal_and_the_time_goes_on() -> None:
    shown, _ = watched()
    lines = [line for frame in frames(shown) for line in frame]
    assert max(len(line) for line in lines) <= 80
    times = {line.split()[-2] for line in lines if "… running" in line and "unit-tests" in line}
    assert len(times) >= 3


def test_the_cursor_is_given_back() -> None:
    shown, _ = watched()
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_colours_stand_beside_the_words() -> None:
    shown, _ = watched()
    assert "\x1b[31m✗ failed" in shown


def test_with_no_color_there_is_no_colour() -> None:
    shown, _ = watched(NO_COLOR="1")
    assert COLOUR.findall(shown) == []
    assert "✗ failed" in shown


def test_a_log_of_jenkins_gets_lines_even_on_a_terminal() -> None:
    for name in ("CI", "JENKINS_URL"):
        shown, _ = watched(**{name: "true"})
        assert "\x1b" not in shown
        assert re.search(r"^\S+Z  unit-tests  failed  2 of 15 tests failed  0.9 s\r$", shown, re.MULTILINE)


def test_a_terminal_that_cannot_be_redrawn_gets_lines() -> None:
    shown, _ = watched(TERM="dumb")
    assert "\x1b" not in shown
    assert "build  passed  built  0.5 s" in shown
