from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from jenkins_cd.errors import BadInput
from jenkins_cd.gitops import layout
from jenkins_cd.gitops.repository import Repository, View
from jenkins_cd.model import Release
from tests.gitops.remotes import bare
from tests.gitops.samples import release

PLACE = "dev/shop/storefront"
DIGEST = "sha256:" + "d" * 64
GENERATED = """\
apiVersion: v2
name: storefront
version: 1.3.0   # set by deployments
appVersion: "1.3.0"
dependencies:
  - name: common-chart
    version: 1.0.1
    repository: oci://registry.local/charts
"""
VALUES = """\
# dev
common-chart:
  replicas: 2
  image:
    repository: registry.local/apps/storefront
    tag: '1.3.0'
"""
WRAPPER = """\
apiVersion: v2
name: storefront
version: 1.3.0
dependencies:
- {name: storefront, version: 1.3.0, repository: "oci://registry.local/charts"}
- {name: redis, version: 17.0.0, repository: "oci://registry.local/charts"}
"""


def view(tmp_path: Path, **files: str) -> View:
    """Return a deploy repository with these files in the app's folder; `_` stands for the dot in their names."""
    content = {f"{PLACE}/{name.replace('_', '.')}": text.encode() for name, text in files.items()}
    ours = Repository.open(str(bare(tmp_path / "deploy.git", {"README": b"x", **content})))
    return ours.view(ours.tip("main"))


def bumped(present: View, wanted: Release) -> dict[str, str | None]:
    changed = layout.files(present, PLACE, wanted, no_package)
    return {path.removeprefix(f"{PLACE}/"): None if text is None else text.decode() for path, text in changed.items()}


def no_package() -> Path:
    raise AssertionError("the chart is fetched for a first deployment only")


def package(tmp_path: Path, **files: str) -> Path:
    """Return a packaged chart with these files."""
    file = tmp_path / "storefront-1.4.0.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"storefront/{name.replace('__', '/').replace('_', '.')}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return file


def test_a_bump_changes_the_version_and_the_image_and_nothing_else(tmp_path: Path) -> None:
    assert bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=VALUES), release()) == {
        "Chart.yaml": GENERATED.replace("1.3.0", "1.4.0"),
        "values.yaml": VALUES.replace("1.3.0", "1.4.0"),
    }


def test_a_release_that_is_declared_changes_nothing(tmp_path: Path) -> None:
    present = view(
        tmp_path, Chart_yaml=GENERATED.replace("1.3.0", "1.4.0"), values_yaml=VALUES.replace("1.3.0", "1.4.0")
    )
    assert bumped(present, release()) == {}
    assert layout.declared(present, PLACE) == "1.4.0"


def test_whichever_of_tag_and_digest_is_there_is_set(tmp_path: Path) -> None:
    values = "common-chart: {image: {repository: old.local/x, digest: sha256:00}} # y\n"
    changed = bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=values), release())
    assert changed["values.yaml"] == values.replace("old.local/x", "registry.local/apps/storefront").replace(
        "sha256:00", DIGEST
    )


def test_a_dependency_on_the_releases_own_chart_is_bumped(tmp_path: Path) -> None:
    values = "redis: {image: {tag: 7.0.0}}\nstorefront:\n  image: {tag: 1.3.0}\n"
    changed = bumped(view(tmp_path, Chart_yaml=WRAPPER, values_yaml=values, Chart_lock="digest: x\n"), release())
    assert changed == {
        "Chart.yaml": WRAPPER.replace("1.3.0", "1.4.0"),
        "values.yaml": values.replace("1.3.0", "1.4.0"),
        "Chart.lock": None,
    }


def test_a_lock_stays_where_the_dependencies_stay(tmp_path: Path) -> None:
    present = view(tmp_path, Chart_yaml=GENERATED, values_yaml=VALUES, Chart_lock="digest: x\n")
    assert set(bumped(present, release())) == {"Chart.yaml", "values.yaml"}


