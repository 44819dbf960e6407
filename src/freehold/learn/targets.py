"""What the charter wants read of every language and domain, and what the text there is allows. Pure, without torch.

Shares that are not given follow from sizes by temperature, size ^ (1 / T): 1 keeps the proportions of the text, more
brings small languages forward (XLM-R, arXiv:1911.02116, where alpha is 1 / T).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from freehold.charter import Charter
from freehold.learn.scarcity import Pool, capped

Cell = tuple[str, str]  # language, domain; "": of no domain
Row = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Shares as a charter gives them."""

    languages: Mapping[str, float] | None  # None: by temperature
    domains: Mapping[str, float] | None  # within every language; None: by temperature if `mixed`, else as they come
    temperature: float
    mixed: bool  # whether domains are mixed at all

    @classmethod
    def of_charter(cls, charter: Charter, languages: Mapping[str, float] | None = None) -> Wanted:
        """A charter's shares; `languages` are those of a phase."""
        declared = {language.code: language.share for language in charter.languages if language.share is not None}
        return cls(
            languages=languages or declared or None,
            domains=charter.mixture.domains,
            temperature=charter.mixture.temperature or 1.0,
            mixed=bool(charter.domains),
        )

    def shares(self, available: Mapping[Cell, int]) -> dict[Cell, float]:
        """The share of every cell in the whole, domains without text in a language included; they sum to 1."""
        languages = self.languages or tempered(sums(available), temperature=self.temperature)
        whole = sum(languages.values())
        return {
            (language, domain): share / whole * part
            for language, share in sorted(languages.items())
            for domain, part in self.within({cell[1]: size for cell, size in available.items() if cell[0] == language})
        }

    def within(self, sizes: Mapping[str, int]) -> list[tuple[str, float]]:
        """The shares of the domains of one language, given the size of each; they sum to 1."""
        temperature = self.temperature if self.mixed else 1.0
        shares = self.domains or tempered(sizes, temperature=temperature)
        whole = sum(shares.values())
        return [(domain, share / whole) for domain, share in sorted(shares.items())]


def cells_of(charter: Charter, pools: Mapping[Pool, int]) -> dict[Cell, int]:
    """Sizes by language and domain; all of a language is one cell where domains are not mixed."""
    found: dict[Cell, int] = {}
    for (language, source), size in pools.items():
        cell = (language, charter.domains.get(source, ""))
        found[cell] = found.get(cell, 0) + size
    return found


def tempered(sizes: Mapping[str, int], *, temperature: float) -> dict[str, float]:
    """Shares ∝ size ^ (1 / temperature); nothing has none.

    >>> tempered({"deu": 900, "roh": 100}, temperature=2)
    {'deu': 0.75, 'roh': 0.25}
    """
    whole = sum(sizes.values())
    raised = {name: (size / whole) ** (1 / temperature) for name, size in sizes.items() if size}
    return {name: value / sum(raised.values()) for name, value in raised.items()}


def sums(cells: Mapping[Cell, int]) -> dict[str, int]:
    """The sizes of the languages."""
    found: dict[str, int] = {}
    for (language, _), size in cells.items():
        found[language] = found.get(language, 0) + size
    return found


def room_of(available: Mapping[Cell, int], *, most: float | None) -> dict[Cell, float]:
    """What each cell can give, when its text is passed over at most `most` times (None: any number)."""
    limit = math.inf if most is None else most
    return {cell: limit * size if size else 0.0 for cell, size in available.items()}


def portioned(targets: Mapping[Cell, float], room: Mapping[Cell, float], *, amount: float) -> dict[Cell, float] | None:
    """Shares of `amount` so that no cell gives more than its room; None where all have not room enough.

    What a domain cannot give, the others of its language give, by their shares; what a language cannot, the others.

    >>> half = {("deu", "law"): 0.5, ("deu", "press"): 0.5}
    >>> portioned(half, {("deu", "law"): 30, ("deu", "press"): 170}, amount=100)
    {('deu', 'law'): 0.3, ('deu', 'press'): 0.7}
    """
    wanted = {cell: share for cell, share in targets.items() if share}
    spaces = {cell: room.get(cell, 0.0) for cell in wanted}
    languages = capped(by_language(wanted), room=by_language(spaces), tokens=amount)
    if languages is None:
        return None
    found = dict.fromkeys(targets, 0.0)
    for language, share in languages.items():
        own = {cell: part for cell, part in wanted.items() if cell[0] == language}
        inner = capped(own, room=spaces, tokens=share * amount) if share else {}
        assert inner is not None, "a language has the room of its domains"
        found |= {cell: share * part for cell, part in inner.items()}
    return found


def by_language(cells: Mapping[Cell, float]) -> dict[str, float]:
    """Shares or room of the languages."""
    found: dict[str, float] = {}
    for (language, _), share in cells.items():
        found[language] = found.get(language, 0.0) + share
    return found


def rows(
    targets: Mapping[Cell, float], available: Mapping[Cell, int], reached: Mapping[Cell, float], *, amount: float
) -> list[Row]:
    """The account of a mixture: one row a language and domain. Shares are of `amount`, sizes in its unit."""
    found: list[Row] = []
    for language, domain in sorted({*targets, *available}):
        cell = (language, domain)
        size, share, target = available.get(cell, 0), reached.get(cell, 0.0), targets.get(cell, 0.0)
        found.append(
            {
                "language": language,
                "domain": domain or None,
                "available": size,
                "target": round(target, 6),
                "achieved": round(share, 6),
                "moved": round(share - target, 6),
                "epochs": round(share * amount / size, 4) if size else 0.0,
            }
        )
    return found


def short(account: Iterable[Row], *, tolerance: float = 0.0) -> list[dict[str, object]]:
    """What stays under its target by more than `tolerance`, why, and who took its share: its own language first."""
    found = list(account)
    moved = {(str(row["language"]), str(row["domain"] or "")): float(row["moved"] or 0) for row in found}
    between = by_language(moved)
    lines: list[dict[str, object]] = []
    for row in found:
        language, lacking = str(row["language"]), -float(row["moved"] or 0)
        if lacking <= max(tolerance, 1e-6):
            continue
        own = between[language] > -max(tolerance, 1e-6)  # the language as a whole has what it should
        to = [cell for cell, change in moved.items() if change > 1e-6 and (not own or cell[0] == language)]
        why = "not enough text within max_epochs" if row["available"] else "no text"
        lines.append(
            {"language": language, "domain": row["domain"], "lacking": round(lacking, 6), "why": why}
            | {"to": ["/".join(filter(None, cell)) for cell in to]}
        )
    return lines


def shown(account: Iterable[Row]) -> dict[str, dict[str, float]]:
    """The account for the eye: what was wanted, what came of it and how often the text is passed over."""
    return {
        "/".join(str(row[key]) for key in ("language", "domain") if row[key]): {
            key: round(float(row[key] or 0), 4) for key in ("target", "achieved", "epochs")
        }
        for row in account
    }
