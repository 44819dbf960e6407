"""PDF (ISO 32000): the text layer, page by page, by PDFium; a scan without one is named and left."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any, Final

from freehold.plugins import need
from freehold.stages.curate.confined import Fault, confined
from freehold.stages.curate.formats.record import MAX_FIELD, Dropped, File, Raw, gathered, sha256, too_long, whole
from freehold.stages.curate.streams import read_bounded

MAX_FILE: Final = 1 << 28  # bytes
MAX_PAGES: Final = 20_000
MAX_CHARACTERS: Final = 20_000_000
ENCRYPTED: Final = 4  # FPDF_ERR_PASSWORD


def read(file: File) -> Iterator[Raw | Dropped]:
    """The document; several records where its text is longer than one may be."""
    data = read_bounded(file.path, limit=MAX_FILE)
    if data is None:
        yield too_long(file.name, limit=MAX_FILE)
    else:
        yield from document(data, name=file.name, limit=file.limit)


def document(data: bytes, *, name: str, limit: int) -> Iterator[Raw | Dropped]:
    """The bytes of a PDF as records."""
    found = confined("freehold.stages.curate.formats.pdf:pages").ask(data)
    if isinstance(found, Fault):
        yield Dropped(id=name, reason=found.reason, detail=found.detail)
    elif "refused" in found:
        reason, detail = found["refused"]
        yield Dropped(id=name, reason=reason, detail=detail)
    else:
        checksum = sha256(data)
        for number, text in enumerate(gathered(found["pages"], limit=limit, between="\n"), start=1):
            yield Raw(
                id=name if number == 1 else f"{name}#{number}",
                text=text, markup=False, language=found["language"], licence=None, title=found["title"], url=None,
                date=found["date"], origin=None, checksum=checksum,
            )  # fmt: skip


def pages(data: bytes) -> dict[str, Any]:
    """The confined part: title, date, language and the text of each page, or ``{"refused": [reason, detail]}``."""
    pdfium = need("pypdfium2", extra="curate")
    if not data:
        return {"refused": ["broken-file", "no bytes"]}
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == ENCRYPTED:
            return {"refused": ["encrypted-file", "it asks for a password"]}
        return {"refused": ["broken-file", "PDFium cannot open it"]}
    if len(document) > MAX_PAGES:
        return {"refused": ["record-too-long", f"{len(document)} pages, limit {MAX_PAGES}"]}
    texts, size = [], 0
    for number in range(len(document)):
        try:
            text = page_text(document, number)
        except pdfium.PdfiumError:
            return {"refused": ["broken-file", f"page {number + 1} of {len(document)} cannot be read"]}
        size += len(text)
        if size > MAX_CHARACTERS:
            return {"refused": ["record-too-long", f"more than {MAX_CHARACTERS} characters"]}
        texts.append(text)
    if not any(text.strip() for text in texts):
        return {"refused": ["no-text", f"{len(texts)} pages without a text layer"]}
    facts = document.get_metadata_dict(skip_empty=True)
    return {
        "title": whole(facts.get("Title", ""))[:MAX_FIELD].strip() or None,
        "date": day(facts.get("CreationDate", "")),
        "language": language(document),
        "pages": texts,
    }


def page_text(document: Any, number: int) -> str:
    """The text layer of one page; PDFium joins words that a soft hyphen cuts at the end of a line."""
    page = document[number]
    layer = page.get_textpage()
    try:
        return whole(layer.get_text_bounded().replace("\r\n", "\n").replace("\ufffe", "\u00ad"))
    finally:
        layer.close()
        page.close()


def language(document: Any) -> str | None:
    """The document's /Lang (ISO 32000-2, 14.9.2), or None."""
    raw = need("pypdfium2.raw", extra="curate")
    ask = getattr(raw, "FPDFCatalog_GetLanguage", None)
    if ask is None:
        return None
    size = ask(document, None, 0)
    if not 2 < size < MAX_FIELD:
        return None
    buffer = (ctypes.c_ushort * (size // 2))()
    ask(document, buffer, size)
    return bytes(buffer).decode("utf-16-le", "ignore").rstrip("\0") or None


def day(stamp: str) -> str | None:
    """The day of a PDF date (ISO 32000-2, 7.9.4) in ISO 8601.

    >>> day("D:20240131120000+01'00'"), day("yesterday")
    ('2024-01-31', None)
    """
    digits = stamp.removeprefix("D:")[:8]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdecimal() else None
