"""JSON from strangers: one reading or none, in bounded time and memory (RFC 8259 narrowed as I-JSON, RFC 7493)."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from freehold.errors import GateError
from freehold.records import canonical_json

__all__ = ["canonical_json", "lines", "load"]

MAX_BYTES = 8 << 20
MAX_DEPTH = 64
MAX_LINES = 100_000
MAX_VALUES = 500_000  # commas and brackets; an empty list costs Python 56 bytes, an object 64
MAX_DIGITS = 300  # of a whole number; doubles end at 309
# Takes an open string to the end, too: tried again at each quote in it, it would cost the square of its length.
STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
BRACKET = re.compile(rb"[\[\]{}]")


def load(data: bytes, *, where: str, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> Any:
    """The one value that `data` means.

    Refuses with GateError at `where`: more than `max_bytes` or MAX_VALUES, nesting beyond `max_depth`, bytes that are
    not UTF-8, a key given twice in one object, NaN, infinities and numbers beyond a double, lone surrogates, a byte
    order mark.
    """
    if len(data) > max_bytes:
        raise GateError(f"JSON of {len(data):,} bytes, at most {max_bytes:,} are read", where=where)
    bound(data, where=where, max_depth=max_depth)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=unique,
            parse_constant=refuse_constant,
            parse_int=whole,
            parse_float=finite,
        )
        if re.search(rb"\\u[dD][89a-fA-F]", data):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # raises on a lone surrogate
    except (ValueError, RecursionError) as error:
        raise GateError(f"no JSON that we read: {error}", where=where) from None
    return value


def lines(data: bytes, *, where: str, max_bytes: int = MAX_BYTES) -> list[Any]:
    """One value a line (JSON Lines); the last line may or may not end with a line feed.

    Raises as `load` does; MAX_VALUES counts over all lines, of which there may be MAX_LINES.
    """
    if len(data) > max_bytes:
        raise GateError(f"JSON of {len(data):,} bytes, at most {max_bytes:,} are read", where=where)
    if data.count(b"\n") > MAX_LINES:
        raise GateError(f"more than {MAX_LINES:,} lines", where=where)
    bound(data, where=where, max_depth=MAX_DEPTH)
    rows = data.removesuffix(b"\n").split(b"\n") if data else []
    return [load(row, where=f"{where}:{number}", max_bytes=max_bytes) for number, row in enumerate(rows, 1)]


def bound(data: bytes, *, where: str, max_depth: int) -> None:
    """Refuse, before anything is built, what would nest too deeply or become too many objects."""
    bare = STRING.sub(b"", data)
    if bare.count(b",") + bare.count(b"[") + bare.count(b"{") > MAX_VALUES:
        raise GateError(f"JSON of more than {MAX_VALUES:,} values", where=where)
    depth = 0
    for bracket in BRACKET.finditer(bare):
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > max_depth:
            raise GateError(f"JSON nested deeper than {max_depth}", where=where)


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a key stands in it twice: readers differ in which one they believe."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return found


def whole(digits: str) -> int:
    """A whole number, unless it is too large for a double: arithmetic with it would raise wherever it is done."""
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is beyond those that we read")
    return int(digits)


def finite(digits: str) -> float:
    """A number with a fraction or an exponent, unless it is too large for a double: nothing could write it again."""
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:20]} is beyond the numbers that we read")
    return value


def refuse_constant(name: str) -> None:
    """NaN and the infinities are no JSON."""
    raise ValueError(f"{name} is no JSON number")
