"""The same bytes however the work is done: in shards side by side, killed at any moment, on two nodes of Ray."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from legal_prose import edited, prose

KILLS = 5
PATIENCE_S = 180
FILES = 6

Write = Callable[..., Path]


@pytest.fixture
def several_files(charter_of: Write, tmp_path: Path) -> Path:
    """A charter over a few files, with copies that lie in different ones."""
    folder = tmp_path / "law"
    folder.mkdir()
    for file in range(FILES):
        rows = [{"id": f"{file}/{n}", "text": prose("deu", 40 * file + n, words=200)} for n in range(40)]
        rows.append({"id": f"{file}/copy", "text": prose("deu", 1, words=200)})
        rows.append(
            {"id": f"{file}/near", "text": edited(prose("deu", 2, words=200), share=0.01, seed=file, spaced=True)}
        )
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{file}.jsonl").write_text(lines, encoding="utf-8")
    facts = {"path": "law", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    return charter_of({"law": facts})


def command(charter: Path, workspace: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "freehold.cli.main", "curate", str(charter)),
        *("--workspace", str(workspace), "--json", *options),
    ]


def start(*words: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(output)
    return found


def curated(*words: Any) -> str:
    """The digest of the sealed artifact."""
    digest: str = result(start(*words))["artifact"]["digest"]
    return digest


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a run and everything it started, as a machine that goes down does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_shards_side_by_side_leave_the_same_bytes(several_files: Path, tmp_path: Path) -> None:
    whole = start(several_files, tmp_path / "whole")
    home = tmp_path / "shards"
    shards = [start(several_files, home, "--shard", f"{number}/3") for number in range(3)]
    deadline = time.monotonic() + 120
    while not list(home.glob("artifacts/curate/.partial-*/.scratch/raw/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    kill(shards[1])
    told = [result(shards[0]), result(shards[2])]
    assert all(each["artifact"] is None and each["figures"]["files_read"] == 2 for each in told)
    again = [result(start(several_files, home, "--shard", f"{number}/3")) for number in (1, 0, 2)]
    assert [each["figures"]["files_unread"] for each in again] == [0, 0, 0]
    assert sum(each["figures"]["records_judged"] for each in again) == FILES * 42
    for part in home.glob("artifacts/curate/.partial-*/.scratch/raw/*/part-*.parquet"):
        table = pq.read_table(part)  # what is judged once more comes out otherwise
        place = table.column_names.index("text")
        pq.write_table(table.set_column(place, table.field(place), pa.array(["other"] * len(table))), part)
    assert curated(several_files, home) == result(whole)["artifact"]["digest"]


def test_two_that_do_the_same_shard_do_not_collide(several_files: Path, tmp_path: Path) -> None:
    home = tmp_path / "twice"
    twins = [start(several_files, home, "--shard", "0/1") for _ in range(2)]
    assert [result(twin)["figures"]["records_judged"] for twin in twins] == [FILES * 42] * 2
    assert not list(home.glob("artifacts/curate/.partial-*/.scratch/raw/*.partial"))


def test_a_whole_run_waits_for_no_shard(several_files: Path, tmp_path: Path) -> None:
    from freehold.errors import WorkspaceBusy
    from freehold.store.workspace import Workspace

    home = Workspace(tmp_path / "w")
    both = home.lock("curate", shared=True), home.lock("curate", shared=True)
    with both[0], both[1], pytest.raises(WorkspaceBusy), home.lock("curate"):
        pass
    with home.lock("curate"), pytest.raises(WorkspaceBusy), home.lock("curate", shared=True):
        pass


@pytest.mark.parametrize("words", ["3/3", "1", "-1/2", "a/b"])
def test_no_share_of_the_work(several_files: Path, tmp_path: Path, words: str) -> None:
    process = start(several_files, tmp_path / "w", "--shard", words)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "is no share of the work" in " ".join(errors.split())) == (2, True)


def test_killed_again_and_again_it_ends_with_the_same_bytes(several_files: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    whole = curated(several_files, tmp_path / "whole")
    lasted = time.monotonic() - begun
    chance = random.Random(20261121)
    moments = [(number + chance.random()) / KILLS * lasted for number in range(KILLS)]
    for number, moment in enumerate(moments):
        process = start(several_files, tmp_path / "killed")
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            kill(process)
        else:
            assert number, "the first kill must hit"
            break
    assert curated(several_files, tmp_path / "killed") == whole


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A Ray cluster of two nodes on this machine, one processor each; its address."""
    pytest.importorskip("ray", reason="ray is not installed: pip install 'freehold[ray]'")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_worker_niceness", "0")  # workers yield to everything else otherwise
    facts = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=facts)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster.address
    finally:
        cluster.shutdown()


ON_RAY = """
import os, sys
from freehold.stage import perform
from freehold.stages.curate import frame
charter, workspace = sys.argv[1:]
found = perform(charter=charter, workspace=workspace, stage="curate", run_folder=f"{workspace}/runs/1", runner="ray")
nodes = set(frame.each(os.getenv, ["RAY_RAYLET_PID"] * 8, processes=frame.cores()))
print(found["artifact"]["digest"], len(nodes))
"""


def test_two_nodes_of_ray_leave_the_same_bytes(several_files: Path, tmp_path: Path, two_nodes: str) -> None:
    words = [sys.executable, "-c", ON_RAY, str(several_files), str(tmp_path / "ray")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split()[-2:] == [curated(several_files, tmp_path / "here"), "2"]  # both nodes have worked


def test_no_cluster_answers(several_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'freehold[ray]'")
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    process = start(several_files, tmp_path / "w", "--runner", "ray")
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, "no Ray cluster answers" in " ".join(errors.split())) == (2, True)
