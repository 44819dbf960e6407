"""What the journey measured and declared, read once from its artifacts, with a clear word where something lacks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.release.gguf_file import obstacle
from freehold.stages.release.languages import english_name
from freehold.stages.release.weights import tensors_of_folder

JsonTable = Mapping[str, Any]

# Without these a release would not say what it is made of.
NEEDED = {
    "curate": ("sources.jsonl", "ledger.parquet", "documents.smt"),
    "tokenize": ("fairness.json",),
    "train": ("recipe.json", "chain.jsonl", "curve.jsonl"),
    "refine": (
        "chain.jsonl",
        "model/config.json",
        "model/tokenizer.json",
        "model/tokenizer_config.json",
        "model/chat_template.jinja",
    ),
    "evaluate": ("results.json", "answers.jsonl", "completions.jsonl"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An amount of text."""

    documents: int
    size_bytes: int  # UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFacts:
    """The open model that training went on from."""

    name: str  # of its folder
    licence: str
    weights: str  # SHA-256: of the file, or of the table of several
    new_tokens: int
    frozen: tuple[str, ...]
    fertility: JsonTable  # language → what a word cost before the new tokens, and costs now


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """One release in figures; JSON values as the stages left them."""

    name: str
    version: str
    licence: str
    responsible: str
    country: str
    contact: str
    languages: tuple[str, ...]  # ISO 639-3, in the charter's order
    redacted: tuple[str, ...]  # kinds of personal data that curation looked for
    names: str | None  # what looked for names of people; None: nothing did
    config: JsonTable  # the model's config.json
    parameters: int  # stored numbers
    precision: str  # of most of them: "F32", "F16" or "BF16"
    no_gguf: str | None  # why the release holds no GGUF file; None: it holds one
    sources: tuple[JsonTable, ...]
    text: Mapping[tuple[str, str], Text]  # (language, licence) → what training draws from
    drops: Mapping[str, int]  # reason → documents left out
    fairness: JsonTable
    base: BaseFacts | None  # None: trained from random weights
    recipe: JsonTable
    curve: tuple[JsonTable, ...]
    segments: int  # of the training chain, both stages
    bits_per_byte: Mapping[str, JsonTable]  # language → {model, xz, ngram5, bytes}
    choice: Mapping[str, JsonTable]  # pack → {accuracy, low, high, n, chance}
    completions: tuple[JsonTable, ...]
    memorisation: JsonTable  # what it knows by heart; empty where that was not measured

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


def read_facts(stage: Stage) -> Facts:
    """Read every artifact. Raises InputError naming stage, file and what is missing there."""
    for name, files in NEEDED.items():
        for file in files:
            if not (stage.input(name) / file).is_file():
                raise lacks(name, file, "is missing")
    charter = stage.charter
    model = stage.input("refine") / "model"
    if not (tensors := tensors_of_folder(model)):
        raise lacks("refine", "model/model.safetensors", "is missing")
    stored = Counter[str]()
    for tensor in tensors.values():
        stored[tensor.precision] += tensor.size
    results = table(stage, "evaluate", "results.json")
    with whole("evaluate", "results.json"):
        measured, choice = results["bits_per_byte"], results["choice"]
        for found in measured.values():
            _ = [float(found[key]) for key in ("model", "xz", "ngram5", "bytes")]
    return Facts(
        name=charter.release.name,
        version=charter.release.version,
        licence=charter.release.licence,
        responsible=charter.responsible.name,
        country=charter.responsible.country,
        contact=charter.responsible.contact,
        languages=tuple(language.code for language in charter.languages),
        redacted=charter.policy.redact,
        names=charter.policy.names,
        config=table(stage, "refine", "model/config.json"),
        parameters=sum(stored.values()),
        precision=stored.most_common(1)[0][0],
        no_gguf=obstacle(model),
        sources=rows(stage, "curate", "sources.jsonl"),
        text=text_read(stage.input("tokenize")),
        drops=drops(stage.input("curate") / "ledger.parquet"),
        fairness=table(stage, "tokenize", "fairness.json"),
        base=base_facts(stage),
        recipe=table(stage, "train", "recipe.json"),
        curve=rows(stage, "train", "curve.jsonl"),
        segments=sum(len(rows(stage, name, "chain.jsonl")) for name in ("train", "refine")),
        bits_per_byte=measured,
        choice=choice,
        completions=rows(stage, "evaluate", "completions.jsonl"),
        memorisation=memorised(stage),
    )


