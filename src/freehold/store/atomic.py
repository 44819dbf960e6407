"""A file appears whole or not at all, and a killed run leaves nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def placed(path: Path, *, scratch: Path) -> Iterator[Path]:
    """Yield a path inside `scratch` to write to; on success it is flushed to disk and renamed to `path`.

    `scratch` is on the same file system and thrown away in the end, so that an unfinished file is never sealed
    into an artifact. An exception inside the block leaves `path` as it was.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = scratch / f"{path.name}.unfinished"
    unfinished.unlink(missing_ok=True)
    yield unfinished
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)


def place(path: Path, data: bytes, *, scratch: Path) -> None:
    """Write `data` to `path` in one step."""
    with placed(path, scratch=scratch) as unfinished:
        unfinished.write_bytes(data)
