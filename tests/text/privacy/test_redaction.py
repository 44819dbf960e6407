"""Personal data is found, verified and replaced; law is left alone."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban as standard_iban
from stdnum import numdb

from freehold.text.privacy import ALL, expand, looked_for, placeholder, redact, redact_address
from freehold.text.privacy.accounts import iban_length

# Countries of the IBAN registry with a structure of digits and letters, as (country, structure) of their BBAN.
COUNTRIES = (
    "AD AE AL AT BA BE BG BR CH CY CZ DE DK EE ES FI FO FR GB GE GI GR HR HU IE IL IS IT KW LB LI LT LU LV MC MD ME "
    "MK MT MU NL NO PL PT QA RO RS SA SE SI SK SM TN TR UA VG XK"
)


def clean(text: str, language: str = "deu") -> str:
    return redact(text, rules=ALL, language=language).text


@st.composite
def ibans(draw: st.DrawFn) -> str:
    """A valid IBAN of any country, in any of the ways people write them; no real account."""
    country = draw(st.sampled_from(COUNTRIES.split()))
    structure = numdb.get("iban").info(country)[0][1]["bban"]
    alphabets = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    account = ""
    for size, kind in re.findall(r"(\d+)!([nac])", structure):
        account += draw(st.text(alphabet=alphabets[kind], min_size=int(size), max_size=int(size)))
    number = country + standard_iban.calc_check_digits(country + "00" + account) + account
    separator = draw(st.sampled_from(["", " ", "-", ".", "/", "  "]))
    grouped = separator.join(number[start : start + 4] for start in range(0, len(number), 4))
    return draw(st.sampled_from([grouped, grouped.lower()]))


@settings(max_examples=300)
@given(ibans())
def test_no_valid_iban_is_missed(number: str) -> None:
    assert clean(f"Konto {number}.", "eng") == "Konto <IBAN>."
    assert clean(f"IBAN:{number} BIC COBADEFFXXX", "eng") == "IBAN:<IBAN> BIC COBADEFFXXX"


@settings(max_examples=200)
@given(ibans(), st.integers(0, 9))
def test_a_wrong_checksum_is_no_iban(number: str, digit: int) -> None:
    places = [place for place, letter in enumerate(number) if letter.isdigit() and place > 5]
    if not places or int(number[places[0]]) == digit:
        return
    wrong = number[: places[0]] + str(digit) + number[places[0] + 1 :]
    assert "<IBAN>" not in clean(wrong, "eng")


def test_lengths_come_from_the_registry() -> None:
    assert [iban_length(country) for country in ("DE", "no", "MT", "XX", "US")] == [22, 15, 31, 0, 0]


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("Tel. 030 18 580 0 oder Fax (030) 18 580-9525", "deu", "Tel. <PHONE> oder Fax <PHONE>"),
        ("Telefon: +49 30 18412-3460, Fax: ++41 /58 325 92 33", "deu", "Telefon: <PHONE>, Fax: <PHONE>"),
        ("전화 02-2100-1234 또는 010-1234-5678", "kor", "전화 <PHONE> 또는 <PHONE>"),
        ("電話番号：０３－５２５３－４１１１", "jpn", "電話番号：<PHONE>"),
        ("電話03-5253-4111まで", "jpn", "電話<PHONE>まで"),
        ("โทร. 02 123 4567", "tha", "โทร. <PHONE>"),
        ("Puhelin: | 029 56 42500 Telefax: | 029 56 42501", "fin", "Puhelin: | <PHONE> Telefax: | <PHONE>"),
        ("Schreiben Sie an max.muster+x@mail.example.de!", "deu", "Schreiben Sie an <EMAIL>!"),
        ("연락처 hong@korea.example.kr입니다", "kor", "연락처 <EMAIL>입니다"),
        ("メールはmüller-lüdenscheidt@example.jpまで", "jpn", "メールは<EMAIL>まで"),
        ("mailto:a.b@例え.テスト", "jpn", "mailto:<EMAIL>"),
    ],
)
def test_replaced(text: str, language: str, kept: str) -> None:
    assert clean(text, language) == kept


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("§ 823 Abs. 1 BGB vom 18.08.1896 (RGBl. S. 195), BGBl. I 2002, 42, 2909; 2003, 738", "deu"),
        ("Az. 0123-456-7890, Nr. 01234/567890, 1994-05-03, 12.345.678,90 Euro", "deu"),
        ("Richtlinie 2009/28/EG, ABl. L 140 vom 5.6.2009, S. 16; CAS-Nr. 7732-18-5", "deu"),
        ("昭和二十二年十二月二十日法律第二百十七号 第10条 2003-01-02 1234-5678", "jpn"),
        ("<개정 2011.11.11, 2013.3.23, 2015.1.6> 제1조 제2항 법률 제10108호 2010-03-17", "kor"),
        ("Real Decreto 2021/1993, de 19 de noviembre (BOE núm. 310, de 28-12-1993, 36790)", "spa"),
        ("Dz. U. z 2004 r. Nr 64, poz. 593, Nr 99, poz. 1001; 2004-04-29", "pol"),
        ("Article L. 123-4 du code, n° 2010-1234 du 20 octobre 2010", "fra"),
        ("ES 12 2100 0418 4502 0005 1331", "spa"),  # an IBAN's shape, a wrong checksum
        ("x+123456789012 = y", "deu"),
        ("user@localhost, @handle, a@b", "eng"),
    ],
)
def test_law_is_left_whole(text: str, language: str) -> None:
    assert clean(text, language) == text


PIECES = [
    "12",
    "4111",
    "1111",
    "030",
    "18580",
    "DE89",
    "3704",
    "ES",
    "X1234567L",
    "a@b.cd",
    "Tel.",
    "IMEI",
    "PESEL",
    "DNI",
]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, *"0123456789 +-./()@:,\nAZ§"]), max_size=60).map("".join),
    st.sampled_from(["deu", "kor", "jpn", "spa", "pol", "xxx"]),
)
def test_twice_changes_nothing(text: str, language: str) -> None:
    first = redact(text, rules=ALL, language=language)
    again = redact(first.text, rules=ALL, language=language)
    assert (again.text, sum(again.counts.values())) == (first.text, 0)
    for kind, times in first.counts.items():
        assert first.text.count(placeholder(kind)) >= times


def test_placeholders_hold_no_digit() -> None:
    assert not any(letter.isdigit() for kind in ALL for letter in placeholder(kind))


@pytest.mark.parametrize(
    "piece",
    ["1", "+", "1 ", "+1", "a@", "@", "1.1.", "DE12 ", "12 345 678 ", "A1", "2001:", "(", "-", "a@b.", "1\n", "12 AB "],
)
def test_much_of_the_same_takes_seconds(piece: str) -> None:
    text = piece * (2**18 // len(piece))
    start = time.process_time()
    redact(text, rules=ALL, language="spa")
    assert time.process_time() - start < 8


def test_a_word_for_several_kinds() -> None:
    assert expand(["iban", "email"]) == ("email", "iban")
    assert "national-id:KR" in expand(["national-id"])
    assert expand(["national-id:XX"]) == ()
    assert looked_for(["email"], names="a:b") == ("email", "name")


def test_a_url_keeps_its_numbers_but_no_address() -> None:
    assert redact_address("https://x.example/2004/04/29/12345678", rules=ALL).text.endswith("12345678")
    hidden = redact_address("https://x.example/?u=a.b%40mail.example&x=%20", rules=ALL)
    assert (hidden.text, hidden.counts["email"]) == ("https://x.example/?u=<EMAIL>&x=%20", 1)
    assert redact_address("https://x.example/?u=a%40b", rules=ALL).text == "https://x.example/?u=a%40b"


def test_only_the_rules_asked_for() -> None:
    text = "a@example.org, Tel. 030 18 580 0"
    assert redact(text, rules=["phone"], language="deu").text == "a@example.org, Tel. <PHONE>"
    assert redact(text, rules=[], language="deu").counts == {}
