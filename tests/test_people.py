"""Whether two names are one person's."""

from __future__ import annotations

import pytest

from jenkins_cd import people


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane", "jane"),
        ("jane", "JANE"),
        ("jane.doe", "Jane Doe <jd@shop.example>"),
        ("jane", "J. Doe <jane@shop.example>"),
        ("jane", "J. Doe <Jane+work@shop.example>"),
        ("jane", "J. Doe <1234567+jane@users.noreply.github.com>"),
        ("jane@shop.example", "J. Doe <JANE@shop.example>"),
        ("jane@shop.example", "jane"),
        ("jane-doe", "jane_doe"),
        ("jané", "jane\u0301"),
        ("\uff4a\uff41\uff4e\uff45", "jane"),
        ("straße", "STRASSE"),
        ("juergen.mueller", "Jürgen Müller <jm@shop.example>"),
        ("jurgen.muller", "Ju\u0308rgen Müller <jm@shop.example>"),
        ("soren", "SØREN <s@shop.example>"),
        ("lukasz", "Łukasz <l@shop.example>"),
        ("jane.doe", "Doe, Jane <jd@shop.example>"),
        ("ja\u200bne", "jane"),
    ],
)
def test_one_person_is_known_again(one: str, other: str) -> None:
    assert people.same(one, other)
    assert people.same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("jane", "joe"),
        ("jane", "janet"),
        ("jane", "Joe <joe@jane.example>"),
        ("jane", ""),
        ("jane.doe", "Jane Roe <jr@shop.example>"),
        ("", ""),
        ("--", "<>"),
        ("qa", "Jane Doe <jane@qa.example>"),
        ("delivery/promote #12", "jane"),
    ],
)
def test_two_people_are_two(one: str, other: str) -> None:
    assert not people.same(one, other)


def test_who_it_is_like_is_named() -> None:
    assert people.first_like("jane", ["joe", "Jane <x@y>"]) == "Jane <x@y>"
    assert people.first_like("jane", ["joe"]) == ""
