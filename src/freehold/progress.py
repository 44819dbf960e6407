"""What a person sees while work goes on, and the same facts as JSON lines in the run folder.

Bars and notes go to stderr; results belong to stdout. Clock readings live here and never in an artifact.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bars
from rich.progress import Task as BarTask
from rich.table import Column
from rich.text import Text

PLAIN_EVERY_S = 15.0  # a line this often where there is no terminal
EVENT_EVERY_S = 0.5  # at most one JSON line this often while a task advances
WIDE, NARROW = 24, 8  # characters of a bar, and of one on a terminal narrower than ROOMY
ROOMY = 90
# Figures that people know by a shorter or a fuller name than their key: before and after the number.
SHOWN_AS = {
    "tokens_per_s": ("", " tok/s"),
    "bits_per_byte": ("", " bits/byte"),
    "utilisation": ("", " utilised"),
    "memory_gb": ("", " GB"),
}


def short(value: object) -> str:
    """A figure for the eye: four significant digits, thousands with a comma.

    >>> short(12345.678), short(0.123456), short("x")
    ('12,346', '0.1235', 'x')
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or isinstance(value, int) else f"{value:.4g}"


def clock(seconds: float) -> str:
    """Minutes and seconds, or hours before them.

    >>> clock(75), clock(7_384)
    ('1:15', '2:03:04')
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def fitted(parts: Sequence[str], width: int) -> str:
    """As many parts as a line of `width` characters holds, from the first on; the first one always.

    >>> fitted(["3:20 left", "loss 2.41", "memory 3.2 GB"], 24)
    '3:20 left  loss 2.41'
    """
    line = parts[0] if parts else ""
    for part in parts[1:]:
        if len(line) + 2 + len(part) > width:
            break
        line += "  " + part
    return line


def told(name: str, value: object) -> str:
    """A figure with its name or unit.

    >>> told("loss", 2.4139), told("utilisation", 0.314), told("memory_gb", 3.21)
    ('loss 2.414', '31.4 % utilised', '3.21 GB')
    """
    before, after = SHOWN_AS.get(name, (f"{name.replace('_', ' ')} ", ""))
    share = name == "utilisation" and isinstance(value, float)
    return before + (f"{100 * value:.1f} %" if share else short(value)) + after  # type: ignore[operator]


class Figures(ProgressColumn):
    """The right-hand column of a bar: what is left and whatever the task reports, as far as there is room."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))

    def render(self, task: BarTask) -> Text:
        """One line such as ``9,120/40,000 tok  3:20 left  loss 2.41``."""
        return Text(str(task.fields.get("tail", "")), style="cyan")


class Task:
    """One piece of work with a known total; `advance` moves the bar and leaves JSON lines."""

    def __init__(self, owner: Progress, name: str, *, total: float | None, unit: str, done: float = 0) -> None:
        self.owner, self.name, self.total, self.unit, self.done = owner, name, total, unit, done
        self.begun = self.last_event = self.last_plain = time.monotonic()
        self.start_done = done
        self.figures: dict[str, Any] = {}
        self.bar = owner.bars.add_task(name, total=total, completed=int(done), tail="") if owner.bars else None

    def advance(self, amount: float = 1, **figures: Any) -> None:
        """Add `amount` units of work; `figures` (loss, tokens_per_s, …) replace the ones shown before."""
        self.done += amount
        self.figures.update(figures)
        now = time.monotonic()
        if now - self.last_event >= EVENT_EVERY_S or self.done == self.total:
            self.last_event = now
            self.owner.event("advance", task=self.name, done=self.done, total=self.total, **self.figures)
            if self.owner.bars and self.bar is not None:
                tail = fitted(self.tail(now), self.owner.room(self.name))
                self.owner.bars.update(self.bar, completed=self.done, tail=tail)
            elif now - self.last_plain >= PLAIN_EVERY_S and self.owner.stream:
                self.last_plain = now
                self.owner.note(f"{self.name}: {'  '.join(self.tail(now))}", event=False)

    def tail(self, now: float) -> list[str]:
        """Everything worth saying beside the bar, what matters most first."""
        rate = (self.done - self.start_done) / max(now - self.begun, 1e-9)
        parts = [f"{short(self.done)}" + (f"/{short(self.total)}" if self.total else "") + f" {self.unit}"]
        if "tokens_per_s" not in self.figures:
            parts.append(f"{short(round(rate, 1))} {self.unit}/s")
        if self.total and rate > 0:
            parts.append(f"{clock((self.total - self.done) / rate)} left")
        return parts + [told(name, value) for name, value in self.figures.items()]


class Progress:
    """Bars on a terminal, plain lines elsewhere, JSON lines in `events` (a file path) always."""

    def __init__(self, *, events: Path | None = None, quiet: bool = False) -> None:
        self.stream = None if quiet else sys.stderr
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self.bars: Bars | None = None
        self.events = events
        if events is not None:
            events.parent.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def task(self, name: str, *, total: float | None = None, unit: str = "", done: float = 0) -> Iterator[Task]:
        """A piece of work; nested tasks share one set of bars. `done` is where a resumed task begins."""
        outermost = self.bars is None and self.stream is not None and self.console.is_terminal
        if outermost:
            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(bar_width=self.bar_width),
                Figures(),
            )
            self.bars = Bars(*columns, console=self.console, transient=True)
            self.bars.start()
        task = Task(self, name, total=total, unit=unit, done=done)
        self.event("begin", task=name, total=total, unit=unit, done=done)
        try:
            yield task
            seconds = time.monotonic() - task.begun
            self.event("end", task=name, done=task.done, total=total, seconds=round(seconds, 3), **task.figures)
        finally:
            if self.bars is not None and task.bar is not None:
                self.bars.remove_task(task.bar)
            if outermost and self.bars is not None:
                self.bars.stop()
                self.bars = None

    @property
    def bar_width(self) -> int:
        """Characters of a bar: a narrow terminal keeps its room for figures."""
        return WIDE if self.console.width >= ROOMY else NARROW

    def room(self, name: str) -> int:
        """Characters that the figures beside the bar of a task may take."""
        return self.console.width - self.bar_width - len(name) - len("⠋") - 3  # a space between columns

    def note(self, text: str, *, event: bool = True) -> None:
        """One line to the person."""
        if event:
            self.event("note", text=text)
        if self.stream is not None:
            self.console.print(text, markup=False)

    def event(self, kind: str, **facts: Any) -> None:
        """One JSON line in the run folder; nothing on the screen."""
        if self.events is None:
            return
        line = json.dumps({"time": round(time.time(), 3), "event": kind, **facts}, ensure_ascii=False, default=str)
        with self.events.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
