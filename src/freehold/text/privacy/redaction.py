"""All kinds at work on one text: find, settle who claims a place, replace; again until nothing is found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from freehold.text.privacy import accounts, addresses, digits, numbers, phones
from freehold.text.privacy.digits import Window
from freehold.text.privacy.kinds import NAME, NATIONAL, Span, expand, placeholder
from freehold.text.privacy.names import Finder, named

Places = Iterable[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """A text and what the shared scan found in it."""

    text: str
    language: str
    stretches: list[tuple[int, int]]
    windows: list[Window]


def of(kind: str, places: Places) -> Iterator[Span]:
    """Places as spans of a kind."""
    return (Span(start=start, end=end, kind=kind) for start, end in places)


def national_ids(seen: Scanned) -> Iterator[Span]:
    """National ids of every country; the kind names it."""
    lettered = numbers.with_letters(seen.text, seen.stretches, language=seen.language)
    for found in (lettered, numbers.with_digits(seen.text, seen.windows, language=seen.language)):
        for start, end, country in found:
            yield Span(start=start, end=end, kind=f"{NATIONAL}:{country}")


# A place that several kinds claim goes to the first of them.
FINDERS: Final[dict[str, Callable[[Scanned], Iterator[Span]]]] = {
    "email": lambda seen: of("email", addresses.emails(seen.text)),
    "iban": lambda seen: of("iban", accounts.ibans(seen.text)),
    "crypto": lambda seen: of("crypto", accounts.coins(seen.text)),
    "ip": lambda seen: of("ip", addresses.addresses(seen.text, seen.stretches)),
    "imei": lambda seen: of("imei", accounts.imeis(seen.text, seen.windows)),
    "card": lambda seen: of("card", accounts.cards(seen.text, seen.windows)),
    NATIONAL: national_ids,
    "phone": lambda seen: of("phone", phones.phones(seen.text, seen.stretches, language=seen.language)),
}
FORMS: Final = frozenset(numbers.INDEX) | accounts.CARD_FORMS | accounts.IMEI_FORMS
IN_ADDRESSES: Final = ("email", "iban")  # what a URL or an id may hold; their other numbers name documents


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The text without what was looked for, and how often each kind was replaced."""

    text: str
    counts: dict[str, int]


def redact(text: str, *, rules: Collection[str], language: str, names: Finder | None = None) -> Redacted:
    """Replace every confirmed value of the kinds that `rules` name (`kinds.expand`); twice changes nothing more.

    >>> redact("Tel. 030 18 580 0, poststelle@bmj.bund.de, § 823 BGB", rules=["email", "phone"], language="deu").text
    'Tel. <PHONE>, <EMAIL>, § 823 BGB'
    """
    kinds = expand(rules)
    counts = dict.fromkeys(kinds, 0)
    # A value may have hidden behind another's digits. Each round takes digits or at signs away, so there is a last.
    while found := spans(text, kinds=kinds, language=language):
        text = replace(text, found)
        for span in found:
            counts[span.kind] += 1
    if names:
        found = named(text, finder=names, language=language)
        text, counts[NAME] = replace(text, found), len(found)
    return Redacted(text=text, counts=counts)


def redact_address(address: str, *, rules: Collection[str]) -> Redacted:
    """A URL or an id of a document without the e-mail addresses and IBANs in it.

    >>> redact_address("https://x.example/?user=a.b%40mail.example&p=1", rules=["email"]).text
    'https://x.example/?user=<EMAIL>&p=1'
    """
    wanted = [kind for kind in IN_ADDRESSES if kind in rules]
    plain = redact(address.replace("%40", "@"), rules=wanted, language="")
    return plain if any(plain.counts.values()) else Redacted(text=address, counts=plain.counts)


def spans(text: str, *, kinds: Collection[str], language: str) -> list[Span]:
    """The places that hold personal data of these kinds, in order and apart from one another."""
    taken = bytearray(len(text))
    found = []
    for span in claims(text, kinds=kinds, language=language):
        if taken.find(1, span.start, span.end) < 0:
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            found.append(span)
    return sorted(found)


def claims(text: str, *, kinds: Collection[str], language: str) -> Iterator[Span]:
    """What each kind would replace, the surest kinds first."""
    seen = scan(text, language=language)
    for family, finder in FINDERS.items():
        if any(kind.partition(":")[0] == family for kind in kinds):
            for span in finder(seen):
                if span.kind in kinds:
                    yield span


def scan(text: str, *, language: str) -> Scanned:
    """What all finders share."""
    stretches = digits.stretches(text)
    windows = list(digits.windows(text, stretches, forms=FORMS))
    return Scanned(text=text, language=language, stretches=stretches, windows=windows)


def replace(text: str, found: Iterable[Span]) -> str:
    """The text with a placeholder at each of the places, which are in order and apart."""
    pieces, done = [], 0
    for span in found:
        pieces += [text[done : span.start], placeholder(span.kind)]
        done = span.end
    return "".join([*pieces, text[done:]])
