"""A folder of strangers as a list of files: hidden ones left out, links followed once, git asked where it keeps it.

Nothing here changes a file or runs what a repository configures: of git only `ls-tree` and `log` are asked, with its
hooks, filters and file-system monitor out of reach.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

GIT_S = 120  # a listing of a million files takes a few seconds
UNDISTURBED = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}  # fmt: skip
QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a folder holds; paths are absolute and sorted."""

    files: tuple[Path, ...]
    faults: tuple[tuple[Path, str], ...] = ()  # entries that cannot be followed, and why: symlink-loop, …
    revision: Revision | None = None  # of a git repository
    dates: Mapping[Path, str] = field(default_factory=dict)  # file → since when it is as it is, where somebody says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What a git repository says of its HEAD."""

    commit: str  # object id
    date: str  # of the commit, ISO 8601
    blobs: dict[Path, str] = field(default_factory=dict)  # file → object id

    def unchanged(self, path: Path) -> bool:
        """Whether a file is byte by byte the one that was committed."""
        wanted = self.blobs.get(path)
        if wanted is None:
            return False
        digest = hashlib.sha1(usedforsecurity=False) if len(wanted) == 40 else hashlib.sha256()
        with path.open("rb") as file:
            digest.update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
            while data := file.read(1 << 20):
                digest.update(data)
        return digest.hexdigest() == wanted


def tree(folder: Path) -> Tree:
    """Everything below a folder that may be read: of a git repository what it tracks, else every file not hidden."""
    folder = folder.resolve()
    return tracked(folder) or walked(folder)


def walked(folder: Path) -> Tree:
    """Every file below a folder. A link to a folder is followed once and never back into where it stands."""
    files: list[Path] = []
    faults: list[tuple[Path, str]] = []
    followed = {folder}
    pending = [folder]
    while pending:
        try:
            entries = sorted(os.scandir(pending.pop()), key=lambda entry: entry.name)
        except OSError as error:
            faults.append((Path(error.filename), "unreadable-folder"))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            elif not entry.is_symlink():
                if entry.is_file():
                    files.append(path)
                else:
                    faults.append((path, "special-file"))
            elif fault := link_fault(path, folder, followed):
                faults.append((path, fault))
            elif path.is_dir():
                pending.append(path)
                followed.add(path.resolve())
            else:
                files.append(path)
    return Tree(files=tuple(sorted(files)), faults=tuple(sorted(faults)))


def link_fault(link: Path, folder: Path, followed: set[Path]) -> str | None:
    """Why a symbolic link is not followed, or None."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13
        loop = any(step == link for step in chain(link))
        return "symlink-loop" if loop else "dangling-link"
    if not target.is_dir():
        return None if target.is_file() else "special-file"
    if target.is_relative_to(folder) or folder.is_relative_to(target) or target in followed:
        return "symlink-loop"
    return None


def chain(link: Path) -> Iterator[Path]:
    """The links that a link leads to, one after another, at most forty as in Linux."""
    step = link
    for _ in range(40):
        if not step.is_symlink():
            return
        step = Path(os.path.normpath(step.parent / step.readlink()))
        yield step


def tracked(folder: Path) -> Tree | None:
    """What a git repository tracks at its HEAD, as it lies in the working tree; None where there is no repository, no
    commit or no git."""
    if not (folder / ".git").exists() or shutil.which("git") is None:
        return None
    head = git(folder, "log", "-1", "--format=%H %cI", "HEAD")
    listing = git(folder, "ls-tree", "-r", "-z", "HEAD")
    if not head or not listing:
        return None
    commit, date = head.decode().split()
    blobs: dict[Path, str] = {}
    for line in listing.rstrip(b"\0").split(b"\0"):
        facts, name = line.split(b"\t", 1)
        mode, kind, identity = facts.decode().split()
        path = folder / os.fsdecode(name)
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if kind == "blob" and mode != "120000" and not hidden and path.is_file() and path.resolve() == path:
            blobs[path] = identity
    return Tree(files=tuple(sorted(blobs)), revision=Revision(commit=commit, date=date, blobs=blobs))


def git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints, or None where it refuses."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", *QUIET, "-C", str(folder), *arguments],
            capture_output=True, check=False, env=environment | UNDISTURBED, timeout=GIT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
