"""The form of what strangers hand over: exactly these fields, a digest that is one, bytes in their one spelling."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from freehold.errors import GateError

SHA256 = re.compile(r"[0-9a-f]{64}")


def fields(value: object, names: set[str], *, where: str) -> dict[str, Any]:
    """An object with exactly these fields. Raises GateError otherwise."""
    if not isinstance(value, dict) or set(value) != names:
        raise GateError(f"an object with the fields {', '.join(sorted(names))} is due", where=where)
    return value


def is_digest(value: object) -> bool:
    """Whether a value is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


def named_digests(value: object, *, where: str, what: str) -> dict[str, str]:
    """A table of SHA-256 digests by name. Raises GateError if it is anything else."""
    if not isinstance(value, dict) or not all(is_digest(digest) for digest in value.values()):
        raise GateError(f"{what} is no table of SHA-256 digests", where=where)
    return value


def unbase64(text: object, *, where: str) -> bytes:
    """Bytes from standard base64 in its one canonical spelling. Raises GateError otherwise."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True) if isinstance(text, str) else None
    except (binascii.Error, UnicodeEncodeError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise GateError("not canonical base64", where=where)
    return data
