"""One spelling for one text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.text.normalise import INVISIBLE, normalise

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))  # surrogates and unassigned code points too
# Characters whose removal or composition can bring two others together.
TRICKY = st.text(
    alphabet=st.sampled_from(
        "aAeu\u0300\u0308\u0654\u0338\u00ad\u200b\u200c\u200d\ufeff \u00a0\u3000\t\n\r\u2028\u2000\u1100\u1161\uac00"
        "\u0627\u0628\u0915\u094d\u2190\U0001f468\ufb1d\u05b4\u2adc"
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(ANY_TEXT | TRICKY)
def test_a_normal_text_is_a_fixed_point(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert not INVISIBLE.search(once)
    once.encode()  # no surrogate is left


@settings(max_examples=200)
@given(TRICKY)
def test_equal_texts_stay_equal(text: str) -> None:
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(unicodedata.normalize("NFC", text))


@given(st.text(alphabet=st.characters(categories=("Lu", "Ll", "Nd")), min_size=1))
def test_letters_are_never_lost(text: str) -> None:
    assert normalise(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("Bundes\u00adrepublik", "Bundesrepublik"),
        ("e\u0301te\u0301", "été"),
        ("e\u200b\u0301", "é"),
        ("a\r\nb\rc\u2028d\x0be", "a\nb\nc\nd\ne"),
        ("eins\u00a0zwei\u202fdrei", "eins zwei drei"),
        ("\ufeffText", "Text"),
        ("\u202eevil\u202c", "evil"),
        ("\x00\x07Text\x7f", "Text"),
        ("\u3000第一条", "\u3000第一条"),  # Japanese paragraphs begin with an ideographic space
        ("می\u200cخواهم", "می\u200cخواهم"),  # Persian needs its non-joiner
        ("क्\u200dष", "क्\u200dष"),  # so does Hindi its joiner
        ("Auf\u200clage", "Auflage"),  # German does not
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u1112\u1161\u11ab", "한"),
        ("a \t\n\n\n\n b", "a\n\n b"),
        ("x\ue000y\ud800z", "xyz"),
    ],
)
def test_what_a_reader_cannot_see_goes(found: str, kept: str) -> None:
    assert normalise(found) == kept
