"""Every leaf of a JSON value, and what else could stand in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Place = tuple[str | int, ...]
DIGEST = re.compile(r"[0-9a-f]{64}")
REMOVED, DOUBLED, RETYPED = "removed", "doubled", "of another type"


class Twice(str):
    """A key that JSON writes like its text and a dict keeps beside it: so an object comes to hold a key twice."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where a value has a text, a number, a truth value, null, or an empty container."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from leaves(child, (*place, key))
    if not isinstance(value, dict | list) or not value:
        yield place


def at(value: Any, place: Place) -> Any:
    """What stands at a place."""
    for key in place:
        value = value[key]
    return value


def others(value: Any) -> list[Any]:
    """Values of the same type that mean something else."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, value * 10 + 3]
    if isinstance(value, float):
        return [value * 1.5 + 1.0, -value - 1.0]
    if isinstance(value, str):
        turned = ("1" if value[:1] == "0" else "0") + value[1:]
        return [turned, "b" * 64] if DIGEST.fullmatch(value) else [value + "x", "y" if value else "other"]
    return [{"x": 1}] if isinstance(value, dict) else ["x"] if value == [] else ["x", 1]


def mutations(value: Any, place: Place) -> Iterator[tuple[str, Callable[[], Any]]]:
    """(what was done, the whole value after it) for one leaf; the value itself stays as it is."""
    found = at(value, place)
    for other in others(found):
        yield f"is {json.dumps(other)}", partial(put, value, place, other)
    yield RETYPED, lambda: put(value, place, {"x": found})
    if place:
        yield REMOVED, lambda: changed(value, place, lambda parent, key: parent.pop(key))
        yield DOUBLED, lambda: changed(value, place, double)


def double(parent: Any, key: Any) -> None:
    """Give an element of a list once more, or a key of an object once more with another value."""
    if isinstance(parent, list):
        parent.insert(key, parent[key])
    else:
        parent[Twice(key)] = others(parent[key])[0]


def put(value: Any, place: Place, other: Any) -> Any:
    """The value with something else at a place."""
    if not place:
        return other
    return changed(value, place, lambda parent, key: parent.__setitem__(key, other))


def changed(value: Any, place: Place, change: Callable[[Any, Any], object]) -> Any:
    """A copy of the value after `change` had its way with the parent of a place."""
    made = json.loads(json.dumps(value))
    change(at(made, place[:-1]), place[-1])
    return made


def named(place: Place) -> str:
    """A place as text: ``named(("files", 0, "sha256")) == "files.*.sha256"``: elements of a list are alike."""
    return ".".join("*" if isinstance(key, int) else key for key in place)
