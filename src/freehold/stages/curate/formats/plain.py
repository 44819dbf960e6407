"""Plain text and Markdown: one document, or several where the file is long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader
from typing import Final

from freehold.stages.curate.formats.record import Dropped, File, Raw, from_bytes
from freehold.stages.curate.streams import bounded_lines, decode, open_bytes

HEAD: Final = 4_000  # characters in which a licence line stands, as REUSE 3.3 has it in comments at the top
# Not in prose: behind the tag comes an expression, and nothing but the end of a comment behind that.
SPDX: Final = re.compile(
    r"^\W{0,12}SPDX-License-Identifier:[ \t]*([A-Za-z0-9][A-Za-z0-9.+ ()-]{1,120}?)[ \t]*(?:-->|\*/|#})?[ \t]*$",
    re.MULTILINE,
)


def read(file: File) -> Iterator[Raw | Dropped]:
    """The file in pieces, cut at a blank line behind half the limit."""
    licence = None
    with open_bytes(file.path) as stream:
        for part, data in enumerate(pieces(stream, limit=file.limit), start=1):
            place = file.name if part == 1 else f"{file.name}#{part}"
            text = decode(data) if data is not None else None
            if data is None:
                yield Dropped(id=place, reason="record-too-long", detail=f"a line of more than {file.limit} bytes")
            elif text is None:
                yield Dropped(id=place, reason="invalid-utf8", detail=f"{len(data)} bytes, neither UTF-8 nor UTF-16")
            elif text.strip():
                licence = licence or licence_line(text)
                evidence = "SPDX-License-Identifier at its head" if licence else None
                yield replace(from_bytes(data, text, name=place), licence=licence, evidence=evidence)


def licence_line(text: str) -> str | None:
    """The expression of an ``SPDX-License-Identifier`` line at the head of a text.

    >>> licence_line("<!-- SPDX-License-Identifier: CC-BY-4.0 -->\\n# Title")
    'CC-BY-4.0'
    """
    found = SPDX.search(text[:HEAD])
    return found[1] if found else None


def pieces(stream: BufferedReader, *, limit: int) -> Iterator[bytes | None]:
    """A stream of text in pieces of at most `limit` bytes, cut at a blank line where there is one; None for a line
    that alone is longer."""
    held: list[bytes] = []
    size = 0
    for line, length in bounded_lines(stream, limit=limit):
        if held and (line is None or size + length > limit):
            yield b"".join(held)
            held, size = [], 0
        if line is None:
            yield None
            continue
        held.append(line)
        size += length
        if size > limit // 2 and not line.strip():
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
