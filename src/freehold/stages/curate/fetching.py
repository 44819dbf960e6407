"""Objects of an S3-compatible store, copied beside the charter: the one place where curation meets a network.

Endpoint and keys come from the environment under the names that other tools use (AWS_ENDPOINT_URL, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY); without keys the bucket is read as anyone may. Nothing is ever written to it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from freehold import charter as charters
from freehold.charter import Charter
from freehold.charter_tables import Source
from freehold.errors import InputError
from freehold.mirror import Address, Held, Mirror
from freehold.plugins import need
from freehold.progress import Progress, Task
from freehold.proof.names import problem, twin
from freehold.store.workspace import write_atomic

AT_ONCE: Final = 8  # objects under way
BLOCK_BYTES: Final = 8 << 20
PATIENCE: Final = {"max_retries": 4, "retry_timeout": timedelta(seconds=60)}
PARTIAL: Final = "partial"  # folder of objects that have not arrived whole
UNFINISHED: Final = ""  # the address of a copy that is being changed: no stage reads it
KEYS: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a fetch changed."""

    source: str
    objects: int
    bytes: int
    fetched: int  # objects that were new or had changed
    removed: int  # copies of objects that are no longer there
    faults: int


def fetch(charter: Charter, source: Source, *, progress: Progress, dry_run: bool = False) -> Fetched:
    """Make the source's copy equal to what its address means now; what is there already is not fetched again.

    Killed, the next fetch goes on, within an object too. Raises InputError where the store cannot be reached or
    refuses, or where nothing is there: then the copy stays as it was. A dry run only lists and compares.
    """
    mirror, address = charter.mirror_of(source), Address.of(source.path)
    place = charters.where(charter.path, ("sources", charter.sources.index(source), "path"))
    store = store_of(address)
    with reported(source.path, where=place):
        wanted = tuple(judged(listed(store, address)))
        if not any(held.fault is None for held in wanted):
            raise InputError(f"no object matches {source.path!r}", where=place, remedy="correct the path")
        _, before = mirror.held()
        missing = [held for held in wanted if held.fault is None and not is_here(mirror, held, before)]
        gone = {held.key for held in before if held.fault is None} - {held.key for held in wanted}
        found = told(source.name, wanted, fetched=len(missing), removed=len(gone))
        if dry_run:
            return found
        if missing or gone:
            write_atomic(mirror.list, mirror.said(UNFINISHED, before))
        for key in gone:  # first: a key may have become a folder, or a folder a key
            remove(mirror, key)
        total = sum(held.size for held in missing)
        with progress.task(f"fetch {source.name}", total=total, unit="B") as task, ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for _ in pool.map(lambda held: download(store, held, mirror, task), missing):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)  # what has not begun would otherwise still be fetched
                raise
    write_atomic(mirror.list, mirror.said(source.path, wanted))
    shutil.rmtree(mirror.folder / PARTIAL, ignore_errors=True)  # of objects that have changed since
    return found


def remove(mirror: Mirror, key: str) -> None:
    """Take an object out of the copy, with the folders that held nothing else."""
    path = mirror.place(key)
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == mirror.files or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def told(source: str, wanted: Sequence[Held], *, fetched: int, removed: int) -> Fetched:
    """The account of a fetch."""
    sound = [held for held in wanted if held.fault is None]
    size, faults = sum(held.size for held in sound), len(wanted) - len(sound)
    return Fetched(source=source, objects=len(sound), bytes=size, fetched=fetched, removed=removed, faults=faults)


def store_of(address: Address) -> Any:
    """The bucket, as obstore sees it."""
    stores = need("obstore.store")
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    return stores.S3Store(
        address.bucket,
        skip_signature=not all(os.environ.get(name) for name in KEYS),  # else it would ask a cloud's own host for keys
        client_options={"allow_http": endpoint.startswith("http://"), "connect_timeout": timedelta(seconds=10)},
        retry_config=PATIENCE,
    )


