import pytest

from greeter.greeting import greeting


@pytest.mark.parametrize(
    ("name", "language", "wanted"),
    [
        ("Ada", "en", "Hello, Ada!"),
        ("Ada", "fr", "Bonjour, Ada!"),
        ("Ada", "xx", "Hello, Ada!"),
        ("  ", "de", "Hallo, world!"),
    ],
)
def test_everybody_is_greeted(name: str, language: str, wanted: str) -> None:
    assert greeting(name, language) == wanted
