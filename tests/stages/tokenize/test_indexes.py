from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from freehold.stages.tokenize import indexes


def read_megatron(shard: Path) -> list[np.ndarray]:
    """The documents of `shard` (.idx beside .bin), read as the layout is documented."""
    data = shard.with_suffix(".idx").read_bytes()
    magic, version, code, sequences, ends = struct.unpack_from("<9sQBQQ", data)
    assert (magic, version) == (b"MMIDIDX\0\0", 1)
    dtype, at = np.dtype({8: "<u2", 4: "<i4"}[code]), struct.calcsize("<9sQBQQ")
    lengths = np.frombuffer(data, "<i4", sequences, at)
    pointers = np.frombuffer(data, "<i8", sequences, at + lengths.nbytes)
    documents = np.frombuffer(data, "<i8", ends, at + lengths.nbytes + pointers.nbytes)
    assert at + lengths.nbytes + pointers.nbytes + documents.nbytes == len(data)
    assert documents.tolist() == list(range(sequences + 1))
    tokens = shard.read_bytes()
    return [
        np.frombuffer(tokens, dtype, length, pointer)
        for length, pointer in zip(lengths.tolist(), pointers.tolist(), strict=True)
    ]


def test_other_readers_find_every_document(tokenized: Path) -> None:
    facts = json.loads((tokenized / "tokenize.json").read_bytes())
    for shard in (tokenized / row["file"] for row in facts["shards"]):
        table = pq.read_table(shard.with_suffix(".parquet"))
        tokens = np.fromfile(shard, "<u2")
        starts, lengths = table["start"].to_numpy(), table["length"].to_numpy()
        found = read_megatron(shard)
        assert len(found) == table.num_rows > 10
        for document, start, length in zip(found, starts, lengths, strict=True):
            assert np.array_equal(document, tokens[start : start + length]) and document[0] == facts["bos"]
        ends = np.fromfile(shard.with_name(f"{shard.name}.index"), "<u8")
        assert np.array_equal(ends, starts + lengths) and ends[-1] == len(tokens)
        tokenizer, count, _ = shard.with_name(f"{shard.name}.metadata").read_text().split("\n")
        assert (tokenizer, int(count)) == ("tokenizer.json|2", len(tokens))


@pytest.mark.parametrize(("width", "dtype"), [(2, "<u2"), (4, "<u4")])
def test_both_widths_are_known(tmp_path: Path, width: int, dtype: str) -> None:
    shard, lengths = tmp_path / "train-00000.bin", np.array([3, 1, 4])
    np.arange(8, dtype=dtype).tofile(shard)
    indexes.write(shard, lengths, dtype=np.dtype(dtype), scratch=tmp_path / "scratch")
    assert [document.tolist() for document in read_megatron(shard)] == [[0, 1, 2], [3], [4, 5, 6, 7]]
    assert shard.with_name("train-00000.bin.metadata").read_text() == f"tokenizer.json|{width}\n8\n8.00 T"
