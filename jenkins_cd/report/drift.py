"""The page of a comparison: `.jenkins-cd/report/drift.html`, beside the page of a run and under the same rules."""

from __future__ import annotations

from pathlib import Path

from jenkins_cd import __version__, results
from jenkins_cd.drift import AppDrift, Change, Drift, State
from jenkins_cd.report import html, text

PILLS = {"same": "passed", "drifted": "failed", "unknown": "stopped", "absent": "skipped"}
NOBODY = "not recorded"
_WORST: tuple[State, ...] = ("drifted", "unknown", "same")
_VALUE = 300  # characters of a value that are shown


def write(folder: Path, drift: Drift) -> Path:
    """Write the page into `folder`; returns its path. Secrets are masked."""
    drift = text.cleaned(drift)
    page = (
        html.environment()
        .get_template("drift.html.j2")
        .render(
            drift=drift,
            apps=worst_first(drift),
            state=overall(drift),
            sentence=sentence(drift),
            by_object=by_object,
            next_step=next_step,
            pills=PILLS,
            NOBODY=NOBODY,
            VALUE=_VALUE,
            run=(folder / "index.html").is_file(),
            version=__version__,
        )
    )
    for name in ("style.css", "drift.css"):
        results.write(folder / name, (html.templates() / name).read_bytes())
    results.write(folder / "drift.html", page.encode())
    return folder / "drift.html"


def overall(drift: Drift) -> State:
    """Return what holds of all apps together: the worst that is true of one."""
    return next((state for state in _WORST if drift.of(state)), "absent")


def sentence(drift: Drift) -> str:
    """Return how many apps are in which state."""
    if not drift.apps:
        return f"nothing was deployed to {drift.environment} yet"
    words: dict[State, str] = {
        "drifted": "drifted",
        "unknown": "cannot be known",
        "same": "as deployed",
        "absent": "not deployed",
    }
    counts = [f"{len(drift.of(state))} {said}" for state, said in words.items() if drift.of(state)]
    return f"{len(drift.apps)} app{'s' if len(drift.apps) != 1 else ''}: {', '.join(counts)}"


def worst_first(drift: Drift) -> list[AppDrift]:
    """Return the apps with those first that somebody must look at."""
    return [one for state in (*_WORST, "absent") for one in drift.apps if one.state == state]


def next_step(environment: str, app: AppDrift) -> str:
    """Return what to do about an app that has drifted, an empty string for any other."""
    if app.state != "drifted":
        return ""
    gone = any(one.object.startswith(("Release/", "Application/")) for one in app.changes)
    left = " but for what was added" if any(one.kind in ("added", "extra") for one in app.changes) else ""
    keep = "or bring the change into the chart or values"
    if app.model == "argocd":
        if gone:
            return f"jenkins-cd render argocd --environment {environment} --apply makes it again"
        return f"argocd app sync {app.release} --prune puts it back{left}; {keep}"
    if gone:
        return f"jenkins-cd deploy --app {app.app} --version {app.version} --environment {environment} brings it back"
    back = f"helm --namespace {app.namespace} rollback {app.release} {app.revision}"
    return f"{back} puts it back{left} (Helm 4: with --force-conflicts); {keep}"


def by_object(app: AppDrift) -> dict[str, list[Change]]:
    """Return the changes of an app by object, in the order of the release."""
    told: dict[str, list[Change]] = {}
    for change in app.changes:
        told.setdefault(change.object, []).append(change)
    return told
