"""Check 8: law documents and bill of materials follow from the facts, byte for byte."""

from __future__ import annotations

from freehold.errors import GateError, IncompleteError
from freehold.law import facts, packs
from freehold.law.generate import BOM, FOLDER, FORMAT, PACKS, generate
from freehold.law.packs import Pack
from freehold.proof import bundle, canonical
from freehold.proof.bundle import RELEASE
from freehold.stages.verify.asked import Asked
from freehold.stages.verify.claims import agree, sound, table
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
    with sound(facts.DECLARED):
        declaration(contents, found)
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


def declaration(contents: Contents, found: facts.Facts) -> None:
    """Raise GateError unless what people declared names its own gaps, the signers of the policy, and who curated."""
    told, where = found.files[facts.DECLARED], facts.DECLARED
    statements, release = table(told, "statements"), table(told, "release")
    gaps = sorted(key for key, value in statements.items() if value in (None, "", [], {}))
    form = {"format": FORMAT, "status": "declared", "gaps": gaps}
    agree("form", {"this version": form, where: {name: told.get(name) for name in form}})
    policy = bundle.parse_policy(contents.read(bundle.POLICY), where=bundle.POLICY)
    agree("threshold", {bundle.POLICY: policy.threshold, where: release.get("threshold")})
    responsible = found.step("curate", "parameters", "responsible")
    if responsible:
        agree("responsible", {facts.step("curate"): responsible.value, where: told.get("responsible")})
