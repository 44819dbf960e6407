"""Tokenize: learn a vocabulary that serves the charter's languages alike, then write the corpus as tokens.

With a base, its tokenizer is taken instead, and extended where the charter asks for new tokens. Leaves tokenizer.json
with what Hugging Face readers need, fairness.json, and shards of tokens in the order (language, document id) whose
sidecars map any token to its document, source, licence and language.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from freehold import charter as charters
from freehold.errors import InputError
from freehold.proof.digests import sha256_file
from freehold.records import canonical_json
from freehold.stage import Stage
from freehold.stages.tokenize import fairness, foundation, sample, shards, vocabulary
from freehold.stages.tokenize.corpus import census
from freehold.stages.tokenize.encode import encode, token_lists, token_type
from freehold.stages.tokenize.scheme import Scheme
from freehold.store.atomic import place

FORMAT = 1
MEASURED_BYTES = 400_000  # of text per language in the fairness table


def run(stage: Stage) -> None:
    """Learn, measure, encode, and cut into shards."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # its threads change speed, never the result
    corpus = stage.input("curate") / "documents"
    counted = census(corpus)
    for code in sorted({language.code for language in stage.charter.languages} - present(counted)):
        stage.progress.note(f"no document of the corpus is in {code}: the tokenizer cannot learn it")
    scheme, before = obtain(stage, counted)
    texts, seen = measured_texts(stage, counted)
    served = measure(scheme, texts, seen=seen)
    table, paths, dtype = write_shards(stage, scheme, counted)
    stage.put("fairness.json", canonical_json(served))
    summary = describe(table, paths, dtype=dtype, scheme=scheme, documents=len(counted))
    if before is not None:
        stage.put("extension.json", canonical_json(foundation.account(scheme)))
        summary["base"] = foundation.compared(before, scheme, measure(before, texts, seen=seen), served)
    stage.put("tokenize.json", canonical_json(summary))
    stage.figures.update(figures(summary, served, counted))


def present(counted: pa.Table) -> set[str]:
    """The languages that have documents."""
    return set(counted.column("language").to_pylist())


def obtain(stage: Stage, counted: pa.Table) -> tuple[Scheme, Scheme | None]:
    """The tokenizer with its companion files, made unless a killed run left it; and the base's as it came, if any."""
    sampled = partial(fed, stage, sample.choose(counted, total=stage.charter.tokenizer.sample_bytes))
    if stage.charter.base is not None:
        return foundation.take(stage, sampled)
    return learned(stage, sampled), None


def learned(stage: Stage, sampled: Callable[[int], Iterator[str]]) -> Scheme:
    """Our own tokenizer. Raises InputError when the corpus supports fewer tokens than the charter asks for."""
    wanted, path = stage.charter.tokenizer.vocabulary, stage.output / "tokenizer.json"
    if not path.exists():
        found = vocabulary.learn(sampled(wanted), size=wanted)
        if (size := found.get_vocab_size()) < wanted:
            raise InputError(
                f"a vocabulary of {wanted} is larger than the data supports: it gives {size} tokens",
                where=charters.where(stage.charter.path, ("tokenizer", "vocabulary")),
                remedy=f"set it to at most {size}, raise sample_bytes or add documents",
            )
        place(path, found.to_str(pretty=False).encode(), scratch=stage.scratch)
    stage.put("tokenizer_config.json", vocabulary.settings())
    stage.put("chat_template.jinja", vocabulary.CHAT_TEMPLATE.encode())
    return Scheme.own(path)


def fed(stage: Stage, chosen: dict[str, int], wanted: int) -> Iterator[str]:
    """The sample's texts, with a bar; `wanted` tokens are learned after the last of them."""
    with stage.progress.task("sample", total=round(sum(chosen.values()) / 1e6, 3), unit="MB") as task:
        for _, text in sample.texts(stage.input("curate") / "documents", chosen):
            yield text
            task.advance(len(text.encode()) / 1e6)
    stage.progress.note(f"learning {wanted:,} tokens from {len(chosen):,} documents")


