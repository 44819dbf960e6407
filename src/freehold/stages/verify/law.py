"""Check 8: law documents and bill of materials follow from the facts, byte for byte."""

from __future__ import annotations

from freehold.errors import GateError, IncompleteError
from freehold.law import facts, packs
from freehold.law.generate import BOM, FOLDER, PACKS, generate
from freehold.law.packs import Pack
from freehold.proof import canonical
from freehold.proof.bundle import RELEASE
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.report import Check, judged

GENERATED = (f"{FOLDER}/", "evidence/bom/")


def check(contents: Contents, asked: Asked) -> Check | None:
    """The verdict on what was generated; None where a release carries nothing of the kind."""
    if not any(path.startswith(GENERATED) for path in contents.listed):
        return None
    return judged(8, lambda: regenerated(contents))


def regenerated(contents: Contents) -> str:
    """Everything is generated again and compared. Raises GateError naming the first file that differs."""
    rules = packs_of(contents)
    found = facts.read(contents.read, contents.listed)
    expected = generate(found, rules)
    same_release(contents, found)
    present = {path for path in contents.listed if path.startswith(GENERATED)} - {facts.DECLARED}
    if spare := sorted(present - expected.keys()):
        raise GateError("does not follow from the facts: nothing generates it", where=spare[0])
    for path, data in sorted(expected.items()):
        if contents.read(path) != data:
            raise GateError("does not follow from the facts of the evidence", where=path)
    named = ", ".join(f"{pack.id} {pack.version}" for pack in rules)
    return f"{len(expected) - 1} files follow from the facts, by the rule packs {named}; {BOM} among them"


def packs_of(contents: Contents) -> list[Pack]:
    """The rule packs that the release names, as this Freehold has them. Raises IncompleteError where it has not."""
    table = canonical.load(contents.read(PACKS), where=PACKS)
    rows = table.get("packs") if isinstance(table, dict) else None
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise GateError("names no rule packs", where=PACKS)
    rules = [packs.load(str(row.get("id")), str(row.get("version"))) for row in rows]
    if {pack.id for pack in rules} != packs.CURRENT.keys() or len(rules) != len(packs.CURRENT):
        raise GateError(f"asks for other packs than {', '.join(sorted(packs.CURRENT))}", where=PACKS)
    for row, pack in zip(rows, rules, strict=True):
        if row.get("sha256") != pack.sha256:
            message = f"the rule pack {pack.id} {pack.version} is not the one of this Freehold"
            raise IncompleteError(message, where=PACKS, remedy="verify with the Freehold that made the release")
    return rules


def same_release(contents: Contents, found: facts.Facts) -> None:
    """Raise GateError unless documents speak of this release."""
    index = contents.required_index()
    for key, told in (("name", index.name), ("version", index.version), ("licence", index.licence)):
        if found.named("release", key).value != told:
            raise GateError(f"speaks of another {key} than {RELEASE}: {told!r}", where=facts.DECLARED)
