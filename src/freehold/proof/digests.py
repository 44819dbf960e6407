"""SHA-256 of files and folders, streaming, and a walk that overlooks nothing."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Literal

from freehold.errors import InputError
from freehold.proof.names import problem
from freehold.records import canonical_json

BLOCK_BYTES = 1 << 18  # fits the second-level cache: 1 MiB blocks hash no faster and cost more memory
MAX_ENTRIES = 200_000

Kind = Literal["file", "empty folder", "link", "special file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing found in a folder; `path` is relative, with "/" between its parts."""

    path: str
    kind: Kind
    size: int


def walk(folder: Path, *, max_entries: int = MAX_ENTRIES) -> Iterator[Entry]:
    """Everything below `folder`, dot files and dot folders included, in no particular order; links are not followed.

    A folder is yielded only when it is empty. Raises InputError beyond `max_entries`, or where it cannot look.
    """
    seen, pending = 0, [""]
    while pending:
        prefix = pending.pop()
        with readable(folder / prefix), os.scandir(folder / prefix) as found:
            entries = [(entry.name, entry.stat(follow_symlinks=False)) for entry in found]
        if not entries and prefix:
            yield Entry(path=prefix, kind="empty folder", size=0)
        for name, facts in entries:
            path = f"{prefix}/{name}" if prefix else name
            seen += 1
            if seen > max_entries:
                raise InputError(f"more than {max_entries:,} files", where=str(folder))
            if stat.S_ISDIR(facts.st_mode):
                pending.append(path)
            else:
                yield Entry(path=path, kind=kind_of(facts.st_mode), size=facts.st_size)


def kind_of(mode: int) -> Kind:
    """What a mode that is no folder's means: a file, a link, or something that is read at one's peril."""
    if stat.S_ISREG(mode):
        return "file"
    return "link" if stat.S_ISLNK(mode) else "special file"


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises OSError if it cannot be read."""
    with path.open("rb", buffering=0) as file:
        return sha256_stream(file)[0]


def sha256_stream(file: FileIO) -> tuple[str, int]:
    """SHA-256 in hex and number of bytes of what is left in an unbuffered file."""
    hasher, size = hashlib.sha256(), 0
    block = memoryview(bytearray(BLOCK_BYTES))
    while count := file.readinto(block):
        hasher.update(block[:count])
        size += count
    return hasher.hexdigest(), size


@contextmanager
def opened(path: Path) -> Iterator[FileIO]:
    """A regular file, unbuffered; never a link's target, never a pipe that would wait. Raises InputError otherwise."""
    with readable(path):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError("not a regular file", where=str(path))
    with FileIO(handle, "rb") as file, readable(path):
        yield file


def read_bytes(path: Path, *, max_bytes: int) -> bytes:
    """A small file whole. Raises InputError when it is larger than `max_bytes` or cannot be read."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > max_bytes:
            raise InputError(f"{size:,} bytes, at most {max_bytes:,} are read", where=str(path))
        return file.read(max_bytes)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the system's refusal to read into ours."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def manifest_of(folder: Path) -> dict[str, dict[str, Any]]:
    """{path: {"sha256", "size"}} of every file below `folder`, sorted by path.

    Raises InputError for what has no digest or no safe name: links, devices, empty folders, odd characters.
    """
    manifest = {}
    for entry in sorted(walk(folder), key=lambda entry: entry.path):
        reason = problem(entry.path) or (None if entry.kind == "file" else f"no {entry.kind} can be sealed")
        if reason:
            raise InputError(reason, where=str(folder / entry.path), remedy="remove or rename it")
        with opened(folder / entry.path) as file:
            sha256, size = sha256_stream(file)
        manifest[entry.path] = {"sha256": sha256, "size": size}
    return manifest


def digest_of(manifest: Mapping[str, Mapping[str, Any]]) -> str:
    """One SHA-256 for a whole folder: that of its manifest's canonical JSON.

    >>> digest_of({})
    '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return hashlib.sha256(canonical_json(manifest)).hexdigest()
