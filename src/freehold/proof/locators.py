"""Which byte changed: Adler-32 of every chunk, read as a code that corrects one byte.

Over n bytes d[0] … d[n-1], Adler-32 (RFC 1950) keeps two sums modulo the prime p = 65521:

    A = 1 + Σ d[i]            B = n + Σ (n - i) · d[i]

If exactly one byte changed, d[k] into d[k] + e, then A grew by e and B by (n - k) · e. These are the two syndromes
of a Reed-Solomon code: e is the growth of A (the only value within ±255 that fits), and

    n - k = ΔB / ΔA  (mod p)

names the place, uniquely, because n is below p and e has an inverse. Stored sums and found sums thus give offset and
original value without a copy of the file. A wrong guess (several bytes changed in the chunk) is told from a right
one by putting the bytes back in the stream and hashing: only the signed SHA-256 proves it.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import GateError
from freehold.proof.digests import opened

CHUNK_BYTES = 32_768  # below p, so that every place in a chunk has its own weight; 1/4096 of the file as locators
PRIME = 65_521


@dataclass(frozen=True, slots=True, kw_only=True)
class Locators:
    """Adler-32 of each chunk of a file, eight hex digits a chunk."""

    chunk_bytes: int
    adler32: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in locators.json."""
        return {"chunk_bytes": self.chunk_bytes, "adler32": self.adler32}

    def of_chunk(self, position: int) -> int | None:
        """The sum of one chunk, None beyond the last."""
        digits = self.adler32[8 * position : 8 * position + 8]
        return int(digits, 16) if digits else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteChange:
    """One byte that is not what was signed."""

    offset: int
    was: int  # as signed
    found: int

    def __str__(self) -> str:
        return f"byte {self.offset:,}: found 0x{self.found:02x}, signed 0x{self.was:02x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkDamage:
    """More than single bytes changed: the first region that differs, `end` excluded."""

    start: int
    end: int
    chunks: int  # how many chunks differ

    def __str__(self) -> str:
        more = f" and in {self.chunks - 1} more regions" if self.chunks > 1 else ""
        return f"bytes {self.start:,} to {self.end - 1:,} differ from what was signed{more}"


def parse(value: object, *, where: str) -> Locators:
    """Locators from their JSON form. Raises GateError if they are malformed."""
    if isinstance(value, Mapping) and set(value) == {"chunk_bytes", "adler32"}:
        chunk_bytes, digits = value["chunk_bytes"], value["adler32"]
        well = type(chunk_bytes) is int and 1024 <= chunk_bytes < PRIME and isinstance(digits, str)
        if well and len(digits) % 8 == 0 and not set(digits) - set("0123456789abcdef"):
            return Locators(chunk_bytes=chunk_bytes, adler32=digits)
    raise GateError("malformed locators", where=where)


def measure(path: Path) -> tuple[str, int, Locators]:
    """SHA-256, size and locators of a file in one pass. Raises InputError if it cannot be read."""
    hasher, size, sums = hashlib.sha256(), 0, []
    with opened(path) as file:
        for chunk in chunks(file.fileno(), CHUNK_BYTES):
            hasher.update(chunk)
            size += len(chunk)
            sums.append(f"{zlib.adler32(chunk):08x}")
    return hasher.hexdigest(), size, Locators(chunk_bytes=CHUNK_BYTES, adler32="".join(sums))


def locators(path: Path) -> Locators:
    """The locators of a file. Raises InputError if it cannot be read."""
    return measure(path)[2]


def chunks(handle: int, size: int) -> Iterator[memoryview]:
    """A file's bytes in chunks of exactly `size` but for the last; every chunk reuses one buffer."""
    buffer = memoryview(bytearray(size))
    while True:
        filled = 0
        while filled < size and (count := os.readv(handle, [buffer[filled:]])):
            filled += count
        if filled:
            yield buffer[:filled]
        if filled < size:
            return


def solve(chunk: bytes | memoryview, signed: int) -> tuple[int, int] | None:
    """(place, original value) of the one byte whose change turns the Adler-32 `signed` into that of `chunk`.

    None if no single byte explains it.

    >>> solve(b"law of the lamd", zlib.adler32(b"law of the land"))
    (13, 110)
    """
    found, n = zlib.adler32(chunk), len(chunk)
    grown_a = ((found & 0xFFFF) - (signed & 0xFFFF)) % PRIME
    grown_b = ((found >> 16) - (signed >> 16)) % PRIME
    change = grown_a if grown_a <= 255 else grown_a - PRIME
    if change == 0 or change < -255:
        return None
    place = n - grown_b * pow(grown_a, -1, PRIME) % PRIME
    if not 0 <= place < n or not 0 <= chunk[place] - change <= 255:
        return None
    return place, chunk[place] - change


def locate(path: Path, stored: Locators, *, sha256: str) -> tuple[ByteChange, ...] | ChunkDamage | None:
    """What changed in a file, given the locators and the SHA-256 that were signed.

    ByteChanges are proven: with them undone the stream hashes to `sha256`. Otherwise the first region that differs.
    None when no chunk differs (the locators belong to other bytes than the digest). Raises InputError if unreadable.
    """
    changes: list[ByteChange] = []
    first, count, solved, position = None, 0, True, 0
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        for chunk in chunks(file.fileno(), stored.chunk_bytes):
            signed = stored.of_chunk(position)
            start = position * stored.chunk_bytes
            position += 1
            if signed == zlib.adler32(chunk):
                continue
            first, count = first or (start, start + len(chunk)), count + 1
            found = None if signed is None or not solved else solve(chunk, signed)
            solved = found is not None and len(changes) < MAX_CHANGES
            if found is not None:
                place, was = found
                changes.append(ByteChange(offset=start + place, was=was, found=chunk[place]))
        if stored.of_chunk(position) is not None:  # chunks are missing at the end
            first, solved = first or (size, (position + 1) * stored.chunk_bytes), False
            count += len(stored.adler32) // 8 - position
        if changes and solved and sha256_with(file.fileno(), changes) == sha256:
            return tuple(changes)
    return None if first is None else ChunkDamage(start=first[0], end=first[1], chunks=count)


MAX_CHANGES = 64  # beyond so many single bytes, naming the first region says as much


def sha256_with(handle: int, changes: Sequence[ByteChange]) -> str:
    """SHA-256 of an open file with the given bytes put back, streaming."""
    os.lseek(handle, 0, os.SEEK_SET)
    hasher, start = hashlib.sha256(), 0
    for chunk in chunks(handle, CHUNK_BYTES):
        for change in changes:
            if start <= change.offset < start + len(chunk):
                chunk[change.offset - start] = change.was
        hasher.update(chunk)
        start += len(chunk)
    return hasher.hexdigest()
