"""Numbers of accounts and things that belong to a person: IBAN, payment card, IMEI, Bitcoin address."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from typing import Final

from stdnum import bitcoin, iban, luhn, numdb

from freehold.text.privacy import context
from freehold.text.privacy.digits import Window, plain
from freehold.text.privacy.numbers import apart

# Begins at the check digits, which are rarer than letters, and looks back for the country.
CHECK_DIGITS: Final = re.compile(r"[0-9]{2}(?<=[A-Za-z][A-Za-z -]..)", re.DOTALL)
BODY: Final = re.compile(r"[0-9]{2}(?:(?:[ ._/–-]| ?- ?| ?\n ?|  )?[A-Za-z0-9]){11,32}")

# Sizes of the groups of a card's number as printed; the last of a row of sizes in full.
CARD_FORMS: Final = frozenset(
    {(13,), (14,), (15,), (16,), (19,), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (6, 13)}
)
CARD_WORDS: Final = (
    "card|Kreditkarte|Kartennummer|Karte|carte|tarjeta|carta|cartão|karta|karty|kaart|kort|kortti|카드|カード|卡号|"
    "карта|картка|κάρτα|Visa|Mastercard|Amex|American Express|Diners"
)
# Issuer ranges (ISO/IEC 7812) as (lowest, highest first digits, lengths).
ISSUERS: Final = (
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),  # American Express
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14, 16)),  # Diners Club
    ("38", "39", (14, 16)),  # Diners Club
    ("3528", "3589", (16, 19)),  # JCB
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),  # Discover, RuPay
    ("62", "62", (16, 19)),  # UnionPay
    ("50", "50", (16, 19)),  # Maestro, Elo
    ("56", "58", (16, 19)),  # Maestro
    ("63", "63", (16, 19)),  # Maestro
    ("67", "67", (16, 19)),  # Maestro
    ("2200", "2204", (16, 19)),  # Mir
)
SHORT_CARD: Final = 15  # digits; a shorter number could be an article's (GTIN), so a word must stand near
IMEI_FORMS: Final = frozenset({(15,), (2, 6, 6, 1), (6, 2, 6, 1), (8, 6, 1)})
IMEI_WORDS: Final = "IMEI|IMEI-Nummer|IMEI number|IMEI1|IMEI2"
COIN: Final = re.compile(r"[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![0-9A-Za-z])")
SEGWIT: Final = re.compile(r"bc1[02-9ac-hj-np-z]{11,71}(?![0-9A-Za-z])", re.IGNORECASE)


@cache
def iban_length(country: str) -> int:
    """Characters of an IBAN of this country (ISO 13616), 0 where there are none."""
    found = numdb.get("iban").info(country.upper())[0]
    sizes = [int(size) for size in re.findall(r"(\d+)!", found[1].get("bban", ""))]
    return 4 + sum(sizes) if sizes else 0


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """IBANs in any spacing, upper or lower case, with a right checksum and the length and structure of their country.

    The shape may run on into the next word, so only the length of the country counts.
    """
    place = 0
    for trigger in CHECK_DIGITS.finditer(text):
        start = country_of(text, trigger.start())
        if start < place or not (length := iban_length(text[start : start + 2])):
            continue
        found = BODY.match(text, trigger.start())
        if found is None:
            continue
        candidate = text[start : found.end()]
        ends = [end + 1 for end, letter in enumerate(candidate) if letter.isalnum()]
        if length <= len(ends) and sound_iban(candidate[: ends[length - 1]]):
            place = start + ends[length - 1]
            yield start, place


def country_of(text: str, digits: int) -> int:
    """Where the two letters before the check digits begin; they may stand apart if no other letter joins them."""
    if text[digits - 1].isalpha():
        return digits - 2 if digits > 1 and text[digits - 2].isalpha() else -1
    whole = digits > 2 and text[digits - 3].isalpha() and not text[max(0, digits - 4) : digits - 3].isalpha()
    return digits - 3 if whole else -1


def sound_iban(candidate: str) -> bool:
    """Whether the checksum, the length and the structure are right."""
    return bool(iban.is_valid("".join(filter(str.isalnum, candidate)), check_country=False))


def cards(text: str, windows: Collection[Window]) -> Iterator[tuple[int, int]]:
    """Numbers of payment cards: an issuer's range and length, and the check digit of Luhn (ISO/IEC 7812-1)."""
    for start, end in formed(text, windows, CARD_FORMS):
        number = plain(text[start:end])
        if issued(number) and luhn.is_valid(number):
            announced = len(number) >= SHORT_CARD or context.named(context.near(text, start, end), CARD_WORDS)
            if announced:
                yield start, end


def issued(number: str) -> bool:
    """Whether an issuer gives out numbers that begin like this and are as long."""
    return any(
        low <= number[: len(low)] <= high and len(number) in lengths and len(set(number)) > 1
        for low, high, lengths in ISSUERS
    )


def imeis(text: str, windows: Collection[Window]) -> Iterator[tuple[int, int]]:
    """Numbers of mobile devices (3GPP TS 23.003), announced by the word IMEI."""
    if "IMEI" in text or "imei" in text:
        for start, end in formed(text, windows, IMEI_FORMS):
            if context.named(context.near(text, start, end), IMEI_WORDS) and luhn.is_valid(plain(text[start:end])):
                yield start, end


def formed(text: str, windows: Collection[Window], forms: frozenset[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """Where digits are grouped in one of these forms."""
    for window in windows:
        if window.sizes in forms and apart(text, window.start, window.end):
            yield window.start, window.end


def coins(text: str) -> Iterator[tuple[int, int]]:
    """Bitcoin addresses, by their checksum (base58check, or bech32 of BIP 173)."""
    for found in [*COIN.finditer(text), *(SEGWIT.finditer(text) if "bc1" in text or "BC1" in text else ())]:
        before = text[found.start() - 1] if found.start() else " "
        if not (before.isascii() and before.isalnum()) and bitcoin.is_valid(found[0]):
            yield found.span()
