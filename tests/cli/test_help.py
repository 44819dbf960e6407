"""The command line answers at once and loads nothing heavy."""

from __future__ import annotations

import resource
import subprocess
import sys

HEAVY = ("torch", "numpy", "pydantic", "pyarrow", "daft", "transformers", "tokenizers", "cryptography", "fastapi")


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; sys.argv = ['freehold', '--help']\n"
        "from freehold.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"print('HEAVY', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    times = []  # processor time: other tests may be running beside this one
    for _ in range(3):
        begun = processor_time_of_children()
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        times.append(processor_time_of_children() - begun)
    assert "HEAVY []" in done.stdout
    assert min(times) < 0.4


def processor_time_of_children() -> float:
    """Seconds of user and system time of every child that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_every_verb_explains_itself() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "freehold.cli.main", "--help"], capture_output=True, text=True, check=True
    )
    for verb in ("init", "curate", "tokenize", "train", "refine", "evaluate", "release", "run", "search", "trace"):
        assert verb in done.stdout


def test_a_wrong_option_exits_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "freehold.cli.main", "run", "--nope"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
