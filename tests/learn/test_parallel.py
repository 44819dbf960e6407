from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from corpus import write_shards
from ranks_here import run

from freehold.errors import InputError
from freehold.learn import checkpoint
from freehold.learn.batches import Batch
from freehold.learn.parallel import One, Replicas

HERE = Path(__file__).with_name("ranks_here.py")


def test_two_ranks_learn_as_one_does_and_one_goes_on_where_two_stopped(tmp_path: Path) -> None:
    tokens = write_shards(tmp_path / "tokens")
    alone = run(tokens, tmp_path / "alone", ranks=One())
    (tmp_path / "pair").mkdir()
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [str(HERE), str(tokens), str(tmp_path / "pair"), "7"]
    subprocess.run(command, check=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"})
    pair = [tuple(row) for row in json.loads((tmp_path / "pair" / "rows.json").read_text())]
    pair += run(tokens, tmp_path / "pair", ranks=One())
    assert [(step, root) for step, _, root in pair] == [(step, root) for step, _, root in alone]
    assert [loss for _, loss, _ in pair] == pytest.approx([loss for _, loss, _ in alone], abs=1e-5)
    whole, joined = (checkpoint.latest(tmp_path / name) for name in ("alone", "pair"))
    assert whole is not None and joined is not None and len(whole.tensors()["guard/losses"])
    for name, value in whole.tensors().items():
        if not name.startswith("rng/"):
            torch.testing.assert_close(joined.tensors()[name], value, atol=1e-3, rtol=1e-3)


def test_every_row_belongs_to_one_rank() -> None:
    batch = Batch(tokens=torch.arange(10).view(5, 2), targets=torch.arange(10).view(5, 2), documents=("d",))
    shares = [Replicas(rank, 3, "cpu").share(batch) for rank in range(3)]
    assert sorted(int(row[0]) for share in shares for row in share.tokens) == [0, 2, 4, 6, 8]
    assert all(torch.equal(share.tokens, share.targets) and share.documents == ("d",) for share in shares)


def test_more_ranks_than_rows_are_refused() -> None:
    batch = Batch(tokens=torch.zeros(2, 4), targets=torch.zeros(2, 4), documents=())
    with pytest.raises(InputError, match="3 ranks"):
        Replicas(0, 3, "cpu").share(batch)
