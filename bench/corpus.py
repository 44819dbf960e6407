"""A charter over a folder of JSON Lines shards, and the same folder enlarged with copies that are no duplicates."""

from __future__ import annotations

import io
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from freehold.text.signatures import unspaced

SMALLEST = 2_000_000  # bytes of text from which a language is one of the charter's
UNNAMED = {"und", "mul", "mis", "zxx"}
WORD, PIECE = 5, 12  # every fifth word, or four of twelve characters where no spaces are written, are noise
SPACES = re.compile(r"(\s+)")
WINDOW = 2**27  # bytes: long-range zstd

# The rules that the figures hold for, spelled out so that a later default does not change what was measured.
RULES = "default-2"
TABLES = """
[curate]
min_characters = 200
max_characters = 5_000_000
near_duplicate = 0.8
prefer = ["licence", "quality", "date"]
versions = "newest"
contaminated = "drop"
boilerplate = "report"
mixed = "keep"
recurring_lines = 0.2
max_lost = 0.1
held_out_bytes = 400_000
language_confidence = 0.5
[train]
tokens = 1_000_000
[release]
name = "bench"
"""
REDACTED = ("email", "phone", "iban", "card", "national-id", "ip", "imei", "crypto")
PACK = Path(__file__).parent.parent / "examples" / "commons" / "packs" / "citizenship.jsonl"


def shards(corpora: Path, *, quick: bool) -> list[Path]:
    """The shards of a folder; for a quick look every seventh, from the smallest on."""
    found = sorted(corpora.glob("*.jsonl.zst"))
    return sorted(sorted(found, key=lambda path: path.stat().st_size)[::7]) if quick else found


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a shard."""
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor(max_window_size=WINDOW).stream_reader(file)
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            yield json.loads(line)


def write_charter(folder: Path, paths: list[Path]) -> int:
    """Write a charter over the shards, a source for each group of names with the same beginning; bytes of text.

    Every licence that the records name is allowed, every language with enough text is one of the charter's.
    """
    languages: Counter[str] = Counter()
    licences: set[str] = set()
    total = 0
    for path in paths:
        for record in records(path):
            size = len(record["text"].encode())
            total += size
            languages[record.get("lang") or "und"] += size
            licences.add(record.get("licence") or "unknown")
    least = min(SMALLEST, total // 100)
    codes = [code for code, size in languages.items() if size >= least and code not in UNNAMED and len(code) == 3]
    quoted = ", ".join(json.dumps(each, ensure_ascii=False) for each in sorted(licences))
    redacted = ", ".join(json.dumps(each) for each in REDACTED)
    lines = ["format = 1", "[responsible]", 'name = "bench"', 'country = "DE"']
    for code in codes:
        lines += ["[[languages]]", f'code = "{code}"', f"share = {1 / len(codes):.6f}"]
    groups = sorted({path.name.split("-")[0] for path in paths})
    for group in groups:
        inside = folder / "sources" / group
        inside.mkdir(parents=True)
        for path in paths:
            if path.name.split("-")[0] == group:
                (inside / path.name).symlink_to(path.resolve())
        lines += ["[[sources]]", f'name = "{group}"', f'path = "sources/{group}/*.jsonl.zst"', 'origin = "bench"']
    lines += ["[policy]", f"licences = [{quoted}]", f"redact = [{redacted}]"]
    lines += ["[evaluate]", f"packs = [{json.dumps(str(PACK))}]"]
    (folder / "charter.toml").write_text("\n".join(lines) + TABLES, encoding="utf-8")
    return total


def enlarge(paths: list[Path], folder: Path, *, times: int) -> list[Path]:
    """Write every shard `times` over: the record itself, and copies whose noise keeps them from being duplicates."""
    folder.mkdir(parents=True)
    made = []
    for path in paths:
        made.append(folder / path.name)
        with made[-1].open("wb") as file, zstandard.ZstdCompressor(level=3).stream_writer(file) as stream:
            for record in records(path):
                for copy in range(times):
                    stream.write((json.dumps(copied(record, copy), ensure_ascii=False) + "\n").encode())
    return made


def copied(record: dict[str, Any], copy: int) -> dict[str, Any]:
    """A record's copy of that number; 0 is the record itself.

    Of two copies about a quarter of the shingles are the same, so that they are neither copies nor a family.
    """
    if copy == 0:
        return record
    chance = random.Random(f"{record['id']} {copy}")
    return record | {"id": f"{record['id']}#{copy}", "text": noisy(record["text"], chance)}


def noisy(text: str, chance: random.Random) -> str:
    """The text with words, or pieces of unspaced writing, from other places of itself: language and look stay.

    >>> noisy("eins zwei drei vier fünf sechs sieben acht neun zehn", random.Random(1)).split()[1:5]
    ['zwei', 'drei', 'vier', 'fünf']
    """
    if unspaced(text):
        return noisy_characters(text, chance)
    pieces = SPACES.split(text)
    words = [place for place in range(0, len(pieces), 2) if pieces[place] and not {"<", ">"} & set(pieces[place])]
    for place, source in zip(words[::WORD], chance.choices(words, k=len(words[::WORD])) if words else (), strict=True):
        pieces[place] = pieces[source]
    return "".join(pieces)


def noisy_characters(text: str, chance: random.Random) -> str:
    """Unspaced writing with four of twelve characters from another place of the text, line ends and tags kept."""
    flat = text.replace("\n", "")
    if len(flat) < 2 * PIECE or "<" in text:
        return text
    parts = []
    for start in range(0, len(text), PIECE):
        source = chance.randrange(len(flat) - 4)
        old = text[start : start + 4]
        parts.append(old if "\n" in old or len(old) < 4 else flat[source : source + 4])
        parts.append(text[start + 4 : start + PIECE])
    return "".join(parts)
