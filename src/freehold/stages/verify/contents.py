"""Check 2: every file is the one that was listed and signed, and nothing else lies in the folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from freehold.errors import GateError, IncompleteError, InputError
from freehold.proof.bundle import (
    LOCATORS,
    MAX_INDEX_BYTES,
    MAX_LOCATORS_BYTES,
    MAX_RELEASE_BYTES,
    RELEASE,
    ReleaseIndex,
    parse_locators_json,
    parse_release_json,
)
from freehold.proof.digests import Entry, opened, read_bytes, sha256_bytes, sha256_stream
from freehold.proof.locators import ChunkDamage, Locators, locate
from freehold.proof.names import problem
from freehold.proof.parties.countersignatures import party_at
from freehold.proof.signing.signatures import Manifest
from freehold.stages.verify.report import Check, Finding, failed, finding
from freehold.stages.verify.signed import party_of
from freehold.stages.verify.witnessed import witness_of

WORKERS = min(4, os.cpu_count() or 1)  # SHA-256 leaves the interpreter's lock; beyond four the disk decides


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The release's files as later checks may use them."""

    check: Check
    release: Path
    index: ReleaseIndex | None  # None when release.json is not what was signed
    listed: Mapping[str, str]  # path → SHA-256 that was signed
    damaged: frozenset[str]

    def read(self, path: str, *, max_bytes: int = MAX_RELEASE_BYTES) -> bytes:
        """A listed file's bytes. Raises GateError if the release has no such file, IncompleteError if it is damaged."""
        if path not in self.listed:
            raise GateError("is not part of the release", where=path)
        if path in self.damaged:
            raise IncompleteError("is not what was signed, see check 2", where=path)
        data = read_bytes(self.release / path, max_bytes=max_bytes)
        if sha256_bytes(data) != self.listed[path]:
            raise GateError("changed while it was being checked", where=path)
        return data

    def size(self, path: str) -> int:
        """Bytes of a listed file, 0 for any other."""
        return int(self.index.files[path]["size"]) if self.index and path in self.index.files else 0

    def required_index(self) -> ReleaseIndex:
        """release.json. Raises IncompleteError if it could not be read."""
        if self.index is None:
            raise IncompleteError("could not be read, see check 2", where=RELEASE)
        return self.index


def check(release: Path, entries: Sequence[Entry], *, manifest: Manifest | None) -> Contents:
    """Compare the folder with the signed list, and with release.json, which must say the same."""
    findings: list[Finding] = []
    index = read_index(release, manifest=manifest, findings=findings)
    listed = dict(manifest.files) if manifest else {path: facts["sha256"] for path, facts in index_files(index).items()}
    if index is not None:
        findings += disagreement(manifest, index) + missized(entries, index)
    findings += strays(entries, listed)
    present = {entry.path for entry in entries if entry.kind == "file"}
    findings += [Finding(where=path, message="is missing") for path in sorted(listed.keys() - present)]
    found = hashed(release, sorted(listed.keys() & present))
    damaged = {path for path in listed if found.get(path) != listed[path]}
    stored = read_locators(release, manifest=manifest, listed=listed, damaged=damaged)
    for path in sorted(damaged & present):
        findings.append(Finding(where=path, message=damage(release / path, stored.get(path), sha256=listed[path])))
    if findings:
        verdict = failed(2, findings)
    else:
        size = sum(entry.size for entry in entries)
        verdict = Check(
            number=2, verdict="PASS", detail=f"{len(listed)} files, {size:,} bytes; nothing else in the folder"
        )
    return Contents(check=verdict, release=release, index=index, listed=listed, damaged=frozenset(damaged))


def index_files(index: ReleaseIndex | None) -> Mapping[str, Mapping[str, str]]:
    """What release.json lists; nothing when it could not be read."""
    return index.files if index else {}


