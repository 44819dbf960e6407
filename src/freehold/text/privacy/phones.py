"""Telephone numbers that a numbering plan knows (`phonenumbers`): international ones, and national ones in context."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

import phonenumbers

# Seven to seventeen digits with little between them; `\d` takes full-width digits too.
NUMBER: Final = re.compile(r"[(（]?(?:[+＋]{1,2} ?)?\d(?:[ \t./()（）‐–－|-]{0,3}\d){6,16}")
NAME: Final = re.compile(
    r"(?:(?<![^\W_])(?:tel|telefon\w{0,8}|telephone|téléphone|tél|teléfono|tfno|tlf|phone|fax|telefax|mobile?|handy"
    r"|mobil\w{0,7}|cellulare|puhelin|puh|faksi|телефон|тел|факс)"
    r"|電話|電話番号|ファックス|ＴＥＬ|ＦＡＸ|전화|전화번호|팩스|휴대폰|โทร\w*)"
    r"[ \t.:：|-]{0,4}(?:(?:n[r°o]\.?|番号|번호)[ \t.:：-]{0,3})?\Z",
    re.IGNORECASE,
)
# A piece of every name above, folded: looking for these first spares the pattern almost always.
HINTS: Final = (
    "tel", "tél", "tfno", "tlf", "phone", "fax", "mob", "handy", "cellulare", "puh", "faksi", "тел", "факс", "電話",
    "ファックス", "ｔｅｌ", "ｆａｘ", "전화", "팩스", "휴대폰", "โทร",
)  # fmt: skip
NAME_REACH: Final = 32  # characters before a number in which its name must stand
SIGNS: Final = 4  # characters that may stand before its first digit: a bracket, two plus signs, a space
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


def phones(text: str, stretches: Collection[tuple[int, int]], *, language: str) -> Iterator[tuple[int, int]]:
    """Telephone numbers: international ones anywhere, national ones behind a word for them (or in grouped shape)."""
    regions = REGIONS.get(language, "").split()
    place = 0
    for begin, finish in stretches:
        place = max(place, begin - SIGNS)
        while found := NUMBER.search(text, place, finish):
            start, place = found.span()
            group = None
            if plans := plans_of(text, found, regions):
                pass
            elif language in GROUPING and ungrouped(text, start) and (group := GROUPED.search(text, start, place)):
                start, plans = group.start(), [*regions]
            if plans and (size := dialled((group or found)[0], *plans)):
                place = start + size
                yield start, place


def plans_of(text: str, found: re.Match[str], regions: list[str]) -> list[str | None]:
    """The regions whose numbering plan a candidate may follow: None for that of its own country code."""
    start = found.start()
    if "+" in found[0][:2] or "＋" in found[0][:2]:
        return [] if start and text[start - 1].isalnum() else [None]
    before = text[max(0, start - NAME_REACH) : start]
    hinted = any(map(before.casefold().__contains__, HINTS))
    return [*regions] if hinted and NAME.search(before) else []


def ungrouped(text: str, start: int) -> bool:
    """Whether nothing before a candidate makes it the rest of a longer number."""
    before = text[start - 1] if start else " "
    return not (before.isdigit() or before in "-‐－./")


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
