from __future__ import annotations

import pytest

from jenkins_cd.config.rules import moment_of
from tests.config.files import APP, PLATFORM, Checkout

PLAIN = "app: storefront\nproject: shop\n"


def test_the_good_files_are_good(checkout: Checkout) -> None:
    assert checkout.write(APP, PLATFORM).run("validate") == (0, "platform.yaml and cd.yaml: all right\n", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ci: {dead-code: {run: x}}", "ci.dead-code.run: needs ci.dead-code.format"),
        ("ci: {dead-code: {report: x}}", "ci.dead-code.report: belongs to ci.dead-code.run, which is not set"),
        ("ci: {unit-tests: {run: x, coverage: {report: x}}}", "coverage.report: needs ci.unit-tests.coverage.format"),
        (
            "ci: {unit-tests: {coverage: {report: x, format: cobertura}}}",
            "coverage.report: belongs to ci.unit-tests.run",
        ),
        ("ci: {unit-tests: {junit: x.xml}}", "ci.unit-tests.junit: belongs to ci.unit-tests.run, which is not set"),
        ("ci: {unit-tests: {run: x, coverage: {minimum: 5}}}", "as a minimum is set: cd.yaml:3 (app)"),
        ("package: {chart: {path: chart, common: c}}", "package.chart.common: is for a generated chart"),
        ("package: {chart: {path: chart, values: {a: 1}}}", "package.chart.values: is for a generated chart"),
        ("toolchain: gol", "toolchain: 'gol' is no toolchain (did you mean go?): expected one of custom, go, python"),
        ("toolchain: custom", "toolchain: custom runs nothing but the commands of cd.yaml, and there is none"),
    ],
)
def test_keys_of_an_app_that_do_not_go_together_are_told(checkout: Checkout, text: str, said: str) -> None:
    problem = checkout.write(f"{PLAIN}{text}\n").problem()
    assert problem.startswith(f"cd.yaml:3 (app): {text.split(':')[0]}")
    assert said in problem


def test_a_chart_of_its_own_may_stand_over_the_common_one_of_the_platform(checkout: Checkout) -> None:
    platform = PLATFORM + "defaults: {package: {chart: {common: our-chart, version: 1.2.3}}}\n"
    assert checkout.write(APP + "package: {chart: {path: chart}}\n", platform).run("validate")[0] == 0


def test_a_custom_toolchain_with_a_command_is_right(checkout: Checkout) -> None:
    assert checkout.write(PLAIN + "toolchain: custom\nci: {build: {run: make}}\n").run("validate")[0] == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{app}.dev",
            "{ap}.dev",
            "7 (platform): environments.dev.health_url: unknown placeholder {ap} (did you mean app?)",
        ),
        ("{app}.dev", "{app.dev", "7 (platform): environments.dev.health_url: unknown placeholder {"),
        ("{app}.dev", "{}.dev", "unknown placeholder {}: expected {app}, {project}, {environment}"),
        ("{app}.dev", "{app.__class__}.dev", "unknown placeholder {app.__class__}"),
        ("2027-01-02T00:00:00Z", "2026-01-02T00:00:00Z", "freeze[0].to: the freeze ends before it begins"),
        ("2027-01-02T00:00:00Z", "2027-01-02T00:00:00", "freeze[0].to: expected a time with a zone"),
        ("2027-01-02T00:00:00Z", "tomorrow", "found 'tomorrow'"),
        ("promotion: manual", "promotion: automatic", "staging.approvers: nobody would be asked"),
        ("    tests: [smoke]", "    timeout: 5s", "8 (platform): environments.dev.timeout: no version could pass"),
        ("    tests: [smoke]", "    settle: 20m", "8 (platform): environments.dev.settle: no version could pass"),
    ],
)
def test_keys_of_the_platform_that_do_not_go_together_are_told(
    checkout: Checkout, old: str, new: str, said: str
) -> None:
    assert said in checkout.write(None, PLATFORM.replace(old, new)).problem()


