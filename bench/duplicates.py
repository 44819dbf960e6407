"""Near-duplicates planted among real texts and found again: recall, precision, CPU seconds, and datatrove beside it.

    python bench/duplicates.py --corpora FOLDER --peer PYTHON

FOLDER holds JSON Lines (zst) with `id`, `text` and `lang`; the Thai texts are NTREX, UDHR and XQuAD paragraphs joined
into documents of 300 to 900 characters, since no Thai documents are there. Every original has one copy, with 5, 10 or
15 % of its words (of its characters in Japanese and Thai) edited: a third each substituted, inserted, deleted.
PYTHON is one that has datatrove; it gets the same texts with spaces round what counts as a token.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import zstandard
from rapidfuzz.distance import Indel
from report import Figure, parser, report

from freehold.stages.curate.duplicates import compare
from freehold.stages.curate.parts import JUDGED, write_table
from freehold.text.scripts import UNSPACED_CHARACTER
from freehold.text.signatures import WIDTH, digest, sketch, unspaced
from freehold.text.tokens import tokens, windows

SHARDS: Final = {
    "deu": ("deu-law-federal", "deu-parl-bundestag", "deu-law-ch"),
    "kor": ("kor-law", "kor-misc-boddari"),
    "jpn": ("jpn-law", "jpn-lit-aozora"),
    "tha": ("mul-ntrex", "mul-udhr", "mul-eval-open"),
}
SHARES: Final = (0.05, 0.1, 0.15)
THRESHOLD: Final = 0.8
CHARACTERS: Final = (300, 20_000)  # of an original
PART: Final = 500  # documents
# Of datatrove: its own default, and what finds 15 % edits too (windows and bands as ours).
SETTINGS: Final = {"default": (5, 14, 8), "as ours": (2, 42, 3)}
NATURAL: Final = 0.8  # of the characters, in order, from which two originals count as natural duplicates
PEER: Final = Path(__file__).parent / "peers" / "datatrove_minhash.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A text of the pool; copies name their original and the share of their tokens that was edited."""

    id: str
    language: str
    text: str
    original: str
    share: float


def texts_of(language: str, corpora: Path) -> Iterator[str]:
    """Real texts of a language, from its shards in turn."""
    streams = [shard(corpora / f"{name}.jsonl.zst", language) for name in SHARDS[language]]
    if language == "tha":
        yield from joined(text for stream in streams for text in stream)
        return
    while streams:
        for stream in list(streams):
            text = next(stream, None)
            if text is None:
                streams.remove(stream)
            elif CHARACTERS[0] <= len(text) <= CHARACTERS[1]:
                yield text


def shard(path: Path, language: str) -> Iterator[str]:
    """The texts of one language in a shard; of reading comprehension the passages, each once."""
    seen = set()
    with path.open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor(max_window_size=1 << 28).stream_reader(file), "utf-8"):
            row = json.loads(line)
            text = row.get("context") or row["text"]
            if row["lang"] == language and text not in seen:
                seen.add(text)
                yield text


def joined(texts: Iterator[str]) -> Iterator[str]:
    """Documents of a few hundred words out of paragraphs."""
    held: list[str] = []
    draw = random.Random(1)
    wanted = draw.randrange(300, 900)
    for text in texts:
        for paragraph in text.split("\n"):
            held.append(paragraph.strip())
            if sum(map(len, held)) >= wanted:
                yield "\n".join(held)
                held, wanted = [], draw.randrange(300, 900)


def edited(text: str, *, share: float, draw: random.Random, stock: list[str]) -> str:
    """The text with a share of its tokens substituted, inserted or deleted, a third each."""
    glue = "" if unspaced(text) else " "
    units = list(text) if unspaced(text) else text.split(" ")
    for place in sorted(draw.sample(range(len(units)), round(share * len(units))), reverse=True):
        kind, other = draw.randrange(3), draw.choice(stock)
        if kind == 2:
            del units[place]
        else:
            units[place : place + (kind == 0)] = [other]
    return glue.join(units)


def pool(language: str, corpora: Path, *, originals: int) -> list[Planted]:
    """Originals and their copies in a random order."""
    draw = random.Random(language)
    texts = []
    for text in texts_of(language, corpora):
        texts.append(text)
        if len(texts) == originals:
            break
    found = []
    for number, text in enumerate(texts):
        other = texts[number - 1]
        stock = [unit for unit in (other if unspaced(text) else other.split()) if unit.strip()]
        name = f"{language}-{number}"
        found.append(Planted(id=name, language=language, text=text, original=name, share=0))
        share = SHARES[number % len(SHARES)]
        copy = edited(text, share=share, draw=draw, stock=stock)
        found.append(Planted(id=f"{name}-copy", language=language, text=copy, original=name, share=share))
    draw.shuffle(found)
    return found


