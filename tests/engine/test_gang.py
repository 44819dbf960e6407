"""Jobs that live and die with a block of code."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from freehold.engine.gang import Gang
from freehold.engine.job import JobSpec
from freehold.engine.local import LocalEngine
from freehold.errors import GateError, InputError


def job(folder: Path, entry: str, **arguments: object) -> JobSpec:
    """A job named after its entry."""
    return JobSpec(name=entry, entry=entry, arguments=arguments, folder=folder)


def sleeper(folder: Path) -> JobSpec:
    """A job that ends only when it is stopped."""
    return job(folder, "signal:pause")


def faulty(folder: Path) -> JobSpec:
    """A job that fails at once."""
    return job(folder, "freehold.charter_file:load", path=str(folder / "none.toml"))


def test_a_block_waits_for_its_jobs_and_their_failure_is_its_own(tmp_path: Path) -> None:
    with Gang(LocalEngine(), [job(tmp_path / "a", "freehold.progress:clock", seconds=75)]):
        pass
    assert (tmp_path / "a" / "result.json").read_text() == '"1:15"'
    with pytest.raises(InputError, match="no charter"), Gang(LocalEngine(), [faulty(tmp_path / "b")]):
        pass


def test_a_block_that_fails_stops_its_jobs_and_says_why(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(GateError, match="mine"), Gang(LocalEngine(), [sleeper(tmp_path)]) as gang:
        raise GateError("mine")
    assert gang.handles[0].process.poll() is not None and time.monotonic() - begun < 10


def test_the_cause_is_told_when_a_failed_job_makes_the_block_fail(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no charter"), Gang(LocalEngine(), [faulty(tmp_path)]) as gang:
        gang.handles[0].process.wait()
        raise RuntimeError("connection closed by peer")


def test_a_block_that_waits_for_a_dead_job_forever_is_ended(tmp_path: Path) -> None:
    code = "\n".join(
        (
            "import signal",
            "from pathlib import Path",
            "from freehold.engine import gang, job, local",
            "gang.GRACE_S = 0.1",
            "spec = job.JobSpec(name='rank 1', entry='os:_exit', arguments={'status': 7}, folder=Path('.'))",
            "with gang.Gang(local.LocalEngine(), [spec]):",
            "    signal.pause()",
        )
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0 and "rank 1 stopped unexpectedly (exit 7)" in ended.stderr
