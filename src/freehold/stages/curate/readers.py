"""Which reader a file gets: by its suffix, or by the format that its source declares.

A reader yields a `Raw` for what it could read and a `Dropped` for what it could not; it raises OSError or Arrow's
errors only where the rest of the file is lost. To add a format: one file in `formats/`, and a line in each table here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from freehold.stages.curate.formats import epub, html, jsonl, parquet, pdf, plain, warc, xml
from freehold.stages.curate.formats.record import Dropped, File, Found, Notice, Raw, Reader
from freehold.stages.curate.listing import is_licence
from freehold.stages.curate.streams import CODECS

__all__ = ["Dropped", "Found", "Notice", "Raw", "format_of", "records"]

READERS: Final[dict[str, Reader]] = {
    "jsonl": jsonl.read, "parquet": parquet.read, "txt": plain.read, "html": html.read, "xml": xml.read,
    "epub": epub.read, "pdf": pdf.read, "warc": warc.read,
}  # fmt: skip
FORMATS: Final = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
    ".txt": "txt", ".text": "txt", ".md": "txt", ".markdown": "txt", ".rst": "txt", ".adoc": "txt", ".org": "txt",
    ".html": "html", ".htm": "html", ".xhtml": "html", ".xml": "xml", ".tei": "xml", ".akn": "xml",
    ".epub": "epub", ".pdf": "pdf", ".warc": "warc",
}  # fmt: skip
BARE: Final = frozenset({"README"})  # text without a suffix
TABLES: Final = ("jsonl", "parquet", "warc")  # formats that may hold HTML, whatever their source declares


def format_of(path: Path, declared: str) -> str | None:
    """How a file is read: as its suffix says, for `auto` the suffix alone decides; None for a suffix nobody reads.

    A source declared as HTML may also be JSON Lines or Parquet whose texts are HTML.
    """
    suffix = Path(path.stem).suffix.lower() if path.suffix.lower() in CODECS else path.suffix.lower()
    by_suffix = "txt" if path.name in BARE else FORMATS.get(suffix)
    if declared in ("auto", "html") and by_suffix in TABLES:
        return by_suffix
    return by_suffix if declared == "auto" else declared


def records(path: Path, *, name: str, declared: str, limit: int) -> Iterator[Found]:
    """Every record of a file. `name` stands for the file in ids, `limit` bounds a text in characters."""
    if is_licence(path):
        return iter([Dropped(id=name, reason="licence-file", detail="evidence, no document")])
    form = format_of(path, declared)
    if form is None:
        detail = f"suffix {path.suffix or 'none'} is none of {', '.join(sorted(FORMATS))}"
        return iter([Dropped(id=name, reason="unknown-format", detail=detail)])
    return READERS[form](File(path=path, name=name, limit=limit, html=declared == "html"))
