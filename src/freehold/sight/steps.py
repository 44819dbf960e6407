"""Every step as one JSON line, `steps.jsonl` of the run folder; a resumed run begins with the lines before it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from freehold.learn.loop import Taken
from freehold.learn.observers import Measures

FILE = "steps.jsonl"
POINTER = "seen-in"  # in scratch: the run folder of the run that was killed
SHOWN_DOCUMENTS = 20  # of a skipped step's batch
DECIMALS = {"tokens": 0, "tokens_per_s": 1, "memory_gb": 3, "utilisation": 4}  # 6 for the others


class Steps:
    """The observer that writes the lines."""

    name = "the log of the steps"

    def __init__(self, folder: Path, *, scratch: Path) -> None:
        """`folder` is the run's; `scratch` is found again by a run that resumes."""
        self.path, self.pointer = folder / FILE, scratch / POINTER
        self.file: IO[str] | None = None

    def __call__(self, taken: Taken, measures: Measures) -> None:
        """Append a step; flushed at once, so that others may read along."""
        self.file = self.file or self._begin(taken.step)
        self.file.write(json.dumps(row_of(taken, measures), ensure_ascii=False) + "\n")
        self.file.flush()

    def _begin(self, first: int) -> IO[str]:
        """Open the file with what the run before had seen up to step `first`."""
        lines = []
        if self.pointer.exists():
            before = rows(Path(self.pointer.read_text(encoding="utf-8")) / FILE)
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in before if row["step"] <= first]
        self.pointer.write_text(str(self.path.parent), encoding="utf-8")
        file = self.path.open("w", encoding="utf-8")
        file.writelines(lines)
        return file


def row_of(taken: Taken, measures: Measures) -> dict[str, Any]:
    """One line: step, time (Unix, seconds), the measures; a skipped step names the documents of its batch."""
    told = {name: round(value, DECIMALS.get(name, 6)) for name, value in measures.items()}
    row = {"step": taken.step + 1, "time": round(time.time(), 3), **told, "tokens": int(measures["tokens"])}
    return row if taken.taken else {**row, "skipped": True, "documents": taken.batch.documents[:SHOWN_DOCUMENTS]}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of such a file, none where there is none; a line that a kill cut short is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)
