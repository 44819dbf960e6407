"""Jobs run in processes of their own; their results, errors and deaths come back as such."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from freehold.engine.job import JobSpec
from freehold.engine.local import LocalEngine
from freehold.errors import FreeholdError, InputError


def job(folder: Path, entry: str, **arguments: object) -> JobSpec:
    """A job named after its folder."""
    return JobSpec(name="job", entry=entry, arguments=arguments, folder=folder)


def test_a_result_comes_back(tmp_path: Path) -> None:
    handle = LocalEngine().submit(job(tmp_path, "freehold.progress:clock", seconds=75))
    assert handle.wait() == "1:15"


def test_an_error_of_ours_keeps_its_kind_and_words(tmp_path: Path) -> None:
    handle = LocalEngine().submit(job(tmp_path, "freehold.charter_file:load", path=str(tmp_path / "none.toml")))
    with pytest.raises(InputError, match="no charter at"):
        handle.wait()


def test_a_killed_job_says_so_and_how_to_go_on(tmp_path: Path) -> None:
    handle = LocalEngine().submit(job(tmp_path, "time:sleep", __seconds=30))
    handle.process.send_signal(signal.SIGKILL)
    with pytest.raises(FreeholdError, match=r"SIGKILL.*run the same command again"):
        handle.wait()


def test_a_job_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    code = "\n".join(
        (
            "from pathlib import Path",
            "from freehold.engine.job import JobSpec",
            "from freehold.engine.local import LocalEngine",
            f"job = JobSpec(name='x', entry='signal:pause', arguments={{}}, folder=Path({str(tmp_path)!r}))",
            "handle = LocalEngine().submit(job)",
            "print(handle.process.pid, flush=True)",
            "handle.wait()",
        )
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(1.0)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(child)


def alive(process: int) -> bool:
    """Whether a process still runs (a zombie does not)."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return not state.exists() or state.read_text().split()[2] != "Z"
    except OSError:
        return False
