"""Building the kernels: a few C++ files, compiled when first needed and kept for the next start."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
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
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return folder if os.access(folder, os.W_OK | os.X_OK) else Path(tempfile.mkdtemp(prefix="freehold-"))


@cache
def compiles() -> bool:
    """Whether the C++ compiler does its work: one line with OpenMP, tried once for each version of it."""
    tool = compiler()
    if tool is None:
        return False
    try:
        version = _run(tool, "--version")
        proof = cache_folder("compilers") / hashlib.sha256(tool.encode() + b"\0" + version).hexdigest()[:16]
        if not proof.exists():
            with tempfile.TemporaryDirectory() as scratch:
                Path(scratch, "one.cpp").write_text("#include <omp.h>\nint one() { return omp_get_max_threads(); }\n")
                _run(tool, "-shared", "-fPIC", "-fopenmp", "one.cpp", "-o", "one.so", folder=scratch)
            proof.touch()
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def library() -> ctypes.CDLL | None:
    """The kernels; None where they cannot run, see `absence`."""
    return _opened()[0]


def absence() -> str | None:
    """Why the kernels cannot run here: no AMX, no compiler, one that fails, or switched off. None if they can."""
    return _opened()[1]


@cache
def _opened() -> tuple[ctypes.CDLL | None, str | None]:
    """The kernels, or what keeps them away."""
    if os.environ.get(SWITCH, "") == "torch":
        return None, f"{SWITCH} is 'torch'"
    if not torch.cpu._is_amx_tile_supported():
        return None, "this processor has no matrix units (AMX)"
    tool = compiler()
    if tool is None:
        return None, "there is no C++ compiler"
    try:
        found = ctypes.CDLL(str(_built(tool)))
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"{tool} does not build them: {error}"
    return (found, None) if found.begin() == 0 else (None, "the system does not lend the matrix units' registers")


def _run(*command: str, folder: str | None = None) -> bytes:
    """What a command prints. Raises OSError or SubprocessError."""
    return subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout


def _built(tool: str) -> Path:
    """The shared library of this source, compiler and processor; made if it is not there yet."""
    version = _run(tool, "--version")
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
            _run(tool, *FLAGS, "-c", *units, folder=scratch)
            # Linked without OpenMP: its names are found in the runtime that torch has loaded, and both share threads.
            compiled = sorted(str(file) for file in Path(scratch).glob("*.o"))
            _run(tool, "-shared", *compiled, "-o", "kernels.so", folder=scratch)
            Path(scratch, "kernels.so").replace(path)
    return path
