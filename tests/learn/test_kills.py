from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from freehold.model import native

SCRIPT = Path(__file__).with_name("kill_here.py")


def killed(folder: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_killed_at_any_moment_a_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    found = killed(tmp_path)
    assert found["random"]["kills"] == 20 and found["random"]["wrong"] == []
    points = set(found["points"]["points"])
    assert found["points"]["wrong"] == []
    changes = ("save_file", "write_bytes", "fsync", "replace", "unlink")
    assert points >= {f"{when} {change}" for change in changes for when in ("before", "after")}
    assert points >= {"within save_file", "within write_bytes"}


@pytest.mark.skipif(not native.ready(), reason="no AMX or no compiler on this machine")
def test_so_does_one_whose_sums_the_native_kernels_make(tmp_path: Path) -> None:
    found = killed(tmp_path, "kernels")
    assert set(found["kernels"]) == set(native.GIVEN)
    assert found["random"]["kills"] == 6 and found["random"]["wrong"] == []
