"""The stranger's walk-through of docs/guide/verify.md, run as it is written.

The `console` blocks of the page are run in order, in one folder that holds a copy of the town. A line that begins with
`$ ` is a command, the lines below it are what it prints. What came out must be what the page shows, by these rules:

- `…` stands for anything within its line, and on a line of its own for any lines, or none;
- two digests are alike (16 hex digits or more), and so are two numbers of three digits or more: bytes, packages, years;
- a digest in a command is the one that came out where the page showed it before;
- a command ends with exit code 0, unless its output says `(exit N)`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parent.parent / "docs" / "guide" / "verify.md"
DIGEST, NUMBER = re.compile(r"\b[0-9a-f]{16,64}\b"), re.compile(r"\b\d[\d,]{2,}\b")


def commands(page: str) -> list[tuple[str, list[str]]]:
    """Every command of the page with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def alike(line: str) -> str:
    """A line without what differs from run to run."""
    return NUMBER.sub("#", DIGEST.sub("DIGEST", line)).rstrip()


def pattern(shown: list[str]) -> re.Pattern[str]:
    """What the whole output must match: the lines of the page, with their gaps."""
    lines = ["(?:.*\n)*?" if line == "…" else re.escape(alike(line)).replace("…", ".*?") + "\n" for line in shown]
    return re.compile("".join(lines))


def digests(shown: list[str], printed: list[str]) -> dict[str, str]:
    """Whole digests of the page, with those that came out in the same lines."""
    came = {alike(line): DIGEST.findall(line) for line in printed}
    pairs = [(DIGEST.findall(line), came.get(alike(line), [])) for line in shown]
    return {old: new for olds, news in pairs for old, new in zip(olds, news, strict=False) if len(old) == 64}


@pytest.fixture
def place(town: Path, lean: Path, tmp_path: Path) -> Path:
    """A folder with the town, and on the path what the page calls: freehold, and a Python with `cryptography` alone."""
    shutil.copytree(town.parent, tmp_path / "walk" / "town")
    (tmp_path / "bin").mkdir()
    bare = f'PYTHONPATH="{lean}" exec "{Path(sys.executable).resolve()}" -S -s -B'
    programs = {"freehold": f'exec "{sys.executable}" -m freehold.cli.main', "python3": bare}
    for name, words in programs.items():
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\n{words} "$@"\n')
        program.chmod(0o755)
    return tmp_path / "walk"


def replacement(known: dict[str, str], digest: re.Match[str]) -> str:
    """What a digest of the page is here."""
    return known.get(digest[0], digest[0])


def run(command: str, place: Path) -> str:
    """What a command prints in a folder, to both streams in order, after it ended with the code that it says."""
    path = f"{place.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    surroundings = os.environ | {"PATH": path, "PYTHONUNBUFFERED": "1", "COLUMNS": "120", "TERM": "dumb"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=place,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    told = re.search(r"\(exit (\d+)\)$", done.stdout.rstrip())
    assert done.returncode == (int(told[1]) if told else 0), f"$ {command}\n{done.stdout}"
    return done.stdout


def test_a_stranger_walks_as_the_page_says(place: Path) -> None:
    known: dict[str, str] = {}
    for command, shown in commands(PAGE.read_text(encoding="utf-8")):
        asked = DIGEST.sub(partial(replacement, known), command)
        printed = run(asked, place).splitlines()
        came = "".join(f"{alike(line)}\n" for line in printed)
        told = "\n".join(["", f"$ {asked}", *printed, "but the page shows", *shown])
        assert pattern(shown).fullmatch(came), told
        known |= digests(shown, printed)
