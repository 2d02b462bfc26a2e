"""Which secrets would spoil ordinary text if they were masked."""

from __future__ import annotations

import pytest

from jenkins_cd import model, results
from jenkins_cd.ordinary import weakness


@pytest.mark.parametrize(
    "secret",
    ["", "a", "abc", "beef", "c0ffee", "1234", "1234567", "main", "jenkins", "Jenkins", "JENKINS-CD", "jenkins_cd",
     "package", "password", "storefront", "unit-tests", "aaaaaaaa", "--------", "abababab", "1.0.0", "v10.20.30",
     "something", "somebody", "127.0.0.1", "2026-11-30", "12345678", "/health", ".jenkins-cd/"],
)  # fmt: skip
def test_what_is_short_or_ordinary_is_told_with_a_reason(secret: str) -> None:
    assert weakness(secret).startswith("it ")
    assert len(secret) < 4 or secret not in weakness(secret)


@pytest.mark.parametrize(
    "secret",
    ["hunter2", "s3cr3t", "Zq7!", "sesame", "deadbeefdeadbeef", "correct horse battery", "admin123", "пароль",
     "4eC39HqLyjWDarjtT1zdp7dc", "jenkins-2026-prod", "p@ckage", "19450508112233"],
)  # fmt: skip
def test_what_can_be_masked_has_no_weakness(secret: str) -> None:
    assert weakness(secret) == ""


def test_the_words_that_the_product_itself_uses_are_ordinary() -> None:
    words = {*model.STAGES, "passed", "failed", "skipped", "stopped", "verified", "superseded", "blocked", "unknown"}
    words |= {"deployment", "rollback", "registry", "cluster", "argocd", "flux", "helm", "deployments", "report"}
    assert [word for word in sorted({*words, results.FOLDER, results.OUTCOMES}) if not weakness(word)] == []


def test_a_name_of_an_app_is_ordinary_where_it_is_known() -> None:
    assert weakness("hamster-wheel") == ""
    assert "name of an app" in weakness("Hamster-Wheel", ["shop", "hamster-wheel"])
