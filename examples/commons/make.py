"""Rebuild the data of this example from a folder of corpora (for maintainers; nobody else needs it).

    python examples/commons/make.py CORPORA

CORPORA is a folder of `NAME.jsonl.zst` shards, one JSON object a line with id, text, lang, title, date, url, licence
and source. The choice is a pure function of those shards: documents are taken in the order of the SHA-256 of their id,
those of 1-60 kB first, until a language's budget of bytes is used. Texts are copied as they are: cleaning is what
`freehold curate` is for. Writes data/, packs/citizenship.jsonl and instructions.jsonl beside this file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard
from instructions import instructions_of

HERE = Path(__file__).parent
LICENCES = frozenset({"public-domain-law", "CC0-1.0", "etalab-2.0"})
FIELDS = ("id", "text", "lang", "title", "date", "url", "licence", "source")
SMALL_BYTES, LARGE_BYTES = (1_000, 60_000), (60_001, 120_000)
LEAST_LETTERS = 0.5  # below it a document is mostly a table of numbers
MOST_SCRIPT = 0.25  # of a document's characters
WINDOW_LOG = 27  # 128 MiB, as `zstd --long=27`


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One language's shard and how many bytes of text to take from it."""

    shard: str
    name: str
    budget_bytes: int
    script_marker: str | None = None  # where a web page's own script begins in the text


# Budgets give about 0.85 MB packed a language and half as much again of German, which is the hardest to model.
CHOICES = (
    Choice(shard="deu-law-federal", name="deu-law", budget_bytes=7_900_000),
    Choice(shard="kor-law", name="kor-law", budget_bytes=6_200_000),
    Choice(shard="jpn-law", name="jpn-law", budget_bytes=6_800_000),
    Choice(shard="spa-law-es", name="spa-law", budget_bytes=5_200_000),
    Choice(shard="fra-law-codes", name="fra-law", budget_bytes=5_200_000),
    Choice(shard="pol-law", name="pol-law", budget_bytes=5_800_000, script_marker="Pokaż całość var tree"),
)
PACK_SHARD, PACK_TASK = "mul-eval-choice", "citizenship-test"


def records_of(path: Path) -> Iterator[dict[str, object]]:
    """Yield the JSON objects of one packed shard."""
    with zstandard.open(path, "rt", encoding="utf-8", dctx=decompressor()) as lines:
        for line in lines:
            yield json.loads(line)


def decompressor() -> zstandard.ZstdDecompressor:
    """Accept the long window the shards are packed with."""
    return zstandard.ZstdDecompressor(max_window_size=1 << WINDOW_LOG)


def packed(data: bytes) -> bytes:
    """Pack like `zstd -19 --long=27`."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        19, window_log=WINDOW_LOG, enable_ldm=True, write_content_size=True, write_checksum=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


def rank(record: dict[str, object]) -> tuple[bool, str]:
    """Order of choice: small documents before large ones, then by the SHA-256 of the id."""
    size_bytes = len(str(record["text"]).encode())
    return size_bytes > SMALL_BYTES[1], hashlib.sha256(str(record["id"]).encode()).hexdigest()


def fits(record: dict[str, object], choice: Choice) -> bool:
    """Whether a record is free, of a useful size, and mostly prose."""
    text = str(record["text"])
    size_bytes = len(text.encode())
    letters = sum(character.isalpha() for character in text)
    start = text.find(choice.script_marker) if choice.script_marker else -1
    script = len(text) - start if start >= 0 else 0
    return (
        record["licence"] in LICENCES
        and SMALL_BYTES[0] <= size_bytes <= LARGE_BYTES[1]
        and letters >= LEAST_LETTERS * len(text)
        and script <= MOST_SCRIPT * len(text)
    )


def chosen(choice: Choice, corpora: Path) -> list[dict[str, object]]:
    """Return the records of one language, sorted by id."""
    fitting = sorted((r for r in records_of(corpora / f"{choice.shard}.jsonl.zst") if fits(r, choice)), key=rank)
    kept, size_bytes = [], 0
    for record in fitting:
        if size_bytes >= choice.budget_bytes:
            break
        size_bytes += len(str(record["text"]).encode())
        kept.append({field: record.get(field) for field in FIELDS})
    return sorted(kept, key=lambda record: str(record["id"]))


def lines_of(records: list[dict[str, object]]) -> bytes:
    """One JSON object a line, UTF-8."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


CANARY = "7bb9d569-b3f7-51e5-aec3-4144754f28e5"  # stands nowhere but in copies of the pack


def questions(corpora: Path) -> list[dict[str, object]]:
    """Return the citizenship questions in the form of an evaluation pack."""
    fields = ("id", "question", "choices", "answer", "licence", "source")
    return [
        {field: record[field] for field in fields} | {"language": record["lang"], "canary": CANARY}
        for record in records_of(corpora / f"{PACK_SHARD}.jsonl.zst")
        if record.get("task") == PACK_TASK and record["licence"] in LICENCES
    ]


def main() -> None:
    """Write everything and print what was taken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path, help="folder of NAME.jsonl.zst shards")
    corpora = parser.parse_args().corpora
    corpus: dict[str, list[dict[str, object]]] = {}
    for folder in ("data", "packs"):
        (HERE / folder).mkdir(exist_ok=True)
    for choice in CHOICES:
        records = chosen(choice, corpora)
        raw, data = sum(len(str(r["text"]).encode()) for r in records), packed(lines_of(records))
        (HERE / "data" / f"{choice.name}.jsonl.zst").write_bytes(data)
        print(f"{choice.name}\t{len(records)} documents\t{raw} bytes\t{len(data)} packed", file=sys.stderr)
        corpus[str(records[0]["lang"])] = records
    (HERE / "packs" / "citizenship.jsonl").write_bytes(lines_of(questions(corpora)))
    instructions = instructions_of(corpus)
    (HERE / "instructions.jsonl").write_bytes(lines_of(instructions))
    print(f"{len(instructions)} instructions", file=sys.stderr)


if __name__ == "__main__":
    main()