def listed(store: Any, address: Address) -> Iterator[Held]:
    """Every object that the address means, by key. Hidden ones are left out, as hidden files are."""
    obstore = need("obstore")
    found: dict[str, Held] = {}
    pages: Iterable[list[dict[str, Any]]] = obstore.list(store, prefix=address.prefix or None)
    single = [] if not address.prefix else [exact(obstore, store, address.prefix)]
    for meta in [meta for page in (single, *pages) for meta in page if meta is not None]:
        key = str(meta["path"])
        if address.means(key) and not any(part.startswith(".") for part in key.split("/")):
            changed = meta["last_modified"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            found[key] = Held(key=key, size=meta["size"], tag=meta["e_tag"] or changed, changed=changed)
    return iter(found[key] for key in sorted(found))


def exact(obstore: Any, store: Any, key: str) -> Any:
    """What the store says of the object of exactly this key; None if there is none."""
    try:
        return obstore.head(store, key)
    except FileNotFoundError:
        return None


def judged(objects: Iterable[Held]) -> Iterator[Held]:
    """The same, with a fault for each whose key cannot be a file beside the others. They come sorted by key."""
    twins: set[str] = set()
    for held in objects:
        parts = held.key.split("/")
        above = {twin("/".join(parts[:depth])) for depth in range(1, len(parts))}
        odd = problem(held.key) is not None or twin(held.key) in twins or bool(above & twins)
        if not odd:
            twins.add(twin(held.key))
        yield replace(held, fault="unsafe-name") if odd else held


def is_here(mirror: Mirror, held: Held, before: Iterable[Held]) -> bool:
    """Whether the copy has these bytes already: the same size and day, and no other tag when it was listed last."""
    path = mirror.place(held.key)
    other = any(old.key == held.key and old.tag != held.tag for old in before)
    if other or not path.is_file():
        return False
    facts = path.stat()
    return (facts.st_size, facts.st_mtime) == (held.size, moment(held))


def moment(held: Held) -> float:
    """When the object changed, in seconds since 1970; the copy's own time, too."""
    return datetime.fromisoformat(held.changed).timestamp()


def download(store: Any, held: Held, mirror: Mirror, task: Task) -> None:
    """One object into its place, whole or not at all; a part of it that a killed fetch left is gone on with."""
    obstore = need("obstore")
    path = mirror.place(held.key)
    mark = hashlib.sha256(f"{held.key}\0{held.tag}".encode()).hexdigest()[:32]
    partial = mirror.folder / PARTIAL / mark
    for folder in (path.parent, partial.parent):
        folder.mkdir(parents=True, exist_ok=True)
    begun = partial.stat().st_size if partial.exists() else 0
    if begun > held.size:
        partial.unlink()
        begun = 0
    task.advance(begun)
    with partial.open("ab") as file:
        if begun < held.size:
            found = obstore.get(store, held.key, options={"range": {"offset": begun}} if begun else None)
            if found.meta["e_tag"] not in (held.tag, None) or found.meta["size"] != held.size:
                raise InputError(f"{held.key} changed while it was fetched", remedy="fetch again")
            for block in found.stream(min_chunk_size=BLOCK_BYTES):
                file.write(block)
                task.advance(len(block))
        file.flush()
        os.fsync(file.fileno())
    if (size := partial.stat().st_size) != held.size:
        raise InputError(f"{held.key} ended after {size:,} of {held.size:,} bytes", remedy="fetch again")
    os.utime(partial, (moment(held), moment(held)))
    partial.replace(path)


@contextmanager
def reported(address: str, *, where: str) -> Iterator[None]:
    """Turn what the store refuses into what a person can do about it."""
    exceptions = need("obstore.exceptions")
    refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    try:
        yield
    except InputError as error:
        raise InputError(error.message, where=error.where or where, remedy=error.remedy) from None
    except refused:
        raise InputError(f"{address}: access is refused", where=where, remedy=f"set {' and '.join(KEYS)}") from None
    except (exceptions.BaseError, OSError) as error:
        if "NoSuchBucket" in str(error):  # the store's own word; obstore has no kind for it
            raise InputError(f"{address}: no such bucket", where=where, remedy="correct the path") from None
        told = (str(error).splitlines() or ["no answer"])[0][:200]
        advice = "look at AWS_ENDPOINT_URL and the network, then fetch again: what has arrived stays"
        raise InputError(f"{address}: {told}", where=where, remedy=advice) from None
