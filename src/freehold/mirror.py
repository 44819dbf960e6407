"""The local copy of a source that lies in an object store: where it stands, and what is in it.

`freehold fetch` fills it; every stage reads the copy, whose files have digests, and touches no network.

    .freehold/mirror/SOURCE/objects.json    what was listed: key, size, entity tag, day of the last change
    .freehold/mirror/SOURCE/files/KEY       the objects
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from freehold.errors import InputError
from freehold.records import canonical_json
from freehold.tree import Tree

FORMAT = 1
SCHEME = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")  # docs.aws.amazon.com, bucket naming rules
WILD = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An `s3://BUCKET/KEY` address; the key may be that of one object, the beginning of several, or a glob."""

    bucket: str
    key: str

    @classmethod
    def of(cls, path: str) -> Address:
        """From its text. Raises InputError for a bucket with an impossible name."""
        split = urlsplit(path.replace("?", "%3F").replace("#", "%23"))
        if not BUCKET.fullmatch(split.netloc):
            raise InputError(
                f"{path!r} names no bucket", remedy="write s3://BUCKET/FOLDER or s3://BUCKET/FOLDER/*.jsonl"
            )
        key = split.path.replace("%3F", "?").replace("%23", "#").lstrip("/")
        return cls(bucket=split.netloc, key=key)

    @property
    def prefix(self) -> str:
        """The folder that holds everything the key can mean; empty for the whole bucket."""
        if wild := WILD.search(self.key):
            return self.key[: wild.start()].rpartition("/")[0]
        return self.key.rstrip("/")

    def means(self, key: str) -> bool:
        """Whether an object belongs to it. `*` and `?` stop at a slash, `**` does not.

        >>> Address.of("s3://laws/de/*.txt").means("de/old/a.txt"), Address.of("s3://laws/de").means("de/old/a.txt")
        (False, True)
        """
        if not WILD.search(self.key):
            return not self.prefix or key == self.prefix or key.startswith(f"{self.prefix}/")
        wild = {r"\*\*": ".*", r"\*": "[^/]*", r"\?": "[^/]"}
        pattern = re.sub(r"\\\*\\\*|\\\*|\\\?", lambda found: wild[found[0]], re.escape(self.key))
        return re.fullmatch(pattern, key) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An object as it was listed when it was fetched."""

    key: str
    size: int  # bytes
    tag: str  # entity tag: another one means other bytes
    changed: str  # RFC 3339, the store's word
    fault: str | None = None  # why it was not fetched


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """The copy of one source."""

    folder: Path

    @property
    def list(self) -> Path:
        """The file that names what was fetched; written last, so that a copy without it is not whole."""
        return self.folder / "objects.json"

    @property
    def files(self) -> Path:
        """The folder of the objects, absolute."""
        return (self.folder / "files").resolve()

    def place(self, key: str) -> Path:
        """Where an object lies."""
        return self.files / PurePosixPath(key)

    def held(self) -> tuple[str | None, tuple[Held, ...]]:
        """The address that was fetched and its objects; None and nothing before the first time."""
        try:
            found = json.loads(self.list.read_bytes())
        except FileNotFoundError:
            return None, ()
        if found.get("format") != FORMAT:
            raise InputError(
                "a list of another format", where=str(self.list), remedy="remove the folder and fetch anew"
            )
        return found["path"], tuple(Held(**row) for row in found["objects"])

    def said(self, path: str, objects: tuple[Held, ...]) -> bytes:
        """The bytes of the list."""
        return canonical_json({"format": FORMAT, "path": path, "objects": [asdict(held) for held in objects]})

    def tree(self, path: str) -> Tree:
        """What stages read. Raises InputError where this address was not fetched, or only in part."""
        fetched, objects = self.held()
        if fetched != path:
            raise InputError(f"{path} has not been fetched", remedy="freehold fetch CHARTER")
        whole = [held for held in objects if held.fault is None]
        dates = {self.place(held.key): held.changed for held in whole}
        faults = tuple((self.files / repr(held.key), held.fault) for held in objects if held.fault)
        return Tree(files=tuple(sorted(dates)), faults=faults, dates=dates)
