"""National ids, cards, devices, coins and addresses: found as they are written, and only where they are one."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from freehold.text.privacy import ALL, redact
from freehold.text.privacy.national import TABLE, NationalId

sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
import made_ids  # the bench and the tests invent their ids alike


def clean(text: str, language: str) -> str:
    return redact(text, rules=ALL, language=language).text


def named(row: NationalId) -> str:
    return f"{row.country}-{row.check}-{row.shape or row.groups}"


@pytest.mark.parametrize("row", TABLE, ids=named)
def test_every_id_is_found_beside_its_word_and_lost_with_its_checksum(row: NationalId) -> None:
    chance = random.Random(7)
    language = sorted(row.languages)[0]
    word = row.words.split("|")[0]
    for _ in range(12):
        number = made_ids.made(row, chance)
        assert clean(f"{word}: {number}, x", language) == f"{word}: <NATIONAL-ID:{row.country}>, x"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Seite 123456789 und 12345678901 und 1234567890123", "deu"),
        ("Art. 12.345.678 y 20.123.456 pesos, ley 1234567890", "spa"),
        ("ISBN 978-3-16-148410-0, ISSN 2049-3630, EAN 4006381333931", "deu"),
        ("Az. 12 O 345/67, BGBl. I S. 3138, 2004-04-29, 18.08.1896, 1.234.567,89 Euro", "deu"),
        ("Nummer 3.1.2.4 der Anlage, Abschnitt 8.8.8.8", "deu"),
        ("IP 192.168.0.1, IP 10.0.0.1, IP 127.0.0.1, 12:30:45, std::vector, 2001:db8::1", "eng"),
        ("Mobile 490154203237518 without its word", "eng"),
        ("0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae and 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "eng"),
        ("법률 900132-1234568", "kor"),  # the 32nd of January
        ("PESEL 44051401358", "pol"),
        ("Tarjeta 4111 1111 1111 1112", "spa"),
    ],
)
def test_look_alikes_stay(text: str, language: str) -> None:
    assert clean(text, language) == text


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("Karte 4111 1111 1111 1111 gesperrt", "deu", "Karte <CARD> gesperrt"),
        ("card 3782-822463-10005", "eng", "card <CARD>"),
        ("IMEI: 49-015420-323751-8.", "eng", "IMEI: <IMEI>."),
        ("IP-Adresse 8.8.4.4, http://1.1.1.1:80/", "deu", "IP-Adresse <IP>, http://<IP>:80/"),
        ("from 2a00:1450:4001:82b::200e.", "eng", "from <IP>."),
        ("pay 1BoatSLRHtKNngkdXEeobR76b53LETtpyT now", "eng", "pay <CRYPTO> now"),
        ("주민등록번호 900101-1234567와", "kor", "주민등록번호 <NATIONAL-ID:KR>와"),
        ("マイナンバーは１２３４５６７８９０１８です", "jpn", "マイナンバーは<NATIONAL-ID:JP>です"),
        ("DNI 12.345.678", "spa", "DNI <NATIONAL-ID:AR>"),
    ],
)
def test_other_kinds(text: str, language: str, kept: str) -> None:
    assert clean(text, language) == kept


def test_the_word_decides_between_countries() -> None:
    number = "8001015009087"
    assert clean(f"RSA ID {number}", "eng") == "RSA ID <NATIONAL-ID:ZA>"
    assert clean(f"Betrag {number}", "deu") == f"Betrag {number}"


def test_only_the_countries_asked_for() -> None:
    text = "DNI 12345678Z"
    assert redact(text, rules=["national-id:ES"], language="spa").text == "DNI <NATIONAL-ID:ES>"
    assert redact(text, rules=["national-id:DE"], language="spa").text == text
