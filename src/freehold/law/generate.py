"""Everything that law asks of a release, from its facts: the same facts and packs give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from freehold.law import bom, packs, render
from freehold.law.document import Document, compose
from freehold.law.facts import DECLARED, Facts, sound
from freehold.law.fields import fill
from freehold.law.packs import Pack

FOLDER = "evidence/law"
PACKS = f"{FOLDER}/packs.json"
BOM = "evidence/bom/ai.cdx.json"
FORMAT = 1


def generate(facts: Facts, rules: Sequence[Pack] | None = None) -> dict[str, bytes]:
    """{path: bytes} of every document, of packs.json and of the bill of materials.

    `rules`: the packs to follow; the current ones when None. Raises GateError where the evidence has another form.
    """
    rules = packs.current() if rules is None else rules
    with sound():
        files = {PACKS: pretty({"format": FORMAT, "packs": [pack.as_json() for pack in rules]})}
        for pack in rules:
            for layout in pack.documents:
                files |= written(compose(facts, pack, layout, fill=fill))
        files[BOM] = pretty(bom.bill(facts, next(pack for pack in rules if pack.id == "g7")))
    return files


def written(document: Document) -> dict[str, bytes]:
    """One document in its three forms."""
    place = f"{FOLDER}/{document.id}"
    return {
        f"{place}.json": pretty(document.as_json()),
        f"{place}.md": render.markdown(document),
        f"{place}.html": render.html(document),
    }


def declared(*, release: Mapping[str, Any], responsible: Mapping[str, Any], statements: Mapping[str, Any]) -> bytes:
    """declared.json: what people state, from which documents are generated; empty statements are its gaps."""
    return pretty(
        {
            "format": FORMAT,
            "status": "declared",
            "release": dict(release),
            "responsible": dict(responsible),
            "statements": dict(statements),
            "gaps": sorted(key for key, value in statements.items() if value in (None, "", [], (), {})),
        }
    )


def pretty(value: Any) -> bytes:
    """JSON that people can read, the same bytes for equal values."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


__all__ = ["BOM", "DECLARED", "FOLDER", "PACKS", "declared", "generate"]
