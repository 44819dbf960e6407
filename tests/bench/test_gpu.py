"""The GPU bench, rehearsed: every worker runs, and a worker that fails or is late costs only its own figures."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "bench" / "gpu.py"
WITHOUT_A_VALUE = {"attention: FlexAttention, 8 documents"}  # it has no backward pass on a CPU


def bench(*options: str, out: Path | None = None) -> list[dict[str, Any]]:
    """The figures of a run of the script."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **({"OUT": str(out)} if out else {})}
    command = [sys.executable, str(SCRIPT), "--json", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, timeout=600)
    figures: list[dict[str, Any]] = json.loads(done.stdout)
    return figures


def test_a_figure_is_kept_where_out_says(tmp_path: Path) -> None:
    figures = bench("--rehearse", "--only", "124M", out=tmp_path)
    assert [figure["figure"] for figure in figures] == ["124M bf16: speed", "124M bf16: utilisation"]
    assert all(figure["value"] > 0 and figure["holds"] is None for figure in figures)
    assert json.loads((tmp_path / "gpu-rehearsal.json").read_text())["figures"] == figures


def test_without_time_nothing_is_begun() -> None:
    (figure,) = bench("--rehearse", "--only", "1B", "--minutes", "0.1")
    assert figure["value"] is None and "no time" in figure["why"]


def test_a_worker_that_is_late_or_fails_leaves_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    gpu = runpy.run_path(str(SCRIPT))
    late = "print('FIGURE so far', flush=True); import time; time.sleep(60)"
    output, _, why = gpu["finished"]([sys.executable, "-c", late], 1.0)
    assert output == b"FIGURE so far\n" and why == "stopped after 1 s"
    assert gpu["finished"]([sys.executable, "-c", "raise SystemExit('no luck')"], 10.0)[2] == "no luck"


@pytest.mark.long
def test_every_figure_can_be_rehearsed(tmp_path: Path) -> None:
    figures = bench("--rehearse", out=tmp_path)
    missing = {figure["figure"] for figure in figures if figure["value"] is None} - {"loss"}
    assert missing == WITHOUT_A_VALUE
    assert {"resume after kill -9: bit-equal", "fp8: loss drift", "1B fp8: speed"} <= {row["figure"] for row in figures}
    assert len(json.loads((tmp_path / "gpu-rehearsal.json").read_text())["curves"]["loss fp8"]) > 0
