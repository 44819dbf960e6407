"""Rule packs: what each jurisdiction asks, as dated and sourced data; one TOML file a pack and version.

A pack lays a document out (sections, fields, words, thresholds); `freehold.law.fields` knows what each field is filled
with. A file that was released under a version is never changed again: a correction is a new version.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from freehold.errors import IncompleteError

# What a release is generated with; older versions stay in the package, so that older releases verify.
CURRENT = {"eu": "2025-07-24", "jp": "2026-04-23", "kr": "2026-01-22", "g7": "2026-05-12"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One version of one jurisdiction's rules."""

    id: str
    version: str  # the day of the rules it follows, ISO 8601
    sha256: str  # of its file
    head: Mapping[str, Any]  # jurisdiction, in_force_since, sources, unverified …
    thresholds: Mapping[str, Any]
    documents: tuple[Mapping[str, Any], ...]  # id, title, sections

    def as_json(self) -> dict[str, Any]:
        """What packs.json says of it."""
        return {"id": self.id, "version": self.version, "sha256": self.sha256, **self.head}


def load(id: str, version: str) -> Pack:
    """A shipped pack. Raises IncompleteError where this Freehold has no such pack or version."""
    name = f"{id}-{version}.toml"
    if name not in {
        path.name for path in files(__name__).iterdir()
    }:  # compared by name: what a stranger's file says never becomes a path
        message = f"this Freehold has no rule pack {id!r} of version {version!r}"
        raise IncompleteError(message, remedy="verify with the Freehold that made the release, or a newer one")
    data = (files(__name__) / name).read_bytes()
    table = tomllib.loads(data.decode("utf-8"))
    return Pack(
        id=id,
        version=version,
        sha256=hashlib.sha256(data).hexdigest(),
        head=table["pack"],
        thresholds=table.get("thresholds", {}),
        documents=tuple(table.get("documents", ())),
    )


def current() -> tuple[Pack, ...]:
    """The packs that a release is generated with now."""
    return tuple(load(id, version) for id, version in CURRENT.items())
