"""The charter's question packs kept out of the text: reading them for the judges, and the report per pack."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.text.contamination import Exam, Item, exam, item

REASON = "contaminated"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Places = Sequence[int] | None
Seen = tuple[str | None, Places, Places, Places]
DOCUMENTS = ("documents_overlapping", "documents_contaminated", "documents_dropped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packs:
    """The items of all packs, and how many of each pack are too short to be looked for."""

    exam: Exam
    names: tuple[str, ...]
    too_short: Counter[str]
    marks: tuple[tuple[str, str], ...] = ()  # pack and canary: a string that stands nowhere but in copies of the pack

    def marked(self, text: str) -> list[int]:
        """The places among `marks` of the canaries that a text holds."""
        return [place for place, (_, mark) in enumerate(self.marks) if mark in text]

    def told(self, held: Sequence[int], marks: Sequence[int]) -> str:
        """Why a text is contaminated: the first item it holds, or the canary of a pack."""
        if not held:
            return f"{self.marks[marks[0]][0]}, its canary"
        item = self.exam.items[held[0]]
        return f"{item.pack} {item.id[:80]}, {len(held)} items"


@cache
def read_packs(paths: tuple[str, ...]) -> Packs:
    """Read the packs, once per process. Raises InputError with file and line."""
    items: list[Item] = []
    too_short: Counter[str] = Counter()
    marks: dict[tuple[str, str], None] = {}
    for path in map(Path, paths):
        for number, line in enumerate(lines_of(path), start=1):
            if line.strip():
                found = item_of(line, pack=path.name, where=f"{path.name}:{number}")
                too_short[path.name] += found is None
                items += [found] if found else []
                marks |= dict.fromkeys((path.name, mark) for mark in marks_of(line, where=f"{path.name}:{number}"))
    names = tuple(Path(path).name for path in paths)
    return Packs(exam=exam(items), names=names, too_short=too_short, marks=tuple(marks))


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


def marks_of(line: str, *, where: str) -> list[str]:
    """The canary that a question carries, if any: a GUID, as benchmarks have it. Raises InputError for another text."""
    mark = json.loads(line).get("canary")
    if mark is None:
        return []
    if not isinstance(mark, str) or not GUID.fullmatch(mark):
        raise InputError(f"{mark!r} is no canary", where=where, remedy="give a GUID in lower-case hex, or none")
    return [mark]


def report(packs: Packs, rows: Iterable[Seen], *, policy: str) -> dict[str, Any]:
    """The contents of decontamination.json; `rows` give each record's reason, items touched and held, marks held."""
    overlapping: dict[str, Counter[str]] = defaultdict(Counter)
    touched_items: set[int] = set()
    held_items: set[int] = set()
    marked: Counter[tuple[str, str]] = Counter()
    for reason, touched, held, marks in rows:
        marked.update(packs.marks[place] for place in marks or ())
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
                "canaries": {mark: marked[pack, mark] for pack, mark in packs.marks if pack == name},
            }
            for name in packs.names
        },
    }
