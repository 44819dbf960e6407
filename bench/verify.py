"""What it costs to verify a release of 500 MB, built on the fly: hashing beside the library's own, the rest, memory.

CPU seconds of one process, so that a busy machine says the same. The peer of hashing is OpenSSL's SHA-256 over the same
bytes in memory, measured in the same run, in turn with ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import Figure, arguments, report

from freehold.proof import bundle
from freehold.proof.digests import digest_of, manifest_of, sha256_file
from freehold.proof.signing import keys
from freehold.proof.statements import stage_statement
from freehold.proof.writing import write

SHARD = 50_000_000  # bytes of one file of weights
GOAL_SECONDS, GOAL_RATE, GOAL_MEMORY = 2.0, 800e6, 100e6
NEEDS = {"curate": (), "tokenize": ("curate",), "train": ("tokenize",)}
CODE = """
import sys, time
from pathlib import Path
from freehold.stages.verify.run import verify
begun = time.process_time()
report = verify(Path(sys.argv[1]), trust=[Path(sys.argv[2])])
spent = time.process_time() - begun
peak = next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(report.exit_code, spent, time.process_time(), peak)
"""


def main() -> None:
    """Build, measure in turn, report."""
    options = arguments(__doc__)
    shards, rounds = (2, 3) if options.quick else (10, 5)
    with tempfile.TemporaryDirectory() as folder:
        release, key = build(Path(folder), shards=shards)
        figures = measured(release, key, rounds=rounds)
    report("verify", figures, options=options, repetitions=rounds)


def build(folder: Path, *, shards: int) -> tuple[Path, Path]:
    """A sealed and signed release whose checks pass, and the key it was signed with."""
    release = folder / "release"
    outputs: dict[str, dict[str, bytes]] = {
        "curate": {"sources.jsonl": sources(5_000)},
        "tokenize": {"tokenizer.json": b"{}"},
        "train": {"model/config.json": b"{}", "model/tokenizer.json": b"{}"},
    }
    block = os.urandom(1 << 20)
    weights = {}
    for number in range(1, shards + 1):
        name = f"model-{number:05d}-of-{shards:05d}.safetensors"
        path = folder / "made" / "train" / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for position in range(SHARD // len(block)):
                file.write(position.to_bytes(8, "little") + number.to_bytes(8, "little") + block[16:])
        weights[name] = sha256_file(path)
    outputs["train"]["recipe.json"] = b"{}"
    outputs["train"]["chain.jsonl"] = chain_of(weights, segments=2_000)
    inputs = {}
    for stage, files in outputs.items():
        made = folder / "made" / stage
        for name, data in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(data)
        manifest = manifest_of(made)
        inputs[stage] = digest_of(manifest)
        write(release / bundle.step_path(stage), statement(stage, inputs, manifest))
    for place, (stage, name) in bundle.COPIES.items():
        if stage in outputs and (folder / "made" / stage / name).exists():
            write(release / place, (folder / "made" / stage / name).read_bytes())
    (folder / "made" / "train" / "model").rename(release / "model")
    pair = keys.new_pair(folder / "keys", "ministry")
    bundle.write_policy(release, parties={"ministry": pair.fingerprint}, threshold=1)
    bundle.seal(release, name="large", version="1", licence="Apache-2.0", inputs=inputs)
    bundle.sign_bundle(release, party="ministry", key=keys.load_private(pair.private))
    return release, pair.public


def statement(stage: str, made: dict[str, str], manifest: dict[str, dict[str, object]]) -> bytes:
    """What a stage swears."""
    files = {f"laws/{n}.jsonl": f"{n:064x}" for n in range(5_000)} if stage == "curate" else {}
    return stage_statement(
        stage=stage,
        format=1,
        code="c" * 64,
        parameters={"policy": {"licences": ["CC0-1.0"]}} if stage == "curate" else {},
        inputs={need: made[need] for need in NEEDS[stage]},
        files=files,
        output=digest_of(manifest),
        manifest=manifest,
        figures={},
        environment={},
        started=1.0,
        finished=2.0,
    )


def sources(files: int) -> bytes:
    """sources.jsonl of one source with many files."""
    rows = [{"path": f"laws/{n}.jsonl", "sha256": f"{n:064x}", "bytes": 9} for n in range(files)]
    return json.dumps({"name": "laws", "licence": "CC0-1.0", "files": rows}).encode() + b"\n"


def chain_of(weights: dict[str, str], *, segments: int) -> bytes:
    """A chain of that many segments that ends with these weights."""
    from freehold.proof import chain

    rows: list[bytes] = []
    previous = chain.GENESIS
    for step in range(segments):
        last = step == segments - 1
        row = {
            "stage": "train",
            "first_step": step,
            "last_step": step,
            "documents": chain.documents_root([str(step)]),
            "seed": 7,
            "learning_rate": 0.01,
            "checkpoint": chain.weights_digest(weights) if last else f"{step:064x}",
            "previous": previous,
        }
        rows.append(chain.line(row))
        previous = chain.line_digest(rows[-1])
    return b"\n".join(rows) + b"\n"


def measured(release: Path, key: Path, *, rounds: int) -> list[Figure]:
    """Every figure; each round verifies once in a fresh process and hashes once by the library alone."""
    size = sum(path.stat().st_size for path in release.rglob("*") if path.is_file())
    spent, whole, peaks, ours, theirs = [], [], [], [], []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(release), str(key)], capture_output=True, text=True, check=True
        )
        code, cpu, process, peak = done.stdout.split()
        assert code == "0", done.stdout
        spent.append(float(cpu))
        whole.append(float(process))
        peaks.append(float(peak))
        ours.append(rate_of_ours(release, size))
        theirs.append(rate_of_library())
    hashing = size / statistics.median(ours)
    rest = statistics.median(whole) - hashing
    memory, rate, peer = max(peaks), statistics.median(ours), statistics.median(theirs)
    return [
        Figure(figure="release", value=size / 1e6, unit="MB"),
        Figure(figure="verify, whole process", value=statistics.median(whole), unit="CPU s"),
        Figure(
            figure="verify beyond hashing, start included",
            value=rest,
            unit="CPU s",
            goal=f"<= {GOAL_SECONDS:g} s",
            holds=rest <= GOAL_SECONDS,
        ),
        Figure(
            figure="hashing a core",
            value=rate / 1e6,
            unit="MB/s",
            peer="OpenSSL in memory",
            ratio=rate / peer,
            goal=f">= {GOAL_RATE / 1e6:g} MB/s",
            holds=rate >= GOAL_RATE,
            why="" if rate >= GOAL_RATE else f"the library alone does {peer / 1e6:,.0f} MB/s here now",
        ),
        Figure(
            figure="peak memory",
            value=memory / 1e6,
            unit="MB",
            goal=f"<= {GOAL_MEMORY / 1e6:g} MB",
            holds=memory <= GOAL_MEMORY,
        ),
    ]


def rate_of_ours(release: Path, size: int) -> float:
    """Bytes a CPU second of `sha256_file` over every file."""
    begun = time.process_time()
    for path in release.rglob("*"):
        if path.is_file():
            sha256_file(path)
    return size / (time.process_time() - begun)


def rate_of_library() -> float:
    """Bytes a CPU second of the library over one block in memory, again and again."""
    block = bytes(1 << 18)
    hasher, count = hashlib.sha256(), 400
    begun = time.process_time()
    for _ in range(count):
        hasher.update(block)
    return count * len(block) / (time.process_time() - begun)


if __name__ == "__main__":
    main()
