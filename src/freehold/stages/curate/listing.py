"""What a source's path leads to: its files with what their surroundings tell, and the entries that lead nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from freehold import charter as charters
from freehold.charter import Charter
from freehold.charter_tables import Source
from freehold.proof.digests import sha256_file
from freehold.text.evidence import licence_of_file
from freehold.tree import Tree

LICENCE_FILES: Final = ("LICENSE", "LICENCE", "COPYING")
LICENCE_BYTES: Final = 200_000  # of a licence file; the longest in use have 50,000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of a source, or a link or folder that cannot be followed; None is what nobody says."""

    path: Path
    name: str  # in ids and in sources.jsonl: source/path below the source's folder
    fault: str | None = None
    retrieved: str | None = None  # ISO 8601: date of the commit that holds the file as it is
    licence: str | None = None  # SPDX identifier
    evidence: str | None = None


def listed(charter: Charter, source: Source) -> list[Entry]:
    """Every entry of a source, in reading order. A licence file speaks where the charter does not."""
    tree = charter.tree_of(source)
    folder = charter.mirror_of(source).files if source.remote else charter.resolve(source.path)
    root = charters.common_folder(tree.files)
    licence, evidence = (None, None) if source.licence else licence_beside(folder)
    files = [
        Entry(path=path, name=f"{source.name}/{path.relative_to(root)}", licence=licence, evidence=evidence)
        for path in tree.files
    ]
    faults = [
        Entry(path=path, name=f"{source.name}/{path.relative_to(folder)}", fault=fault) for path, fault in tree.faults
    ]
    return [dated(entry, tree) for entry in files] + faults


def dated(entry: Entry, tree: Tree) -> Entry:
    """The entry with the day that its store gives it, or that of the commit if the file is the one committed."""
    if tree.revision is None:
        return replace(entry, retrieved=tree.dates.get(entry.path))
    try:
        same = tree.revision.unchanged(entry.path)
    except OSError:  # it vanished; its reading says so
        return entry
    return replace(entry, retrieved=tree.revision.date) if same else entry


def licence_beside(folder: Path) -> tuple[str | None, str | None]:
    """The licence that a folder's own licence file names, and which file that is; REUSE 3.3 puts it into LICENSES/."""
    if not folder.is_dir():
        return None, None
    candidates = [path for path in sorted(folder.iterdir()) if path.is_file() and is_licence(path)]
    reuse = sorted((folder / "LICENSES").glob("*.txt"))
    if not candidates and len(reuse) == 1:
        return reuse[0].stem, f"LICENSES/{reuse[0].name} (SHA-256 {sha256_file(reuse[0])})"
    if len(candidates) != 1:
        return None, None
    with candidates[0].open("rb") as file:
        licence = licence_of_file(file.read(LICENCE_BYTES).decode("utf-8", "replace"))
    evidence = f"{candidates[0].name} (SHA-256 {sha256_file(candidates[0])})"
    return (licence, evidence) if licence else (None, None)


def is_licence(path: Path) -> bool:
    """Whether a file holds a licence and no document."""
    return path.name.partition(".")[0].upper() in LICENCE_FILES or path.parent.name == "LICENSES"
