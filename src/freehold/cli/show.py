"""How results look: one JSON object for pipes, a table and the next verb for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)


def result(found: dict[str, Any], *, as_json: bool, following: str | None = None, title: str = "") -> None:
    """Print what a verb made: `found` has artifact and figures; `following` is the verb that comes next."""
    if as_json:
        machine({**found, "next": following})
        return
    if title:
        out.print(f"[bold]{title}[/bold]")
    figures(found.get("figures", {}))
    if artifact := found.get("artifact"):
        out.print(f"made  {artifact['path']}", markup=False)
    if following:
        out.print(f"next  {following}", markup=False)


def note(text: str) -> None:
    """A line beside the results: on stderr, so that a pipe does not see it."""
    print(text, file=sys.stderr)


def figures(found: dict[str, Any]) -> None:
    """Plain figures as lines, figures of figures as tables."""
    for name, value in found.items():
        label = name.replace("_", " ")
        if isinstance(value, dict) and value and all(isinstance(row, dict) for row in value.values()):
            plain = [key for row in value.values() for key, entry in row.items() if not isinstance(entry, dict)]
            columns = list(dict.fromkeys(plain))
            rows = [[key, *(number(row.get(column)) for column in columns)] for key, row in value.items()]
            table([label, *columns], rows)
        elif isinstance(value, dict):
            out.print(
                f"  {label}: " + ", ".join(f"{key} {number(entry)}" for key, entry in value.items()), markup=False
            )
        else:
            out.print(f"  {label}: {number(value)}", markup=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str | None = None) -> None:
    """A plain table: first column left, the others right."""
    made = Table(title=title, box=None, pad_edge=False, padding=(0, 2), title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        made.add_column(column.replace("_", " "), justify="left" if position == 0 else "right")
    for row in rows:
        made.add_row(*row)
    out.print(made)


def number(value: object) -> str:
    """A figure as people write it: thousands with a comma, three decimals."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(number(entry) for entry in value)
    return str(value)


def machine(value: Any) -> None:
    """One JSON object on stdout."""
    json.dump(value, sys.stdout, ensure_ascii=False, default=str)
    sys.stdout.write("\n")