def test_of_many_images_the_one_from_the_apps_repository_is_set(tmp_path: Path) -> None:
    chart = GENERATED + "  - {name: redis, alias: cache, version: 17.0.0, repository: oci://registry.local/charts}\n"
    values = VALUES + "cache:\n  image:\n    repository: registry.local/redis\n    tag: 7.0.0\n"
    changed = bumped(view(tmp_path, Chart_yaml=chart, values_yaml=values), release())
    assert changed["values.yaml"] == values.replace("1.3.0", "1.4.0")


def test_a_chart_of_its_own_in_the_folder_has_its_image_at_the_top(tmp_path: Path) -> None:
    chart = "apiVersion: v2\nname: storefront\nversion: 1.3.0\n"
    changed = bumped(view(tmp_path, Chart_yaml=chart, values_yaml="image:\n  tag: 1.3.0\n"), release())
    assert changed["values.yaml"] == "image:\n  tag: 1.4.0\n"


def test_a_release_without_an_image_leaves_the_values_alone(tmp_path: Path) -> None:
    present = view(tmp_path, Chart_yaml=GENERATED, values_yaml="x: 1\n")
    assert set(bumped(present, release(image=None))) == {"Chart.yaml"}


@pytest.mark.parametrize("values", ["", "# nothing\n", "common-chart:\n", "common-chart: {image: {x: y}}\n"])
def test_values_without_tag_and_digest_say_what_to_add(tmp_path: Path, values: str) -> None:
    with pytest.raises(BadInput, match=r"no common-chart\.image\.tag, nor a digest") as caught:
        bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=values), release())
    assert f"{PLACE}/values.yaml" in caught.value.message
    assert "add common-chart.image.tag or common-chart.image.digest" in caught.value.hint


@pytest.mark.parametrize("chart", ["", "[]", "version: [1]", "version: 1\n\tx", "name: x"])
def test_a_broken_chart_is_named(tmp_path: Path, chart: str) -> None:
    with pytest.raises(BadInput, match=f"{PLACE}/Chart.yaml"):
        bumped(view(tmp_path, Chart_yaml=chart, values_yaml=VALUES), release())


def test_a_first_deployment_takes_the_releases_chart_where_it_has_no_templates(tmp_path: Path) -> None:
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml="# all\ncommon-chart:\n  port: 80\n")
    changed = layout.files(view(tmp_path), PLACE, release(), lambda: chart)
    assert changed[f"{PLACE}/Chart.yaml"] == GENERATED.replace("1.3.0", "1.4.0").encode()
    image = {"repository": "registry.local/apps/storefront", "tag": "1.4.0", "digest": DIGEST}
    values = yaml.safe_load(changed[f"{PLACE}/values.yaml"] or b"")
    assert values == {"common-chart": {"port": 80, "image": image}}


def test_a_first_deployment_keeps_the_charts_comments_where_its_values_name_the_image(tmp_path: Path) -> None:
    values = VALUES + "    digest: ''\n"
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml=values)
    changed = layout.files(view(tmp_path), PLACE, release(), lambda: chart)
    assert changed[f"{PLACE}/values.yaml"] == values.replace("1.3.0", "1.4.0").replace("''", f"'{DIGEST}'").encode()


def test_a_first_deployment_wraps_a_chart_with_templates(tmp_path: Path) -> None:
    own = package(tmp_path, Chart_yaml="name: storefront", templates__x_yaml="a: b")
    changed = layout.files(view(tmp_path), PLACE, release(), lambda: own)
    chart, values = (yaml.safe_load(changed[f"{PLACE}/{name}"] or b"") for name in ("Chart.yaml", "values.yaml"))
    assert (chart["version"], chart["appVersion"]) == ("1.4.0", "1.4.0")
    assert chart["dependencies"] == [
        {"name": "storefront", "version": "1.4.0", "repository": "oci://registry.local/charts"}
    ]
    assert values["storefront"]["image"]["digest"] == DIGEST


