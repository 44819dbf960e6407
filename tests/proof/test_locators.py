"""A changed byte is named: place, value found, value signed."""

from __future__ import annotations

import hashlib
import os
import random
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.errors import GateError
from freehold.proof import locators
from freehold.proof.locators import CHUNK_BYTES, ByteChange, ChunkDamage


@given(st.binary(min_size=1, max_size=400), st.data())
@settings(deadline=None)
def test_any_changed_byte_is_solved(data: bytes, draw: st.DataObject) -> None:
    place = draw.draw(st.integers(0, len(data) - 1))
    found = bytearray(data)
    found[place] ^= draw.draw(st.integers(1, 255))
    assert locators.solve(bytes(found), zlib.adler32(data)) == (place, data[place])


def test_every_place_of_a_whole_chunk_has_its_own_weight() -> None:
    data = bytearray(random.Random(1).randbytes(CHUNK_BYTES))
    signed = zlib.adler32(data)
    for place in [0, 1, CHUNK_BYTES - 1, *random.Random(2).sample(range(CHUNK_BYTES), 200)]:
        was = data[place]
        data[place] = (was + 1 + place % 255) % 256
        assert locators.solve(bytes(data), signed) == (place, was)
        data[place] = was


def damaged(tmp_path: Path, data: bytes, found: bytes) -> tuple[ByteChange, ...] | ChunkDamage | None:
    (tmp_path / "x").write_bytes(data)
    stored = locators.locators(tmp_path / "x")
    (tmp_path / "x").write_bytes(found)
    return locators.locate(tmp_path / "x", stored, sha256=hashlib.sha256(data).hexdigest())


SIZES = [1, 100, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 5 * CHUNK_BYTES + 17]


@pytest.mark.parametrize("size", SIZES)
def test_one_byte_in_a_file(tmp_path: Path, size: int) -> None:
    data = random.Random(size).randbytes(size)
    for offset in {0, size // 2, size - 1}:
        found = data[:offset] + bytes([data[offset] ^ 0x40]) + data[offset + 1 :]
        change = ByteChange(offset=offset, was=data[offset], found=found[offset])
        assert damaged(tmp_path, data, found) == (change,)
    assert str(ByteChange(offset=12345, was=0, found=255)) == "byte 12,345: found 0xff, signed 0x00"


def test_one_byte_in_each_of_several_chunks(tmp_path: Path) -> None:
    data = bytes(4 * CHUNK_BYTES)
    found = bytearray(data)
    for offset in (5, CHUNK_BYTES + 6, 3 * CHUNK_BYTES):
        found[offset] = 9
    changes = damaged(tmp_path, data, bytes(found))
    assert isinstance(changes, tuple)
    assert [(change.offset, change.was, change.found) for change in changes] == [
        (5, 0, 9),
        (CHUNK_BYTES + 6, 0, 9),
        (3 * CHUNK_BYTES, 0, 9),
    ]


@pytest.mark.parametrize(
    ("change", "region"),
    [
        (lambda data: data[:10] + b"\1\2\3" + data[13:], (0, CHUNK_BYTES, 1)),
        (lambda data: data[: CHUNK_BYTES + 1], (CHUNK_BYTES, CHUNK_BYTES + 1, 3)),
        (lambda data: data[:-1], (3 * CHUNK_BYTES, 4 * CHUNK_BYTES - 1, 1)),
        (lambda data: data + b"x", (4 * CHUNK_BYTES, 4 * CHUNK_BYTES + 1, 1)),
        (lambda data: b"y" + data, (0, CHUNK_BYTES, 5)),
        (lambda data: b"", (0, CHUNK_BYTES, 4)),
    ],
)
def test_more_than_a_byte_names_the_region(tmp_path: Path, change, region: tuple[int, int, int]) -> None:
    data = random.Random(3).randbytes(4 * CHUNK_BYTES)
    found = damaged(tmp_path, data, change(data))
    start, end, chunks = region
    assert found == ChunkDamage(start=start, end=end, chunks=chunks)


def test_two_bytes_that_look_like_one_are_not_believed(tmp_path: Path) -> None:
    """+1 and -1 at a distance change A by 0 or look like one other byte: the signed digest decides."""
    data = bytes([100] * 1000)
    for first, second in ((3, 4), (10, -4), (2, 1)):
        found = bytearray(data)
        found[10] += first
        found[500] = (found[500] + second) % 256
        assert isinstance(damaged(tmp_path, data, bytes(found)), ChunkDamage)


def test_same_bytes_no_damage(tmp_path: Path) -> None:
    assert damaged(tmp_path, b"abc", b"abc") is None


def test_measure_is_one_pass_over_file(tmp_path: Path) -> None:
    data = os.urandom(100_000)
    (tmp_path / "x").write_bytes(data)
    sha256, size, found = locators.measure(tmp_path / "x")
    assert (sha256, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert found.adler32[:8] == f"{zlib.adler32(data[:CHUNK_BYTES]):08x}"
    assert len(found.adler32) == 8 * 4
    assert locators.parse(found.as_json(), where="x") == found


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"chunk_bytes": 0, "adler32": ""},
        {"chunk_bytes": 65521, "adler32": ""},
        {"chunk_bytes": True, "adler32": ""},
        {"chunk_bytes": 32768, "adler32": "123"},
        {"chunk_bytes": 32768, "adler32": "0000000G"},
        {"chunk_bytes": 32768, "adler32": 12345678},
        {"chunk_bytes": 32768, "adler32": "", "x": 1},
    ],
)
def test_malformed_locators_are_refused(value: object) -> None:
    with pytest.raises(GateError, match="malformed"):
        locators.parse(value, where="x")
