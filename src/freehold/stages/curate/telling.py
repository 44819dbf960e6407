"""The story of a document in lines for a reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from freehold.sight.corpus.samples import CHANGED
from freehold.text.differences import visible

SIGNS: Final = {
    "removed": ("[-", "-]"),
    "added": ("{+", "+}"),
    "replaced": ("{", "}"),
    "same": ("", ""),
    "gap": ("[… ", " characters …]"),
}


def lines(story: Mapping[str, Any]) -> Iterator[str]:
    """One document, with nothing in it that a terminal would obey."""
    return (visible(line.replace("\r", "⟨U+000D⟩")) for line in told(story))


def told(story: Mapping[str, Any]) -> Iterator[str]:
    """One document."""
    why = f": {story['reason']} ({story['detail']})" if story["reason"] else ""
    yield f"{story['id']}  {story['fate']}{why}"
    yield from pairs("from", story.get("from", {}))
    yield from pairs("right", story.get("right", {}))
    for step in story.get("rules", ()):
        yield f"  {step['verdict']:<9} {step['step']:<11} {words(step['saw'])}".rstrip()
    if of := story["copies"].get("of"):
        yield f"  copy of   {of}"
    for cluster in story["copies"].get("clusters", ()):
        yield f"  cluster   {cluster['kind']}, {cluster['size']} documents"
        yield from (
            f"    {'kept' if one['kept'] else 'dropped':<8} {one['id']} {similarity(one)}" for one in cluster["members"]
        )
    if "difference" in story:
        yield from difference(story)
    if note := story.get("note"):
        yield f"  note      {note}"


def pairs(title: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """Facts, one a line, the title before the first."""
    for place, (name, value) in enumerate(facts.items()):
        yield f"  {'' if place else title:<9} {name}: {value}"


def words(saw: Mapping[str, Any]) -> str:
    """What a rule saw, on one line."""
    return ", ".join(
        f"{name.replace('_', ' ')} {said(value)}" for name, value in saw.items() if value not in (None, "")
    )


def said(value: Any) -> str:
    """A value in words."""
    if isinstance(value, Mapping):
        return " ".join(f"{name} {count}" for name, count in value.items() if count) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def similarity(member: Mapping[str, Any]) -> str:
    """How alike a member is to the one that is kept."""
    return "" if member["similarity"] is None else f"{member['similarity']:.2f}"


def difference(story: Mapping[str, Any]) -> Iterator[str]:
    """What was changed, [-taken out-] and {+put in+}."""
    changed = any(piece["kind"] in CHANGED for piece in story["difference"])
    yield f"  changes   {said(story['changes'])}" if story["changes"] or changed else "  changes   none"
    if changed:
        text = "".join(piece["text"].join(SIGNS[piece["kind"]]) for piece in story["difference"])
        yield from (f"    {line}" for line in text.split("\n"))
