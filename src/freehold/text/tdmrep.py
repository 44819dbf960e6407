"""TDMRep: rights to text and data mining reserved, by a file of the host, a header or an element of the page.

W3C Community Group, TDM Reservation Protocol, final report of 10 May 2024; it puts Article 4(3) of Directive (EU)
2019/790 into a form that machines read. Values other than 0 and 1 declare nothing. The report ranks its techniques;
here no ranking is needed: a reservation found by any of them keeps a document out.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from freehold.text.addresses import matches, plain_path

MAX_FILE: Final = 1_000_000  # characters of a tdmrep.json
MAX_HEAD: Final = 200_000  # characters of a page in which its elements are looked for
META: Final = re.compile(r"<meta\s([^<>]{1,2000})>", re.IGNORECASE)
ATTRIBUTE: Final = re.compile(r"""([a-z-]{1,20})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
NO_AI: Final = "noai"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """One rule of a tdmrep.json."""

    location: str  # pattern of paths
    reserved: bool
    policy: str | None = None  # where a licence can be asked for


def parse_tdmrep(text: str) -> tuple[Reservation, ...] | None:
    """The rules of a tdmrep.json, in order; None where the file is no list of objects.

    >>> parse_tdmrep('[{"location": "/", "tdm-reservation": 1}]')
    (Reservation(location='/', reserved=True, policy=None),)
    """
    if len(text) > MAX_FILE:
        return None
    try:
        rows = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list):
        return None
    return tuple(rule for row in rows if isinstance(row, dict) and (rule := reservation(row)))


def reservation(row: dict[str, Any]) -> Reservation | None:
    """One rule; None where it declares nothing. A number written as a string is taken for what it says."""
    location, policy = row.get("location"), row.get("tdm-policy")
    reserved = declared(row.get("tdm-reservation"))
    if not isinstance(location, str) or not location or reserved is None:
        return None
    return Reservation(
        location=plain_path(location), reserved=reserved, policy=policy if isinstance(policy, str) else None
    )


def declared(value: Any) -> bool | None:
    """What a value of ``tdm-reservation`` declares.

    >>> declared(1), declared("0"), declared(True), declared(2)
    (True, False, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return {"1": True, "0": False}.get(str(value).strip())


def reserved_by_file(rules: tuple[Reservation, ...], path: str) -> Reservation | None:
    """The first rule whose location covers a path, if it reserves it."""
    first = next((rule for rule in rules if matches(rule.location, path)), None)
    return first if first and first.reserved else None


def reserved_by_header(value: str | None) -> bool:
    """Whether a ``tdm-reservation`` header reserves; repeated headers come joined by commas, and one is enough."""
    return any(declared(part) for part in (value or "")[:1000].split(","))


def refuses_ai(value: str | None) -> bool:
    """Whether an ``X-Robots-Tag`` or a robots element says ``noai``, alone or for a named agent.

    A directive that DeviantArt published in November 2022 and other hosts took up; no standard has it.

    >>> refuses_ai("noindex, noai"), refuses_ai("gptbot: noai"), refuses_ai("noimageai")
    (True, True, False)
    """
    parts = (part.rpartition(":")[2] for part in (value or "")[:4000].split(","))
    return any(part.strip().casefold() == NO_AI for part in parts)


def elements(page: str) -> dict[str, list[str]]:
    """The contents of a page's ``meta`` elements by their names, in lower case; comments are passed over.

    >>> elements('<!-- <meta name="robots" content="x"> --><META content=1 name="tdm-reservation">')
    {'tdm-reservation': ['1']}
    """
    found: dict[str, list[str]] = {}
    for element in META.finditer(without_comments(page[:MAX_HEAD])):
        attributes = {
            name.casefold(): double or single or bare for name, double, single, bare in ATTRIBUTE.findall(element[1])
        }
        if name := attributes.get("name"):
            found.setdefault(name.strip().casefold(), []).append(html.unescape(attributes.get("content", "")))
    return found


def without_comments(page: str) -> str:
    """A page without its comments; one that is never closed hides the rest."""
    pieces, place = [], 0
    while (begin := page.find("<!--", place)) >= 0:
        pieces.append(page[place:begin])
        end = page.find("-->", begin + 4)
        if end < 0:
            return "".join(pieces)
        place = end + 3
    return "".join([*pieces, page[place:]])
