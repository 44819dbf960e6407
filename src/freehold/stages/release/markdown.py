"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence


def grid(names: Sequence[str], rows: Sequence[Sequence[str]], *, right: int = 0) -> list[str]:
    """A Markdown table; the last `right` columns hold numbers."""
    rule = ["---"] * (len(names) - right) + ["---:"] * right
    return [f"| {' | '.join(row)} |" for row in (names, rule, *rows)]


def cell(text: object) -> str:
    """Text that cannot break out of a Markdown table."""
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|").replace("<", "&lt;")
