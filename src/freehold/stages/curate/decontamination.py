"""The charter's question packs kept out of the text: reading them for the judges, and the report per pack."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.text.contamination import Exam, Item, exam, item

REASON = "contaminated"
DOCUMENTS = ("documents_overlapping", "documents_contaminated", "documents_dropped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """The items of all packs, and how many of each pack are too short to be looked for."""

    exam: Exam
    names: tuple[str, ...]
    too_short: Counter[str]


@cache
def read_packs(paths: tuple[str, ...]) -> Packs:
    """Read the packs, once per process. Raises InputError with file and line."""
    items: list[Item] = []
    too_short: Counter[str] = Counter()
    for path in map(Path, paths):
        for number, line in enumerate(lines_of(path), start=1):
            if line.strip():
                found = item_of(line, pack=path.name, where=f"{path.name}:{number}")
                too_short[path.name] += found is None
                items += [found] if found else []
    return Packs(exam=exam(items), names=tuple(Path(path).name for path in paths), too_short=too_short)


def lines_of(path: Path) -> list[str]:
    """The lines of a pack. Raises InputError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        advice = "give a UTF-8 file of JSON lines"
        raise InputError(f"the pack cannot be read: {error}", where=path.name, remedy=advice) from None


def item_of(line: str, *, pack: str, where: str) -> Item | None:
    """One question with its right choice; None if they are too short to be looked for. Raises InputError."""
    try:
        row = json.loads(line)
        answer = str(row["choices"][int(row["answer"])])
        return item(pack, str(row["id"]), question=str(row["question"]), answer=answer)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        wanted = '{"id": …, "question": …, "choices": [two or more], "answer": place of the right one}'
        raise InputError(f"not a question: {error!r}", where=where, remedy=wanted) from None


def report(
    packs: Packs, rows: Iterable[tuple[str | None, Sequence[int] | None, Sequence[int] | None]], *, policy: str
) -> dict[str, Any]:
    """The contents of decontamination.json; `rows` give each record's reason, items touched and items held."""
    overlapping: dict[str, Counter[str]] = defaultdict(Counter)
    touched_items: set[int] = set()
    held_items: set[int] = set()
    for reason, touched, held in rows:
        touched_items.update(touched or ())
        held_items.update(held or ())
        for name in {packs.exam.items[place].pack for place in touched or ()}:
            overlapping[name]["documents_overlapping"] += 1
        for name in {packs.exam.items[place].pack for place in held or ()}:
            overlapping[name]["documents_contaminated"] += 1
            overlapping[name]["documents_dropped"] += reason == REASON
    sizes = Counter(item.pack for item in packs.exam.items)
    of = {"items_overlapping": touched_items, "items_contaminating": held_items}
    return {
        "format": 1,
        "policy": policy,
        "packs": {
            name: {
                "items": sizes[name] + packs.too_short[name],
                "items_too_short": packs.too_short[name],
                **{key: sum(packs.exam.items[place].pack == name for place in places) for key, places in of.items()},
                **{key: overlapping[name][key] for key in DOCUMENTS},
            }
            for name in packs.names
        },
    }
