from __future__ import annotations

import os
from pathlib import Path

import pytest
from corpus import write_shards

from freehold.errors import InputError
from freehold.learn.shards import Shards

FIRST = "shards/train-00000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_shards(tmp_path / "tokens")


def test_unique_tokens_by_language_and_source(folder: Path) -> None:
    shards = Shards.open(folder)
    counted = shards.tokens()
    assert set(counted) == {(code, name) for code in ("deu", "jpn") for name in ("law", "press")}
    rows = shards.rows("deu", ["press"])
    assert counted["deu", "press"] == shards.lengths[rows].sum() > 0


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (f"{FIRST}.bin", lambda path: os.truncate(path, path.stat().st_size - 2), r"train-00000\.bin.*bytes"),
        (f"{FIRST}.bin", lambda path: path.unlink(), r"train-00000\.bin.*missing"),
        (f"{FIRST}.parquet", lambda path: path.unlink(), r"train-00000\.parquet.*missing"),
        (f"{FIRST}.parquet", lambda path: path.write_bytes(path.read_bytes() + b"x"), r"train-00000\.parquet"),
    ],
)
def test_a_shard_that_is_not_the_one_cut_is_named(folder: Path, name: str, change: object, message: str) -> None:
    change(folder / name)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        Shards.open(folder)


def test_a_shard_that_shrinks_under_the_run_is_named(folder: Path) -> None:
    shards = Shards.open(folder)
    os.truncate(folder / f"{FIRST}.bin", 10)
    with pytest.raises(InputError, match=r"train-00000\.bin.*cut short"):
        shards.read(0, 0, int(shards.lengths[0]))
    with pytest.raises(InputError, match=r"train-00000\.bin.*changed"):
        shards.check()


def test_a_shard_that_is_replaced_is_named_and_the_old_one_read_on(folder: Path) -> None:
    shards = Shards.open(folder)
    path, before = folder / f"{FIRST}.bin", shards.read(3, 0, 8).tolist()
    shards.check()
    path.with_suffix(".new").write_bytes(bytes(path.stat().st_size))
    path.with_suffix(".new").replace(path)
    assert shards.read(3, 0, 8).tolist() == before
    with pytest.raises(InputError, match=r"train-00000\.bin"):
        shards.check()
