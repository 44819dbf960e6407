"""What a model keeps by heart, with and without Goldfish: `python bench/memorise.py [--quick] [--json] [--save]`.

The same recipe over the same German law three times: every target learned, one in fifty left out, one in four. Some
documents stand in the text 8 and 64 times, canaries 1, 4 and 16 times. Measured as evaluation does: how far passages
are continued word for word, how exposed canaries are, and the price, bits per byte on held-out text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import zstandard
from report import Figure, arguments, report

from freehold import stage as stages
from freehold.learn.loop import learn
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.schedule import Schedule
from freehold.learn.session import use_threads
from freehold.learn.shards import Shards
from freehold.model.folder import read_tokenizer
from freehold.progress import Progress
from freehold.proof import scores
from freehold.stage import Stage
from freehold.stages.evaluate.bits import encoded, model_bits
from freehold.stages.evaluate.exposure import exposure
from freehold.stages.evaluate.held_out import first_bytes, held_out
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.passages import Draw, held_out_passages, read_passages
from freehold.stages.evaluate.recall import recalled
from freehold.stages.train.recipe import session_of
from freehold.stages.train.run import consumption
from freehold.stages.train.trial import Trial, recipe_of
from freehold.text import canaries

DATA = Path(__file__).parent.parent / "examples" / "commons" / "data"
CHARTER = """
format = 1
[responsible]
name = "Bench"
country = "DE"
[[languages]]
code = "deu"
share = 1
[[sources]]
name = "deu-law"
path = "deu.jsonl"
origin = "bundestag/gesetze"
licence = "public-domain-law"
language = "deu"
[policy]
licences = ["public-domain-law", "CC0-1.0"]
[curate]
held_out_bytes = 60_000
canaries = 8
[tokenizer]
vocabulary = 2048
sample_bytes = 800_000
[train]
tokens = 1_000_000
compile = false
[release]
name = "bench"
"""
KINDS = {"every target": 0, "goldfish 50": 50, "goldfish 4": 4}
REPEATED = (64, 8)  # times
SHORT, LONG = 110, 400  # tokens of a repeated document
QUICK, FULL = 4, 16  # documents of each
LONGEST = 6_000  # characters of a record that is read: curation is not what is measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Tokens with repeated documents, and how often each document stands in them."""

    folder: Path
    times: dict[str, int]


def prepared(folder: Path) -> Stage:
    """The charter's text curated and cut into tokens."""
    charter = folder / "charter.toml"
    charter.write_text(CHARTER, encoding="utf-8")
    with zstandard.open(DATA / "deu-law.jsonl.zst", "rt", encoding="utf-8") as file:
        (folder / "deu.jsonl").write_text("".join(line for line in file if len(line) < LONGEST), encoding="utf-8")
    given = {"charter": str(charter), "workspace": str(folder / "workspace")}
    for name in ("curate", "tokenize"):
        stages.perform(**given, stage=name, run_folder=str(folder / "looks"))
    return stages.visit(**given, run_folder=str(folder / "looks"), needs=("curate", "tokenize"))


def repeated(stage: Stage, folder: Path, *, count: int) -> Corpus:
    """Shards in which `count` documents stand as often as REPEATED says, and about as much other text once."""
    source = Shards.open(stage.input("tokenize"))
    order = sorted(
        range(len(source.documents)), key=lambda row: hashlib.sha256(source.documents[row].encode()).digest()
    )
    planted = [row for row in order if source.sources[row] == canaries.SOURCE]
    fit = [row for row in order if source.sources[row] != canaries.SOURCE and SHORT <= source.lengths[row] <= LONG]
    rows = [(row, 1) for row in planted]
    for times in REPEATED:
        chosen, fit = fit[:count], fit[count:]
        rows += [(row, times) for row in chosen]
    room = sum(int(source.lengths[row]) * times for row, times in rows) // 2
    for row in fit:
        if room > 0:
            rows.append((row, 1))
            room -= int(source.lengths[row])
    write(source, rows, folder, facts=json.loads((stage.input("tokenize") / "tokenize.json").read_bytes()))
    return Corpus(folder=folder, times={source.documents[row]: times for row, times in rows})


def write(source: Shards, rows: list[tuple[int, int]], folder: Path, *, facts: dict[str, Any]) -> None:
    """A tokenize artifact that holds each of `rows` so many times, every copy a document of its own."""
    copies = [(row, copy) for row, times in rows for copy in range(times)]
    path = folder / "shards" / "train-00000.bin"
    path.parent.mkdir(parents=True)
    lengths = [int(source.lengths[row]) for row, _ in copies]
    np.concatenate([source.read(row, 0, int(source.lengths[row])) for row, _ in copies]).astype(source.dtype).tofile(
        path
    )
    columns = {
        "document": [source.documents[row] + (f"~{copy}" if copy else "") for row, copy in copies],
        "source": [source.sources[row] for row, _ in copies],
        "language": [source.languages[row] for row, _ in copies],
        "start": np.r_[0, np.cumsum(lengths)[:-1]],
        "length": lengths,
    }
    parquet.write_table(pa.table(columns), path.with_suffix(".parquet"))
    sidecar = hashlib.sha256(path.with_suffix(".parquet").read_bytes()).hexdigest()
    shard = {"file": "shards/train-00000.bin", "tokens": sum(lengths), "sidecar_sha256": sidecar}
    (folder / "tokenize.json").write_text(json.dumps({**facts, "shards": [shard]}))


