"""Lineage as a drawing: steps in columns from source to release, a line for what one hands to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from freehold.page.look import COLOURS, DARK
from freehold.page.markup import Markup, join, tag
from freehold.stages.lineage.learned import runs_of

WIDE, HIGH, ACROSS, DOWN = 176, 58, 64, 18  # pixels: a box, and the space between boxes
EDGE, TOP = 24, 70
LONGEST: Final = 26  # characters of a line in a box
MOST: Final = 14  # boxes of a column; more are counted in one
ORDER: Final = ("curate", "tokenize", "train", "refine", "evaluate", "release", "search", "trace")
RULES: Final = (
    ".lineage text{font-size:12px;fill:var(--ink)}.lineage .name{font-weight:650;font-size:13px}"
    ".lineage .soft{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums}"
    ".lineage .title{font-size:16px;font-weight:650}.lineage rect{fill:var(--card);stroke:var(--line)}"
    ".lineage .asked rect{stroke:var(--model);stroke-width:2}.lineage .gone rect{stroke:var(--five);stroke-width:2}"
    ".lineage path{fill:none;stroke:var(--xz);stroke-width:1.4}.lineage .asked path{stroke:var(--model)}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Something that is made or read."""

    key: str
    name: str
    lines: tuple[str, ...]
    column: int
    role: str = "made"  # or asked, gone
    needs: tuple[str, ...] = ()  # keys of the boxes it comes from


def drawing(found: Mapping[str, Any]) -> bytes:
    """A story as an SVG file: light or dark as the reader's system is, nothing fetched, no script."""
    boxes = placed(found)
    at = positions(boxes)
    width = max(x for x, _ in at.values()) + WIDE + EDGE
    height = max(y for _, y in at.values()) + HIGH + EDGE
    rules = (
        f".lineage{{{COLOURS};background:var(--paper)}}@media(prefers-color-scheme:dark){{.lineage{{{DARK}}}}}{RULES}"
    )
    title = f"Lineage of {found['question']}"
    whole = tag(
        "svg",
        tag("title", title),
        tag("desc", "; ".join(f"{box.name}: {', '.join(box.lines)}" for box in boxes)),
        tag("style", Markup(rules)),
        tag("text", cut(title, 80), x=EDGE, y=36, class_="title"),
        *(line(at[need], at[key]) for need, key in direct(boxes)),
        *(shown(box, *at[box.key]) for box in boxes),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family="system-ui,sans-serif",
        class_="lineage",
    )
    return whole.encode() + b"\n"


def placed(found: Mapping[str, Any]) -> list[Box]:
    """The boxes of a story: sources or the document in the first column, then each stage in its own.

    A box of the first column comes with the corpora that took it up as its needs, which are then theirs.
    """
    steps = found["steps"]
    columns = {stage: place for place, stage in enumerate([s for s in ORDER if any(s == x["stage"] for x in steps)], 1)}
    first = [document_box(found)] if "document" in found else few(source_boxes(found["sources"]))
    learned = {run["artifact"]: run for run in found.get("learned", ())}
    boxes = [replace(box, needs=()) for box in first]
    for step in steps:
        read = tuple(box.key for box in first if step["stage"] == "curate" and step["digest"] in box.needs)
        asked = asks(found["question"], step)
        boxes.append(
            Box(
                key=step["digest"],
                name=step["stage"],
                lines=(
                    step["digest"][:16],
                    lesson(learned.get(step["digest"])) or step["finished"][:16].replace("T", " "),
                ),
                column=columns.get(step["stage"], 1),
                role="asked" if asked else "made",
                needs=tuple(step["inputs"].values()) + read,
            )
        )
    return boxes


def asks(question: str, step: Mapping[str, Any]) -> bool:
    """Whether the question was this step, by its digest or that of its weights."""
    return len(question) >= 8 and any((step[name] or "").startswith(question) for name in ("digest", "weights"))


def document_box(found: Mapping[str, Any]) -> Box:
    """The document that was asked about; how it was withdrawn counts more than how it was used."""
    document, gone = found["document"], [row["level"] for row in found["withdrawals"]]
    told = f"withdrawn at {', '.join(gone)}" if gone else document["fate"]
    lines = (f"{document.get('licence') or document['source']}", told)
    taken = tuple(step["digest"] for step in found["steps"] if step["stage"] == "curate")
    role = "gone" if gone else "asked"
    return Box(key="document", name=document["id"], lines=lines, column=0, role=role, needs=taken)


def source_boxes(sources: Iterable[Mapping[str, Any]]) -> list[Box]:
    """The sources with their licences."""
    return [
        Box(
            key=f"source/{row['name']}",
            name=row["name"],
            lines=(", ".join(row["licences"]), row["origin"] or ""),
            column=0,
            needs=tuple(row["curated"]),
        )
        for row in sources
    ]


def few(boxes: list[Box]) -> list[Box]:
    """As many as a column holds; the others are counted."""
    if len(boxes) <= MOST:
        return boxes
    kept, rest = boxes[: MOST - 1], boxes[MOST - 1 :]
    taken = tuple(dict.fromkeys(need for box in rest for need in box.needs))
    more = Box(key="source/", name=f"{len(rest):,} more sources", lines=(), column=0, needs=taken)
    return [*kept, more]


def lesson(run: Mapping[str, Any] | None) -> str | None:
    """In which steps a run learned the document, short."""
    if run is None or run["steps"] is None:
        return None
    if not run["steps"]:
        return "in no step"
    return f"{'cut off, ' if run['cut_off'] else ''}steps {runs_of(run['steps'])}"


def positions(boxes: Iterable[Box]) -> dict[str, tuple[int, int]]:
    """Upper left corners in pixels, column by column, in the order given."""
    filled: dict[int, int] = {}
    at = {}
    for box in boxes:
        row = filled.get(box.column, 0)
        at[box.key] = (EDGE + box.column * (WIDE + ACROSS), TOP + row * (HIGH + DOWN))
        filled[box.column] = row + 1
    return at


def line(start: tuple[int, int], end: tuple[int, int]) -> Markup:
    """A line from one box to another, level at both ends."""
    x, y, to_x, to_y = start[0] + WIDE, start[1] + HIGH // 2, end[0], end[1] + HIGH // 2
    middle = to_x - ACROSS // 2
    return tag("path", d=f"M{x} {y}L{to_x - ACROSS} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}")


def direct(boxes: Iterable[Box]) -> list[tuple[str, str]]:
    """The lines to draw, (from, to): those that no longer way shows as well."""
    needs = {box.key: box.needs for box in boxes}

    def before(key: str) -> set[str]:
        return {key}.union(*(before(need) for need in needs.get(key, ())))

    return [
        (need, key)
        for key, direct in needs.items()
        for need in direct
        if need in needs and not any(need in before(other) for other in direct if other != need)
    ]


def shown(box: Box, x: int, y: int) -> Markup:
    """One box with its lines."""
    told = [
        tag("text", cut(text, LONGEST + 2), x=x + 12, y=y + 36 + 14 * n, class_="soft")
        for n, text in enumerate(box.lines)
    ]
    name = tag("text", cut(box.name, LONGEST - 7), x=x + 12, y=y + 20, class_="name")
    return tag("g", tag("rect", x=x, y=y, width=WIDE, height=HIGH, rx=8), name, join(*told), class_=box.role)


def cut(text: str, most: int) -> str:
    """A text that fits, its middle left out.

    >>> cut("Verwaltungsverfahrensgesetz", 12)
    'Verwal…esetz'
    """
    if len(text) <= most:
        return text
    return f"{text[: most // 2]}…{text[-(most - most // 2 - 1) :]}"
