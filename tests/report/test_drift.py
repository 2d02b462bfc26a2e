"""The page of a comparison: what it says, that it is well made, and that nothing in an object can break it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd import masking
from jenkins_cd.drift import AppDrift, Change, Drift
from jenkins_cd.report import drift, html
from tests.report import pages, samples
from tests.report.test_html import BIDI, HOSTILE

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
IMAGE = Change(
    object="Deployment/storefront",
    kind="changed",
    field="spec.template.spec.containers[app].image",
    wanted="registry.local/apps/storefront@sha256:" + "a" * 64,
    live="registry.local/apps/storefront:hotfix",
    by="kubectl-edit",
    at=AT,
)
GONE = Change(object="ConfigMap/storefront", kind="missing")
EXTRA = Change(object="Service/copy", kind="extra", by="kubectl-create", at=AT)
ENV = replace(IMAGE, kind="added", field="spec.template.spec.containers[app].env[DEBUG]", wanted="", live="1")


def app(name: str = "storefront", **more: object) -> AppDrift:
    known = {"project": "shop", "namespace": "shop-dev", "release": name, "version": "1.4.0", "state": "same"}
    return AppDrift(**{"app": name, "reason": "all 6 objects are as deployed", **known, **more})  # type: ignore[arg-type]


def sample(kind: str) -> Drift:
    drifted = app(
        state="drifted",
        reason="3 objects not as deployed: 1 changed, 1 added, 1 missing, 1 extra",
        revision=7,
        chart="storefront 1.4.0",
        deployed=AT,
        objects=6,
        changes=(IMAGE, ENV, GONE, EXTRA),
        unseen=("Ingress", "Job"),
    )
    unknown = app("payment", state="unknown", reason="revision 3 is pending-upgrade: a deployment is at work")
    evil = Change(object=HOSTILE, kind="changed", field=HOSTILE, wanted=HOSTILE * 50, live=BIDI, by=HOSTILE, at=AT)
    hostile = replace(drifted, app=HOSTILE, reason=HOSTILE, chart=BIDI, changes=(evil,), unseen=(HOSTILE,))
    apps = {
        "same": (app(),),
        "drifted": (app("cart"), drifted, unknown),
        "unknown": (app("cart"), unknown),
        "hostile": (hostile,),
        "empty": (),
    }
    return Drift(environment="dev", at=AT, apps=apps[kind])


KINDS = ("same", "drifted", "unknown", "hostile", "empty")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".jenkins-cd" / "report"


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_needs_nothing_that_jenkins_forbids_and_all_it_names_is_there(folder: Path, kind: str) -> None:
    page = pages.read(drift.write(folder, sample(kind)))
    assert not {"script", "style", "iframe", "object", "embed", "base", "svg"} & {tag for tag, _ in page.tags}
    names = {name for _, given in page.tags for name in given}
    assert not [name for name in names if name == "style" or name.startswith("on")]
    anchors = {given["id"] for _, given in page.tags if "id" in given}
    for reference in page.references():
        assert not re.match(r"(?i)\s*([a-z][a-z0-9+.-]*:|//)", reference)
        assert reference[1:] in anchors if reference.startswith("#") else (folder / reference).is_file()
    assert page.misnested == []
    assert page.open == []


def test_it_says_what_differs_who_did_it_and_when(folder: Path) -> None:
    page = pages.read(drift.write(folder, sample("drifted")))
    for text in (IMAGE.field, IMAGE.wanted, IMAGE.live, "kubectl-edit", "2026-01-02 03:04:05", "ConfigMap/storefront"):
        assert text in page.text
    assert "3 apps: 1 drifted, 1 cannot be known, 1 as deployed" in page.text
    assert "not recorded" in page.text
    assert "may not list Ingress, Job" in page.text
    assert page.count("table", "drift") == 3


def test_text_of_objects_stays_text(folder: Path) -> None:
    page = pages.read(drift.write(folder, sample("hostile")))
    assert "<script>alert(1)</script>" in page.text
    assert "\u202e" not in page.text


def test_secrets_are_masked(folder: Path) -> None:
    masking.register("s3cr3t-of-the-page")
    change = replace(IMAGE, live="x s3cr3t-of-the-page")
    told = replace(sample("drifted"), apps=(app(state="drifted", changes=(change,)),))
    assert "s3cr3t-of-the-page" not in drift.write(folder, told).read_text(encoding="utf-8")


def test_it_stands_beside_the_page_of_a_run_and_leads_to_it(folder: Path) -> None:
    alone = pages.read(drift.write(folder, sample("same")))
    assert "index.html" not in alone.references()
    html.write(folder, samples.passed(), [])
    assert (folder / "drift.html").is_file()
    assert "index.html" in pages.read(drift.write(folder, sample("same"))).references()


@pytest.mark.parametrize(("kind", "code"), [("same", 0), ("drifted", 1), ("unknown", 3), ("empty", 0)])
def test_the_exit_code_says_the_worst(kind: str, code: int) -> None:
    assert sample(kind).exit_code == code
