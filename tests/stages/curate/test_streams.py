"""Bytes from disk in bounded memory."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
import zstandard

from freehold.stages.curate.streams import bounded_lines, decode, decode_markup, open_bytes


def lines_of(data: bytes, limit: int) -> list[tuple[bytes | None, int]]:
    return list(bounded_lines(io.BufferedReader(io.BytesIO(data)), limit=limit))


def test_a_line_over_the_limit_is_passed_over() -> None:
    data = b"one\n" + b"x" * 3_000_000 + b"\ntwo\n" + b"y" * 50
    assert lines_of(data, 10) == [(b"one\n", 4), (None, 3_000_001), (b"two\n", 4), (None, 50)]


def test_limits_are_exact() -> None:
    assert lines_of(b"12345\n123456\n", 5) == [(b"12345\n", 6), (None, 7)]
    assert lines_of(b"12345", 5) == [(b"12345", 5)]
    assert lines_of(b"", 5) == []


@pytest.mark.parametrize("suffix", [".gz", ".zst", ""])
def test_compression_by_suffix(tmp_path: Path, suffix: str) -> None:
    pack = {".gz": gzip.compress, ".zst": zstandard.compress, "": bytes}[suffix]
    path = tmp_path / f"file.jsonl{suffix}"
    path.write_bytes(pack(b"a\n" * 1000) + pack(b"b\n" * 1000))  # two members, two frames
    with open_bytes(path) as stream:
        assert stream.read() == b"a\n" * 1000 + b"b\n" * 1000


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign"])
def test_damage_is_never_silent(tmp_path: Path, suffix: str, damage: str) -> None:
    text = b"".join(b"%d\n" % (n * n * 7919) for n in range(50_000))
    data = bytearray(
        {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor(write_checksum=True).compress}[suffix](text)
    )
    if damage == "truncated":
        del data[len(data) * 2 // 3 :]
    elif damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    else:
        data[:] = b"this was never compressed"
    path = tmp_path / f"file{suffix}"
    path.write_bytes(data)
    with pytest.raises(OSError), open_bytes(path) as stream:
        while stream.readline(1000):
            pass


def test_encodings() -> None:
    assert decode("Grüße".encode()) == "Grüße"
    assert decode("\ufeffGrüße".encode()) == "\ufeffGrüße"
    assert decode("Grüße".encode("utf-16")) == "Grüße"
    assert decode("Grüße".encode("latin-1")) is None
    assert decode_markup('<meta charset="iso-8859-1">Grüße'.encode("latin-1")) == '<meta charset="iso-8859-1">Grüße'
    assert decode_markup('<meta charset="shift_jis">法律'.encode("shift_jis")) == '<meta charset="shift_jis">法律'
    assert decode_markup("<p>Grüße".encode("latin-1")) is None
    assert decode_markup('<meta charset="no-such-thing">Grüße'.encode("latin-1")) is None
