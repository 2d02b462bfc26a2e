"""Results as the stages and deployments give them, to draw reports of."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from jenkins_cd.model import (
    Chart,
    CiResult,
    Command,
    Deployment,
    Finding,
    GateResult,
    Image,
    Observation,
    PackageResult,
    Phase,
    Plan,
    Release,
    StageResult,
    Status,
    TestCase,
    TestReport,
)

BEGIN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
VERSION = "1.4.0"
COMMIT = "5f0c1e9a7b3d42668d1f0a9be7c35d20f4a86b11"
DIGEST = "sha256:9b2c41d7e0f35a6688c1d2b47fe0a3195c6d8e7f20b1a4c3d5e6f708192a3b4c"
DIFF = """\
--- a/dev/shop/storefront/Chart.yaml
+++ b/dev/shop/storefront/Chart.yaml
@@ -1,6 +1,6 @@
 apiVersion: v2
 name: storefront
-version: 1.3.0
-appVersion: 1.3.0
+version: 1.4.0
+appVersion: 1.4.0
 dependencies:
   - name: common-chart
"""
SOURCE = (
    "func price(basket []Item) int {",
    "\ttotal := 0",
    "\tfor _, item := range basket {",
    '\t\tfmt.Sprintf("%d", item.Name)',
    "\t\ttotal += item.Price",
    "\t}",
    "\treturn total",
)


def at(seconds: float) -> datetime:
    """Return the moment so many seconds after the beginning of the run."""
    return BEGIN + timedelta(seconds=seconds)


def stage(
    name: str, start: float, seconds: float, status: Status = "passed", reason: str = "", **more: Any
) -> StageResult:
    return StageResult(
        stage=name,
        status=status,
        reason=reason or f"{name} is in order",
        version=VERSION,
        commit=COMMIT,
        started=at(start),
        seconds=seconds,
        **more,
    )


def finding(number: int = 0, **more: Any) -> Finding:
    given: dict[str, Any] = {
        "tool": "staticcheck",
        "rule": "SA5009",
        "message": "Printf format %d has arg #1 of wrong type string",
        "level": "error",
        "file": "internal/basket/price.go",
        "line": 17 + number,
        "column": 3,
        "fingerprint": f"f{number:04d}",
        "source": SOURCE,
        "source_start": 14 + number,
    }
    return Finding(**{**given, **more})


def report(failed: int = 0, passed: int = 12) -> TestReport:
    bad = [
        TestCase(
            suite="basket",
            name=f"TestDiscount{n}",
            seconds=0.02,
            outcome="failed",
            message="price_test.go:31: got 90, want 85",
        )
        for n in range(failed)
    ]
    good = [TestCase(suite="basket", name=f"TestPrice{n}", seconds=0.01 * n, outcome="passed") for n in range(passed)]
    skipped = [TestCase(suite="basket", name="TestSlow", seconds=0.0, outcome="skipped", message="only at night")]
    return TestReport(cases=(*good, *bad, *skipped))


def release() -> Release:
    return Release(
        app="storefront",
        project="shop",
        version=VERSION,
        commit=COMMIT,
        source="https://git.local/shop/storefront.git",
        chart=Chart(name="storefront", repository="oci://127.0.0.1:5000/charts", digest=DIGEST, content=DIGEST),
        image=Image(repository="127.0.0.1:5000/apps/storefront", digest=DIGEST, content=DIGEST),
        published=at(42),
        published_by="ci",
        build_url="https://jenkins.local/job/storefront/17/",
    )


def stages() -> tuple[StageResult, ...]:
    gate = GateResult(name="coverage", limit=80, actual=87.5, passed=True)
    return (
        stage("build", 0, 6.2, commands=(Command(line="go build ./...", exit_code=0, seconds=6.1),)),
        stage(
            "unit-tests",
            0.1,
            14.8,
            tests=report(),
            coverage=87.5,
            gates=(gate,),
            reason="13 tests, 1 skipped, coverage 87.5 %",
        ),
        stage("sonar-scan", 14.9, 0.0, "skipped", "no SonarQube server in the platform file"),
        stage("compiler-warnings", 0.1, 4.4, gates=(GateResult(name="errors", limit=0, actual=0, passed=True),)),
        stage("dead-code", 0.2, 7.9, findings=(finding(level="warning", rule="unused", tool="deadcode"),)),
        stage("code-standard", 0.2, 2.1),
        stage(
            "package",
            15.0,
            19.3,
            package=PackageResult(
                builder="buildah",
                image=Image(repository="127.0.0.1:5000/apps/storefront", content=DIGEST),
                image_tag=f"127.0.0.1:5000/apps/storefront:{VERSION}",
                chart=Chart(name="storefront", repository="oci://127.0.0.1:5000/charts", content=DIGEST),
                chart_file=f".jenkins-cd/storefront-{VERSION}.tgz",
            ),
        ),
        stage("upload", 34.4, 8.0, release=release()),
    )


def passed() -> CiResult:
    return CiResult(
        app="storefront",
        project="shop",
        version=VERSION,
        commit=COMMIT,
        status="passed",
        started=BEGIN,
        seconds=42.4,
        stages=stages(),
    )


def failed() -> CiResult:
    broken = {
        "unit-tests": stage(
            "unit-tests", 0.1, 14.8, "failed", "2 of 15 tests failed",
            tests=report(failed=2), coverage=71.2, log=".jenkins-cd/unit-tests.log",
            gates=(GateResult(name="coverage", limit=80, actual=71.2, passed=False, message="lost in basket"),),
            commands=(Command(line="gotestsum ./...", exit_code=1, seconds=14.6),),
            evidence="--- FAIL: TestDiscount0\n    price_test.go:31: got 90, want 85\n--- FAIL: TestDiscount1",
        ),
        "compiler-warnings": stage(
            "compiler-warnings", 0.1, 4.4, "failed", "3 errors, 0 allowed",
            findings=tuple(finding(number, message=f"{finding().message} ({number})") for number in range(3)),
            gates=(
                GateResult(name="errors", limit=0, actual=3, passed=False),
                GateResult(name="new", limit=0, actual=None, passed=False, message="no baseline"),
            ),
            evidence="internal/basket/price.go:17:3: SA5009",
        ),
        "package": stage("package", 15.0, 0.0, "skipped", "unit-tests failed"),
        "upload": stage("upload", 15.0, 0.0, "skipped", "package did not run"),
    }  # fmt: skip
    return replace(
        passed(), status="failed", seconds=15.1, stages=tuple(broken.get(one.stage, one) for one in stages())
    )


def deployment(**more: Any) -> Deployment:
    given: dict[str, Any] = {
        "id": "20260102T030500Z-7f3a",
        "app": "storefront",
        "project": "shop",
        "version": VERSION,
        "environment": "dev",
        "model": "flux",
        "kind": "deployment",
        "outcome": "verified",
        "reason": f"/health reports {VERSION}, stable for 5 s, and the smoke tests passed",
        "started": at(60),
        "seconds": 21.5,
        "requested_by": "anna",
        "phases": phases(),
        "previous": "1.3.0",
        "commit": COMMIT[::-1],
        "diff": DIFF,
        "observation": Observation(
            url="http://127.0.0.1:8080/health",
            at=at(72),
            status=200,
            version=VERSION,
            body='{"status":"ok","version":"1.4.0"}',
        ),
        "tests": report(passed=3),
    }
    return Deployment(**{**given, **more})


def phases(*, broken: bool = False) -> tuple[Phase, ...]:
    verify: Status = "failed" if broken else "passed"
    return (
        Phase(name="resolve", status="passed", seconds=0.4, started=at(60), detail=f"release {VERSION}"),
        Phase(name="plan", status="passed", seconds=1.1, started=at(60.4), detail="2 files change"),
        Phase(name="policy", status="passed", seconds=0.0, started=at(61.5)),
        Phase(name="apply", status="passed", seconds=0.8, started=at(61.5), detail="commit 11b68a4f"),
        Phase(name="verify", status=verify, seconds=12.7, started=at(62.3), detail="stable for 5 s"),
        Phase(name="tests", status="skipped" if broken else "passed", seconds=0 if broken else 6.5, started=at(75)),
    )


def broken_deployment() -> Deployment:
    return deployment(
        id="20260102T031000Z-88aa",
        environment="test",
        outcome="failed",
        reason="the health endpoint did not report 1.4.0 within 2 min",
        phases=phases(broken=True),
        tests=None,
        observation=Observation(
            url="http://127.0.0.1:8081/health",
            at=at(180),
            status=503,
            version="1.4.0",
            body='{"status":"database: refused"}',
        ),
        evidence="the newest process said:\n  cannot reach database: connection refused\n  exit code 1",
    )


def rollback() -> Deployment:
    return deployment(
        id="20260102T031100Z-99bb", environment="test", version="1.3.0", kind="rollback",
        reason="/health reports 1.3.0",
    )  # fmt: skip


def plan(**more: Any) -> Plan:
    given: dict[str, Any] = {
        "environment": "dev", "declared": "1.3.0", "running": "1.3.0", "verified": "1.3.0", "wanted": VERSION,
        "files": DIFF, "manifests": DIFF, "base": COMMIT,
    }  # fmt: skip
    return Plan(**{**given, **more})
