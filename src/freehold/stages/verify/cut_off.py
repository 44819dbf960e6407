"""Part of check 4: the chain names exactly the documents that were withdrawn from the weights, and since when.

What it shows: the publisher swore in statement, recipe and chain that these documents were cut off, and none of them
can be dropped from one place alone. That they were, a replay shows: the weights come out the same with any text in
their slots.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from freehold.errors import GateError
from freehold.proof import canonical, chain
from freehold.proof.bundle import CHAINS, CUT_OFF
from freehold.proof.chain import Segment
from freehold.proof.statements import StageStatement
from freehold.stages.verify.contents import Contents

FORMAT = 1
RECIPE = "evidence/train/recipe.json"


def demand(contents: Contents, steps: Mapping[str, StageStatement], segments: Sequence[Segment]) -> int:
    """How many documents were cut off. Raises GateError where statement, account and chain do not say the same."""
    rows = steps["train"].parameters.get("withdrawn", []) if "train" in steps else []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise GateError("what was withdrawn from train is no list of documents", where=CUT_OFF)
    gone = {row["id"] for row in rows}
    if not gone and CUT_OFF in contents.listed:
        raise GateError("an account of withdrawn documents, but train's statement names none", where=CUT_OFF)
    if RECIPE in contents.listed:
        recipe = canonical.load(contents.read(RECIPE), where=RECIPE)
        if not isinstance(recipe, dict) or recipe.get("withdrawn", []) != sorted(gone):
            raise GateError("cuts off other documents than train's statement names", where=RECIPE)
    account = first_steps(contents.read(CUT_OFF), gone) if gone else {}
    named(account, [segment for segment in segments if segment.stage == "train"], where=CHAINS[0])
    refined = [segment for segment in segments if segment.stage == "refine"]
    taught = any(segment.last_step for segment in refined)  # else the model went through unchanged
    named(dict.fromkeys(gone if taught else (), 0), refined, where=CHAINS[1])
    return len(gone)


def first_steps(data: bytes, gone: Collection[str]) -> dict[str, int | None]:
    """The account: the first step that would have used each document. Raises GateError unless it is of `gone`."""
    value = canonical.load(data, where=CUT_OFF)
    account = value.get("documents") if isinstance(value, dict) and value.get("format") == FORMAT else None
    if not isinstance(account, dict):
        raise GateError("is not an account of withdrawn documents", where=CUT_OFF)
    if strange := sorted(set(gone) ^ set(account)):
        raise GateError(f"{strange[0]}: train's statement and this account differ", where=CUT_OFF)
    if odd := [name for name, step in account.items() if step is not None and (type(step) is not int or step < 1)]:
        raise GateError(f"{odd[0]} is used first at no step", where=CUT_OFF)
    return account


def named(account: Mapping[str, int | None], segments: Sequence[Segment], *, where: str) -> None:
    """Raise GateError unless each segment names what was cut off up to its end."""
    for number, segment in enumerate(segments, 1):
        so_far = [name for name, step in account.items() if step is not None and step <= segment.last_step]
        if segment.withdrawn != (chain.withdrawn_root(so_far) if so_far else None):
            raise GateError(f"does not name the {len(so_far)} documents cut off so far", where=f"{where}:{number}")