def memorised(stage: Stage) -> JsonTable:
    """The evaluation's memorisation.json without its rows."""
    name = "memorisation.json"
    if not (stage.input("evaluate") / name).is_file():
        return {}
    found = table(stage, "evaluate", name)
    with whole("evaluate", name):
        for rows_by_times in found.get("passages", {}).values():
            _ = [float(row[key]) for row in rows_by_times.values() for key in ("verbatim", "mean_tokens", "passages")]
        for row in found.get("canaries", {}).values():
            _ = [float(row[key]) for key in ("exposure", "estimate", "extracted", "canaries", "read")]
    return {key: value for key, value in found.items() if not key.endswith("rows")}


def base_facts(stage: Stage) -> BaseFacts | None:
    """The base as charter, tokenizer and recipe tell of it."""
    declared = stage.charter.base
    if declared is None:
        return None
    recipe, extended = table(stage, "train", "recipe.json"), table(stage, "tokenize", "tokenize.json")
    with whole("tokenize", "tokenize.json"):
        return BaseFacts(
            name=stage.charter.base_folder.name,
            licence=declared.licence or "unknown",
            weights=str(recipe["base"]),
            new_tokens=int(extended["base"]["new_tokens"]),
            frozen=tuple(recipe["frozen"]),
            fertility=dict(extended["base"]["fertility"]),
        )


def lacks(stage: str, file: str, what: str) -> InputError:
    """The complaint about an artifact that is not whole."""
    advice = f"make it anew: freehold gc, then freehold run CHARTER --until {stage}"
    return InputError(f"{file} {what}", where=f"artifact of {stage}", remedy=advice)


@contextmanager
def whole(stage: str, file: str) -> Iterator[None]:
    """Turn a missing or odd value of an artifact's file into a complaint that names it."""
    try:
        yield
    except KeyError as missing:
        raise lacks(stage, file, f"has no {missing.args[0]!r}") from None
    except (TypeError, ValueError, AttributeError) as error:
        raise lacks(stage, file, f"is not as expected: {error}") from None


def table(stage: Stage, name: str, file: str) -> JsonTable:
    """One JSON object. Raises InputError if the file holds anything else."""
    with whole(name, file):
        found = json.loads((stage.input(name) / file).read_bytes())
    if not isinstance(found, dict):
        raise lacks(name, file, "is no JSON object")
    return found


def rows(stage: Stage, name: str, file: str) -> tuple[JsonTable, ...]:
    """One JSON object a line. Raises InputError if a line holds anything else."""
    with whole(name, file), (stage.input(name) / file).open(encoding="utf-8") as lines:
        return tuple(dict(json.loads(line)) for line in lines if line.strip())


def drops(ledger: Path) -> dict[str, int]:
    """How many documents were left out for which reason, most frequent first; reads one column in pieces."""
    counts = Counter[str]()
    with whole("curate", ledger.name), pq.ParquetFile(ledger) as file:
        for batch in file.iter_batches(columns=["reason"]):
            for entry in batch.column(0).value_counts().to_pylist():
                counts[str(entry["values"])] += entry["counts"]
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def text_read(tokenize: Path) -> dict[tuple[str, str], Text]:
    """What training draws from, per language and licence, largest first; from the sidecars of the shards."""
    documents, sizes = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    sidecars = sorted((tokenize / "shards").glob("*.parquet"))
    if not sidecars:
        raise lacks("tokenize", "shards", "has no sidecar")
    for path in sidecars:
        with whole("tokenize", f"shards/{path.name}"):
            rows = pq.read_table(path, columns=["language", "licence", "bytes"])
            sums = rows.group_by(["language", "licence"]).aggregate([("bytes", "sum"), ("bytes", "count")])
        for row in sums.to_pylist():
            place = (str(row["language"]), str(row["licence"]))
            documents[place] += row["bytes_count"]
            sizes[place] += row["bytes_sum"]
    order = sorted(sizes, key=lambda place: (-sizes[place], place))
    return {place: Text(documents=documents[place], size_bytes=sizes[place]) for place in order}


def fairness_rows(facts: Facts) -> list[tuple[str, str, str, str]]:
    """Language, premium, fertility with its unit and bytes per token, as they are printed."""
    return [
        (
            english_name(code),
            f"{row['premium']:.2f}",
            f"{row['fertility']:.2f} a {row['unit']}",
            f"{row['bytes_per_token']:.2f}",
        )
        for code, row in facts.fairness["languages"].items()
    ]


def fertility_rows(base: BaseFacts) -> list[tuple[str, str, str, str]]:
    """Language, tokens a word (or character) before and after the new tokens, and the change, as they are printed."""
    return [
        (
            english_name(code),
            f"{row['fertility_before']:.2f} a {row['unit']}",
            f"{row['fertility_after']:.2f}",
            f"{100 * (row['fertility_after'] / row['fertility_before'] - 1):+.1f} %",
        )
        for code, row in base.fertility.items()
    ]