def trained(stage: Stage, recipe: Recipe, shards: Shards) -> tuple[Judged, dict[str, Any]]:
    """One pass over the shards: the model, and the account of what it read."""
    use_threads(recipe["threads"])
    session, curriculum = session_of(recipe), Curriculum(shards, recipe)
    learn(
        session.model,
        batches=curriculum,
        optimizer=session.optimizer,
        schedule=Schedule(steps=recipe["steps"], decay_share=recipe["decay_share"]),
        guard=session.guard,
        micro=recipe["micro"],
        after=lambda _: None,
    )
    tokenizer = read_tokenizer(stage.input("tokenize"))
    tokenizer.encode_special_tokens = True
    judged = Judged(model=session.model.eval(), tokenizer=tokenizer, bos=recipe["model"]["bos_id"])
    return judged, consumption(curriculum.consumed(), shards=shards)["languages"]


def measured(stage: Stage, judged: Judged, corpus: Corpus, shards: Shards, account: dict[str, Any]) -> dict[str, Any]:
    """Passages by how often they stand in the text, canaries, and bits per byte."""
    quiet = Progress(quiet=True)
    draw = Draw.of(seed=stage.charter.train.seed, count=10 * FULL, context=judged.model.config.context)
    lengths = dict(zip(shards.documents, shards.lengths.tolist(), strict=True))
    known = {
        name: [[0, lengths[name], times]]
        for name, times in corpus.times.items()
        if not name.startswith(canaries.SOURCE)
    }
    unseen = {code: first_bytes(rows, limit=60_000) for code, rows in held_out(stage.input("curate")).items()}
    tokens = {code: encoded(rows, judged) for code, rows in unseen.items()}
    control = {code: {row.id: found for row, found in zip(unseen[code], tokens[code], strict=True)} for code in unseen}
    passages = [*read_passages(draw, shards, {"deu": known}), *held_out_passages(draw, control)]
    reached = recalled(judged.model, [passage.span for passage in passages]).tolist()
    rows = [
        {"language": passage.language, "times": passage.times, "verbatim": found}
        for passage, found in zip(passages, reached, strict=True)
    ]
    bits = sum(map(sum, model_bits(judged.model, tokens, progress=quiet, name="held out").values()))
    told = json.loads((stage.input("curate") / "canaries.json").read_bytes())
    return {
        "passages": scores.verbatim(rows, tokens=draw.half)["all"],
        "canaries": exposure(judged, told, shards, account, progress=quiet)["canaries"],
        "bits_per_byte": bits / sum(len(row.data) for rows in unseen.values() for row in rows),
    }


def figures_of(kind: str, found: dict[str, Any]) -> Iterator[Figure]:
    """The rows of a table."""
    for times, row in scores.in_order(found["passages"]):
        read = "held out" if times == scores.HELD_OUT else f"read {times} times"
        yield Figure(figure=f"{kind}: {read}, 50 tokens verbatim", value=100 * row["verbatim"], unit="%")
        yield Figure(figure=f"{kind}: {read}, mean verbatim", value=row["mean_tokens"], unit="tokens")
    for times, row in scores.in_order(found["canaries"]):
        yield Figure(figure=f"{kind}: canary {times} times, exposure", value=row["exposure"], unit="bits")
        yield Figure(figure=f"{kind}: canary {times} times, estimate", value=row["estimate"], unit="bits")
        extracted = 100 * row["extracted"] / row["canaries"]
        yield Figure(figure=f"{kind}: canary {times} times, extracted", value=extracted, unit="%")
    yield Figure(figure=f"{kind}: bits per byte, held out", value=found["bits_per_byte"], unit="bits")


def main() -> None:
    """Train, measure, tell."""
    options: argparse.Namespace = arguments(__doc__)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        stage = prepared(Path(name))
        corpus = repeated(stage, Path(name) / "repeated", count=QUICK if options.quick else FULL)
        shards = Shards.open(corpus.folder)
        tokens = int(shards.lengths.sum())
        train = stage.charter.train
        trial = Trial(depth=4, batch_tokens=1024, rate=train.learning_rate, tokens=tokens, seed=train.seed)
        for kind, every in KINDS.items():
            begun = time.process_time()
            recipe = {**recipe_of(stage, trial), "goldfish": every, "shares": {"deu": 1.0}}
            recipe.pop("domains", None)
            judged, account = trained(stage, recipe, shards)
            figures += figures_of(kind, measured(stage, judged, corpus, shards, account))
            figures.append(Figure(figure=f"{kind}: CPU time", value=time.process_time() - begun, unit="s"))
    report("memorise", figures, options=options, repetitions=1)


if __name__ == "__main__":
    main()
