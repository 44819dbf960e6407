"""Who publishes, and with which of a workspace's keys."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from freehold.errors import InputError
from freehold.proof.signing import keys


def party_of(name: str) -> str:
    """A party's name as it may stand in a file name.

    >>> party_of("Bundesamt für Sprache")
    'bundesamt-fur-sprache'
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-") or "publisher"


def key_file(folder: Path, party: str) -> Path | None:
    """The private key of a party's name in a folder, or the only one there; None where there is none.

    Raises InputError where several lie there and none bears the party's name.
    """
    found = sorted(folder.glob(f"*{keys.PRIVATE}"))
    named = folder / f"{party}{keys.PRIVATE}"
    if named in found or not found:
        return named if found else None
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        advice = f"rename the one to sign with to {named.name}"
        raise InputError(f"several keys ({names}), none of them {named.name}", where=str(folder), remedy=advice)
    return found[0]
