from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from freehold.progress import Progress

FIGURES = {"loss": 2.4139, "bits_per_byte": 1.1, "tokens_per_s": 9123, "utilisation": 0.314, "memory_gb": 3.21}


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_bar_keeps_to_one_line_however_narrow_the_terminal(width: int) -> None:
    screen = io.StringIO()
    progress = Progress()
    progress.console = Console(file=screen, width=width, force_terminal=True, highlight=False, soft_wrap=True)
    with progress.task("train", total=400_000, unit="tok") as task:
        for _ in range(3):
            task.last_event = 0.0
            task.advance(4096, **FIGURES)
        assert progress.bars is not None
        table = Console(file=io.StringIO(), width=width)
        lines = table.render_lines(progress.bars.get_renderable(), table.options)
        text = "".join(segment.text for segment in lines[0])
    assert len(lines) == 1
    assert "12,288" in text and ("3.21 GB" in text) == (width == 160)


def test_without_a_terminal_a_line_says_everything(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with Progress(events=tmp_path / "events.jsonl").task("train", total=400_000, unit="tok") as task:
        task.last_event = task.last_plain = -100.0
        task.advance(4096, **FIGURES)
    said = capsys.readouterr().err
    assert all(part in said for part in ("train:", "loss 2.414", "1.1 bits/byte", "31.4 % utilised", "3.21 GB"))
    kinds = [json.loads(line)["event"] for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert kinds == ["begin", "advance", "end"]
