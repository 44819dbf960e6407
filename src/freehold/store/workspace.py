"""The workspace: artifacts by digest, attestations by cache key, refs to the latest of each stage, locks.

.freehold/
  workspace.json               format of this folder
  artifacts/STAGE/DIGEST/      sealed, never changed again; STAGE/.partial-KEY/ while being built
  attestations/STAGE/KEY.intoto.json
  refs/STAGE                   key of the latest attestation
  runs/TIME-STAGE/             events.jsonl, plots: what people look at, never an input
  locks/STAGE                  held by the process that builds it
  keys/                        signing keys of this workspace
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import FreeholdError, InputError, WorkspaceBusy
from freehold.proof.digests import digest_of, manifest_of

FORMAT = 1

FULL = "free some space and run again: finished stages are kept"
ELSEWHERE = "choose a writable one with --workspace"
REASONS = {
    errno.ENOSPC: ("the disk is full", FULL),
    errno.EDQUOT: ("the disk quota is used up", FULL),
    errno.EROFS: ("the workspace is read-only", ELSEWHERE),
    errno.EACCES: ("no permission to write the workspace", ELSEWHERE),
    errno.EPERM: ("no permission to write the workspace", ELSEWHERE),
    errno.ENOTDIR: ("the workspace is not a folder", ELSEWHERE),
    errno.EEXIST: ("the workspace is not a folder", ELSEWHERE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A finished artifact and the attestation that speaks for it."""

    stage: str
    key: str
    digest: str
    path: Path
    attestation: Path

    def statement(self) -> dict[str, Any]:
        """The in-toto statement as JSON."""
        found: dict[str, Any] = json.loads(self.attestation.read_bytes())
        return found


class Workspace:
    """One folder that holds everything a journey leaves. Opening it creates what is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        marker = self.folder / "workspace.json"
        with told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            if not marker.exists():
                write_atomic(marker, json.dumps({"format": FORMAT}).encode())
            found = json.loads(marker.read_bytes() or b"{}").get("format")
        if found != FORMAT:
            advice = "use the Freehold that made it, or another --workspace"
            raise InputError(
                f"workspace format {found!r}, this Freehold reads {FORMAT}", where=str(marker), remedy=advice
            )

    def partial(self, stage: str, key: str) -> Path:
        """Where an artifact is being built; survives a killed run."""
        return self.folder / "artifacts" / stage / f".partial-{key[:16]}"

    def attestation(self, stage: str, key: str) -> Path:
        """Where the attestation of one cache key stands."""
        return self.folder / "attestations" / stage / f"{key}.intoto.json"

    def find(self, stage: str, key: str) -> Sealed | None:
        """The artifact made before from the same inputs, parameters and code, if it is still here."""
        path = self.attestation(stage, key)
        if not path.is_file():
            return None
        digest = json.loads(path.read_bytes())["subject"][0]["digest"]["sha256"]
        folder = self.folder / "artifacts" / stage / digest
        return Sealed(stage=stage, key=key, digest=digest, path=folder, attestation=path) if folder.is_dir() else None

    def finished(self, stage: str) -> Iterator[Sealed]:
        """Every artifact of a stage that is still here, under each key that it was made for."""
        for path in sorted((self.folder / "attestations" / stage).glob("*.intoto.json")):
            if (sealed := self.find(stage, path.name.removesuffix(".intoto.json"))) is not None:
                yield sealed

    def latest(self, stage: str) -> Sealed | None:
        """The artifact that the stage's ref names."""
        ref = self.folder / "refs" / stage
        return self.find(stage, ref.read_text().strip()) if ref.is_file() else None

    def point(self, stage: str, key: str) -> None:
        """Let the stage's ref name the attestation of `key`."""
        write_atomic(self.folder / "refs" / stage, key.encode())

    def keep(self, stage: str, key: str, *, digest: str, statement: bytes) -> Sealed:
        """Make a finished partial folder permanent: rename, attest, point the ref. Safe to repeat after a kill."""
        folder = self.folder / "artifacts" / stage / digest
        partial = self.partial(stage, key)
        if folder.exists():
            shutil.rmtree(partial)  # the same bytes were made before under another key
        else:
            partial.rename(folder)
            sync_folder(folder.parent)
        path = self.attestation(stage, key)
        write_atomic(path, statement)
        self.point(stage, key)
        return Sealed(stage=stage, key=key, digest=digest, path=folder, attestation=path)

    @contextmanager
    def lock(self, name: str, *, shared: bool = False) -> Iterator[None]:
        """Hold one stage of this workspace, or raise WorkspaceBusy naming the holder. Freed by the system on death.

        Holders that share it keep out only those who want it alone; what they write must not collide.
        """
        path = self.folder / "locks" / name
        with told(self.folder):
            path.parent.mkdir(exist_ok=True)
            file = path.open("a+")
        with file:
            try:
                fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise WorkspaceBusy(
                    f"another run (process {holder}) is at {name!r} in this workspace",
                    where=str(self.folder),
                    remedy="wait for it, stop it, or use another --workspace",
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


def seal(folder: Path) -> tuple[str, dict[str, Any]]:
    """Flush every file of a finished folder to disk; its digest and its manifest {path: {sha256, size}}."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        elif path.is_dir():
            sync_folder(path)
    sync_folder(folder)
    manifest = manifest_of(folder)
    return digest_of(manifest), manifest


def write_atomic(path: Path, data: bytes) -> None:
    """Write through a temporary name, so that a reader sees the old bytes or the new ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames inside a folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn the system's complaints about a workspace into ours: full disk, read-only, no permission.

    Libraries written in Rust and C++ raise errors of their own that only quote the system's words.
    """
    try:
        yield
    except FreeholdError:
        raise
    except Exception as error:
        reason = REASONS.get(error.errno or 0) if isinstance(error, OSError) else None
        if reason is None:
            reason = next((reason for number, reason in REASONS.items() if os.strerror(number) in str(error)), None)
        if reason is None:
            raise
        raise InputError(reason[0], where=str(folder), remedy=reason[1]) from error
