"""Signs of machine translation are reported."""

from __future__ import annotations

import pytest

from freehold.text.hints import machine_translated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Este texto es una traducción automática del original.", True),
        ("このページは機械翻訳によるものです。", True),
        ("Der Wert {{12}} wird eingesetzt.", True),
        ("Aus dem Französischen von Anna Weber.", False),
        ("Die Maschine übersetzt die Drehung in einen Hub.", False),
        ("x" * 5000 + " machine translation " + "x" * 5000, False),  # spoken of, in the middle of a text
    ],
)
def test_hints(text: str, expected: bool) -> None:
    assert machine_translated(text) is expected