def read_index(release: Path, *, manifest: Manifest | None, findings: list[Finding]) -> ReleaseIndex | None:
    """release.json, unless it is missing, malformed or not what was signed (told in `findings`)."""
    try:
        data = read_bytes(release / RELEASE, max_bytes=MAX_INDEX_BYTES)
        if manifest is not None and manifest.files.get(RELEASE) != sha256_bytes(data):
            if RELEASE not in manifest.files:
                findings.append(Finding(where=RELEASE, message="was not signed"))
            return None
        return parse_release_json(data, where=RELEASE)
    except GateError as error:
        findings.append(finding(error))
    except InputError as error:
        if manifest is None or (release / RELEASE).exists():
            findings.append(Finding(where=RELEASE, message=error.message))
    return None


def disagreement(manifest: Manifest | None, index: ReleaseIndex) -> list[Finding]:
    """Where the signed list and release.json differ: both are read, so both must say the same."""
    if manifest is None:
        return []
    said = {path: facts["sha256"] for path, facts in index.files.items()}
    signed = {path: digest for path, digest in manifest.files.items() if path != RELEASE}
    differing = sorted(path for path in said.keys() | signed.keys() if said.get(path) != signed.get(path))
    return [Finding(where=path, message=f"{RELEASE} and the signature disagree about it") for path in differing]


def missized(entries: Iterable[Entry], index: ReleaseIndex) -> list[Finding]:
    """Files of another size than release.json gives them."""
    sizes = {entry.path: entry.size for entry in entries if entry.kind == "file"}
    return [
        Finding(where=path, message=f"{sizes[path]:,} bytes, {RELEASE} says {facts['size']:,}")
        for path, facts in index.files.items()
        if path in sizes and sizes[path] != facts["size"]
    ]


def strays(entries: Iterable[Entry], listed: Mapping[str, str]) -> list[Finding]:
    """Everything that has no place in the folder: what was not listed, links, devices, empty folders."""
    findings = []
    for entry in sorted(entries, key=lambda entry: entry.path):
        where = entry.path if problem(entry.path) is None else repr(entry.path)
        if entry.kind != "file":
            findings.append(Finding(where=where, message=f"no {entry.kind} has a place in a release"))
        elif entry.path not in listed and not spoken(entry) and entry.path != RELEASE:
            findings.append(Finding(where=where, message="is not part of the release: an extra file"))
    return findings


def spoken(entry: Entry) -> bool:
    """Whether it is a signature, a countersignature or a testimony: all that may lie there without being listed."""
    return any(name is not None for name in (party_of(entry), witness_of(entry), party_at(entry.path)))


def hashed(release: Path, paths: Sequence[str]) -> dict[str, str]:
    """{path: SHA-256} as found; a file that cannot be read has none. Several files at once."""

    def one(path: str) -> str:
        try:
            with opened(release / path) as file:
                return sha256_stream(file)[0]
        except InputError:
            return ""

    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(paths, pool.map(one, paths), strict=True))


def read_locators(
    release: Path, *, manifest: Manifest | None, listed: Mapping[str, str], damaged: set[str]
) -> Mapping[str, Locators]:
    """Locators of the listed files, read only when something is damaged; none where they are damaged themselves."""
    own = dict(manifest.locators) if manifest else {}
    if not damaged or LOCATORS in damaged or LOCATORS not in listed:
        return own
    try:
        return parse_locators_json(read_bytes(release / LOCATORS, max_bytes=MAX_LOCATORS_BYTES), where=LOCATORS) | own
    except (GateError, InputError):
        return own


def damage(path: Path, stored: Locators | None, *, sha256: str) -> str:
    """What changed in a file, as closely as its locators tell."""
    try:
        found = locate(path, stored, sha256=sha256) if stored else None
    except InputError as error:
        return error.message
    if found is None:
        return f"is not what was signed (SHA-256 {sha256})"
    if isinstance(found, ChunkDamage):
        return str(found)
    return "; ".join(map(str, found))
