"""One key for one text, however it is written down; the golden keys are what others must get, too."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.proof.tree.normal_form import INVISIBLE, key_of_bytes, key_of_text, normal_form
from freehold.text.normalise import normalise

# What the rules are about, denser than chance would have it.
ODD = (
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u2028\u202e\u2060\u3164\ufe0f\ufeff\ufffc\ue000"
    "\U000e0041\x00\x1c\x85"
)
DENSE = (
    "ab\u00e9e\u0301\u0323\u0308\u1ec7\uac00\u1100\u1161\u11a8\u1160\u212b\u2126\u304b\u3099 \t\n\r\u00a0\u3000\u2003"
)
texts = st.text(st.characters() | st.sampled_from(ODD + DENSE), max_size=40)


@given(texts)
def test_a_fixed_point_without_anything_invisible(text: str) -> None:
    form = normal_form(text)
    assert normal_form(form) == form
    assert not INVISIBLE.search(form)
    assert form == form.strip()
    form.encode()


@given(texts)
def test_composition_does_not_matter(text: str) -> None:
    assert normal_form(unicodedata.normalize("NFD", text)) == normal_form(text)
    assert normal_form(unicodedata.normalize("NFC", text)) == normal_form(text)


@given(texts, texts)
def test_line_ends_runs_and_invisible_characters_do_not_matter(one: str, other: str) -> None:
    expected = normal_form(f"{one} {other}")
    for between in ("\n", "\r\n", "\r", "\u2028", " \t\n\n ", "\u00a0", "\u3000\u3000", "\u200b \u200b", "\u00ad\n"):
        assert normal_form(f"\ufeff{one}{between}{other}\n") == expected


@given(texts)
def test_what_curation_takes_for_the_same_text_has_the_same_key(text: str) -> None:
    assert key_of_text(normalise(text)) == key_of_text(text)


@pytest.mark.parametrize(
    "joined", ["no\u00adwhere", "no\u200bwhere", "no\ufeffwhere", "no\U000e0041where", "no\ue000where"]
)
def test_invisible_characters_hide_nothing(joined: str) -> None:
    assert key_of_text(joined) == key_of_text("nowhere")


@pytest.mark.parametrize(
    ("one", "other"), [("Wurde", "Würde"), ("a b", "ab"), ("Recht", "recht"), ("²", "2"), ("", "x")]
)
def test_what_a_reader_tells_apart_has_two_keys(one: str, other: str) -> None:
    assert key_of_text(one) != key_of_text(other)


def test_the_reference_lists_the_same_characters() -> None:
    """docs/reference/release.md is what others build from."""
    page = (Path(__file__).parents[3] / "docs/reference/release.md").read_text(encoding="utf-8")
    item = page[page.index("1. These code points are taken out:") : page.index("2. The rest is composed")]
    spans = re.findall(r"\b([0-9A-F]{4,6})(?:–([0-9A-F]{4,6}))?", item)
    listed = {code for first, last in spans for code in range(int(first, 16), int(last or first, 16) + 1)}
    listed |= {plane * 0x10000 + last for plane in range(17) for last in (0xFFFE, 0xFFFF)}
    assert listed == {code for code in range(0x110000) if INVISIBLE.match(chr(code))}
    spaces = [code for code in range(0x110000) if chr(code).isspace() and code not in listed]
    assert spaces == [
        *range(9, 14),
        32,
        0x85,
        0xA0,
        0x1680,
        *range(0x2000, 0x200B),
        0x2028,
        0x2029,
        0x202F,
        0x205F,
        0x3000,
    ]


def test_golden_keys() -> None:
    """`printf 'Grundgesetz für' | sha256sum`; another implementation can begin here."""
    assert normal_form("\ufeffGrund\u00adgesetz\r\n\t fu\u0308r\u2029") == "Grundgesetz für"
    assert key_of_text("Grundgesetz\u3000fu\u0308r").hex() == sha256("Grundgesetz für".encode()).hexdigest()
    assert key_of_text("\r\n").hex() == key_of_bytes(b"").hex() == sha256().hexdigest()
    assert key_of_bytes(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