def measured_texts(stage: Stage, counted: pa.Table) -> tuple[dict[str, str], frozenset[str]]:
    """Text per language for the fairness table: held-out, and for a language without any what was learned from.

    The second value names the languages of the latter kind.
    """
    texts: dict[str, str] = {}
    held_out = stage.input("curate") / "held_out"
    if any(held_out.glob("*.parquet")) and (unseen := counted_or_none(held_out)) is not None:
        texts = joined(held_out, unseen)
    seen = frozenset(present(counted) - set(texts))
    if seen:
        rest = counted.filter(pc.is_in(counted.column("language"), value_set=pa.array(sorted(seen))))
        texts |= joined(stage.input("curate") / "documents", rest)
    texts = {language: text for language, text in texts.items() if text.strip()}
    if not texts:
        raise InputError("no document holds any text", remedy="add documents to the charter's sources")
    return texts, seen


def measure(scheme: Scheme, texts: dict[str, str], *, seen: frozenset[str]) -> dict[str, Any]:
    """The fairness table of a tokenizer."""
    dtype = token_type(scheme.rows)
    tokens = {language: len(token_lists(scheme, [text], dtype=dtype)[0]) - 1 for language, text in texts.items()}
    return fairness.table(texts, tokens, seen=seen)


def counted_or_none(folder: Path) -> pa.Table | None:
    """The census of a folder that may be empty."""
    try:
        return census(folder)
    except InputError:
        return None


def joined(folder: Path, counted: pa.Table) -> dict[str, str]:
    """At most MEASURED_BYTES of text per language: equal sizes, for a longer text is compressed better."""
    chosen = sample.choose(counted, total=MEASURED_BYTES * len(present(counted)))
    found: dict[str, list[str]] = {}
    for language, text in sample.texts(folder, chosen):
        found.setdefault(language, []).append(text)
    return {
        language: "\n\n".join(texts).encode()[:MEASURED_BYTES].decode(errors="ignore")
        for language, texts in found.items()
    }


def write_shards(stage: Stage, scheme: Scheme, counted: pa.Table) -> tuple[pa.Table, list[Path], Any]:
    """Encode every document, then lay the tokens down in order. Returns the sidecar's rows, the shards, their dtype."""
    corpus, dtype = stage.input("curate") / "documents", token_type(scheme.rows)
    megabytes = round(sum(counted.column("bytes").to_pylist()) / 1e6, 3)
    with stage.progress.task("encode", total=megabytes, unit="MB") as task:
        lots = encode(scheme, corpus, counted, scratch=stage.scratch, task=task)
    table = shards.order(counted, lots)
    if table.num_rows == 0:
        raise InputError("no document holds any text", remedy="add documents to the charter's sources")
    total = sum(table.column("length").to_pylist())
    with stage.progress.task("shards", total=total, unit="tok") as task:
        paths = shards.assemble(table, lots, stage.output / "shards", dtype=dtype, scratch=stage.scratch, task=task)
    return table, paths, dtype


def describe(table: pa.Table, paths: Sequence[Path], *, dtype: Any, scheme: Scheme, documents: int) -> dict[str, Any]:
    """tokenize.json: everything a reader of the shards needs."""
    width = dtype.itemsize
    streams = shards.streams(table, paths)
    by_language = {language: sum(run["tokens"] for run in runs) for language, runs in streams.items()}
    return {
        "format": FORMAT,
        "dtype": {2: "uint16", 4: "uint32"}[width],
        "vocabulary": scheme.rows,
        "bos": scheme.bos,
        "eos": scheme.eos,
        "pad": scheme.pad,
        "special": scheme.special,
        "documents": table.num_rows,
        "zero_token_documents": documents - table.num_rows,
        "tokens": sum(by_language.values()),
        "tokens_by_language": by_language,
        "tokens_by_source": shards.by_source(table),
        "streams": streams,
        "shards": [
            {
                "file": f"shards/{path.name}",
                "sha256": sha256_file(path),
                "sidecar_sha256": sha256_file(path.with_suffix(".parquet")),
                "tokens": path.stat().st_size // width,
            }
            for path in paths
        ],
    }


def figures(summary: dict[str, Any], served: dict[str, Any], counted: pa.Table) -> dict[str, Any]:
    """What the person sees at the end and the attestation keeps."""
    shown = ("fertility", "unit", "bytes_per_token", "premium")
    languages = {code: {name: row[name] for name in shown} for code, row in served["languages"].items()}
    return {
        "vocabulary": summary["vocabulary"],
        **summary.get("base", {}),
        "documents": summary["documents"],
        "zero_token_documents": summary["zero_token_documents"],
        "tokens": summary["tokens"],
        "bytes_per_token": round(sum(counted.column("bytes").to_pylist()) / summary["tokens"], 4),
        "tokens_by_language": summary["tokens_by_language"],
        "fairness": languages,
        "gini": served["gini"],
    }
