"""Withdrawal at W3: weights that do not depend on a document, at the cost of the steps since its first use.

The tokens of a withdrawn document are replaced by a constant, nothing is predicted there, and document masks keep
every other document from attending to it. What a finished run of the same recipe learned before the first use stays:
the run goes on from its newest kept checkpoint before that, and ends with the bytes of a run from the seed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.learn import checkpoint
from freehold.learn.phases import Curriculum, Recipe, recipe_digest
from freehold.learn.setting import same_machine
from freehold.learn.shards import Shards
from freehold.learn.uses import first_steps
from freehold.records import canonical_json
from freehold.stage import Identity, Stage
from freehold.store.atomic import place
from freehold.store.workspace import Sealed, Workspace

WITHDRAWN = "withdrawn"  # the key of a recipe, and of the parameters of an identity
ACCOUNT = "withdrawn.json"  # which documents were cut off, and the first step that would have used each
OWN = {"recipe.json", ACCOUNT}  # what differs between two runs of which no step differs


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A finished run from which less was withdrawn, and how much of it stays."""

    older: Sealed
    recipe: Recipe  # the older run's, with everything that is withdrawn now
    first: int | None  # the first step that used a newly withdrawn document; None: no step did
    step: int  # steps that stay, 0: none, the run begins at the seed again
    elsewhere: str | None = None  # why no step of it could be taken here; then it begins with a recipe of this machine

    @property
    def checkpoint(self) -> Path:
        """The older run's checkpoint after the steps that stay."""
        return self.older.path / "checkpoints" / checkpoint.name_of(self.step)

    @property
    def whole(self) -> bool:
        """Whether every step stays."""
        return self.first is None

    @classmethod
    def of(cls, workspace: Workspace, identity: Identity, shards: Shards) -> Restart | None:
        """The run of this workspace of which most stays; None without one.

        Raises InputError where documents are withdrawn and the run has no document masks.
        """
        found = (cls.after(older, withdrawn(identity), shards) for older in runs(workspace, identity))
        known = (one for one in found if one is not None)
        return max(known, key=lambda one: (one.step, one.elsewhere is None), default=None)

    @classmethod
    def after(cls, older: Sealed, withdrawn: list[str], shards: Shards) -> Restart | None:
        """What stays of one run; None where it lacks documents that are wanted now."""
        before: Recipe = json.loads((older.path / "recipe.json").read_bytes())
        new = sorted(set(withdrawn) - set(before.get(WITHDRAWN, ())))
        if len(new) + len(before.get(WITHDRAWN, ())) != len(withdrawn):
            return None
        recipe = with_withdrawn(before, withdrawn)
        used = [step for step in first_steps(Curriculum(shards, recipe), new).values() if step is not None]
        kept = [checkpoint.step_of(path) for path in checkpoint.kept(older.path / "checkpoints")]
        first = min(used, default=None)
        if first is None:
            return cls(older=older, recipe=recipe, first=None, step=recipe["steps"])
        elsewhere = obstacle(recipe)
        step = 0 if elsewhere else max((step for step in kept if step < first), default=0)
        return cls(older=older, recipe=recipe, first=first, step=step, elsewhere=elsewhere)


def obstacle(recipe: Recipe) -> str | None:
    """Why a run with this recipe cannot go on here bit for bit; None: it can."""
    try:
        same_machine(recipe, where="recipe.json")
    except InputError as error:
        return error.message
    return None


def withdrawn(identity: Identity) -> list[str]:
    """Ids of the documents that the weights must not depend on, sorted."""
    return sorted({row["id"] for row in identity.parameters.get(WITHDRAWN, ())})


def with_withdrawn(recipe: Recipe, withdrawn: list[str]) -> Recipe:
    """A recipe from which documents are cut off; without any it keeps its bytes."""
    bare = {name: value for name, value in recipe.items() if name != WITHDRAWN}
    return {**bare, WITHDRAWN: sorted(withdrawn)} if withdrawn else bare


def runs(workspace: Workspace, identity: Identity) -> Iterator[Sealed]:
    """Finished runs whose identity differs from this one in what was withdrawn alone."""
    wanted = apart_from_withdrawn(identity.code, identity.format, identity.parameters, identity.inputs, identity.files)
    for sealed in workspace.finished(identity.stage):
        told = sealed.statement()["predicate"]
        fields = (told[name] for name in ("code", "format", "parameters", "inputs", "files"))
        if apart_from_withdrawn(*fields) == wanted:
            yield sealed


def apart_from_withdrawn(
    code: str, format: int, parameters: Mapping[str, Any], inputs: Mapping[str, str], files: Mapping[str, str]
) -> bytes:
    """An identity in canonical JSON, without what was withdrawn."""
    kept = {name: value for name, value in parameters.items() if name != WITHDRAWN}
    return canonical_json([code, format, kept, dict(inputs), dict(files)])


def plant(stage: Stage, restart: Restart) -> None:
    """Make the steps that stay look like a run that was killed after them, from which `follow` goes on.

    Chain lines are carried over byte for byte. Raises InputError where a checkpoint is not the one that was sealed.
    """
    folder = stage.scratch / "checkpoints"
    if not restart.step or (folder / checkpoint.LATEST).exists():
        return
    folder.mkdir(exist_ok=True)
    for path in checkpoint.kept(restart.older.path / "checkpoints"):
        if checkpoint.step_of(path) <= restart.step:
            link(path, folder / path.name)
    place(stage.scratch / "curve.jsonl", (restart.older.path / "curve.jsonl").read_bytes(), scratch=stage.scratch)
    rows = [json.loads(line) for line in (restart.older.path / "chain.jsonl").read_bytes().splitlines()]
    facts = {
        "chain": [row for row in rows if row["last_step"] <= restart.step],
        "recipe": recipe_digest(restart.recipe),
    }
    # The name of the newest checkpoint comes last: before it is there, nothing was carried over.
    latest = {"step": restart.step, "sha256": sealed_digest(restart), "file": restart.checkpoint.name, "facts": facts}
    place(folder / checkpoint.LATEST, canonical_json(latest), scratch=stage.scratch)
    stage.progress.note(
        f"the first {restart.step:,} steps stay: no withdrawn document was used before step {restart.first:,}"
    )


def sealed_digest(restart: Restart) -> str:
    """SHA-256 of the checkpoint. Raises InputError where it is not what the older run's attestation says."""
    digest = checkpoint.digest_of(restart.checkpoint)
    made = restart.older.statement()["predicate"]["manifest"][f"checkpoints/{restart.checkpoint.name}"]["sha256"]
    if digest != made:
        raise InputError(
            f"has digest {digest[:12]}, the run that left it says {made[:12]}",
            where=str(restart.checkpoint),
            remedy="restore the file, or remove that artifact of train to begin at the seed",
        )
    return digest


def carry(stage: Stage, restart: Restart) -> None:
    """Take over a run of which every step stays: only its account of what is withdrawn is new."""
    for path in sorted(restart.older.path.rglob("*")):
        name = path.relative_to(restart.older.path)
        if path.is_file() and str(name) not in OWN:
            link(path, stage.output / name)
    stage.figures.update(json.loads((restart.older.path / "train.json").read_bytes()))
    stage.progress.note("no step used a withdrawn document: the weights stay as they are")


def link(path: Path, target: Path) -> None:
    """The same file under another name: artifacts are never written to again, so they can share their bytes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    target.hardlink_to(path)
