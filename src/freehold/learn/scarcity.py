"""Scarce data: what another pass over the same text is worth, and how to share it out. Pure, without torch.

Up to four passes teach almost as much as fresh text; then the worth of a pass fades (Muennighoff et al.,
arXiv:2305.16264). Text is counted by pool: a language and a source.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

FADING = 15.4  # R*, in repetitions, as the paper fits it
PLENTY = 4.0  # passes up to which repeated text is almost as good as fresh

Pool = tuple[str, str]  # language, source
Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """So many tokens of a language, taken evenly from all of its sources or from some."""

    language: str
    tokens: float
    sources: tuple[str, ...] = ()

    def pools(self, unique: Mapping[Pool, int]) -> list[Pool]:
        """The pools it draws on, out of those there are."""
        return [pool for pool in unique if pool[0] == self.language and (not self.sources or pool[1] in self.sources)]


def effective(unique: float, epochs: float) -> float:
    """D' = U + U R* (1 - exp(-R / R*)): fresh tokens that teach as much as R = epochs - 1 repetitions of U tokens.

    >>> round(effective(100, 0.5)), round(effective(100, 4)), round(effective(100, 1000))
    (50, 373, 1640)
    """
    if epochs <= 1:
        return unique * epochs
    return unique + unique * FADING * (1 - math.exp(-(epochs - 1) / FADING))


def epochs_of(uses: Iterable[Use], unique: Mapping[Pool, int]) -> dict[Pool, float]:
    """How often each pool's text (unique tokens) is passed over."""
    epochs = dict.fromkeys(unique, 0.0)
    for use in uses:
        pools = use.pools(unique)
        for pool in pools:
            epochs[pool] += use.tokens / sum(unique[each] for each in pools)
    return epochs


def account(epochs: Mapping[Pool, float], unique: Mapping[Pool, int]) -> dict[str, dict[str, float]]:
    """Per language: unique tokens, passes over them, the most passes over a source, and what they are worth.

    >>> account({("deu", "law"): 5.0}, {("deu", "law"): 100})
    {'deu': {'unique': 100, 'epochs': 5.0, 'most_epochs': 5.0, 'effective': 452}}
    """
    rows: dict[str, dict[str, float]] = {}
    for language in sorted({pool[0] for pool in unique}):
        pools = [pool for pool in unique if pool[0] == language and unique[pool]]
        whole = sum(unique[pool] for pool in pools)
        rows[language] = {
            "unique": whole,
            "epochs": round(sum(epochs[pool] * unique[pool] for pool in pools) / whole, 4),
            "most_epochs": round(max(epochs[pool] for pool in pools), 4),
            "effective": round(sum(effective(unique[pool], epochs[pool]) for pool in pools)),
        }
    return rows


def capped(shares: Mapping[Name, float], *, room: Mapping[Name, float], tokens: float) -> dict[Name, float] | None:
    """Shares of `tokens` so that nothing named takes more than its `room`; what is over goes to the rest, by share.

    None if all of them together have not room enough.

    >>> capped({"deu": 0.5, "jpn": 0.5}, room={"deu": 900, "jpn": 200}, tokens=1000)
    {'deu': 0.8, 'jpn': 0.2}
    """
    full: dict[Name, float] = {}
    while free := {name: share for name, share in shares.items() if name not in full}:
        left, whole = tokens - sum(full.values()), sum(free.values())
        over = {name: room[name] for name, share in free.items() if share / whole * left > room[name]}
        if not over:
            full |= {name: share / whole * left for name, share in free.items()}
            break
        full |= over
    if sum(full.values()) < 0.999 * tokens:
        return None
    return {name: full[name] / tokens for name in shares}
