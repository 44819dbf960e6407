"""infini-gram's attribution over the tokens of the bench of trace; run by a Python of its own.

    python infini_gram_spans.py index TOKENIZED FOLDER         the same shards, documents set apart its way; CPU seconds
    python infini_gram_spans.py answer FOLDER QUERIES.json MIN_TOKENS REPETITIONS

`answer` prints JSON: for each list of tokens the spans as [start, end, count], with at most 10 of their places, and
the CPU milliseconds of each round: the package keeps threads of its own, so the whole process is counted.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

SEPARATOR = 0xFFFF
MEMORY_GIB = 3


def cpu_s() -> float:
    """CPU seconds of this process and its children."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def index(tokenized: Path, folder: Path) -> dict[str, Any]:
    """Its files from ours (a document begins with token 0 there), then its own suffix arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = json.loads((tokenized / "tokenize.json").read_bytes())
    for number, shard in enumerate(facts["shards"]):
        tokens = np.fromfile(tokenized / shard["file"], dtype="<u2")
        starts = np.flatnonzero(tokens == 0)
        tokens[starts] = SEPARATOR
        tokens.tofile(folder / f"tokenized.{number}")
        (2 * starts.astype("<u8")).tofile(folder / f"offset.{number}")
    begun = cpu_s()
    command = [sys.executable, "-m", "infini_gram.indexing", "--data_dir", str(folder), "--save_dir", str(folder)]
    command += ["--token_dtype", "u16", "--shards", str(len(facts["shards"])), "--cpus", "1"]
    command += ["--mem", str(MEMORY_GIB), "--ulimit", str(resource.getrlimit(resource.RLIMIT_NOFILE)[1])]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    size = sum(path.stat().st_size for path in folder.iterdir()) - sum(2 * shard["tokens"] for shard in facts["shards"])
    return {"cpu_s": cpu_s() - begun, "bytes": size, "tokens": facts["tokens"]}


def answer(folder: Path, queries: list[list[int]], min_tokens: int, repetitions: int) -> dict[str, Any]:
    """The spans of every query and what they cost."""
    from infini_gram.engine import InfiniGramEngine

    engine = InfiniGramEngine(index_dir=str(folder), eos_token_id=0, vocab_size=SEPARATOR, version=4)
    spans, rounds = [], []
    for repetition in range(repetitions + 1):  # the first warms up
        spent = []
        for query in queries:
            begun = cpu_s()
            found = engine.attribute(
                input_ids=query, delim_ids=[], min_len=min_tokens, max_cnt=1_000_000, enforce_bow=False
            )
            spent.append(1000 * (cpu_s() - begun))
            if repetition == 0:
                spans.append([[span["l"], span["r"], span["count"]] for span in found["spans"]])
        if repetition:
            rounds.append(spent)
    return {"spans": spans, "cpu_ms": rounds}


def main() -> None:
    """One of the two."""
    if sys.argv[1] == "index":
        told = index(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        queries = json.loads(Path(sys.argv[3]).read_bytes())
        told = answer(Path(sys.argv[2]), queries, int(sys.argv[4]), int(sys.argv[5]))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
