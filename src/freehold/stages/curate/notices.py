"""Where notices come from: what the readers found in web archives, and the folder of the charter's own copies.

The folder holds one folder per host, in it `robots.txt`, `tdmrep.json` and `meta.json`, or folders of these named by
the day they were retrieved. `meta.json` may say `retrieved` (ISO 8601) and `status`, an object from file names to HTTP
status or "unreachable"; a file that is named there and absent had no body.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from freehold.charter import Charter
from freehold.errors import InputError
from freehold.stages.curate.parts import read_rows
from freehold.text.addresses import parse_address, plain_authority
from freehold.text.notices import UNREACHABLE, Notice, readable

FILES: Final = {"robots.txt": "robots", "tdmrep.json": "tdmrep"}
META: Final = "meta.json"
MAX_BODY: Final = 1_000_000  # bytes handed to the workers; beyond what either format is read for
MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2}))?")
LAYOUT: Final = "HOST/robots.txt, HOST/tdmrep.json, HOST/meta.json or the same under HOST/YYYY-MM-DD/"


def agents() -> tuple[str, ...]:
    """The agents of those who train language models, from the list beside this file."""
    found = tomllib.loads(Path(__file__).with_name("agents.toml").read_text(encoding="utf-8"))
    return tuple(agent["name"] for agent in found["agents"])


def gather(charter: Charter, archived: Iterable[Path]) -> list[Notice]:
    """Every notice there is, each once, sorted; `archived` are the readers' files. Raises InputError for a folder
    that is not laid out as it must be."""
    found = {notice for path in archived for row in read_rows(path) for notice in [from_archive(row)]}
    if charter.policy.notices is not None:
        found.update(from_folder(charter.resolve(charter.policy.notices)))
    return sorted(found, key=lambda each: (each.host, each.kind, each.retrieved or "", each.sha256, each.status or 0))


def from_archive(row: Mapping[str, Any]) -> Notice:
    """A notice as a reader found it; its URL tells the port, for which alone it holds."""
    address = parse_address(row["url"] or "")
    body = row["body"] or b""
    data = body.encode("utf-8", "replace") if isinstance(body, str) else bytes(body)
    return Notice(
        host=address.authority if address else plain_authority(row["host"]),
        kind=row["kind"],
        retrieved=row["retrieved"],
        status=None if row["status"] in (None, "") else int(row["status"]),
        body=data[:MAX_BODY].decode("utf-8", "replace"),
        sha256=row["sha256"] or hashlib.sha256(data).hexdigest(),
    )


def from_folder(folder: Path) -> Iterator[Notice]:
    """Every notice of a charter's folder."""
    for host in visible(folder):
        refuse_unless(host.is_dir(), host, "is no folder of a host")
        days = [path for path in visible(host) if path.is_dir()]
        for day in days:
            refuse_unless(MOMENT.fullmatch(day.name) is not None and len(day.name) == 10, day, "is no day")
            yield from from_day(day, host=host.name, day=day.name)
        yield from from_day(host, host=host.name, day=None)


def from_day(folder: Path, *, host: str, day: str | None) -> Iterator[Notice]:
    """The notices of one host and one moment."""
    for path in visible(folder):
        refuse_unless(path.is_dir() or path.name in FILES or path.name == META, path, "is no notice")
    meta = read_meta(folder / META)
    for name, kind in FILES.items():
        path = folder / name
        if path.is_file() or name in meta["status"]:
            data, sha256 = read_body(path) if path.is_file() else (b"", "")
            yield Notice(
                host=plain_authority(host),
                kind=kind,
                retrieved=meta["retrieved"] or day,
                status=meta["status"].get(name),
                body=data.decode("utf-8", "replace"),
                sha256=sha256,
            )


def read_meta(path: Path) -> dict[str, Any]:
    """`retrieved` and `status` of a `meta.json`; of none, None and nothing. Raises InputError."""
    if not path.is_file():
        return {"retrieved": None, "status": {}}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        found = None
    refuse_unless(isinstance(found, dict) and set(found) <= {"retrieved", "status"}, path, "is no notice's meta.json")
    retrieved, status = found.get("retrieved"), found.get("status", {})
    dated = retrieved is None or (isinstance(retrieved, str) and MOMENT.fullmatch(retrieved) is not None)
    refuse_unless(dated, path, "retrieved is no ISO date or time")
    refuse_unless(isinstance(status, dict) and set(status) <= FILES.keys(), path, "status is no object of file names")
    return {"retrieved": retrieved, "status": {name: status_of(value, path) for name, value in status.items()}}


def status_of(value: Any, path: Path) -> int:
    """An HTTP status as a number, 0 for a host that did not answer."""
    if value == "unreachable":
        return UNREACHABLE
    whole = isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599
    refuse_unless(whole, path, 'a status is neither an HTTP status nor "unreachable"')
    return int(value)


def read_body(path: Path) -> tuple[bytes, str]:
    """The beginning of a file and the SHA-256 of all of it."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            return file.read(MAX_BODY), sha256
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), remedy="mend the file") from None


def visible(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, hidden files apart."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def refuse_unless(holds: bool, path: Path, fault: str) -> None:
    """Raise InputError for a folder of notices that is not as it must be."""
    if not holds:
        raise InputError(fault, where=str(path), remedy=f"the layout is {LAYOUT}")


def lines(notices: Iterable[Notice]) -> Iterator[dict[str, Any]]:
    """One object per notice for notices.jsonl; the bytes are named, not repeated."""
    for notice in notices:
        yield {
            "host": notice.host,
            "kind": notice.kind,
            "retrieved": notice.retrieved,
            "status": notice.status,
            "sha256": notice.sha256 or None,
            "readable": readable(notice),
        }
