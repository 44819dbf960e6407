"""E-mail addresses, IBANs and telephone numbers, found by shape, verified by rule, replaced by typed placeholders.

A candidate is only replaced when something stronger than its shape confirms it: the mod-97 checksum and the national
structure of an IBAN (ISO 13616), the numbering plan of a telephone number. That keeps paragraph numbers, dates and
citations of law whole. Values never leave this file: callers get the new text and counts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import phonenumbers
from stdnum import iban, numdb

PLACEHOLDER: Final = {"email": "<EMAIL>", "iban": "<IBAN>", "phone": "<PHONE>"}
ORDER: Final = ("email", "iban", "phone")  # an IBAN holds digits that look like a telephone number

# The local part is Latin, or else wholly in another script: Korean and Japanese write no space before an address.
EMAIL: Final = re.compile(
    r"(?:(?<![A-Za-z0-9À-ɏ.%+_-])[A-Za-z0-9À-ɏ.%+_-]{1,64}|(?<![^\W_])[^\W\x00-\u024f]{1,64})[@＠]"
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[a-z]{2,24}(?![a-z0-9-])|[^\W\d_a-z]{2,24})",
    re.IGNORECASE,
)
# Begins at the check digits, which are rarer than letters, and looks back for the country.
IBAN: Final = re.compile(r"[0-9]{2}(?<=[A-Za-z][A-Za-z -]..)(?:[ .-]?[A-Za-z0-9]){11,32}", re.DOTALL)
COUNTRY: Final = re.compile(r"(?:[A-Za-z]{2}|(?<![^\W\d_])([A-Za-z]{2})[ -])\Z")

# Seven to seventeen digits with little between them; `\d` takes full-width digits too.
NUMBER: Final = re.compile(r"[(（]?(?:[+＋]{1,2} ?)?\d(?:[ \t./()（）‐–－|-]{0,3}\d){6,16}")
NAME: Final = re.compile(
    r"(?:(?<![^\W_])(?:tel|telefon\w{0,8}|telephone|téléphone|tél|teléfono|tfno|tlf|phone|fax|telefax|mobile?|handy"
    r"|mobil\w{0,7}|cellulare|puhelin|puh|faksi|телефон|тел|факс)"
    r"|電話|電話番号|ファックス|ＴＥＬ|ＦＡＸ|전화|전화번호|팩스|휴대폰|โทร\w*)"
    r"[ \t.:：|-]{0,4}(?:(?:n[r°o]\.?|番号|번호)[ \t.:：-]{0,3})?\Z",
    re.IGNORECASE,
)
NAME_REACH: Final = 32  # characters before a number in which its name must stand
# Three groups from a leading zero, as Korea, Japan and Thailand write them; no date or citation has this shape there.
GROUPED: Final = re.compile(r"[(（]?[0０]\d{1,4}[-‐－)） ]{1,2}\d{2,4}[-‐－ ]\d{4}(?!\d)")
GROUPING: Final = frozenset({"jpn", "kor", "tha"})

# Where a language's telephone numbers without a country code belong (ISO 3166-1).
REGIONS: Final = {
    "ara": "SA EG AE", "bul": "BG", "cat": "AD ES", "ces": "CZ", "dan": "DK", "deu": "DE AT CH LI LU", "ell": "GR CY",
    "eng": "GB US IE CA AU NZ IN", "est": "EE", "eus": "ES", "fas": "IR", "fin": "FI", "fra": "FR BE CH LU CA",
    "gle": "IE", "glg": "ES", "heb": "IL", "hin": "IN", "hrv": "HR BA", "hun": "HU", "ind": "ID", "isl": "IS",
    "ita": "IT CH", "jpn": "JP", "kor": "KR", "lav": "LV", "lit": "LT", "ltz": "LU", "mlt": "MT", "msa": "MY",
    "nld": "NL BE", "nor": "NO", "nob": "NO", "nno": "NO", "pol": "PL", "por": "PT BR", "roh": "CH", "ron": "RO MD",
    "rus": "RU", "slk": "SK", "slv": "SI", "spa": "ES AR MX UY", "sqi": "AL XK", "srp": "RS", "swe": "SE FI",
    "tha": "TH", "tur": "TR", "ukr": "UA", "vie": "VN", "zho": "CN TW HK",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The text without what was looked for, and how often each rule replaced something."""

    text: str
    counts: dict[str, int]


