"""What words say about a licence: SPDX identifiers and Creative Commons addresses in headers, and licence files.

Only what names a licence beyond doubt counts; anything else is no evidence, never a guess.
"""

from __future__ import annotations

import re
from typing import Final

CC: Final = re.compile(
    r"creativecommons\.org/(?:licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)(?:/([a-z]{2})\b(?!-))?|publicdomain/(zero|mark)/1\.0)",
    re.IGNORECASE,
)
NAMED: Final = re.compile(
    r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9][A-Za-z0-9.+-]*)(?=\s*$|\s*-->|\s*\*/)", re.MULTILINE
)
SPELLED: Final = re.compile(r"\b(CC0-1\.0|CC-BY(?:-NC)?(?:-ND|-SA)?-\d\.\d)\b")
HEADINGS: Final = (  # the first words of licence texts, spaces run together
    (re.compile(r"Apache License Version 2\.0, January 2004", re.IGNORECASE), "Apache-2.0"),
    (re.compile(r"(?:The )?MIT License\b", re.IGNORECASE), "MIT"),
    (re.compile(r"(?:Creative Commons Legal Code )?CC0 1\.0 Universal", re.IGNORECASE), "CC0-1.0"),
    (re.compile(r"(?:Creative Commons )?Attribution 4\.0 International\b", re.IGNORECASE), "CC-BY-4.0"),
    (re.compile(r"(?:Creative Commons )?Attribution-ShareAlike 4\.0 International\b", re.IGNORECASE), "CC-BY-SA-4.0"),
    (re.compile(r"European Union Public Licence v\. ?1\.2", re.IGNORECASE), "EUPL-1.2"),
)


def licence_of_words(text: str) -> str | None:
    """The SPDX identifier that a Creative Commons address or a spelled-out identifier in `text` names; None without
    one, or where two differ. A national version of a licence is another one: it keeps its place's name.

    >>> licence_of_words("https://creativecommons.org/licenses/by-nc/4.0/deed.de")
    'CC-BY-NC-4.0'
    >>> licence_of_words("http://creativecommons.org/publicdomain/zero/1.0/")
    'CC0-1.0'
    """
    named = {found[1] for found in SPELLED.finditer(text)}
    for found in CC.finditer(text):
        kind, version, place, public = found.groups()
        if public:
            named.add("CC0-1.0" if public.lower() == "zero" else "public-domain")
        else:
            named.add("-".join(part for part in ("CC", kind.upper(), version, (place or "").upper()) if part))
    return named.pop() if len(named) == 1 else None


def licence_of_file(text: str) -> str | None:
    """The SPDX identifier of a licence file, by its identifier line, its heading or its address; None for others.

    >>> licence_of_file("MIT License\\n\\nCopyright (c) 2026 …")
    'MIT'
    """
    if found := NAMED.search(text[:4_000]):
        return found[1]
    head = " ".join(text[:600].split()).lstrip("# =*")
    return next((name for pattern, name in HEADINGS if pattern.match(head)), None) or licence_of_words(text[:600])