def cpu() -> float:
    """CPU seconds of this process and its children."""
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def ours(path: Path, folder: Path) -> tuple[float, dict[str, str]]:
    """CPU seconds from the file of texts to the decision, and every dropped id with the id it repeats."""
    begun = cpu()
    parts: list[Path] = []
    facts: list[dict[str, Any]] = []
    held: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as file:
        for row, line in enumerate(file):
            held.append(judged(row, json.loads(line)))
            if len(held) == PART:
                parts.append(keep(held, folder / f"{len(parts)}.parquet", facts))
                held = []
    parts.append(keep(held, folder / f"{len(parts)}.parquet", facts))
    table = pa.Table.from_pylist(facts, schema=JUDGED)
    likeness = compare(parts, table, threshold=THRESHOLD, order=np.arange(len(facts)), scratch=folder)
    spent = cpu() - begun
    return spent, {facts[row]["id"]: copy.of for row, copy in likeness.copies.items()}


def judged(row: int, record: dict[str, str]) -> dict[str, Any]:
    """What judging leaves of a record for the comparison."""
    text = record["text"]
    words, kind = tokens(text), unspaced(text)
    return {
        "row": row,
        "id": record["id"],
        "source": "bench",
        "language": record["id"][:3],
        "text": text,
        "digest": digest(text),
        "unspaced": kind,
        "tokens": len(words),
        "sketch": sketch(words, width=WIDTH[kind]).tobytes(),
    }


def keep(rows: list[dict[str, Any]], path: Path, facts: list[dict[str, Any]]) -> Path:
    """One part on disk; what is compared stays in memory, without the text."""
    write_table(path, rows, JUDGED)
    facts += [{**row, "text": None, "sketch": None} for row in rows]
    return path


