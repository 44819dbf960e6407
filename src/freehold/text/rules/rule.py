"""What a rule of quality is: a name, where it comes from, what it measures, and between which bounds a text is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from freehold.text.rules.facts import Facts

Side = Literal["low", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A text is kept if its measure is not under `low` and not over `high`; None: no bound on that side."""

    low: float | None = None
    high: float | None = None

    def hold(self, value: float) -> bool:
        """Whether a measure lies between the bounds.

        >>> Bounds(low=2).hold(1), Bounds(low=2, high=3).hold(3)
        (False, True)
        """
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def told(self) -> str:
        """The bounds in words.

        >>> Bounds(low=0.4).told(), Bounds(low=2, high=15).told()
        ('at least 0.4', 'at least 2, at most 15')
        """
        sides = (("at least", self.low), ("at most", self.high))
        return ", ".join(f"{side} {bound:g}" for side, bound in sides if bound is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. `measure` is pure and gives None where the rule has nothing to say of a text."""

    name: str  # the reason in the ledger
    source: str  # the paper and its section, or why it is ours
    bounds: Bounds  # where nothing was learned from reference sources
    measure: Callable[[Facts], float | None]
    learns: tuple[Side, ...] = ()  # the bounds that reference sources may set


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The rule a text breaks, and the figure it broke it with."""

    reason: str
    detail: str
