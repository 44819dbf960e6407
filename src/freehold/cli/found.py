"""`freehold init`: a first charter that runs and teaches; `freehold fetch`: what of its sources lies elsewhere."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from freehold.cli import show
from freehold.cli.options import HERE, AsJson, CharterFile, DryRun, near
from freehold.errors import InputError
from freehold.plugins import part

if TYPE_CHECKING:
    from freehold.stages.curate.survey import Sight

LICENCES = ("CC0-1.0", "CC-BY-4.0", "public-domain", "public-domain-law")  # of [policy], until a person decides
LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
RARE = 0.02  # a language with less of the sample's characters is left to a person to add
TEMPLATE_SOURCE = """[[sources]]
name = "documents"
path = "documents"  # a file, a folder or a glob, from this file's folder
origin = "https://example.org"  # where the text was published
licence = "{licence}"  # SPDX id, or "public-domain-law" with the statute below; leave out if records tell
# statute = "UrhG § 5 Abs. 1"
# language = "deu"  # leave out to detect it
"""


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("init")(init)
    app.command("fetch")(fetch)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to write the charter into")] = Path(),
    language: Annotated[list[str] | None, typer.Option(help="ISO 639-3 code, such as deu; repeat for more")] = None,
    from_: Annotated[list[Path] | None, typer.Option("--from", help="documents, or a folder of them")] = None,
    licence: Annotated[str | None, typer.Option(help="how all documents may be used: SPDX id, …")] = None,
    json: AsJson = False,
) -> None:
    """Write a commented charter to edit."""
    target = folder / "charter.toml"
    if target.exists():
        raise InputError("a charter is already there", where=str(target), remedy="edit it, or choose another folder")
    for code in language or ():
        if len(code) != 3 or not code.isascii() or not code.islower():
            raise InputError(f"{code!r} is no ISO 639-3 code", where="--language", remedy="three letters, such as deu")
    if licence is not None and not LICENCE.fullmatch(licence):
        raise InputError(f"{licence!r} is no identifier", where="--licence", remedy="such as CC-BY-4.0 (spdx.org)")
    seen = sights(from_ or [])
    shares = equal(language or ["deu"]) if language or not seen else measured(seen)
    text = charter_text(shares, seen, home=folder.resolve(), licence=licence)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    figures = {"languages": shares, "sources": {one.name: {"files": one.files} for one in seen}} if seen else {}
    place = near(target.resolve())
    verb = "curate" if seen else "run"
    following = f"edit {place}, then: freehold {verb} {place} --dry-run"
    show.result({"artifact": {"path": str(target)}, "figures": figures}, as_json=json, following=following)


def sights(paths: list[Path]) -> list[Sight]:
    """What could be a source below each path. Raises InputError where one holds nothing that can be read."""
    found: list[Sight] = []
    for path in paths:
        if not path.exists():
            raise InputError("no such file or folder", where=str(path), remedy="correct --from")
    for path in paths:
        if not any(part("freehold.stages.curate.survey:apart")(path.resolve())):
            kinds = ", ".join(sorted(part("freehold.stages.curate.readers:FORMATS")))
            raise InputError("no file we can read", where=str(path), remedy=f"give files of these kinds: {kinds}")
    if paths:
        found = part("freehold.stages.curate.survey:survey")(paths)
    return found


def equal(codes: Sequence[str]) -> dict[str, float]:
    """The same share for every language."""
    return {code: round(1 / len(codes), 4) for code in codes}


def measured(seen: list[Sight]) -> dict[str, float]:
    """Shares by the characters of the sample, largest first, rare ones left out. Raises InputError for no language."""
    sizes: Counter[str] = sum((one.languages for one in seen), Counter())
    kept = {code: size for code, size in sizes.most_common() if size >= RARE * sizes.total()}
    if not kept:
        remedy = "name the language with --language"
        raise InputError("no text of the sample tells its language", where="--from", remedy=remedy)
    shares = {code: round(size / sum(kept.values()), 3) for code, size in kept.items()}
    first = next(iter(shares))
    return shares | {first: round(1 - sum(share for code, share in shares.items() if code != first), 3)}


def charter_text(shares: dict[str, float], seen: list[Sight], *, home: Path, licence: str | None) -> str:
    """The template, filled."""
    slug = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in home.name).strip("-")
    tables = [f'[[languages]]\ncode = "{code}"\nshare = {share}\n' for code, share in shares.items()]
    texts = [source_text(one, home=home, licence=licence) for one in seen]
    named = [licence, *(one.licence for one in seen)] if seen else [licence]
    template = resources.files("freehold.cli").joinpath("charter.template").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        name=slug or "model",
        languages="\n".join(tables).rstrip(),
        sources="\n".join(texts or [TEMPLATE_SOURCE.format(licence=licence or LICENCES[0])]).rstrip(),
        licences=dumps(list(dict.fromkeys([*LICENCES, *filter(None, named)]))),
    )


def source_text(one: Sight, *, home: Path, licence: str | None) -> str:
    """One source of the charter; without evidence its licence stays empty, which stops every run until a person says
    what it is."""
    path = one.path.relative_to(home) if one.path.is_relative_to(home) else one.path
    if licence is not None:
        right = f"licence = {dumps(licence)}  # as you said"
    elif one.licence is not None:
        right = f"licence = {dumps(one.licence)}  # says {one.evidence}; check that it means the documents"
    elif one.own_licences:
        right = "# licence: every record of the sample names its own"
    else:
        right = 'licence = ""  # FILL IN: nothing here says how these texts may be used. An SPDX id, or as below'
    return (
        f"[[sources]]\nname = {dumps(one.name)}\npath = {dumps(str(path), ensure_ascii=False)}  # {one.files} files\n"
        f'origin = "https://example.org"  # FILL IN: where the texts were published\n{right}\n'
        '# licence = "public-domain-law"  # with the statute that says so:\n# statute = "UrhG § 5 Abs. 1"\n'
        '# language = "deu"  # leave out to detect it\n'
    )


def fetch(charter: CharterFile = HERE, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Copy the sources that lie in an object store; the only verb that asks a network for text."""
    declared = part("freehold.charter_file:load")(charter)
    remote = [source for source in declared.sources if source.remote]
    if not remote:
        raise InputError("no source lies in an object store", where=str(charter), remedy=f"freehold curate {charter}")
    progress, one = part("freehold.progress:Progress")(), part("freehold.stages.curate.fetching:fetch")
    found = [asdict(one(declared, source, progress=progress, dry_run=dry_run)) for source in remote]
    following = f"freehold fetch {charter}" if dry_run else f"freehold curate {charter}"
    figures = {row.pop("source"): row for row in found}
    show.result({"artifact": None, "figures": {"sources": figures}}, as_json=json, following=following, title="fetch")
