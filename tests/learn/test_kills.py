from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("kill_here.py")


def test_killed_at_any_moment_a_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["random"]["kills"] == 20 and found["random"]["wrong"] == []
    points = set(found["points"]["points"])
    assert found["points"]["wrong"] == []
    changes = ("save_file", "write_bytes", "fsync", "replace", "unlink")
    assert points >= {f"{when} {change}" for change in changes for when in ("before", "after")}
    assert points >= {"within save_file", "within write_bytes"}
