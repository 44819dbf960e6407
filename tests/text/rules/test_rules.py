"""Junk is cut out; what is not worth learning from is turned away with a reason."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.text.repair import repair
from freehold.text.rules import RULES, Bounds, Facts, fault, few_letters, measures, repeated_text, stub

WORDS = (
    "Gesetz Verordnung Absatz Satz gilt entsprechend Behörde zuständig Antrag Frist Bescheid Widerspruch Anlage "
    "Bundesrat Zustimmung Inkrafttreten Vorschrift Anwendung Verfahren Prüfung Zulassung Genehmigung Kosten"
)


def prose(words: int, seed: int = 0) -> str:
    """Text that never repeats itself."""
    draw = random.Random(seed)
    return " ".join(f"{draw.choice(WORDS.split())}{draw.randrange(10**6):x}" for _ in range(words)) + "."


def reason(text: str) -> str | None:
    found = fault(Facts(text), min_characters=200, max_characters=100_000)
    return found.reason if found else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (prose(200), None),
        (
            "日本国民は、正当に選挙された国会における代表者を通じて行動し、" + "".join(map(chr, range(0x4E00, 0x4F80))),
            None,
        ),
        ("".join(random.Random(1).choices("กขคงจชญดตถทธนบปผพฟมยรลวศสหอิีึืุู่้็์า", k=800)), None),  # marks are letters
        ("  \n ", "empty"),
        ("kurz", "too-short"),
        (prose(30_000), "too-long"),
        ("12,5 | 33,1 | 7\n" * 5 + " ".join(str(n) for n in range(2000)), "few-letters"),
        (prose(100) + "\ufffd" * 20, "broken-encoding"),
        ("\n".join(f"if (x{n}) {{\n  call{prose(3, n)}\n}}" for n in range(60)), "program-code"),
        (prose(40) + " " + "QUJD" * 200, "unbroken-characters"),
        ("\n".join([prose(12, 1), prose(12, 2), prose(12, 3)] * 8), "repeated-lines"),
        (" ".join([prose(40, 1)] * 12), "repeated-text"),
    ],
)
def test_rules(text: str, expected: str | None) -> None:
    assert reason(text) == expected


def test_repetition_is_measured() -> None:
    once = prose(400, 5)
    assert repeated_text.measure(Facts(once)) < 0.05
    assert repeated_text.measure(Facts(" ".join([once] * 4))) == pytest.approx(0.75, abs=0.05)
    assert repeated_text.measure(Facts("")) == 0
    for period in range(1, 12):
        assert repeated_text.measure(Facts("abcdefghijkl"[:period] * 400)) > 0.95


def test_letters_of_every_script() -> None:
    for text in ("Würde", "民主", "한국", "ศักดิ์ศรี", "अधिकार", "Україна"):
        assert few_letters.measure(Facts(text)) == 1


@settings(max_examples=100)
@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    assert reason(text) is None or isinstance(reason(text), str)


def test_page_scripts_are_cut_out_of_law() -> None:
    tree = 'var tree = [ { "id" : "part_1", "children" : [ ' + '{"id": "arti_1","title": "Art. 1."},' * 20 + " ] } ];"
    law = f"Art. 1. Ustawa.\n\nArt. 2. Ustawa wchodzi w życie z dniem ogłoszenia. Pokaż całość {tree}"
    assert repair(law).text == "Art. 1. Ustawa.\n\nArt. 2. Ustawa wchodzi w życie z dniem ogłoszenia."
    assert [edit.rule for edit in repair(law).edits] == ["literal"]
    assert repair(law[:-30]).text.endswith("ogłoszenia.")  # torn off in the middle
    assert repair(f"{law} Art. 3. Koniec.").text.endswith("ogłoszenia. Art. 3. Koniec.")


def test_examples_in_a_manual_stay() -> None:
    manual = "So wird eine Liste angelegt:\nconst liste = [1, 2, 3];\nDanach geht es weiter."
    assert repair(manual).text == manual
    assert repair("Vor <script type='x'>var a;</script>nach").text == "Vor nach"


def test_every_rule_has_a_name_and_a_source_of_its_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(rule.source for rule in RULES)
    assert all(side in ("low", "high") for rule in RULES for side in rule.learns)


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("\n".join(f"§ {n}\n(weggefallen)" for n in range(1, 20)), "deu", "stub"),
        ("\n".join(f"第{n}条\n\u3000削除" for n in range(1, 40)), "jpn", "stub"),
        ("\n".join(f"제{n}조\n삭제 <2013.8.20>" for n in range(1, 40)), "kor", "stub"),
        (
            "\n".join(f"제{n}조의 규정 중 {prose(3, n)}을 삭제한다." for n in range(40)),
            "kor",
            None,
        ),  # it repeals: content
        (prose(150) + "\n§ 7\n(weggefallen)\nDas gilt für die " + prose(150, 2), "deu", None),
        ("Lorem ipsum dolor sit amet, " + prose(20), "deu", "placeholder"),
        (prose(400) + " Lorem ipsum ist ein Blindtext. " + prose(400, 2), "deu", None),
        ("\n".join(f"• {prose(4, n)}" for n in range(30)), "deu", "bullet-lines"),
        ("\n".join(f"{prose(4, n)} …" for n in range(30)), "deu", "ellipsis-lines"),
        (" ".join(f"{word} #" for word in prose(80).split()), "deu", "symbols"),
        (" ".join("Rechtsschutzversicherungsgesellschaften" * 2 for _ in range(30)), "deu", "word-length"),
        (" ".join(prose(30)), "deu", "word-length"),  # s p e l l e d
        (" ".join(f"{word} 1 2 3 4 5 6" for word in prose(60).split()), "deu", "wordless"),
        (" ".join(["Donaudampfschifffahrtsgesellschaftskapitän"] * 6), "deu", "few-words"),
        (prose(150), "eng", "stop-words"),
    ],
)
def test_rules_of_a_language(text: str, language: str, expected: str | None) -> None:
    found = fault(Facts(text, language=language), min_characters=200, max_characters=100_000)
    assert (found.reason if found else None) == expected


def test_bounds_that_were_learned_take_the_place_of_the_defaults() -> None:
    text = "\n".join(f"und {prose(1, n)}" for n in range(80))
    thresholds = {"deu": {"short-lines": Bounds(high=0.1)}}
    judged = {
        code: fault(Facts(text, language=code), min_characters=20, max_characters=10**6, thresholds=thresholds)
        for code in ("deu", "fin")
    }
    assert judged["deu"] is None or judged["deu"].reason == "short-lines"
    assert (
        measures(Facts(text, language="deu"))["short-lines"] == sum(len(line) <= 30 for line in text.split("\n")) / 80
    )
    assert stub.measure(Facts("", language="deu")) == 0
