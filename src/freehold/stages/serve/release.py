"""What is served: the model folder inside a release, or a bare Hugging Face folder, and what clients are told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.proof.bundle import RELEASE
from freehold.proof.chain import weights_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A model folder and its name."""

    folder: Path
    name: str
    created: int  # seconds since 1970
    fingerprint: str | None  # as the release names the weights, shortened


def find(release: Path) -> Found:
    """The model of a release or of a Hugging Face folder. Raises InputError if there is none."""
    folder = next((place for place in (release / "model", release) if (place / "config.json").is_file()), None)
    if folder is None:
        advice = "name a release (it holds model/) or a Hugging Face folder (it holds config.json)"
        raise InputError("no model here", where=str(release), remedy=advice)
    listed = facts(release)
    weights = sorted(folder.glob("*.safetensors"))
    digests = {path.name: digest_of(listed, f"model/{path.name}") for path in weights if folder != release}
    known = {name: digest for name, digest in digests.items() if digest}
    digest = weights_digest(known) if known and len(known) == len(digests) else None
    return Found(
        folder=folder,
        name=str(listed.get("name") or release.resolve().name),
        created=int(weights[0].stat().st_mtime) if weights else 0,
        fingerprint=f"fp_{digest[:12]}" if digest else None,
    )


def facts(release: Path) -> dict[str, Any]:
    """The signed list of a release; empty for a bare folder. `freehold verify` is what checks it."""
    path = release / RELEASE
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError("not JSON", where=str(path), remedy="freehold verify says what else is wrong") from None
    return found if isinstance(found, dict) else {}


def digest_of(listed: dict[str, Any], path: str) -> str | None:
    """SHA-256 of a released file as the list has it."""
    files = listed.get("files")
    entry = files.get(path) if isinstance(files, dict) else None
    digest = entry.get("sha256") if isinstance(entry, dict) else None
    return digest if isinstance(digest, str) else None
