"""The keys under which documents are known: SHA-256 of a text in one published normal form, or of a file's bytes.

The normal form is made of code points that are listed here, not of properties that a later Unicode version may give
to others; only canonical composition (NFC, Unicode Standard Annex 15) is taken from the platform. It is stable for
every character that the platform's Unicode version knows. docs/reference/release.md describes it for everyone else.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

# What no reader sees, so that nobody loses a text to it or hides one behind it.
INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls that are no white space
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # Default_Ignorable_Code_Point, in five lines
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\ufff9-\ufffc"  # interlinear annotation, the place of an object
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # lone surrogates, private use
    "\ufdd0-\ufdef"  # noncharacters
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def normal_form(text: str) -> str:
    r"""The one spelling of all texts that differ in composition, line ends, white space or invisible characters alone.

    Invisible characters go, what is left is composed (NFC), and each run of white space (the property White_Space:
    U+0009–000D, 0020, 0085, 00A0, 1680, 2000–200A, 2028, 2029, 202F, 205F, 3000) becomes one U+0020, at the ends none.
    Letters keep their case. A fixed point of itself.

    >>> normal_form("Grund\u00adgesetz\r\n\tfu\u0308r  die\u00a0Bundes\u200brepublik\n")
    'Grundgesetz für die Bundesrepublik'
    """
    if INVISIBLE.search("".join(set(text))):  # over its alphabet: a third of the time
        text = INVISIBLE.sub("", text)
    return " ".join(unicodedata.normalize("NFC", text).split())  # U+001C–001F, where split() cuts too, are gone


def key_of_text(text: str) -> bytes:
    """The key (32 bytes) of a text: SHA-256 of its normal form in UTF-8.

    >>> key_of_text(" § 1\\r\\n") == key_of_text("§ 1")
    True
    """
    return hashlib.sha256(normal_form(text).encode()).digest()


def key_of_bytes(data: bytes) -> bytes:
    """The key (32 bytes) of a file: SHA-256 of its bytes, what `sha256sum` prints."""
    return hashlib.sha256(data).digest()
