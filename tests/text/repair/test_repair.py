"""What was broken is mended, and every change can be taken back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.text.normalise import normalise
from freehold.text.repair import repair, undo
from freehold.text.repair.recurring import imprint, key

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)))
PIECES = st.lists(
    st.sampled_from(
        [
            "Bundes-\n", "republik ", "Bundesrepublik", "\n- 7 -\n", "\n- 8 -\n", "- 9 -\n", "12\n", "f\u00c3\u00bcr ",
            "\u00ad", "\u200b", "a", "u\u0308", "\u0301", "\u00a0", " \n", "\n\n\n", "\r\n", "\ue000", "\u200c", "می",
            "var x = [", "];", "<script>", "</script>", "x" * 100, "(A)\n", "(B)\n", "(C)\n", "(D)\n", "\ud55c",
            "\u1112\u1161\u11ab", "\ufeff", "www.gazette.example 12\n",
        ]
    ),
    max_size=40,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT | PIECES)
def test_every_repair_can_be_taken_back(text: str) -> None:
    mended = repair(text, recurring={key("www.gazette.example 3")})
    assert undo(mended.text, mended.edits) == text


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT | PIECES)
def test_what_is_left_is_spelled_in_one_way(text: str) -> None:
    mended = repair(text).text
    assert normalise(mended) == mended


def test_clean_text_is_left_alone() -> None:
    clean = "§ 1\nJeder hat das Recht auf Leben.\n\n5\n\n第一条\u3000日本国民は"
    assert repair(clean).text is clean
    assert repair(clean).edits == ()


@pytest.mark.parametrize(
    ("found", "kept", "rule"),
    [
        ("Bundesrepublik f\u00c3\u00bcr Stra\u00c3\u009fe", "Bundesrepublik für Straße", "mojibake"),
        ("l\u2019\u00c3\u00a9t\u00c3\u00a9 \u00e2\u20ac\u0153fini\u00e2\u20ac\u009d", "l\u2019été “fini”", "mojibake"),
        ("Gesetz\u00adgebung", "Gesetzgebung", "soft-hyphen"),
        ("Text\ue123", "Text", "private-use"),
        ("\ufeffText", "Text", "zero-width"),
        ("Auf\u200clage", "Auflage", "joiner"),
        ("u\u0308ber", "über", "nfc"),
        ("a\n- 3 -\nb\n- 4 -\nc\n- 5 -\nd", "a\nb\nc\nd", "page-number"),
        ("Seite 3 von 9\na\nSeite 4 von 9\nb\nSeite 5 von 9\nc", "a\nb\nc", "page-number"),
        ("das Bundes-\nland im Bundesland", "das Bundesland im Bundesland", "line-hyphen"),
        ("".join(f"Rede {n}\n({'ABCD'[n % 4]})\n" for n in range(12)).strip(),
         "".join(f"Rede {n}\n" for n in range(12)).strip(), "margin"),
    ],
)  # fmt: skip
def test_each_repair(found: str, kept: str, rule: str) -> None:
    mended = repair(found)
    assert mended.text == kept
    assert rule in {edit.rule for edit in mended.edits}


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(f"{n}\nJede Person hat das Recht auf Nummer {n}." for n in range(1, 30)),  # numbered paragraphs
        "1984\nEin Roman.\n2001\nEin Film.",
        "می\u200cخواهم",
        "क्\u200dष",
        "Haupt-\nund Nebensatz, hauptund",
        "À l’été, «CAFÉ» à Ã… – Øre Æ €",
        "(A)\nAntwort\n(B)\nAntwort",  # a list
        "Der Bundestag hat das folgende Gesetz beschlossen:",
    ],
)
def test_what_is_content_stays(text: str) -> None:
    assert repair(text, recurring={key(line) for line in text.split("\n") if imprint(line)}).text == text


def test_recurring_imprints_go_and_formulae_stay() -> None:
    footer = "ΕΦΗΜΕΡΙΔΑ ΤΗΣ ΚΥΒΕΡΝΗΣΕΩΣ www.et.example – Σελίδα 12"
    text = f"Άρθρο 1\nΕκδίδεται ο νόμος.\n{footer}\nΆρθρο 2"
    recurring = {key(footer.replace("12", "7"))}
    assert repair(text, recurring=recurring).text == "Άρθρο 1\nΕκδίδεται ο νόμος.\nΆρθρο 2"
    assert repair(text, recurring={key("Άρθρο 2")}).text == text