def test_values_are_laid_over_those_of_a_chart_and_the_image_stays_the_releases(tmp_path: Path) -> None:
    over = {"replicas": 3, "image": {"tag": "latest", "pullPolicy": "Always"}}
    image = {"repository": "registry.local/apps/storefront", "tag": "1.4.0", "digest": DIGEST, "pullPolicy": "Always"}
    own = package(tmp_path, Chart_yaml="name: storefront", values_yaml="port: 80", templates__x_yaml="a: b")
    made = layout.first(own, release(), PLACE, over)
    assert yaml.safe_load(made[f"{PLACE}/values.yaml"]) == {"storefront": {"replicas": 3, "image": image}}
    generated = package(tmp_path, Chart_yaml=GENERATED, values_yaml=VALUES + "  port: 80\n")
    made = layout.first(generated, release(), PLACE, {"common-chart": over})
    del image["digest"]  # a chart that names its image by a tag alone keeps to that
    assert yaml.safe_load(made[f"{PLACE}/values.yaml"]) == {"common-chart": {"replicas": 3, "image": image, "port": 80}}


def test_tags_that_switch_dependencies_stand_where_helm_looks_for_them(tmp_path: Path) -> None:
    own = package(tmp_path, Chart_yaml="name: storefront", templates__x_yaml="a: b")
    made = layout.first(own, release(image=None), PLACE, {"tags": {"cache": False}})
    values = yaml.safe_load(made[f"{PLACE}/values.yaml"])
    assert values == {"tags": {"cache": False}, "storefront": {"tags": {"cache": False}}}


IMAGE = f"""\
  image:\r
    repository: registry.local/apps/storefront\r
    tag: 1.4.0\r
    digest: {DIGEST}\r
"""


@pytest.mark.parametrize(
    ("prepared", "after"),
    [
        (
            "common-chart:\n  image: {repository: registry.local/old, tag: ''}\n  replicas: 7 # ops\n",
            "common-chart:\n  image: {repository: registry.local/apps/storefront, tag: '1.4.0'}\n  replicas: 7 # ops\n",
        ),
        (
            "# ops\r\ncommon-chart:\r\n  # many\r\n  replicas: 7",
            f"# ops\r\ncommon-chart:\r\n{IMAGE}  # many\r\n  replicas: 7",
        ),
    ],
)
def test_values_that_were_prepared_for_a_first_deployment_stay(tmp_path: Path, prepared: str, after: str) -> None:
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml="common-chart: {replicas: 2}\n")
    changed = layout.files(view(tmp_path, values_yaml=prepared), PLACE, release(), lambda: chart)
    assert changed[f"{PLACE}/Chart.yaml"] == GENERATED.replace("1.3.0", "1.4.0").encode()
    assert (changed[f"{PLACE}/values.yaml"] or b"").decode() == after


def test_what_the_chart_says_and_prepared_values_do_not_is_added(tmp_path: Path) -> None:
    values = """\
common-chart:
  replicas: 2
  image: {registry: docker.io, repository: x, tag: "1", pullPolicy: Always}
  config: {build: "1e5", big: 5}
  ports: [{name: "y", port: 80}]
"""
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml=values)
    prepared = "common-chart: # ops\n  image: {repository: old, tag: ''}\n  config:\n    big: 7\n  replicas: 7\n"
    changed = layout.files(view(tmp_path, values_yaml=prepared), PLACE, release(), lambda: chart)
    content = changed[f"{PLACE}/values.yaml"] or b""
    assert layout.values_of(content, "f")["common-chart"] == {
        "image": {"repository": "registry.local/apps/storefront", "tag": "1.4.0", "pullPolicy": "Always"},
        "config": {"build": "1e5", "big": 7},
        "ports": [{"name": "y", "port": 80}],
        "replicas": 7,
    }
    kept = [line for line in prepared.split("\n") if "image" not in line]
    assert [line for line in content.decode().split("\n") if line in kept] == kept


def test_values_that_were_prepared_for_a_chart_with_templates_stay_below_its_name(tmp_path: Path) -> None:
    own = package(tmp_path, Chart_yaml="name: storefront", templates__x_yaml="a: b")
    changed = layout.files(view(tmp_path, values_yaml="other: 1 # x\n"), PLACE, release(), lambda: own)
    text = (changed[f"{PLACE}/values.yaml"] or b"").decode()
    assert text.startswith("other: 1 # x\nstorefront:\n  image:\n    repository: registry.local/apps/storefront\n")
    (empty := tmp_path / "empty").mkdir()
    without = layout.files(view(empty, values_yaml="x: 1\n"), PLACE, release(image=None), lambda: own)
    assert set(without) == {f"{PLACE}/Chart.yaml"}


