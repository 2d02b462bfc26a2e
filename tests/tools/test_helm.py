from __future__ import annotations

import functools
import hashlib
import http.server
import shutil
import tarfile
import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jenkins_cd.demo.services import Registry
from jenkins_cd.errors import BadInput, ExternalFailure, MissingTool
from jenkins_cd.tools import helm, process, registry
from tests.tools.conftest import PASSWORD

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\ndata: {greeting: {{ .Values.greeting }}}\n"


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    folder = tmp_path / "words"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: words\nversion: 0.0.1\n", encoding="utf-8")
    (folder / "values.yaml").write_text("greeting: hello\n", encoding="utf-8")
    (folder / "templates" / "words.yaml").write_text(CONFIG_MAP, encoding="utf-8")
    return folder


def test_the_version_is_told_without_a_v() -> None:
    assert helm.version()[0] in "34"


@pytest.mark.parametrize("text", ["v3.12.3", "v2.17.0", "", "dev"])
def test_a_helm_that_is_too_old_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"3\.13 or later is needed"):
        helm._checked(text)


def test_a_missing_helm_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match="helm is not installed") as caught:
        helm.version()
    assert caught.value.hint.startswith("go install helm.sh/helm/")


def test_a_chart_renders_with_its_values_and_with_those_that_are_given(chart: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    more.write_text("greeting: good morning\n", encoding="utf-8")
    assert "greeting: hello" in helm.template(chart, "words", "dev")
    assert "greeting: good morning" in helm.template(chart, "words", "dev", [more])


def test_a_chart_that_does_not_render_says_where(chart: Path) -> None:
    (chart / "templates" / "bad.yaml").write_text("{{ .Values.no.such.thing }}\n", encoding="utf-8")
    for check in (lambda: helm.template(chart, "words", "dev"), lambda: helm.lint(chart)):
        with pytest.raises(BadInput) as caught:
            check()
        assert "words/templates/bad.yaml:1" in caught.value.problems[0]
        assert "nil pointer" in caught.value.problems[0]
        assert caught.value.hint.startswith("helm ")


def test_a_warning_fails_a_strict_lint_only(chart: Path) -> None:
    helm.lint(chart)
    shutil.rmtree(chart / "templates")
    (chart / "templates").mkdir()
    with (chart / "Chart.yaml").open("a", encoding="utf-8") as file:
        file.write("dependencies: [{name: lost, version: 1.0.0, repository: 'oci://registry.local/charts'}]\n")
    helm.lint(chart, strict=False)
    with pytest.raises(BadInput, match="does not pass helm lint --strict") as caught:
        helm.lint(chart)
    assert "lost" in caught.value.problems[0]


def test_the_same_chart_gives_the_same_bytes_whenever_and_wherever_it_is_packaged(chart: Path, tmp_path: Path) -> None:
    first = helm.package(chart, tmp_path / "first", "1.2.3", "1.2.3", WHEN)
    other = tmp_path / "elsewhere" / "words"
    shutil.copytree(chart, other, copy_function=shutil.copyfile)  # other dates
    second = helm.package(other, tmp_path / "second", "1.2.3", "1.2.3", WHEN)
    assert first.name == "words-1.2.3.tgz"
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_mtime == WHEN.timestamp()
    with tarfile.open(first) as archive:
        names = archive.getnames()
        assert names == sorted(names)
        assert {member.mtime for member in archive} == {int(WHEN.timestamp())}
        description = archive.extractfile("words/Chart.yaml")
        assert description
        assert {"version: 1.2.3", "appVersion: 1.2.3"} <= set(description.read().decode().splitlines())


def test_a_changed_chart_gives_other_bytes(chart: Path, tmp_path: Path) -> None:
    first = helm.package(chart, tmp_path / "first", "1.2.3", "1.2.3", WHEN).read_bytes()
    (chart / "values.yaml").write_text("greeting: bye\n", encoding="utf-8")
    assert helm.package(chart, tmp_path / "second", "1.2.3", "1.2.3", WHEN).read_bytes() != first


def test_a_pushed_chart_can_be_pulled_and_pushing_again_gives_the_same_digest(
    chart: Path, tmp_path: Path, registry_charts: str
) -> None:
    file = helm.package(chart, tmp_path / "made", "1.2.3", "1.2.3", WHEN)
    digest = helm.push(file, registry_charts, plain_http=True)
    again = helm.package(chart, tmp_path / "again", "1.2.3", "1.2.3", WHEN)
    assert helm.push(again, registry_charts, plain_http=True) == digest
    assert registry.digest(f"{registry_charts}/words", "1.2.3", plain_http=True) == digest
    content = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert registry.chart_content(f"{registry_charts}/words", "1.2.3", plain_http=True) == content
    pulled = helm.pull(registry_charts, "words", "1.2.3", tmp_path / "pulled", plain_http=True)
    assert pulled.read_bytes() == file.read_bytes()


def test_a_chart_that_is_not_there_is_told(tmp_path: Path, registry_charts: str) -> None:
    with pytest.raises(ExternalFailure, match=r"cannot fetch the chart lost 1\.0\.0 from oci://"):
        helm.pull(registry_charts, "lost", "1.0.0", tmp_path, plain_http=True)


@pytest.mark.parametrize(
    ("repository", "reason"),
    [
        ("oci://127.0.0.1:1/charts", "connection refused"),
        ("http://127.0.0.1:1/charts", "connection refused"),
        ("REGISTRY", "not found"),
        ("file://../nowhere", "not found"),
    ],
)
def test_why_a_dependency_cannot_be_fetched_stands_in_the_first_line(
    tmp_path: Path, registry_charts: str, repository: str, reason: str
) -> None:
    source = repository.replace("REGISTRY", registry_charts)
    needs = f"dependencies: [{{name: lost, version: 1.0.0, repository: '{source}'}}]\n"
    (tmp_path / "Chart.yaml").write_text(f"apiVersion: v2\nname: front\nversion: 1.0.0\n{needs}", encoding="utf-8")
    with pytest.raises(ExternalFailure) as caught:
        helm.dependency_build(tmp_path, plain_http=True, hint="publish it")
    first, *others = caught.value.message.splitlines()
    assert first.startswith("cannot fetch the dependencies of the chart front: ")
    assert reason in first
    assert any(line.startswith("helm dependency build") for line in others)
    assert caught.value.hint == "publish it; check `dependencies` in its Chart.yaml"


def test_a_dependency_is_fetched_from_the_registry(chart: Path, tmp_path: Path, registry_charts: str) -> None:
    helm.push(helm.package(chart, tmp_path / "made", "2.0.0"), registry_charts, plain_http=True)
    app = tmp_path / "app"
    app.mkdir()
    (app / "Chart.yaml").write_text(
        "apiVersion: v2\nname: app\nversion: 1.0.0\n"
        f"dependencies: [{{name: words, version: 2.0.0, repository: '{registry_charts}'}}]\n",
        encoding="utf-8",
    )
    helm.dependency_build(app, plain_http=True)
    assert "greeting: hello" in helm.template(app, "app", "dev")


def test_a_locked_dependency_is_fetched_from_an_index_that_helm_was_not_told_of(
    chart: Path, tmp_path: Path, index: Path
) -> None:
    app = tmp_path / "app"
    app.mkdir()
    source = (index / "url").read_text(encoding="utf-8")
    (app / "Chart.yaml").write_text(
        "apiVersion: v2\nname: app\nversion: 1.0.0\n"
        f"dependencies: [{{name: words, version: ^2.0.0, repository: '{source}'}}]\n",
        encoding="utf-8",
    )

    def publish(version: str) -> None:
        helm.package(chart, index, version)
        process.run(["helm", "repo", "index", str(index), "--url", source]).require("write the index")

    publish("2.0.0")
    helm.dependency_build(app)
    publish("2.1.0")
    shutil.rmtree(app / "charts")
    helm.dependency_build(app)
    assert [file.name for file in (app / "charts").iterdir()] == ["words-2.0.0.tgz"]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Path]:
    """A folder that is served as an index-based chart repository; its file `url` says where."""
    folder = tmp_path / "index"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    (folder / "url").write_text(f"http://127.0.0.1:{server.server_address[1]}", encoding="utf-8")
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.usefixtures("logged_in")
def test_a_login_of_the_environment_is_used_and_never_shown(
    chart: Path, tmp_path: Path, locked_registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    charts = f"oci://{locked_registry.host}/charts"
    file = helm.package(chart, tmp_path / "made", "1.2.3")
    digest = helm.push(file, charts, plain_http=True)
    assert registry.digest(f"{charts}/words", "1.2.3", plain_http=True) == digest
    assert helm.pull(charts, "words", "1.2.3", tmp_path / "pulled", plain_http=True).is_file()
    monkeypatch.setenv(registry.PASSWORD, f"not-{PASSWORD}")
    with pytest.raises(ExternalFailure, match="cannot push") as caught:
        helm.push(file, charts, plain_http=True)
    assert PASSWORD not in str(caught.value)


@pytest.fixture
def registry_charts(registry: Registry) -> str:
    return f"oci://{registry.host}/charts-{uuid.uuid4().hex}"


@pytest.mark.parametrize("inner", ["crds", "elsewhere"])
def test_a_folder_is_looked_for_in_a_chart_and_in_the_charts_in_it(tmp_path: Path, inner: str) -> None:
    child = tmp_path / "child"
    (child / inner).mkdir(parents=True)
    (child / "Chart.yaml").write_text("apiVersion: v2\nname: child\nversion: 1.0.0\n")
    (child / inner / "x.yaml").write_text("kind: X\n")
    chart = tmp_path / "chart"
    helm.package(child, chart / "charts", "1.0.0")
    assert helm.may_have(chart, "crds") is (inner == "crds")


def test_where_a_folder_cannot_be_looked_for_it_may_be_there(tmp_path: Path) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / "child-1.0.0.tgz").write_bytes(b"no archive")
    assert helm.may_have(tmp_path, "crds")
    assert helm.may_have(tmp_path / "packaged-1.0.0.tgz", "crds")
