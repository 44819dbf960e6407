"""Which names a file of a release may have: one spelling for one file, on every file system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

MAX_PATH_BYTES = 1024
# What some system reads as a separator, a drive, a pattern or a stream; a release needs none of them.
FORBIDDEN = frozenset('\\:*?"<>|')


def problem(path: str) -> str | None:
    """Why `path` may not stand in a release, or None for a relative POSIX path without surprises.

    >>> problem("model/config.json") is None
    True
    >>> problem("../secret")
    'a part of the path is ".."'
    """
    try:
        encoded = path.encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not UTF-8"
    if not encoded or len(encoded) > MAX_PATH_BYTES:
        return f"the path is empty or longer than {MAX_PATH_BYTES} bytes"
    if path.startswith("/"):
        return "the path is absolute"
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return f'a part of the path is "{part}"'
        if part != part.strip() or part.endswith("."):
            return "a part of the path begins or ends with white space, or ends with a dot"
    odd = [sign for sign in path if sign in FORBIDDEN or unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp", "Co")]
    if odd:
        return f"the path holds the character U+{ord(odd[0]):04X}"
    if unicodedata.normalize("NFC", path) != path:
        return "the path is not in Unicode normal form C"
    return None


def twin(path: str) -> str:
    """The spelling under which careless file systems confuse names: equal twins may not stand side by side."""
    return unicodedata.normalize("NFKC", path).casefold()


def confused(paths: Iterable[str]) -> tuple[str, str] | None:
    """The first two of these paths that are twins.

    >>> confused(["a", "b", "A"])
    ('a', 'A')
    """
    seen: dict[str, str] = {}
    pairs = ((seen.setdefault(twin(path), path), path) for path in paths)
    return next(((one, other) for one, other in pairs if one != other), None)
