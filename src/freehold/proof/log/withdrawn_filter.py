"""The file by which serving knows withdrawn text: hashes of overlapping windows of it, and no text.

One line of canonical JSON, then 8 bytes a hash, little-endian, ascending. What a hash is made of is `text.withdrawn`'s
matter; here are only the bytes, so that a stranger can check them without numpy. An entry of the log (W2) names the
file by SHA-256, and the entry's signature is the file's.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical
from freehold.proof.canonical import canonical_json
from freehold.proof.form import fields

FORMAT = 1
KIND = "freehold withdrawn-filter"
MAX_FILTER_BYTES = 1 << 26  # 8 million windows
MAX_HEAD_BYTES = 4096
MAX_WIDTH = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterFile:
    """A filter as its file has it."""

    widths: tuple[int, ...]  # tokens of its windows, ascending: words, or characters of scripts without spaces
    hashes: array[int]  # of windows, ascending, 64 bits each

    def data(self) -> bytes:
        """The file's bytes; equal filters have equal bytes."""
        head = {"format": FORMAT, "kind": KIND, "widths": list(self.widths), "windows": len(self.hashes)}
        return canonical_json(head) + b"\n" + little(self.hashes).tobytes()


def parse(data: bytes, *, where: str) -> FilterFile:
    """A filter from the bytes of its file. Raises GateError at `where` if it is none, or not its one spelling."""

    def hold(condition: bool, message: str) -> None:
        if not condition:
            raise GateError(message, where=where)

    head, line, _ = data[:MAX_HEAD_BYTES].partition(b"\n")
    hold(bool(line), "the filter has no head")
    value: dict[str, Any] = fields(
        canonical.load(head, where=where), {"format", "kind", "widths", "windows"}, where=where
    )
    hold((value["format"], value["kind"]) == (FORMAT, KIND), f"no {KIND} of format {FORMAT}")
    widths, size = value["widths"], len(data) - len(head) - 1
    whole = isinstance(widths, list) and all(type(width) is int and 0 < width <= MAX_WIDTH for width in widths)
    hold(whole and sorted(set(widths)) == widths, "its widths are not whole numbers in order")
    hold(type(value["windows"]) is int and size == 8 * value["windows"], "not as many hashes as it says")
    hashes = array("Q")
    hashes.frombytes(memoryview(data)[len(head) + 1 :])
    found = FilterFile(widths=tuple(widths), hashes=little(hashes))
    hold(all(one < other for one, other in pairwise(found.hashes)), "its hashes are not in order")
    hold(canonical_json(value) == head, "its head is not written canonically")
    return found


def little(hashes: array[int]) -> array[int]:
    """The numbers with their bytes in little-endian order, on any machine."""
    if sys.byteorder == "little":
        return hashes
    swapped = array("Q", hashes)
    swapped.byteswap()
    return swapped


def digest(data: bytes) -> str:
    """By what an entry names a filter."""
    return hashlib.sha256(data).hexdigest()
