"""EPUB (W3C EPUB 3.3, and EPUB 2): the chapters of a book in the order of its spine, as one document."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from freehold.plugins import need
from freehold.stages.curate.confined import Fault, confined
from freehold.stages.curate.formats.blocks import SPACE, descendants, layout, paragraphs, said, tree
from freehold.stages.curate.formats.record import MAX_FIELD, Dropped, File, Raw, gathered, sha256, too_long
from freehold.stages.curate.streams import read_bounded
from freehold.text.evidence import licence_of_words

MAX_FILE: Final = 1 << 28  # bytes of a book with its pictures
MAX_MEMBER: Final = 1 << 25  # bytes of a chapter
MAX_CHAPTERS: Final = 1 << 27  # bytes of all chapters
MAX_RATIO: Final = 200  # bytes out for one byte in
MAX_MEMBERS: Final = 10_000
# What zipfile raises for archives that are none, break off, lack a member, or need a method it does not know.
BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, RuntimeError, ValueError, struct.error,
)  # fmt: skip
PAGE: Final = layout(
    """
    address article aside blockquote body caption dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li
    main ol p pre section table td th tr ul
    """,
    lines="br",
    left_out="head script style svg math nav",
)


class Refused(ValueError):
    """A book that is broken or built to harm; the reason and detail of its line in the ledger."""


def read(file: File) -> Iterator[Raw | Dropped]:
    """The book; several records where its text is longer than one may be."""
    data = read_bounded(file.path, limit=MAX_FILE)
    if data is None:
        yield too_long(file.name, limit=MAX_FILE)
        return
    found = confined("freehold.stages.curate.formats.epub:book").ask(data)
    if isinstance(found, Fault):
        yield Dropped(id=file.name, reason=found.reason, detail=found.detail)
    elif "refused" in found:
        reason, detail = found["refused"]
        yield Dropped(id=file.name, reason=reason, detail=detail)
    else:
        checksum, chapters = sha256(data), found.pop("chapters")
        for number, text in enumerate(gathered(chapters, limit=file.limit, between="\n\n"), start=1):
            name = file.name if number == 1 else f"{file.name}#{number}"
            yield Raw(id=name, text=text, markup=False, url=None, origin=None, checksum=checksum, **found)


def book(data: bytes) -> dict[str, Any]:
    """The confined part: title, language, date, licence and chapters, or ``{"refused": [reason, detail]}``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return contents(archive)
    except Refused as refused:
        return {"refused": refused.args}
    except need("lxml.etree").XMLSyntaxError:
        return {"refused": ["invalid-xml", "a chapter or the package is no XML, or nested too deep"]}
    except BROKEN as error:
        return {"refused": ["broken-archive", type(error).__name__]}


def contents(archive: zipfile.ZipFile) -> dict[str, Any]:
    """A book by its package document."""
    if len(archive.infolist()) > MAX_MEMBERS:
        raise Refused("archive-bomb", f"more than {MAX_MEMBERS} members")
    roots = [root.get("full-path") for root in descendants(tree(member(archive, "META-INF/container.xml")), "rootfile")]
    if not roots or not roots[0]:
        raise Refused("broken-archive", "its container names no package")
    place = roots[0]
    package = tree(member(archive, place))
    items = {item.get("id"): item.get("href") or "" for item in descendants(package, "item")}
    spine = [items[name] for name in (ref.get("idref") for ref in descendants(package, "itemref")) if name in items]
    rights = said(package, "rights")
    licence = licence_of_words(rights or "")
    chapters, total = [], 0
    for href in dict.fromkeys(spine):
        data = member(archive, posixpath.normpath(posixpath.join(posixpath.dirname(place), unquote(href))))
        total += len(data)
        if total > MAX_CHAPTERS:
            raise Refused("archive-bomb", f"chapters of more than {MAX_CHAPTERS} bytes")
        chapters.append("\n\n".join(paragraphs(tree(data), layout=PAGE)))
    if not any(chapters):
        raise Refused("no-text", "no chapter has text")
    return {
        "title": field(said(package, "title")),
        "language": field(said(package, "language")),
        "date": field(said(package, "date")),
        "licence": licence,
        "evidence": "dc:rights of its package" if licence else None,
        "chapters": [chapter for chapter in chapters if chapter],
    }


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """One member's bytes. What its head declares is checked first; the reader below never gives more than that."""
    facts = archive.getinfo(name)
    if facts.flag_bits & 1:
        raise Refused("encrypted-file", "its chapters are encrypted")
    if facts.file_size > MAX_MEMBER or facts.file_size > 4096 + facts.compress_size * MAX_RATIO:
        raise Refused("archive-bomb", f"a member of {facts.file_size} bytes in {facts.compress_size}")
    return archive.read(facts)


def field(text: str | None) -> str | None:
    """A field of the package, no longer than a field may be."""
    return SPACE.sub(" ", text).strip()[:MAX_FIELD] if text else None