def test_prepared_values_that_cannot_be_kept_are_refused(tmp_path: Path) -> None:
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml=VALUES)
    with pytest.raises(BadInput, match=f"{PLACE}/values.yaml"):
        layout.files(view(tmp_path, values_yaml="common-chart: [1]\n"), PLACE, release(), lambda: chart)


def test_a_lock_without_a_chart_goes_with_the_first_deployment(tmp_path: Path) -> None:
    own = package(tmp_path, Chart_yaml="name: storefront", templates__x_yaml="a: b")
    assert layout.files(view(tmp_path, Chart_lock="x: 1"), PLACE, release(), lambda: own)[f"{PLACE}/Chart.lock"] is None


APART = "common-chart:\n  image:\n    registry: {}\n    repository: apps/old # x\n    tag: 1.3.0\n"


@pytest.mark.parametrize("host", ["registry.local", "old.local:5000", '"old.local"'])
def test_a_registry_that_stands_apart_gets_the_host(tmp_path: Path, host: str) -> None:
    text = bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=APART.format(host)), release())["values.yaml"]
    new = '"registry.local"' if host.startswith('"') else "registry.local"
    assert text == APART.format(new).replace("apps/old", "apps/storefront").replace("1.3.0", "1.4.0")


@pytest.mark.parametrize("nothing", ['""', "", "~", "null"])
def test_a_registry_that_says_nothing_leaves_the_whole_name_in_the_repository(tmp_path: Path, nothing: str) -> None:
    text = bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=APART.format(nothing)), release())["values.yaml"]
    wanted = APART.format(nothing).replace("apps/old", "registry.local/apps/storefront").replace("1.3.0", "1.4.0")
    assert text == wanted


@pytest.mark.parametrize("shared", ["registry: old.local", "digest: 'sha256:00'", "repository: apps/old"])
def test_what_comes_from_a_merge_key_and_would_stay_is_refused(tmp_path: Path, shared: str) -> None:
    values = f"base: &b {{{shared}}}\ncommon-chart: {{image: {{<<: *b, tag: 1.3.0}}}}\n"
    with pytest.raises(BadInput, match="comes from a merge key"):
        bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=values), release())


def test_a_merge_key_that_says_the_right_thing_stays(tmp_path: Path) -> None:
    values = "b: &b {registry: registry.local}\ncommon-chart: {image: {<<: *b, repository: apps/x, tag: 1.3.0}}\n"
    text = bumped(view(tmp_path, Chart_yaml=GENERATED, values_yaml=values), release())["values.yaml"]
    assert text == values.replace("apps/x", "apps/storefront").replace("1.3.0", "1.4.0")


def test_of_many_images_the_one_whose_parts_name_the_apps_repository_is_set(tmp_path: Path) -> None:
    chart = GENERATED + "  - {name: redis, alias: cache, version: 17.0.0, repository: oci://registry.local/charts}\n"
    values = APART.format("registry.local").replace("apps/old", "apps/storefront")
    values += "cache: {image: {registry: registry.local, repository: redis, tag: 7.0.0}}\n"
    changed = bumped(view(tmp_path, Chart_yaml=chart, values_yaml=values), release())
    assert changed["values.yaml"] == values.replace("1.3.0", "1.4.0")


def test_a_first_deployment_fills_the_registry_that_the_chart_has_apart(tmp_path: Path) -> None:
    own = package(
        tmp_path, Chart_yaml="name: storefront", values_yaml="image: {registry: docker.io}", templates__x_yaml="a: b"
    )
    made = layout.first(own, release(), PLACE)
    image = yaml.safe_load(made[f"{PLACE}/values.yaml"])["storefront"]["image"]
    assert (image["registry"], image["repository"]) == ("registry.local", "apps/storefront")
    generated = package(tmp_path, Chart_yaml=GENERATED, values_yaml="common-chart: {image: {registry: docker.io}}\n")
    made = layout.first(generated, release(), PLACE)
    image = yaml.safe_load(made[f"{PLACE}/values.yaml"])["common-chart"]["image"]
    assert (image["registry"], image["repository"]) == ("registry.local", "apps/storefront")


