"""What a release says at several places, it says alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from freehold.errors import GateError
from freehold.proof import canonical
from freehold.proof.bundle import MAX_RELEASE_BYTES
from freehold.proof.canonical import canonical_json
from freehold.stages.verify.contents import Contents


@contextmanager
def sound(where: str) -> Iterator[None]:
    """Turn a value of another kind than expected into the finding that it is: evidence may be a stranger's."""
    try:
        yield
    except (TypeError, KeyError, AttributeError, ValueError, ArithmeticError, IndexError, RecursionError) as error:
        raise GateError(f"has another form: {type(error).__name__} {error}", where=where) from None


def agree(what: str, claims: Mapping[str, Any]) -> None:
    """Raise GateError unless every place, {file: value}, says the same of `what`; None: it says nothing.

    Numbers of another type are another value: a figure that was written differently was not copied.
    """
    (first, value), *others = claims.items()
    for where, other in others:
        if canonical_json(other) != canonical_json(value):
            raise GateError(f"{what} is {shown(other)}, {first} has {shown(value)}", where=where)


def shown(value: Any) -> str:
    """A value in a message, not too long."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table below some keys; an empty one where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def total(value: Any) -> Any:
    """The sum of a table's numbers; None where it is none of whole numbers."""
    counts = list(value.values()) if isinstance(value, dict) else [None]
    return sum(counts) if all(type(count) is int for count in counts) else None


def summed(rows: Iterable[Mapping[str, Any]], key: str) -> Any:
    """The sum of a field over rows; None where a row has no whole number there."""
    counts = [row.get(key) for row in rows]
    return sum(counts) if all(type(count) is int for count in counts) else None


def loaded(contents: Contents, path: str) -> dict[str, Any]:
    """The table in a file of JSON. Raises GateError if it is anything else."""
    found = canonical.load(contents.read(path).removesuffix(b"\n"), where=path, max_bytes=MAX_RELEASE_BYTES)
    if not isinstance(found, dict):
        raise GateError("is no table", where=path)
    return found
