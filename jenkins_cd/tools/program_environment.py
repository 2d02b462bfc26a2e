"""What makes programs print the same on every agent, whatever its users like to see in their terminals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

# English messages in UTF-8, no colours (https://no-color.org, https://bixense.com/clicolors), no terminal to draw on.
FIXED: Mapping[str, str] = {
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "NO_COLOR": "1",
    "CLICOLOR": "0",
}
# A program that sees these at all may colour, wrap, translate or send elsewhere what it prints: "0" often means "on".
DROPPED = frozenset(
    {
        *("FORCE_COLOR", "CLICOLOR_FORCE", "COLORTERM", "COLUMNS", "LINES", "LANGUAGE", "FORCE_TTY", "TTY_COMPATIBLE"),
        *("TTY_INTERACTIVE", "GREP_OPTIONS", "GREP_COLOR", "GREP_COLORS", "GCC_COLORS", "GCC_URLS", "TERM_URLS"),
        *("GCC_EXTRA_DIAGNOSTIC_OUTPUT", "GCC_DIAGNOSTICS_LOG", "VSLANG", "DOTNET_CLI_UI_LANGUAGE"),
        *("PY_COLORS", "PYTHON_COLORS", "PYTHONWARNINGS", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONLEGACYWINDOWSSTDIO"),
        *("MYPY_FORCE_COLOR", "MYPY_FORCE_TERMINAL_WIDTH", "RUFF_OUTPUT_FORMAT", "RUFF_OUTPUT_FILE"),
        *("CARGO_TERM_COLOR", "CARGO_TERM_PROGRESS_WHEN", "NPM_CONFIG_COLOR", "npm_config_color", "YARN_ENABLE_COLORS"),
        *("ANSIBLE_FORCE_COLOR", "BUILDKIT_COLORS", "COMPOSE_ANSI", "HELM_COLOR"),
        "DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION",
    }
)


def fixed(environment: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """Return an environment in which programs print the same on every agent, and name files as being in `folder`.

    Go and shells believe PWD where it names the folder that they are started in, by whatever link.
    """
    kept = {name: value for name, value in environment.items() if name not in DROPPED and not name.startswith("LC_")}
    return {**kept, **FIXED, **({"PWD": os.path.abspath(folder)} if folder else {})}  # noqa: PTH100 - links stay
