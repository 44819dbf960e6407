"""The text of an XML tree, one paragraph per block: what EPUB, TEI and Akoma Ntoso have in common.

Trees of strangers: no entities are resolved, nothing is fetched, libxml2's own limits on depth and amplification stay
on. Only confined code calls this.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from freehold.plugins import need

SPACE = re.compile(r"\s+")


def tree(data: bytes) -> Any:
    """The root element. Raises lxml's XMLSyntaxError for what is no XML."""
    etree = need("lxml.etree", extra="curate")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=False)
    return etree.fromstring(data, parser)


def local(element: Any) -> str:
    """The name of an element without its namespace; "" for comments and the like."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def paragraphs(root: Any, *, blocks: Collection[str], left_out: Collection[str]) -> Iterator[str]:
    """The text of a tree in reading order, cut where a block begins or ends; spaces run together."""
    held: list[str] = []
    for piece in pieces(root, blocks=blocks, left_out=left_out):
        if piece is not None:
            held.append(piece)
        elif text := SPACE.sub(" ", "".join(held)).strip():
            yield text
            held = []
        else:
            held = []


def pieces(root: Any, *, blocks: Collection[str], left_out: Collection[str]) -> Iterator[str | None]:
    """Strings of a tree in reading order, None at each border of a block; without recursion, whatever the depth."""
    pending: list[Any] = [(root, False)]
    while pending:
        element, entered = pending.pop()
        name = local(element)
        border = name in blocks
        if entered:
            if border:
                yield None
            yield element.tail or ""
            continue
        if not name or name in left_out:
            yield element.tail or ""
            continue
        if border:
            yield None
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