def redact(text: str, *, rules: Collection[str], language: str) -> Redacted:
    """Replace every confirmed e-mail address, IBAN and telephone number; `rules` names the kinds looked for.

    >>> redact("Tel. 030 18 580 0, poststelle@bmj.bund.de, § 823 BGB", rules=["email", "phone"], language="deu").text
    'Tel. <PHONE>, <EMAIL>, § 823 BGB'
    """
    counts = {}
    for rule in ORDER:
        if rule in rules:
            text, counts[rule] = replace(text, spans(text, rule=rule, language=language), PLACEHOLDER[rule])
    return Redacted(text=text, counts=counts)


def spans(text: str, *, rule: str, language: str) -> list[tuple[int, int]]:
    """The places that a rule confirms, as half-open character ranges in order."""
    if rule == "phone":
        return list(phones(text, language=language))
    return list(emails(text) if rule == "email" else ibans(text))


def replace(text: str, places: list[tuple[int, int]], placeholder: str) -> tuple[str, int]:
    """The text with the placeholder at each place, and how many were replaced; overlaps count once."""
    pieces, done, count = [], 0, 0
    for start, end in places:
        if start >= done:
            pieces += [text[done:start], placeholder]
            done, count = end, count + 1
    return "".join([*pieces, text[done:]]), count


def emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses: a local part, ``@``, a domain of at least two labels that ends in letters."""
    if "@" in text or "＠" in text:
        for found in EMAIL.finditer(text):
            yield found.span()


@cache
def iban_length(country: str) -> int:
    """Characters of an IBAN of this country (ISO 13616), 0 where there are none."""
    structure = numdb.get("iban").info(country.upper())[0][1].get("bban", "")
    sizes = [int(size) for size in re.findall(r"(\d+)!", structure)]
    return 4 + sum(sizes) if sizes else 0


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """IBANs in any spacing, upper or lower case, with a right checksum and the length and structure of their country.

    The shape may run on into the next word, so only the length of the country counts.
    """
    place = 0
    while found := IBAN.search(text, place):
        place = found.start() + 2
        country = COUNTRY.search(text, max(0, found.start() - 4), found.start())
        length = iban_length(country[0][:2]) if country else 0
        if country is None or not length:
            continue
        candidate = text[country.start() : found.end()]
        ends = [end + 1 for end, letter in enumerate(candidate) if letter.isalnum()]
        if length <= len(ends) and iban.is_valid(candidate[: ends[length - 1]], check_country=False):
            place = country.start() + ends[length - 1]
            yield country.start(), place


def phones(text: str, *, language: str) -> Iterator[tuple[int, int]]:
    """Telephone numbers: international ones anywhere, national ones behind a word for them (or in grouped shape)."""
    regions = REGIONS.get(language, "").split()
    place = 0
    while found := NUMBER.search(text, place):
        start, place = found.span()
        before = text[start - 1] if start else " "
        plans: list[str | None] = []
        if "+" in found[0][:2] or "＋" in found[0][:2]:
            plans = [] if before.isalnum() else [None]
        elif NAME.search(text, max(0, start - NAME_REACH), start):
            plans = [*regions]
        elif (
            language in GROUPING
            and not (before.isdigit() or before in "-‐－./")
            and (group := GROUPED.search(text, start, place))
        ):
            start, found, plans = group.start(), group, [*regions]
        if plans and (size := dialled(found[0], *plans)):
            place = start + size
            yield start, place


def dialled(candidate: str, *regions: str | None) -> int:
    """How many characters of the candidate are a number that a numbering plan knows; 0 where none is.

    A candidate may run on into a year or a second number, so it is shortened group by group. The plan is that of one
    of the regions, or for None that of the number's own country code.
    """
    ends = [found.end() for found in re.finditer(r"\d+", candidate)]
    for end in reversed(ends):
        for region in regions:
            try:
                number = phonenumbers.parse(candidate[:end], region)
            except phonenumbers.NumberParseException:
                continue
            if phonenumbers.is_valid_number(number):
                return end
    return 0
