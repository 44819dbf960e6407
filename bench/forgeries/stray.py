"""Kind (a): bytes and files are changed, removed, added, swapped or imitated, and nothing is signed again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

from forgeries.folder import Folder
from forgeries.leaves import Twice
from forgeries.meaning import Verify, dumped

Mutation = Callable[[Folder, random.Random], str]  # makes it, and says what it did
LOOK_ALIKE = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "i": "\u0456", "s": "\u0455", "c": "\u0441"}  # Cyrillic


def byte(folder: Folder, chance: random.Random) -> str:
    """Another value of one byte."""
    name, data = drawn(folder, chance)
    place, mask = chance.randrange(len(data)), chance.randrange(1, 256)
    data[place] ^= mask
    (folder.path / name).write_bytes(data)
    return f"{name}: byte {place} ^ {mask}"


def cut(folder: Folder, chance: random.Random) -> str:
    """A stretch of bytes removed, inserted or written over."""
    name, data = drawn(folder, chance)
    start, length = chance.randrange(len(data)), chance.randrange(1, 65)
    how = chance.choice(("removed", "added", "doubled"))
    part = bytes(data[start : start + length])
    data[start : start + (len(part) if how == "removed" else 0)] = {
        "removed": b"",
        "added": chance.randbytes(length),
        "doubled": part,
    }[how]
    (folder.path / name).write_bytes(data)
    return f"{name}: {length} bytes at {start} {how}"


def removed(folder: Folder, chance: random.Random) -> str:
    """A file gone."""
    name = chance.choice(sorted(folder.files))
    (folder.path / name).unlink()
    return f"{name}: removed"


def added(folder: Folder, chance: random.Random) -> str:
    """A file more: in a dot folder, a dot file, beside the others, or with a look-alike name."""
    near = folder.path / chance.choice(sorted(folder.files))
    letters = [letter for letter in near.name if letter in LOOK_ALIKE]
    names = [f".{near.name}", f".git/{near.name}", f"{near.name}~", near.name.swapcase()]
    names += [near.name.replace(letters[0], LOOK_ALIKE[letters[0]], 1)] if letters else []
    path = near.parent / chance.choice(names)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(near.read_bytes())
    return f"{path.relative_to(folder.path)}: added"


def swapped(folder: Folder, chance: random.Random) -> str:
    """The contents of two files exchanged."""
    by_content = {data: name for name, data in folder.files.items()}
    one, other = chance.sample(sorted(by_content.values()), 2)
    (folder.path / one).write_bytes(folder.files[other])
    (folder.path / other).write_bytes(folder.files[one])
    return f"{one} and {other}: swapped"


def linked(folder: Folder, chance: random.Random) -> str:
    """A link instead of a file, or beside one; or an empty folder."""
    name = chance.choice(sorted(folder.files))
    path, how = folder.path / name, chance.choice(("instead", "beside", "folder"))
    if how == "instead":
        outside = folder.path.with_name(folder.path.name + ".outside")
        outside.write_bytes(path.read_bytes())
        path.unlink()
        path.symlink_to(outside)
    elif how == "beside":
        path.with_name("link").symlink_to(path.name)
    else:
        path.with_name(".empty").mkdir()
    return f"{name}: link or folder, {how}"


def renamed(folder: Folder, chance: random.Random) -> str:
    """A file under another name."""
    name = chance.choice(sorted(folder.files))
    (folder.path / name).rename((folder.path / name).with_name("renamed"))
    return f"{name}: renamed"


def doubled_key(folder: Folder, chance: random.Random) -> str:
    """A key of a JSON object given twice, the second time with another value."""
    values = {name: json.loads(data) for name, data in sorted(folder.files.items()) if name.endswith(".json")}
    name, value = chance.choice([row for row in values.items() if isinstance(row[1], dict) and row[1]])
    key = chance.choice(sorted(value))
    (folder.path / name).write_bytes(dumped({**value, Twice(key): "other"}))
    return f"{name}: the key {key} twice"


KINDS: tuple[Mutation, ...] = (byte, cut, removed, added, swapped, linked, renamed, doubled_key)


def trials(folder: Folder, verify: Verify, *, count: int, chance: random.Random) -> Iterator[tuple[str, str, set[int]]]:
    """(kind, what was done, checks that fail) of `count` mutations, the kinds in turn, each of the whole folder."""
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        try:
            said = kind(folder, chance)
            yield kind.__name__, said, verify(folder.path)
        finally:
            folder.restore()


def drawn(folder: Folder, chance: random.Random) -> tuple[str, bytearray]:
    """A file that is not empty, and its bytes."""
    name = chance.choice([name for name, data in sorted(folder.files.items()) if data])
    return name, bytearray(folder.files[name])