def peer(python: str, path: Path, folder: Path, setting: tuple[int, int, int]) -> tuple[float, dict[str, int]]:
    """CPU seconds of datatrove on the same texts, and the cluster of every id that has one."""
    command = [python, str(PEER), str(path), str(folder), *map(str, setting)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the peer failed: {done.stderr.splitlines()[-1:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return told["cpu_s"], told["clusters"]


def spaced(text: str) -> str:
    """The text with spaces round the characters that are tokens by themselves."""
    return UNSPACED_CHARACTER.sub(lambda found: f" {found[0]} ", text) if unspaced(text) else text


def write(path: Path, texts: list[Planted], *, spaces: bool) -> Path:
    """The pool as JSON Lines."""
    with path.open("w", encoding="utf-8") as file:
        for text in texts:
            row = {"id": text.id, "text": spaced(text.text) if spaces else text.text}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def recalled(texts: list[Planted], together: Any, *, language: str, share: float) -> float:
    """The share of planted copies that were put together with their original."""
    copies = [text for text in texts if text.language == language and text.share == share]
    return sum(together(text.id, text.original) for text in copies) / len(copies)


def precise(texts: list[Planted], repeats: dict[str, str], language: str) -> tuple[float, int, int]:
    """Of the dropped, the share that repeats what it was dropped for; how many were dropped, how many naturally so."""
    known = {text.id: text for text in texts}
    pairs = [(known[one], known[other]) for one, other in repeats.items() if one.startswith(language)]
    wrong = [(one, other) for one, other in pairs if one.original != other.original]
    natural = sum(alike(known[one.original].text, known[other.original].text) for one, other in wrong)
    return 1 - (len(wrong) - natural) / len(pairs), len(pairs), natural


def alike(one: str, other: str) -> bool:
    """Whether two originals are natural duplicates, by their characters: a measure of its own, without tokens."""
    return bool(Indel.normalized_similarity(one, other, score_cutoff=NATURAL) >= NATURAL)


def natural_pairs(texts: list[Planted]) -> list[tuple[str, str]]:
    """All pairs of originals that are natural duplicates, by comparing all with all: windows first, then characters."""
    found = []
    for language in SHARDS:
        members = [text for text in texts if text.language == language and not text.share]
        sets = [np.unique(windows(tokens(text.text), WIDTH[unspaced(text.text)])) for text in members]
        for place, one in enumerate(sets):
            for other in range(place):
                fewer, more = sorted((len(one), len(sets[other])))
                if fewer < more / 2 or len(np.intersect1d(one, sets[other], assume_unique=True)) < 0.4 * fewer:
                    continue
                if alike(members[place].text, members[other].text):
                    found.append((members[other].id, members[place].id))
    return found


def find(name: str, group: dict[str, str]) -> str:
    """What a document stands for in the end."""
    while name in group:
        name = group[name]
    return name


def main() -> None:
    """Plant, find, count, compare."""
    options: argparse.ArgumentParser = parser(__doc__)
    options.add_argument("--corpora", type=Path, help="a folder of JSON Lines shards")
    options.add_argument("--peer", help="a Python that has datatrove")
    chosen = options.parse_args()
    if chosen.corpora is None:
        missing = Figure(figure="near-duplicates found", value=None, unit="", why="no --corpora FOLDER was given")
        report("duplicates", [missing], options=chosen, repetitions=0)
        return
    texts = [
        text for language in SHARDS for text in pool(language, chosen.corpora, originals=120 if chosen.quick else 450)
    ]
    repetitions = 1 if chosen.quick else 3
    figures: list[Figure] = []
    spent: list[float] = []
    peers: dict[str, list[float]] = {name: [] for name in SETTINGS}
    clusters: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        plain = write(Path(temporary) / "plain.jsonl", texts, spaces=False)
        spacious = write(Path(temporary) / "spaced.jsonl", texts, spaces=True)
        (warm := Path(temporary) / "warm").mkdir()
        ours(write(warm / "few.jsonl", texts[:4], spaces=False), warm)  # imports and the table of characters
        for turn in range(repetitions):
            folder = Path(temporary) / f"ours-{turn}"
            folder.mkdir()
            seconds, repeats = ours(plain, folder)
            spent.append(seconds)
            for name, setting in SETTINGS.items() if chosen.peer else ():
                seconds, clusters[name] = peer(chosen.peer, spacious, Path(temporary) / f"{name}-{turn}", setting)
                peers[name].append(seconds)
    size = sum(len(text.text.encode()) for text in texts) / 1e6
    figures += qualities(texts, repeats)
    figures.append(Figure(figure="CPU", value=min(spent), unit="s", why=f"{len(texts)} documents, {size:.1f} MB"))
    pairs = natural_pairs(texts)
    gone = sum(one in repeats or other in repeats for one, other in pairs) / max(1, len(pairs))
    figures.append(
        Figure(figure="natural pairs of which one was dropped", value=gone, unit="", why=f"{len(pairs)} pairs")
    )
    for name, seconds in peers.items() if chosen.peer else ():
        same = sum(one in clusters[name] and clusters[name][one] == clusters[name].get(other) for one, other in pairs)
        share = same / max(1, len(pairs))
        figures.append(Figure(figure=f"natural pairs in one cluster: datatrove, {name}", value=share, unit=""))
        figures += beside(name, texts, clusters[name], ours_s=min(spent), peer_s=min(seconds))
    report("duplicates", figures, options=chosen, repetitions=repetitions)


def qualities(texts: list[Planted], repeats: dict[str, str]) -> list[Figure]:
    """Recall for each language and share, precision for each language."""
    figures = []
    for language in SHARDS:
        for share in SHARES:
            value = recalled(
                texts, lambda one, other: find(one, repeats) == find(other, repeats), language=language, share=share
            )
            name = f"recall, {language}, {share:.0%} edited"
            figures.append(Figure(figure=name, value=value, unit="", goal=">= 0.95", holds=value >= 0.95))
        value, pairs, natural = precise(texts, repeats, language)
        why = f"{pairs} dropped, {natural} of them for a natural duplicate of their original"
        figures.append(
            Figure(figure=f"precision, {language}", value=value, unit="", goal=">= 0.99", holds=value >= 0.99, why=why)
        )
    return figures


def beside(name: str, texts: list[Planted], clusters: dict[str, int], *, ours_s: float, peer_s: float) -> list[Figure]:
    """datatrove's recall and CPU seconds, and how many times ours they are."""
    peer_name = f"datatrove, {name}"
    ratio = peer_s / ours_s
    figures = [
        Figure(
            figure=f"recall, {language}, {share:.0%} edited: {peer_name}",
            value=recalled(
                texts,
                lambda one, other: one in clusters and clusters[one] == clusters.get(other),
                language=language,
                share=share,
            ),
            unit="",
        )
        for language in SHARDS
        for share in SHARES
    ]
    same = {cluster: [one for one in clusters if clusters[one] == cluster] for cluster in set(clusters.values())}
    originals = {text.id: text.original for text in texts}
    dropped = sum(len(members) - 1 for members in same.values())
    right = sum(len(members) - len({originals[one] for one in members}) for members in same.values())
    wrong = Figure(
        figure=f"dropped for their own original: {peer_name}",
        value=right / max(1, dropped),
        unit="",
        why=f"{dropped} dropped, one left of each cluster",
    )
    cost = Figure(
        figure=f"CPU: {peer_name}",
        value=peer_s,
        unit="s",
        peer="ours",
        ratio=ratio,
        goal=">= 5 × ours",
        holds=ratio >= 5,
        why=f"windows of {SETTINGS[name][0]}, {SETTINGS[name][1]} bands of {SETTINGS[name][2]}",
    )
    return [*figures, wrong, cost]


if __name__ == "__main__":
    sys.exit(main())
