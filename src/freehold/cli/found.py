"""`freehold init`: a first charter that runs and teaches, from a template or from a folder of documents."""

from __future__ import annotations

import string
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli import show
from freehold.cli.options import AsJson
from freehold.errors import InputError

READABLE = (".jsonl", ".jsonl.zst", ".jsonl.gz", ".parquet", ".txt", ".html", ".htm")


def add_to(app: typer.Typer) -> None:
    """Register this room's verbs."""
    app.command("init")(init)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="the folder to write the charter into")],
    language: Annotated[list[str] | None, typer.Option(help="ISO 639-3 code, such as deu; repeat for more")] = None,
    from_: Annotated[list[Path] | None, typer.Option("--from", help="documents, or a folder of them")] = None,
    json: AsJson = False,
) -> None:
    """Write a commented charter to edit."""
    target = folder / "charter.toml"
    if target.exists():
        raise InputError("a charter is already there", where=str(target), remedy="edit it, or choose another folder")
    codes = language or ["deu"]
    for code in codes:
        if len(code) != 3 or not code.isascii() or not code.islower():
            raise InputError(f"{code!r} is no ISO 639-3 code", where="--language", remedy="three letters, such as deu")
    text = charter_text(codes, sources(folder, from_ or []), name=folder.resolve().name)
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    found = {"artifact": {"path": str(target)}, "figures": {}}
    show.result(found, as_json=json, following=f"edit {target}, then: freehold run {target} --dry-run")


def sources(folder: Path, paths: list[Path]) -> list[tuple[str, str]]:
    """(name, path) of each source: one per path. Raises InputError if there is none."""
    if not paths:
        return [("documents", "documents")]
    found = []
    for path in paths:
        if not path.exists():
            raise InputError("no such file or folder", where=str(path), remedy="correct --from")
        files = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
        if not any(entry.name.lower().endswith(READABLE) for entry in files):
            kinds = ", ".join(READABLE)
            raise InputError("no file we can read", where=str(path), remedy=f"give files of these kinds: {kinds}")
        name = "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in path.resolve().name)
        found.append((name.lstrip("._-") or "documents", str(relative(path.resolve(), folder.resolve()))))
    return found


def relative(path: Path, folder: Path) -> Path:
    """`path` as seen from `folder` where it lies inside, else whole."""
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def charter_text(languages: list[str], named: list[tuple[str, str]], *, name: str) -> str:
    """The template, filled."""
    share = round(1 / len(languages), 4)
    slug = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name).strip("-") or "model"
    tables = [f'[[languages]]\ncode = "{code}"\nshare = {share}\n' for code in languages]
    texts = [
        f'[[sources]]\nname = "{title}"\npath = "{path}"  # a file, a folder or a glob, from this file\'s folder\n'
        'origin = "https://example.org"  # where the text was published\n'
        'licence = "CC0-1.0"  # SPDX id, or "public-domain-law" with the statute below; leave out if records tell\n'
        '# statute = "UrhG § 5 Abs. 1"\n# language = "deu"  # leave out to detect it\n'
        for title, path in named
    ]
    template = resources.files("freehold.cli").joinpath("charter.template").read_text(encoding="utf-8")
    return string.Template(template).substitute(
        name=slug, languages="\n".join(tables).rstrip(), sources="\n".join(texts).rstrip()
    )
