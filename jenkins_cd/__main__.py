"""The way in: `jenkins-cd …` and `python -m jenkins_cd …`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line. The version alone is answered before anything else is loaded."""
    if sys.argv[1:] == ["--version"]:
        from jenkins_cd import __version__

        print(f"jenkins-cd {__version__}")  # noqa: T201
        return
    # Imports make thousands of objects that stay; looking for garbage among them takes 5 % of a short command.
    gc.set_threshold(10_000)
    from jenkins_cd.cli import run

    code = run(sys.argv[1:])
    gc.freeze()  # at its end Python looks for garbage among all of them, which takes 30 ms and more
    sys.exit(code)


if __name__ == "__main__":
    main()
