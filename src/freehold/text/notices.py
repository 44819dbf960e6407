"""Notices of hosts and pages against each document: who said no, when, and by which bytes.

A host's notices (robots.txt, tdmrep.json) are kept with the day they were retrieved, because a host changes its mind.
Which of them count is the charter's choice: those of the day a page was fetched, the latest, or both. A notice of an
unknown day always counts. A header or an element came with the page itself and counts whatever the choice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from freehold.text import tdmrep
from freehold.text.addresses import Address, parse_address
from freehold.text.content_usage import allows_training
from freehold.text.robots import Robots, parse_robots

When = Literal["at_fetch", "latest", "both"]
HOSTS_READ: Final = 2_000  # files kept parsed in a worker; records of one host mostly lie together
UNREACHABLE: Final = 0  # a status of a host that did not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A file in which a host says what may be done with what it serves."""

    host: str  # as `Address.authority`
    kind: str  # "robots" or "tdmrep"
    retrieved: str | None  # ISO date or time
    status: int | None  # of HTTP; None: not known, the body is taken as it is
    body: str
    sha256: str  # of the bytes

    @property
    def day(self) -> str:
        """The day it was retrieved."""
        return (self.retrieved or "")[:10]

    @property
    def named(self) -> str:
        """How the ledger names it: host, day and bytes."""
        return f"{self.host}, {self.day or 'day unknown'}, sha256 {self.sha256 or 'of nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a document stays out."""

    reason: str  # of the ledger
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Everything that is known of what hosts said, and how it is to be read."""

    by_host: dict[str, tuple[Notice, ...]]
    when: When
    agents: tuple[str, ...]  # of those who train language models
    own: str | None  # the charter's own agent

    def refuse(self, *, url: str | None, retrieved: str | None, headers: str | None, page: str) -> Refusal | None:
        """The first refusal of a document: by its host's files, its headers (a JSON object), its page ("" for none)."""
        address = parse_address(url) if url and self.by_host else None
        found = None
        if url and address and (known := self.by_host.get(address.authority)):
            counting = chosen(known, retrieved=retrieved, when=self.when)
            found = next((said for notice in counting if (said := self.read(notice, url, address))), None)
        return found or by_headers(headers) or (by_elements(page) if page else None)

    def read(self, notice: Notice, url: str, address: Address) -> Refusal | None:
        """What one notice says of an address."""
        if notice.kind == "tdmrep":
            rule = tdmrep.reserved_by_file(tdmrep_of(notice.body) if served(notice) else (), address.path)
            detail = f"tdmrep.json of {notice.named}"
            return Refusal(reason="opted-out-tdmrep", detail=detail) if rule else None
        if shut(notice):
            detail = f"robots.txt of {notice.named}: status {notice.status or 'unreachable'}, RFC 9309 2.3.1.4"
            return Refusal(reason="opted-out-robots", detail=detail)
        if not served(notice):
            return None
        said = robots_of(notice.body).disagrees(url, agents=self.agents, own=self.own)
        if said is None:
            return None
        detail = f"robots.txt of {notice.named}: agent {said.agent}"
        return Refusal(reason=f"opted-out-{said.kind}", detail=detail)


def served(notice: Notice) -> bool:
    """Whether there is a body to read; a redirect that was not followed and 4xx are no notice (RFC 9309, 2.3.1.3)."""
    return notice.status is None or 200 <= notice.status < 300


def readable(notice: Notice) -> bool:
    """Whether what a notice says can be read; a robots.txt always can."""
    return notice.kind != "tdmrep" or not served(notice) or tdmrep.parse_tdmrep(notice.body) is not None


def shut(notice: Notice) -> bool:
    """Whether a host could not say what it allows, so that nothing is (RFC 9309, 2.3.1.4)."""
    return notice.status is not None and (notice.status == UNREACHABLE or notice.status >= 500)


def chosen(notices: Iterable[Notice], *, retrieved: str | None, when: When) -> list[Notice]:
    """The notices of one host that count for a document fetched at `retrieved`, the earliest first.

    At fetch: of each kind the last one up to that day, or the first behind it if there is none; all, where the day is
    unknown. The latest: the last of each kind. Several of one moment all count.
    """
    counting: list[Notice] = []
    notices = list(notices)
    for kind in ("robots", "tdmrep"):
        own = sorted((each for each in notices if each.kind == kind), key=lambda each: each.retrieved or "")
        moments = list(dict.fromkeys(each.retrieved for each in own if each.retrieved))
        wanted: set[str | None] = {None}
        if moments and when in ("latest", "both"):
            wanted.add(moments[-1])
        if moments and when in ("at_fetch", "both"):
            before = [moment for moment in moments if retrieved and moment[:10] <= retrieved[:10]]
            wanted.update([before[-1] if before else moments[0]] if retrieved else moments)
        counting += [each for each in own if (each.retrieved or None) in wanted]
    return counting


def by_headers(headers: str | None) -> Refusal | None:
    """What the headers of the response say; `headers` is a JSON object from names in lower case to values."""
    if not headers:
        return None
    try:
        fields: Any = json.loads(headers)
    except (ValueError, RecursionError):
        return None
    fields = {name: str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
    if tdmrep.reserved_by_header(fields.get("tdm-reservation")):
        return Refusal(reason="opted-out-tdmrep", detail="header tdm-reservation: 1")
    if allows_training(fields.get("content-usage", "")) is False:
        return Refusal(reason="opted-out-aipref", detail="header content-usage disallows training")
    if tdmrep.refuses_ai(fields.get("x-robots-tag")):
        return Refusal(reason="opted-out-noai", detail="header x-robots-tag: noai")
    return None


def by_elements(page: str) -> Refusal | None:
    """What the page's own elements say."""
    found = tdmrep.elements(page) if "<" in page else {}
    if any(tdmrep.declared(value) for value in found.get("tdm-reservation", ())):
        return Refusal(reason="opted-out-tdmrep", detail="meta element tdm-reservation: 1")
    if any(tdmrep.refuses_ai(value) for value in found.get("robots", ())):
        return Refusal(reason="opted-out-noai", detail="meta element robots: noai")
    return None


@lru_cache(maxsize=HOSTS_READ)
def robots_of(body: str) -> Robots:
    """A robots.txt, parsed once for all documents of its host."""
    return parse_robots(body)


@lru_cache(maxsize=HOSTS_READ)
def tdmrep_of(body: str) -> tuple[tdmrep.Reservation, ...]:
    """A tdmrep.json, parsed once for all documents of its host; what cannot be read reserves nothing."""
    return tdmrep.parse_tdmrep(body) or ()


def by_host(notices: Iterable[Notice]) -> dict[str, tuple[Notice, ...]]:
    """Notices under their hosts."""
    found: dict[str, list[Notice]] = {}
    for notice in notices:
        found.setdefault(notice.host, []).append(notice)
    return {host: tuple(known) for host, known in found.items()}
