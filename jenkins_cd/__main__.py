"""The way in: `jenkins-cd …` and `python -m jenkins_cd …`."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line. The version alone is answered before anything else is loaded."""
    try:
        if sys.argv[1:] == ["--version"] and _told_the_version():
            return
        # Imports make thousands of objects that stay; looking for garbage among them takes 5 % of a short command.
        # The old ones are looked through seldom: a hundred thousand findings are none of it either.
        gc.set_threshold(10_000, 20, 100)
        from jenkins_cd.cli import run

        code = run(sys.argv[1:])
        gc.freeze()  # at its end Python looks for garbage among all of them, which takes 30 ms and more
    except KeyboardInterrupt:  # before anything has begun, or when all is done
        code = 130
    except (ImportError, SyntaxError) as error:
        # Of our own means nothing can be relied on now.
        print(f"jenkins-cd: this installation is not whole: {error}\n  next: install it again", file=sys.stderr)  # noqa: T201
        code = 2
    sys.exit(code)


def _told_the_version() -> bool:
    from jenkins_cd import __version__

    if sys.stdout is None:
        return False
    try:
        print(f"jenkins-cd {__version__}", flush=True)  # noqa: T201
    except OSError:  # what is to be said of that is said elsewhere
        return False
    return True


if __name__ == "__main__":
    main()
