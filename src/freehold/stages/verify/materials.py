"""Part of check 9: the bill of materials names what the lock file and the sources name, no more and no less."""

from __future__ import annotations

from typing import Any

from freehold.errors import GateError
from freehold.law.facts import LOCK, packages
from freehold.law.generate import BOM
from freehold.proof import canonical
from freehold.proof.bundle import step_path
from freehold.stages.verify.contents import Contents
from freehold.stages.verify.lineage import source_rows

FILE = "freehold:file:sha256"  # the property that names a file of a dataset


def check(contents: Contents) -> str:
    """What held, in words; nothing where a release carries no bill. Raises GateError at the first difference."""
    if BOM not in contents.listed:
        return ""
    components = components_of(contents)
    locked = {(row["name"], row["version"]) for row in packages(contents.read(LOCK))}
    listed = {(str(row.get("name")), str(row.get("version"))) for row in components if row.get("type") == "library"}
    same(listed, locked, what="package", than=LOCK)
    if step_path("train") in contents.listed:
        same(attested(contents), locked, what="package", than=LOCK, where=step_path("train"))
    named = {str(row["name"]): {file["sha256"] for file in row["files"]} for row in source_rows(contents)}
    sets = {str(row.get("name")): files_of(row) for row in components if row.get("type") == "data"}
    given = {name: digests for name, digests in sets.items() if name in named or name != "refine"}
    same(set(given), set(named), what="dataset", than="sources.jsonl")
    if wrong := sorted(name for name in named if named[name] != given[name]):
        raise GateError(f"{wrong[0]} has other files than sources.jsonl gives it", where=BOM)
    return f"; the bill of materials has the {len(locked)} packages of the lock file and the {len(named)} sources"


def components_of(contents: Contents) -> list[dict[str, Any]]:
    """The bill's components. Raises GateError where it has none."""
    bill = canonical.load(contents.read(BOM), where=BOM)
    rows = bill.get("components") if isinstance(bill, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise GateError("names no components", where=BOM)
    return rows


def attested(contents: Contents) -> set[tuple[str, str]]:
    """The packages that training's statement says were installed."""
    where = step_path("train")
    found: Any = canonical.load(contents.read(where).removesuffix(b"\n"), where=where)
    for key in ("predicate", "environment", "packages"):
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise GateError("attests no installed packages", where=where)
    return {(name, str(version)) for name, version in found.items()}


def same(found: set[Any], wanted: set[Any], *, what: str, than: str, where: str = BOM) -> None:
    """Raise GateError unless two sets are the same."""
    for more, of in ((found - wanted, "names a {} that {} does not"), (wanted - found, "lacks a {} that {} names")):
        if more:
            first = min(map(str, more))
            raise GateError(f"{of.format(what, than)}: {first}", where=where)


def files_of(row: dict[str, Any]) -> set[str]:
    """Digests of a dataset's files."""
    properties = row.get("properties")
    rows = [one for one in properties if isinstance(one, dict)] if isinstance(properties, list) else []
    return {str(one.get("value")).split(" ")[0] for one in rows if one.get("name") == FILE}
