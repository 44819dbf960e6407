"""A release's folder that takes changes and gives every byte back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Folder:
    """The files of a release in memory and on disk; `changed` puts others there for a while."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = {
            str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()
        }

    @contextmanager
    def changed(self, files: Mapping[str, bytes]) -> Iterator[Path]:
        """The folder with these files instead of its own."""
        touched = {path for path, data in files.items() if self.files.get(path) != data}
        try:
            for path in touched:
                (self.path / path).write_bytes(files[path])
            yield self.path
        finally:
            for path in touched:
                if path in self.files:
                    (self.path / path).write_bytes(self.files[path])
                else:
                    (self.path / path).unlink()

    def restore(self) -> None:
        """Make the folder anew, whatever lies there now."""
        if self.path.is_symlink() or not self.path.is_dir():
            self.path.unlink(missing_ok=True)
        else:
            shutil.rmtree(self.path)
        self.copied(self.path)

    def copied(self, target: Path) -> None:
        """Write the files to another folder."""
        for path, data in self.files.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(data)
