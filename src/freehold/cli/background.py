"""A journey that runs behind the tour: started, watched through its events, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from freehold.errors import FreeholdError
from freehold.plugins import SILENCE

LOOK_EVERY_S = 0.5
PLAIN_EVERY_S = 20.0


@dataclass(slots=True, kw_only=True)
class Background:
    """`freehold run` in a process group of its own; its output goes to `log`."""

    charter: Path
    workspace: Path
    log: Path
    console: Console
    process: subprocess.Popen[bytes] | None = None
    last_plain: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Begin the journey, or go on with it."""
        command = [
            sys.executable,
            "-m",
            "freehold.cli.main",
            "run",
            str(self.charter),
            "--workspace",
            str(self.workspace),
        ]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, **SILENCE},
            )

    def kill(self) -> None:
        """kill -9 on the run and everything it started, as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def state(self) -> tuple[str, dict[str, Any]]:
        """The stage at work and its last event with figures."""
        runs = sorted((self.workspace / "runs").glob("*-*/events.jsonl"), key=lambda path: path.stat().st_mtime)
        for events in reversed(runs):
            stage = events.parent.name.split("-")[1]
            if stage not in ("search", "trace"):
                return stage, last_figures(events)
        return "start", {}

    def line(self) -> str:
        """What the running journey is doing, in one line."""
        stage, event = self.state()
        done, total = event.get("done", 0), event.get("total") or 0
        bar = ""
        if total:
            filled = round(20 * done / total)
            bar = f"[{'█' * filled}{'·' * (20 - filled)}] {100 * done / total:3.0f} %  "
        figures = [(name, event[name]) for name in ("loss", "tokens_per_s", "utilisation") if name in event]
        return f"{stage:<9}{bar}" + "  ".join(
            f"{name.replace('_', ' ')} {shown(name, value)}" for name, value in figures
        )

    def wait(self, until: Callable[[], bool]) -> None:
        """Show the journey's line until the condition holds or it ends. Raises FreeholdError if it failed."""
        live = Live(Text(""), console=self.console, refresh_per_second=2, transient=True)
        terminal = self.console.is_terminal
        if terminal:
            live.start()
        try:
            while self.running() and not until():
                if terminal:
                    live.update(Text("  " + self.line(), style="cyan"))
                elif time.monotonic() - self.last_plain > PLAIN_EVERY_S:
                    self.last_plain = time.monotonic()
                    self.console.print("  " + self.line(), markup=False)
                time.sleep(LOOK_EVERY_S)
        finally:
            if terminal:
                live.stop()
        if not self.running() and self.process is not None and self.process.returncode:
            tail = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            raise FreeholdError(f"the journey stopped: {' '.join(tail)}", remedy=f"its whole output is in {self.log}")

    def running(self) -> bool:
        """Whether the journey is still on its way."""
        return self.process is not None and self.process.poll() is None


def shown(name: str, value: Any) -> str:
    """A figure of the line."""
    if name == "utilisation":
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"


def last_figures(events: Path) -> dict[str, Any]:
    """The newest event of a run that reports progress."""
    with events.open("rb") as file:
        file.seek(max(0, events.stat().st_size - 8192))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    for line in reversed(lines):
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        if event.get("event") in ("advance", "begin"):
            return event
    return {}
