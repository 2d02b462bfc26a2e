"""What is said, and to whom."""

from __future__ import annotations

GREETINGS = {"en": "Hello", "de": "Hallo", "fr": "Bonjour"}


def greeting(name: str, language: str = "en") -> str:
    """Return the greeting for `name`; an unknown language gets the English one."""
    return f"{GREETINGS.get(language, GREETINGS['en'])}, {name.strip() or 'world'}!"
