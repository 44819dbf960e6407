"""The text of an XML tree, one paragraph per block: what EPUB, TEI and Akoma Ntoso have in common.

Trees of strangers: no entities are resolved, nothing is fetched, libxml2's own limits on depth and amplification stay
on. Only confined code calls this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from freehold.plugins import need

SPACE: Final = re.compile(r"[^\S\0]+")
LINE: Final = "\0"  # a character that no XML can hold
LINES: Final = re.compile(r" ?\0[\0 ]*")
GAPS: Final = frozenset({"lb", "pb", "cb", "tab"})  # a line, page or column of the print ends here


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the elements of a vocabulary do to the text around them; all others leave it as it is."""

    blocks: frozenset[str]  # a paragraph begins and ends with them
    lines: frozenset[str]  # so does a line: of verse, or broken by hand
    left_out: frozenset[str]


def layout(blocks: str, *, lines: str, left_out: str) -> Layout:
    """A layout from names with spaces between them."""
    return Layout(
        blocks=frozenset(blocks.split()), lines=frozenset(lines.split()), left_out=frozenset(left_out.split())
    )


def tree(data: bytes) -> Any:
    """The root element. Raises lxml's XMLSyntaxError for what is no XML."""
    etree = need("lxml.etree", extra="curate")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    return etree.fromstring(data, parser)


def local(element: Any) -> str:
    """The name of an element without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def paragraphs(root: Any, *, layout: Layout) -> Iterator[str]:
    """The text of a tree in reading order, cut where a block begins or ends; spaces run together."""
    held: list[str] = []
    for piece in pieces(root, layout=layout):
        if piece is not None:
            held.append(piece)
            continue
        if text := LINES.sub("\n", SPACE.sub(" ", "".join(held))).strip():
            yield text
        held = []


def pieces(root: Any, *, layout: Layout) -> Iterator[str | None]:
    """Strings of a tree in reading order, None at each border of a block; without recursion, whatever the depth."""
    pending: list[tuple[Any, bool]] = [(root, False)]
    while pending:
        element, entered = pending.pop()
        name = local(element)
        if name in layout.blocks:
            yield None
        elif name in layout.lines:
            yield LINE
        elif name in GAPS and element.get("break") != "no":
            yield " "
        if entered or not name or name in layout.left_out:
            yield element.tail or ""
            continue
        yield element.text or ""
        pending.append((element, True))
        pending.extend((child, False) for child in reversed(element))
    yield None


def descendants(root: Any, name: str) -> Iterator[Any]:
    """Every element of a local name, in any namespace."""
    return (element for element in root.iter() if local(element) == name)


def said(root: Any, name: str) -> str | None:
    """The text of the first element of a name that has any."""
    found = (SPACE.sub(" ", "".join(element.itertext())).strip() for element in descendants(root, name))
    return next((text for text in found if text), None)
