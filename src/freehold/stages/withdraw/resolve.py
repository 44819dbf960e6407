"""Which documents of a curated corpus a request means: by id, digest, source, address or text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from freehold.errors import InputError
from freehold.proof.log.withdrawals import Entry, Withdrawn
from freehold.proof.tree.sparse import key_of_text
from freehold.text.optout_list import parse_opt_outs
from freehold.text.signatures import digest

FOLDERS: Final = {"documents": "trained on", "held_out": "held out"}
FACTS: Final = ("id", "source", "language", "licence", "title", "url", "checksum")
FETCHED: Final = 1_000  # documents whose texts are read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asked for."""

    kind: str  # document, digest, source, url, text
    value: str  # an id, a SHA-256, a source's name, a pattern of URLs; of a text its key


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A document of the corpus that a request means."""

    id: str
    key: str
    source: str
    language: str
    licence: str
    title: str | None
    url: str | None
    fate: str  # trained on, held out

    @property
    def withdrawn(self) -> Withdrawn:
        """As the log names it."""
        return Withdrawn(id=self.id, key=self.key)


def resolve(artifact: Path, request: Request) -> tuple[Found, ...]:
    """The documents of a curate artifact that a request means, by id; none where it means none."""
    wanted, needs_text = condition(request)
    found = []
    for folder, fate in FOLDERS.items():
        for row in rows(artifact / folder, needs_text=needs_text):
            if wanted(row):
                found.append(row | {"fate": fate})
    texts = (
        {row["id"]: row["text"] for row in found} if needs_text else texts_of(artifact, {row["id"] for row in found})
    )
    made = (
        Found(
            key=key_of_text(texts[row["id"]]).hex(),
            fate=row["fate"],
            **{name: row[name] for name in FACTS if name != "checksum"},
        )
        for row in found
    )
    return tuple(sorted(made, key=lambda one: one.id))


def left_out(artifact: Path, request: Request) -> str | None:
    """Why curation did not keep a document of this id, if that is what was asked for and it met one."""
    ledger = artifact / "ledger.parquet"
    if request.kind != "document" or not ledger.is_file():
        return None
    dropped = pq.read_table(ledger, filters=[("id", "=", request.value)]).to_pylist()
    return f"it was left out as {dropped[0]['reason']}, {dropped[0]['detail']}" if dropped else None


def condition(request: Request) -> tuple[Callable[[dict[str, Any]], bool], bool]:
    """Whether a row is meant, and whether its text is needed to tell. Raises InputError for a pattern that is none."""
    value = request.value
    if request.kind in ("text", "digest"):
        return lambda row: value in names_of(row), True
    if request.kind == "url":
        listed = parse_opt_outs(value)
        if not (listed.domains or listed.paths or listed.patterns or listed.anywhere):
            advice = "for example https://example.org/private/* or domain:example.org"
            raise InputError(f"{value!r} is no address", where="--url", remedy=advice)
        return lambda row: bool(row["url"]) and listed.match_url(row["url"]) is not None, False
    column = {"document": "id", "source": "source"}[request.kind]
    return lambda row: bool(row[column] == value), False


def names_of(row: dict[str, Any]) -> tuple[str | None, ...]:
    """The digests that name a document: key, SHA-256 of its text, the same but for white space, that of its file."""
    text = row["text"]
    return key_of_text(text).hex(), hashlib.sha256(text.encode()).hexdigest(), digest(text), row["checksum"]


def rows(folder: Path, *, needs_text: bool) -> Iterator[dict[str, Any]]:
    """Every document of a folder of Parquet files, a row group at a time."""
    columns = [*FACTS, "text"] if needs_text else [*FACTS]
    for path in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield from file.read_row_group(group, columns=columns).to_pylist()


def texts_of(artifact: Path, ids: Collection[str]) -> dict[str, str]:
    """The texts of some documents."""
    return dict(texts(artifact, lambda name: name in ids)) if ids else {}


def texts(artifact: Path, chosen: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """(id, text) of every chosen document, trained on or held out, a row group at a time."""
    for folder in FOLDERS:
        yield from texts_in(artifact / folder, chosen)


def texts_in(folder: Path, chosen: Callable[[str], bool]) -> Iterator[tuple[str, str]]:
    """(id, text) of every chosen document of one folder; groups without one are not read."""
    for path in sorted(folder.glob("part-*.parquet")):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                ids = file.read_row_group(group, columns=["id"])["id"].to_pylist()
                if any(map(chosen, ids)):
                    found = file.read_row_group(group, columns=["text"])["text"].to_pylist()
                    yield from ((name, text) for name, text in zip(ids, found, strict=True) if chosen(name))


def request_of(
    *, document: str | None, digest: str | None, source: str | None, url: str | None, file: Path | None
) -> Request:
    """The one thing that was asked for. Raises InputError unless it is exactly one, and a digest is one."""
    given = {"document": document, "digest": digest, "source": source, "url": url, "file": file}
    asked = {kind: value for kind, value in given.items() if value is not None}
    if len(asked) != 1:
        advice = "give one of --document, --digest, --source, --url and --file"
        raise InputError(f"{len(asked)} ways to name the documents", remedy=advice)
    if file is not None:
        return Request(kind="text", value=key_of_text(read_text(file)).hex())
    ((kind, value),) = asked.items()
    if digest is not None:
        value = digest.lower().removeprefix("sha256:")
        if len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise InputError(f"{digest!r} is no SHA-256", where="--digest", remedy="64 hexadecimal digits")
    return Request(kind=kind, value=str(value).strip())


def read_text(file: Path) -> str:
    """The text of a file. Raises InputError."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", where=str(file), remedy="give a UTF-8 text") from None


def asked_before(entries: Sequence[Entry], request: Request, level: str) -> tuple[Withdrawn, ...]:
    """The documents that the log has for the same request or the same id at this level."""
    return tuple(
        one
        for entry in entries
        if entry.level == level
        for one in entry.documents
        if (entry.kind, entry.asked) == (request.kind, request.value)
        or (request.kind == "document" and one.id == request.value)
        or (request.kind in ("text", "digest") and one.key == request.value)
    )
