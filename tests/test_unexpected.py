from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from jenkins_cd import masking, os_failures, unexpected
from jenkins_cd.errors import BadInput, ExternalFailure, GateFailed, Unexpected


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, ExternalFailure, "the disk is full"),
        (errno.EDQUOT, ExternalFailure, "quota"),
        (errno.EMFILE, ExternalFailure, "too many files are open"),
        (errno.EIO, ExternalFailure, "does not work"),
        (errno.EROFS, BadInput, "read-only"),
        (errno.EACCES, BadInput, "permission denied"),
        (errno.ENOENT, BadInput, "it is not there"),
        (errno.ENOTDIR, BadInput, "no folder"),
        (errno.EISDIR, BadInput, "a folder, not a file"),
        (errno.EEXIST, BadInput, "there already"),
        (errno.ELOOP, BadInput, "leads into itself"),
        (errno.ENXIO, ExternalFailure, "no such device"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_file_and_a_next_step(
    number: int, kind: type[Exception], said: str
) -> None:
    error = unexpected.as_error(OSError(number, os.strerror(number), "/srv/some file"))
    assert isinstance(error, kind)
    assert not isinstance(error, Unexpected)
    assert error.exit_code in (2, 3)
    assert error.message.startswith("/srv/some file: ")
    assert said in error.message
    assert error.hint


def test_the_variable_that_names_another_place_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/srv/cache")
    error = os_failures.explain(PermissionError(errno.EACCES, "Permission denied", "/srv/cache/jenkins-cd/x.lock"))
    assert "XDG_CACHE_HOME" in error.hint


@pytest.mark.parametrize(
    "error", [UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "no"), UnicodeEncodeError("ascii", "a\udcff", 1, 2, "no")]
)
def test_what_is_no_text_is_bad_input(error: UnicodeError) -> None:
    told = unexpected.as_error(error)
    assert isinstance(told, BadInput)
    told.message.encode()  # can be shown


def test_an_error_for_people_stays_what_it_is() -> None:
    error = GateFailed("no")
    assert unexpected.as_error(error) is error


def test_what_nobody_thought_of_leaves_a_log_that_can_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    masking.register("horse-battery-staple")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    error = unexpected.as_error(raised(KeyError("horse-battery-staple")), ["status", "--token=horse-battery-staple"])
    assert isinstance(error, Unexpected)
    assert (error.exit_code, error.retryable) == (3, True)
    assert "KeyError" in error.message
    [log] = (tmp_path / "cache/jenkins-cd/crashes").iterdir()
    assert str(log) in error.hint
    content = log.read_text(encoding="utf-8")
    assert "Traceback" in content
    assert "jenkins-cd status" in content
    assert "horse" not in content + error.message
    assert log.stat().st_mode & 0o077 == 0


def test_the_log_goes_where_it_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".jenkins-cd").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    first = unexpected.write_log(raised(ValueError("x")))
    assert first
    assert first.parent == tmp_path / ".jenkins-cd"
    (tmp_path / "elsewhere").mkdir()
    first.unlink()
    (tmp_path / ".jenkins-cd").rmdir()
    (tmp_path / ".jenkins-cd").symlink_to("elsewhere")  # not ours to write through
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    second = unexpected.write_log(raised(ValueError("x")))
    assert second
    assert second.parent == tmp_path / "temporary"
    monkeypatch.setattr("tempfile.tempdir", "/dev/null")
    assert unexpected.write_log(raised(ValueError("x"))) is None


def test_an_installation_that_lacks_a_module_is_told_as_such() -> None:
    error = unexpected.as_error(ModuleNotFoundError("No module named 'msgspec'"))
    assert isinstance(error, BadInput)
    assert "install it again" in error.hint