@pytest.mark.parametrize("repository", ["file://../lib", ""])
def test_a_chart_whose_dependencies_are_in_its_package_alone_is_wrapped(tmp_path: Path, repository: str) -> None:
    chart = GENERATED.replace("oci://registry.local/charts", f'"{repository}"')
    made = layout.first(package(tmp_path, Chart_yaml=chart, values_yaml=VALUES), release(), PLACE)
    depends = yaml.safe_load(made[f"{PLACE}/Chart.yaml"])["dependencies"]
    assert depends == [{"name": "storefront", "version": "1.4.0", "repository": "oci://registry.local/charts"}]


def test_text_of_the_charts_values_stays_text_in_a_first_deployment(tmp_path: Path) -> None:
    values = 'common-chart:\n  config: {build: "1e5", "y": "n", code: "0888"}\n'
    chart = package(tmp_path, Chart_yaml=GENERATED, values_yaml=values)
    for over in (None, {"common-chart": {"config": {"more": "0o17"}}}):
        made = layout.first(chart, release(), PLACE, over)
        found = layout.values_of(made[f"{PLACE}/values.yaml"], "f")["common-chart"]["config"]
        wanted = {"build": "1e5", "y": "n", "code": "0888"}
        assert found == {**wanted, **({"more": "0o17"} if over else {})}


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n"])
def test_a_file_without_values_has_none(text: str) -> None:
    assert layout.values_of(text.encode(), "values.yaml") == {}


def test_values_are_read_as_helm_reads_them() -> None:
    text = "time: 12:30\nday: 2026-01-02\n8080: web\nquiet: y\nmode: 0644\nnone: null\n"
    expected = {"time": "12:30", "day": "2026-01-02", "8080": "web", "quiet": True, "mode": 420, "none": None}
    assert layout.values_of(text.encode(), "values.yaml") == expected


@pytest.mark.parametrize("text", ["- a\n", "a: b: c\n", "a: 1\n---\nb: 2\n", "words\n", "\xff"])
def test_what_is_no_values_file_is_told_with_its_name(text: str) -> None:
    with pytest.raises(BadInput, match=r"chart/values-dev\.yaml"):
        layout.values_of(text.encode("latin-1"), "chart/values-dev.yaml")


@pytest.mark.parametrize("own", [True, False])
def test_what_a_first_deployment_writes_the_next_one_can_bump(tmp_path: Path, own: bool) -> None:
    templates = {"templates__x_yaml": "a: b"} if own else {}
    chart = package(tmp_path, Chart_yaml=GENERATED, **templates)
    first = layout.files(view(tmp_path), PLACE, release(), lambda: chart)
    ours = Repository.open(str(tmp_path / "deploy.git"))
    present = ours.view(ours.commit("main", "First", lambda _view: first))
    assert layout.declared(present, PLACE) == "1.4.0"
    changed = bumped(present, release("1.5.0"))
    assert changed == {
        name: (first[f"{PLACE}/{name}"] or b"").decode().replace("1.4.0", "1.5.0")
        for name in ("Chart.yaml", "values.yaml")
    }


def test_a_package_that_is_no_chart_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "x.tgz").write_bytes(b"no archive")
    with pytest.raises(BadInput, match="cannot be unpacked"):
        layout.files(view(tmp_path), PLACE, release(), lambda: tmp_path / "x.tgz")
    elsewhere = package(tmp_path, values_yaml="x: 1")
    present = Repository.open(str(tmp_path / "deploy.git")).view(None)
    with pytest.raises(BadInput, match="no chart named storefront"):
        layout.files(present, PLACE, release(), lambda: elsewhere)


def test_nothing_is_declared_where_nothing_is(tmp_path: Path) -> None:
    present = view(tmp_path)
    assert layout.declared(present, PLACE) is None
    assert layout.declared(replace(present, commit=None), PLACE) is None
