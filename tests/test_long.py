"""What takes minutes: the example's own shape, compiled and in bf16 where the machine can, killed at random moments."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMONS = Path(__file__).resolve().parent.parent / "examples" / "commons"
RUN = [sys.executable, "-m", "freehold.cli.main", "run"]


@pytest.mark.long
def test_killed_at_random_moments_the_example_trains_to_the_same_bytes(tmp_path: Path) -> None:
    folder = shutil.copytree(COMMONS, tmp_path / "commons", ignore=shutil.ignore_patterns(".freehold"))
    charter = Path(folder) / "charter.toml"
    text = charter.read_text(encoding="utf-8").replace(
        "\ntokens = 3_000_000", "\ncheckpoint_steps = 8\ntokens = 300_000", 1
    )
    charter.write_text(text, encoding="utf-8")
    prepared = tmp_path / "prepared"
    subprocess.run([*RUN, str(charter), "--until", "tokenize", "--workspace", str(prepared)], check=True)
    trained = []
    for name, kills in (("calm", 0), ("killed", 3)):
        workspace = Path(shutil.copytree(prepared, tmp_path / name))
        command = [*RUN, str(charter), "--until", "train", "--workspace", str(workspace)]
        for kill in range(kills):
            process = subprocess.Popen(command, start_new_session=True)
            wait_for_step(workspace, process)
            time.sleep(random.Random(kill).uniform(0, 8))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        subprocess.run(command, check=True)
        (artifact,) = (folder for folder in (workspace / "artifacts" / "train").iterdir() if folder.name[0] != ".")
        trained.append(artifact.name)
    assert trained[0] == trained[1]


def wait_for_step(workspace: Path, process: subprocess.Popen[bytes]) -> None:
    """Return once the newest run has taken a step."""
    runs = workspace / "runs"
    known = set(runs.glob("*-train-*"))
    while process.poll() is None:
        fresh = set(runs.glob("*-train-*/events.jsonl")) - {folder / "events.jsonl" for folder in known}
        if any('"loss"' in events.read_text(encoding="utf-8") for events in fresh):
            return
        time.sleep(0.1)
    raise AssertionError("the run ended before it could be killed")