def test_no_environment_can_be_called_ci(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM.replace("  dev:", "  ci:").replace("after: dev", "after: ci"))
    assert checkout.problem().startswith("platform.yaml:4 (platform): environments.ci: `ci` means the pipeline itself")


def test_a_platform_without_environments_is_told(checkout: Checkout) -> None:
    checkout.write(None, PLATFORM[: PLATFORM.index("environments:")] + "environments: {}\n")
    assert checkout.problem() == "platform.yaml:3 (platform): environments: expected at least one environment"


def test_what_leads_into_a_circle_is_not_told_as_one(checkout: Checkout) -> None:
    tail = "".join(
        f"  e{n}: {{model: flux, after: {after}, health_url: https://x}}\n"
        for n, after in enumerate(("e1", "e2", "e1"))
    )
    problem = checkout.write(None, PLATFORM + tail).problem()
    assert "environments.e1.after: runs in a circle: e1 after e2 after e1" in problem


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-12-20T10:00:00Z", 10), ("2026-12-20T10:00:00+02:00", 8), ("2026-12-20", None), ("x", None), ("", None)],
)
def test_a_moment_has_a_zone(text: str, hour: int | None) -> None:
    moment = moment_of(text)
    assert (moment.utctimetuple().tm_hour if moment else None) == hour


@pytest.mark.parametrize(
    ("apps", "said"),
    [
        ("{storefront: 'git.local/x'}", "apps.storefront: expected a Git URL"),
        ("{storefront: [https://git.local/x, 'https://a:b@git.local/x']}", "apps.storefront[1]: expected a Git URL"),
        ("{storefront: []}", "apps.storefront: no release could be published: name at least one URL"),
        ("{storefront: {url: 'https://git.local/x'}}", "apps.storefront: expected a list"),
        ("{storefront: 'https://git.local/{ap}'}", "apps.storefront: unknown placeholder {ap} (did you mean app?)"),
        (
            "{storefront: 'https://git.local/{environment}'}",
            "unknown placeholder {environment}: expected {app}, {project}",
        ),
        (
            "{storefront: 'https://*.local/x'}",
            "apps.storefront: `*` and placeholders stand for folders, not for a host",
        ),
        ("{storefront: 'git@{app}.local:x'}", "apps.storefront: "),
        ("{Storefront: 'https://git.local/x'}", "apps.Storefront: expected an app, `project/app`, `project/*` or `*`"),
        ("{shop/a/b: 'https://git.local/x'}", "expected an app, `project/app`, `project/*` or `*`"),
        ("{'*/a': 'https://git.local/x'}", "expected an app, `project/app`, `project/*` or `*`"),
    ],
)
def test_where_releases_come_from_is_checked(checkout: Checkout, apps: str, said: str) -> None:
    assert said in checkout.write(APP, f"{PLATFORM}apps: {apps}\n").problem()


@pytest.mark.parametrize(
    "apps",
    [
        "{storefront: 'https://git.local/x.git'}",
        "{shop/storefront: ['git@git.local:shop/x.git', /srv/git/x.git, 'file:///srv/x']}",
        "{shop/*: 'ssh://git@git.local:2222/{project}/{app}.git', '*': 'https://git.local/*/{app}'}",
        "{'*': 'https://[::1]:3000/{app}'}",
    ],
)
def test_one_source_or_several_bind_an_app(checkout: Checkout, apps: str) -> None:
    assert checkout.write(APP, f"{PLATFORM}apps: {apps}\n").run("validate")[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("approvals: {four_eyes: maybe}", "approvals.four_eyes: expected true or false"),
        ("approvals: {six_eyes: true}", "approvals.six_eyes: no such key (did you mean four_eyes?)"),
    ],
)
def test_what_an_approval_must_be_is_checked(checkout: Checkout, text: str, said: str) -> None:
    assert said in checkout.write(APP, f"{PLATFORM}{text}\n").problem()
    assert checkout.write(APP, f"{PLATFORM}approvals: {{four_eyes: true}}\n").run("validate")[0] == 0
