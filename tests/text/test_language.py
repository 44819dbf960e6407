"""Which language, and whether the declaration agrees."""

from __future__ import annotations

import pytest

from freehold.text.language import TWO_TO_THREE, canonical, detectable, identify, near, sample, settle

TEXTS = {
    "deu": "Die Würde des Menschen ist unantastbar. Sie zu achten und zu schützen ist Verpflichtung aller Gewalt.",
    "jpn": "日本国民は、正当に選挙された国会における代表者を通じて行動し、われらとわれらの子孫のために",
    "kor": "대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있고, 모든 권력은 국민으로부터 나온다.",
    "tha": "ประเทศไทยเป็นราชอาณาจักรอันหนึ่งอันเดียว จะแบ่งแยกมิได้ ศักดิ์ศรีความเป็นมนุษย์ สิทธิ เสรีภาพ",
    "fra": "La France est une République indivisible, laïque, démocratique et sociale. Elle assure l'égalité.",
    "pol": "Rzeczpospolita Polska jest dobrem wspólnym wszystkich obywateli i demokratycznym państwem prawnym.",
    "ces": "Česká republika je svrchovaný, jednotný a demokratický právní stát založený na úctě k právům.",
}


@pytest.mark.parametrize("code", TEXTS)
def test_identified(code: str) -> None:
    guess = identify(TEXTS[code])
    assert guess.code == code
    assert guess.confidence > 0.9


def test_nothing_to_go_by() -> None:
    assert settle("12 34 56 --- 78", declared=None, confidence=0.5).reason == "language-unknown"
    assert settle("12 34 56 --- 78", declared="deu", confidence=0.5).language == "deu"


def test_a_declaration_falls_only_to_a_sure_guess() -> None:
    settled = settle(TEXTS["kor"], declared="deu", confidence=0.5)
    assert (settled.language, settled.reason) == (None, "language-mismatch")
    assert "declared deu, looks like kor" in settled.detail
    assert settle(TEXTS["deu"], declared="de-CH", confidence=0.5).language == "de-CH"
    assert settle(TEXTS["deu"], declared="gsw", confidence=0.5).language == "gsw"  # the model does not know it
    assert settle(TEXTS["deu"], declared="und", confidence=0.5).language == "deu"


def test_near_languages_do_not_contradict() -> None:
    assert near("hrv", "srp")
    assert near("por", "por")
    assert not near("ces", "slk")
    croatian = "Republika Hrvatska je jedinstvena i nedjeljiva demokratska i socijalna država u kojoj vlast proizlazi."
    assert settle(croatian, declared="bos", confidence=0.5).language == "bos"


def test_codes() -> None:
    assert len(TWO_TO_THREE) == 183  # ISO 639-1 without the withdrawn ones
    assert len(set(TWO_TO_THREE.values())) == 183
    assert {"deu", "kor", "jpn", "zho", "est", "nor", "nso"} <= detectable()
    assert [canonical(code) for code in ("zh_TW", "ekk", "nob", "xyz")] == ["zho", "est", "nor", "xyz"]


def test_a_long_text_is_sampled() -> None:
    text = "a" * 1000 + "b" * 100_000 + "c" * 1000
    assert len(sample(text)) <= 1502
    assert {"a", "b", "c"} <= set(sample(text))
    assert sample("kurz") == "kurz"
