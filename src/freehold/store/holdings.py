"""Holdings: the private artifacts behind a release, found by the digests that its statements name.

A release carries neither text nor tokens. Whoever may see them keeps them in a workspace; nothing there is believed
before it has the SHA-256 that the release's statements give it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from freehold.errors import IncompleteError, InputError
from freehold.proof.digests import opened, sha256_stream
from freehold.proof.statements import StageStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """A workspace read as a stranger's: artifacts by digest, each file hashed when it is first asked for."""

    folder: Path
    steps: Mapping[str, StageStatement]  # of the release
    hashed: set[Path] = field(default_factory=set)

    def artifact(self, stage: str) -> Path:
        """The folder of a stage's artifact, nothing in it checked. Raises IncompleteError if it is not here."""
        digest = self.step(stage).output
        folder = self.folder / "artifacts" / stage / digest
        if not folder.is_dir():
            advice = "name the workspace that has it with --holdings"
            raise IncompleteError(
                f"the artifact {digest[:16]} of {stage} is not held", where=str(self.folder), remedy=advice
            )
        return folder

    def checked(self, stage: str, *parts: str) -> Path:
        """The folder of a stage's artifact after its files below `parts` ("shards/", "recipe.json") were hashed.

        Raises IncompleteError where one is missing, or is not the file that the stage's statement names.
        """
        folder = self.artifact(stage)
        for path, facts in self.step(stage).manifest.items():
            if path.startswith(parts) and folder / path not in self.hashed:
                if sha256_of(folder / path) != facts["sha256"]:
                    message = f"is not what {stage} made: its SHA-256 is not {facts['sha256']}"
                    raise IncompleteError(message, where=str(folder / path), remedy="give the holdings as they were")
                self.hashed.add(folder / path)
        return folder

    def beside(self, stage: str, name: str, path: Path) -> Path:
        """A file that a stage read from outside, at `path`, once it has the SHA-256 of its statement.

        Raises IncompleteError where it has another, or cannot be read.
        """
        if sha256_of(path) != self.step(stage).files.get(name):
            raise IncompleteError(f"is not the {name} that {stage} read", where=str(path), remedy="restore that file")
        return path

    def step(self, stage: str) -> StageStatement:
        """The statement of a stage. Raises IncompleteError if the release has none."""
        if stage not in self.steps:
            raise IncompleteError(f"the release has no statement of {stage}")
        return self.steps[stage]


def sha256_of(path: Path) -> str:
    """SHA-256 of a file. Raises IncompleteError if it cannot be read."""
    try:
        with opened(path) as file:
            return sha256_stream(file)[0]
    except InputError as error:
        raise IncompleteError(error.message, where=error.where) from None
