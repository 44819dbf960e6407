"""How much of a corpus the page shows. Everything that grows with a corpus has its limit here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

PAGE_BYTES: Final = 5_000_000  # of the whole page, whatever the corpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that the page shows of each kind; a page that is still too large is made again with halves."""

    sources: int = 400
    drops: int = 1_500  # lines of the ledger
    examples: int = 4  # of each reason
    reasons: int = 80
    snippet: int = 500  # characters of an example
    clusters: int = 60
    members: int = 12  # of a cluster
    changes: int = 12  # documents before and after
    change: int = 4_000  # characters of one comparison
    field: int = 160  # characters of an id, a name, a detail

    def halved(self) -> Self:
        """Half of everything, at least one."""
        return type(self)(**{name: max(1, getattr(self, name) // 2) for name in self.__slots__})
