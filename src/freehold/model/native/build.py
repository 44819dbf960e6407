"""Building the kernels: a few C++ files, compiled when first needed and kept for the next start."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

SOURCES = tuple(sorted(Path(__file__).parent.glob("*.[ch]pp")))
FLAGS = ("-O3", "-march=native", "-fopenmp", "-fPIC", "-std=c++17", "-w")
SWITCH = "FREEHOLD_KERNELS"  # "torch" leaves the kernels out


def compiler() -> str | None:
    """The C++ compiler of this machine, None if there is none."""
    return next(filter(None, map(shutil.which, (os.environ.get("CXX", "g++"), "g++", "clang++"))), None)


def cache_folder(name: str) -> Path:
    """Where compiled code is kept between runs (XDG base directories), or a temporary folder if that is read-only."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base, "freehold", name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return Path(tempfile.mkdtemp(prefix="freehold-"))
    return folder


@cache
def library() -> ctypes.CDLL | None:
    """The kernels, or None where they cannot run: no AMX, no compiler, one that fails, or switched off."""
    wanted = os.environ.get(SWITCH, "") != "torch" and torch.cpu._is_amx_tile_supported()
    tool = compiler()
    if not wanted or tool is None:
        return None
    try:
        found = ctypes.CDLL(str(_built(tool)))
    except (OSError, subprocess.SubprocessError):
        return None
    return found if found.begin() == 0 else None


def _built(tool: str) -> Path:
    """The shared library of this source, compiler and processor; made if it is not there yet."""
    version = subprocess.run([tool, "--version"], capture_output=True, check=True).stdout
    processor = repr(sorted(torch.cpu.get_capabilities().items())).encode()
    parts = (
        *(source.read_bytes() for source in SOURCES),
        repr(FLAGS).encode(),
        version,
        processor,
        torch.__version__.encode(),
    )
    key = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    path = cache_folder("kernels") / f"amx-{key}.so"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
            units = [str(source) for source in SOURCES if source.suffix == ".cpp"]
            subprocess.run([tool, *FLAGS, "-c", *units], cwd=scratch, check=True, capture_output=True)
            # Linked without OpenMP: its names are found in the runtime that torch has loaded, and both share threads.
            compiled = sorted(str(file) for file in Path(scratch).glob("*.o"))
            subprocess.run(
                [tool, "-shared", *compiled, "-o", "kernels.so"], cwd=scratch, check=True, capture_output=True
            )
            Path(scratch, "kernels.so").replace(path)
    return path
