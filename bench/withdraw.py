"""Withdrawal at W3, from the log to the weights: what it costs, and that the new weights do not depend on the text.

A small model learns real law with document masks; five documents that it first used late are withdrawn; training goes
on from the checkpoint before. Then the run is repeated from the seed over shards whose withdrawn slots hold other
text, and random tokens: all three must end at the same bits. Processor seconds, because they bear company.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from corpus import records
from cryptography.hazmat.primitives.asymmetric import ec
from report import Figure, parser, report

from freehold import stage as stages
from freehold.learn.course import follow
from freehold.learn.loop import learn
from freehold.learn.mixture import Part, Stream
from freehold.learn.phases import Curriculum, Recipe, schedule_of
from freehold.learn.shards import Shards
from freehold.learn.uses import first_steps
from freehold.progress import Progress
from freehold.proof.log import withdrawals
from freehold.stages.train.price import Cost, cost
from freehold.stages.train.recipe import session_of
from freehold.store.workspace import Sealed, Workspace

DATA = Path(__file__).parent.parent / "examples" / "commons" / "data"
WITHDRAWN, OTHERS = 5, 10  # documents: withdrawn, and those whose text takes their place
CHARTER = """
format = 1
[responsible]
name = "Bench"
country = "DE"
{languages}
[policy]
licences = ["public-domain-law"]
[curate]
held_out_bytes = 20_000
[tokenizer]
vocabulary = 2048
sample_bytes = 1_000_000
[model]
depth = {depth}
[train]
steps = {steps}
sequence = 512
batch_tokens = 2048
document_mask = true
checkpoint_steps = {kept}
keep_every = {kept}
compile = false
device = "cpu"
[release]
name = "bench"
"""
LANGUAGE = """
[[languages]]
code = "{code}"
share = 0.5
[[sources]]
name = "{code}-law"
path = "{code}.jsonl"
origin = "https://example.org/{code}"
licence = "public-domain-law"
language = "{code}"
"""


def write_charter(folder: Path, *, documents: int, **shape: int) -> Path:
    """A charter over the first short documents of two languages of the example."""
    for code in ("deu", "jpn"):
        found = (row for row in records(DATA / f"{code}-law.jsonl.zst") if 600 < len(row["text"]) < 6000)
        rows = [json.dumps(row, ensure_ascii=False) + "\n" for row in islice(found, documents)]
        (folder / f"{code}.jsonl").write_text("".join(rows), encoding="utf-8")
    languages = "".join(LANGUAGE.format(code=code) for code in ("deu", "jpn"))
    path = folder / "charter.toml"
    path.write_text(CHARTER.format(languages=languages, **shape), encoding="utf-8")
    return path


def perform(charter: Path, stage: str) -> Sealed:
    """One stage, in this process; its artifact."""
    home = charter.parent / ".freehold"
    stages.perform(charter=str(charter), workspace=str(home), stage=stage, run_folder=str(home / "runs" / stage))
    found = Workspace(home).latest(stage)
    assert found is not None
    return found


def withdraw(charter: Path, ids: list[str]) -> None:
    """The entry that `freehold withdraw` writes."""
    entry = withdrawals.Entry(
        number=0,
        level="W3",
        kind="document",
        asked=ids[0],
        documents=tuple(withdrawals.Withdrawn(id=name, key="0" * 64) for name in ids),
        reason="bench",
        by="bench",
        date="2026-11-21",
    )
    withdrawals.append(charter.parent / "withdrawals.jsonl", entry, key=ec.derive_private_key(7, ec.SECP256R1()))


Text = Callable[[Shards, int], np.ndarray]


def other_text(shards: Shards, row: int) -> np.ndarray:
    """The tokens of other documents, as many as its own."""
    others = np.delete(np.arange(len(shards.lengths)), row)[:OTHERS]
    return np.resize(
        np.concatenate([shards.read(other, 0, int(shards.lengths[other])) for other in others]),
        int(shards.lengths[row]),
    )


def random_tokens(shards: Shards, row: int) -> np.ndarray:
    """Tokens drawn evenly."""
    return np.random.default_rng(row).integers(0, 2048, int(shards.lengths[row]))


def rewritten(tokens: Path, folder: Path, ids: list[str], text: Text) -> Path:
    """The shards with other content of equal length in some documents; order and lengths stay."""
    shutil.copytree(tokens, folder)
    plain, shards = Shards.open(tokens), Shards.open(folder)
    for row in (shards.documents.index(name) for name in ids):
        path = shards.paths[int(shards.shard_of[row])]
        held, start = np.fromfile(path, shards.dtype), int(shards.starts[row])
        held[start : start + int(shards.lengths[row])] = text(plain, row)
        held.tofile(path)
    return folder


def replayed(tokens: Path, recipe: Recipe, folder: Path) -> list[dict[str, Any]]:
    """The chain of a run from the seed over these tokens.

    The recipe's `data` stays the digest of the true shards: it enters the order, which is public, not the content.
    """
    folder.mkdir()
    batches = Curriculum(Shards.open(tokens), recipe)
    first = first_steps(batches, recipe.get("withdrawn", ()))
    cut_off = {name: step for name, step in first.items() if step is not None}
    progress = Progress(quiet=True)
    diary = follow(
        session_of(recipe),
        batches=batches,
        recipe=recipe,
        stage="train",
        folder=folder,
        progress=progress,
        cut_off=cut_off,
    )
    return diary.chain


def mask_seconds(tokens: Path, recipe: Recipe, *, rounds: int) -> dict[bool, float]:
    """Processor seconds of a step with and without document masks: the median of rounds taken in turns."""
    shards, took = Shards.open(tokens), dict[bool, list[float]]({True: [], False: []})
    runs = {}
    for masked in (True, False):
        plain = {key: value for key, value in recipe.items() if key != "withdrawn"} | {"document_mask": masked}
        runs[masked] = (plain, session_of(plain), Curriculum(shards, plain))
    for number in range(rounds + 1):
        for masked, (plain, session, batches) in runs.items():
            begun = time.process_time()
            learn(
                session.model,
                batches=batches,
                optimizer=session.optimizer,
                schedule=schedule_of(plain),
                guard=session.guard,
                first=2 * number,
                last=2 * number + 2,
                micro=plain["micro"],
                after=lambda _: None,
            )
            if number:  # the first round builds kernels
                took[masked].append((time.process_time() - begun) / 2)
    return {masked: statistics.median(seconds) for masked, seconds in took.items()}


def search_seconds(windows: int) -> float:
    """Processor seconds to find every use of five documents among so many windows of one language."""
    lengths = np.random.default_rng(1).integers(100, 2000, windows)
    part = Part(stream=Stream(np.arange(windows), lengths, key=3, block=512), window=512)
    begun = time.process_time()
    list(part.holding(range(0, windows, windows // WITHDRAWN), windows))
    return time.process_time() - begun


def measured(home: Path, *, quick: bool) -> list[Figure]:
    """Everything, in one workspace."""
    shape = {"depth": 2, "steps": 24, "kept": 8} if quick else {"depth": 3, "steps": 100, "kept": 20}
    charter = write_charter(home, documents=60 if quick else 300, **shape)
    perform(charter, "curate")
    tokens, old = perform(charter, "tokenize").path, perform(charter, "train")
    shards, recipe = Shards.open(tokens), json.loads((old.path / "recipe.json").read_bytes())
    first = first_steps(Curriculum(shards, recipe), shards.documents)
    late = sorted((step, name) for name, step in first.items() if step is not None and step > shape["steps"] // 2)
    ids = sorted(name for _, name in late[:WITHDRAWN])
    price = cost(charter=charter, workspace=home / ".freehold", documents=ids)
    withdraw(charter, ids)
    begun = time.process_time()
    new = perform(charter, "train")
    seconds = time.process_time() - begun
    after = json.loads((new.path / "recipe.json").read_bytes())
    chain_lines = (new.path / "chain.jsonl").read_bytes().splitlines()
    chains = [[json.loads(line) for line in chain_lines]]
    for name, text in (("other", other_text), ("random", random_tokens)):
        chains.append(replayed(rewritten(tokens, home / name, ids, text), after, home / f"run-{name}"))
    before = (old.path / "chain.jsonl").read_bytes().splitlines()
    kept = sum(one == other for one, other in zip(before, chain_lines, strict=True))
    mask = mask_seconds(tokens, after, rounds=3 if quick else 10)
    windows = 100_000 if quick else 1_000_000
    return [
        *figures_of(price, seconds=seconds, kept=kept, lines=len(before)),
        Figure(
            figure="weights with original, other and random text: same bits",
            value=float(len({rows[-1]["checkpoint"] for rows in chains})),
            unit="digests",
            goal="1",
            holds=all(rows == chains[0] for rows in chains),
        ),
        Figure(
            figure="weights before and after the withdrawal differ",
            value=float(json.loads(before[-1])["checkpoint"] != chains[0][-1]["checkpoint"]),
            unit="yes",
            goal="1",
            holds=json.loads(before[-1])["checkpoint"] != chains[0][-1]["checkpoint"],
        ),
        Figure(
            figure="a step with document masks, processor time",
            value=mask[True],
            unit="s",
            peer="without",
            ratio=mask[True] / mask[False],
            why=f"kernels {after['kernels']}, {after['precision']}, windows of {after['sequence']}, not compiled",
        ),
        Figure(figure=f"uses of 5 documents in {windows:,} windows found", value=search_seconds(windows), unit="s"),
    ]


def figures_of(price: Cost, *, seconds: float, kept: int, lines: int) -> list[Figure]:
    """What the withdrawal was said to cost, and did."""
    told = f"{price.verdict}; of {lines} lines of the chain {kept} stay byte for byte"
    return [
        Figure(figure="steps taken again, of all", value=price.share, unit="share", why=told),
        Figure(figure="the run again, processor time", value=seconds, unit="s"),
    ]


def main() -> None:
    """Print the figures; keep them if asked."""
    options = parser(__doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="freehold-withdraw-") as folder:
        figures = measured(Path(folder), quick=options.quick)
    report("withdraw", figures, options=options, repetitions=1)


if __name__ == "__main__":
    main()
