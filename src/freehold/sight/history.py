"""The history of a run for plots: a few thousand of its steps however long it is, and every step that was skipped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 4096  # steps kept; more would not show


class History:
    """When it is full, every second step is forgotten and from then on only every second is taken up."""

    def __init__(self, *, most: int = MOST) -> None:
        self.most, self.stride = most, 1
        self.rows: list[Mapping[str, Any]] = []
        self.skipped: list[Mapping[str, Any]] = []
        self.last: Mapping[str, Any] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Take up a row of `steps.jsonl`."""
        self.last = row
        if row.get("skipped"):
            self.skipped.append(row)
        if row["step"] % self.stride or row.get("skipped"):
            return
        self.rows.append(row)
        if len(self.rows) > self.most:
            self.stride *= 2
            self.rows = [kept for kept in self.rows if kept["step"] % self.stride == 0]

    def points(self, name: str) -> list[tuple[float, float]]:
        """(tokens, figure) of the steps that have the figure, the newest step last; skipped ones taught nothing."""
        newest = [self.last] if self.rows and self.last is not self.rows[-1] and not self.last.get("skipped") else []
        return [(float(row["tokens"]), float(row[name])) for row in (*self.rows, *newest) if name in row]
