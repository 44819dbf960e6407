"""A first look at a folder of documents: which sources it holds, in which languages, what says how to use them.

Nothing is decided here: `freehold init` writes what was seen into a charter that a person reads before anything runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from freehold.stages.curate.listing import is_licence, licence_beside
from freehold.stages.curate.markup import extract
from freehold.stages.curate.readers import Raw, format_of, records
from freehold.text.language import UNDECLARED, UNKNOWN, canonical, identify
from freehold.text.normalise import normalise
from freehold.tree import tree

FILES: Final = 40  # read of each source, spread evenly
RECORDS: Final = 10  # of each file
LIMIT: Final = 200_000  # characters looked at of a record
SHORTEST: Final = 80  # characters from which a language is worth guessing
SURE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a source would be."""

    name: str
    path: Path  # a folder, a file or a glob
    files: int
    languages: Counter[str]  # ISO 639-3 → characters in the sample
    licence: str | None = None  # SPDX identifier
    evidence: str | None = None  # what says so
    own_licences: bool = False  # every record of the sample names its own


def survey(paths: Sequence[Path]) -> list[Sight]:
    """Everything that could be a source below these files and folders."""
    return [sight(name, path, files) for name, path, files in proposals(paths)]


def proposals(paths: Sequence[Path]) -> Iterator[tuple[str, Path, list[Path]]]:
    """Name, path and files of every source: a file, a repository or a flat folder as it is; of a folder with folders
    each of them, and the files beside them by their suffix."""
    taken: Counter[str] = Counter()
    for path in paths:
        for name, place, files in apart(path.resolve()):
            taken[name] += 1
            yield (name if taken[name] == 1 else f"{name}-{taken[name]}"), place, files


def apart(path: Path) -> Iterator[tuple[str, Path, list[Path]]]:
    """The sources below one path; none where nothing can be read."""
    found = tree(path) if path.is_dir() else None
    files = readable(found.files if found else (path,))
    tops = sorted({file.relative_to(path).parts[0] for file in files if file.parent != path}) if found else []
    if not files:
        return
    if found is None or found.revision is not None or not tops:
        yield slug(path.stem if found is None else path.name), path, files
        return
    for top in tops:
        yield slug(top), path / top, [file for file in files if file.is_relative_to(path / top)]
    loose = [file for file in files if file.parent == path]
    for suffix in sorted({file.suffix for file in loose}):
        chosen = [file for file in loose if file.suffix == suffix]
        yield slug(f"{path.name}-{suffix.lstrip('.')}"), path / f"*{suffix}", chosen


def readable(files: Iterable[Path]) -> list[Path]:
    """The files that a reader knows."""
    return [file for file in files if format_of(file, "auto") and not is_licence(file)]


def slug(name: str) -> str:
    """A file's name as the name of a source.

    >>> slug("Gesetze 2024 (neu)")
    'Gesetze-2024-neu'
    """
    letters = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    return "-".join(part for part in letters.split("-") if part).strip("._-") or "documents"


def sight(name: str, path: Path, files: list[Path]) -> Sight:
    """What a sample of a source's records shows."""
    languages: Counter[str] = Counter()
    own = other = 0
    for record in sample(files):
        own, other = own + bool(record.licence), other + (not record.licence)
        text = normalise(plain(record))
        if len(text) >= SHORTEST:
            languages[language_of(record, text)] += len(text)
    del languages[UNKNOWN]
    licence, evidence = licence_beside(path if path.is_dir() else path.parent)
    return Sight(
        name=name, path=path, files=len(files), languages=languages, licence=licence, evidence=evidence,
        own_licences=own > 0 and not other,
    )  # fmt: skip


def sample(files: list[Path]) -> Iterator[Raw]:
    """The first records of files spread evenly over the source."""
    step = max(1, len(files) // FILES)
    for file in files[::step][:FILES]:
        stream = records(file, name=file.name, declared="auto", limit=LIMIT * 25)
        for found in islice(until_broken(stream), RECORDS):
            if isinstance(found, Raw):
                yield found


def until_broken(stream: Iterator[Any]) -> Iterator[Any]:
    """A stream of records, ended where the file breaks off: curate will say so."""
    try:
        yield from stream
    except (OSError, EOFError, ValueError):  # Arrow's and zlib's errors among them
        return


def plain(record: Raw) -> str:
    """The record's text, cut to what is looked at."""
    return ((extract(record.text).text or "") if record.markup else record.text)[:LIMIT]


def language_of(record: Raw, text: str) -> str:
    """What the record declares, else what it looks like, else `und`."""
    if record.language and canonical(record.language) not in UNDECLARED:
        return canonical(record.language)
    guess = identify(text)
    return guess.code if guess.confidence >= SURE else UNKNOWN
