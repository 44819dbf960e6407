"""The charter: what a nation declares about its model, read from one TOML file.

Every table is a frozen dataclass; pydantic checks them at the border, refuses unknown keys by name, and every
complaint carries the line of the file. Paths are relative to the charter's folder.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from freehold.errors import InputError

LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Count = Annotated[int, Gt(0)]
Share = Annotated[float, Ge(0), Le(1)]
Rate = Annotated[float, Gt(0), Le(10)]
STRICT = ConfigDict(extra="forbid")
RESERVED = frozenset({"policy", "refine", "evaluate"})  # tables that name files beside the sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Responsible:
    """Who answers for the model, and under which jurisdiction."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: str
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]  # ISO 3166-1 alpha-2
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """A language of the model and its share of the training tokens."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: LanguageCode  # ISO 639-3
    share: Annotated[float, Gt(0), Le(1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Files that hold documents, with the right to use them."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Slug
    path: str  # a file, a folder or a glob
    origin: str  # where the text was published
    format: Literal["auto", "jsonl", "parquet", "txt", "html"] = "auto"
    licence: str | None = None  # None: every record names its own
    statute: str | None = None  # the ground on which a work is free of copyright
    language: LanguageCode | None = None  # None: every record names its own, or it is detected


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may enter, and what is removed from it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    licences: Annotated[tuple[str, ...], Len(1)]
    opt_out: str = "none"  # or a file: one document id, URL prefix or SHA-256 a line
    redact: tuple[Literal["email", "phone", "iban"], ...] = ("email", "phone", "iban")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """Rules a document must pass."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    min_characters: Count = 200
    max_characters: Count = 5_000_000
    near_duplicate: Share = 0.8  # estimated Jaccard similarity from which two documents count as one
    held_out_bytes: Annotated[int, Ge(0)] = 400_000  # per language, at most a tenth of it
    language_confidence: Share = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """A byte-level BPE vocabulary learned from a sample balanced over the languages."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    vocabulary: Annotated[int, Ge(300), Le(1_000_000)] = 8192
    sample_bytes: Count = 12_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One dial, `depth`, sets width, heads and rates; None means derived from it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    depth: Annotated[int, Gt(0), Le(200)] = 6
    width: Count | None = None
    heads: Count | None = None
    kv_heads: Count | None = None
    head_size: Count | None = None
    ffn_width: Count | None = None
    tied: bool | None = None
    context: Count | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The budget (tokens, or minutes on this machine) and the recipe."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    tokens: Count | None = None
    minutes: Annotated[float, Gt(0)] | None = None
    sequence: Annotated[int, Ge(16)] = 512  # tokens
    batch_tokens: Count = 8192  # tokens a step
    seed: int = 20261121
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    compile: bool = True
    learning_rate: Rate = 0.02  # Muon, hidden matrices
    embedding_learning_rate: Rate = 0.3
    head_learning_rate: Rate = 0.004
    vector_learning_rate: Rate = 0.01
    weight_decay: Share = 0.1
    warmup_steps: Annotated[int, Ge(0)] = 0
    decay_share: Share = 0.5  # of the steps, at the end, linear to zero
    checkpoint_steps: Count = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Refine:
    """The supervised pass; without instructions the pre-trained model goes on unchanged."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    instructions: str | None = None
    epochs: Count = 1
    learning_rate: Rate = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate:
    """Question packs beside bits per byte, and sample completions per language."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    packs: tuple[str, ...] = ()
    completions: Annotated[int, Ge(0)] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What the result is called and how it may be used."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: Slug
    version: Slug = "0.1.0"
    licence: str = "Apache-2.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charter:
    """The whole declaration; `folder` is where relative paths begin."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    format: Literal[1]
    responsible: Responsible
    languages: Annotated[tuple[Language, ...], Len(1)]
    sources: Annotated[tuple[Source, ...], Len(1)]
    policy: Policy
    release: Release
    curate: Curation = field(default_factory=Curation)
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    model: Model = field(default_factory=Model)
    train: Train = field(default_factory=Train)
    refine: Refine = field(default_factory=Refine)
    evaluate: Evaluate = field(default_factory=Evaluate)
    path: Path = Path("charter.toml")

    @property
    def folder(self) -> Path:
        """The folder that holds the charter."""
        return self.path.parent

    def resolve(self, name: str) -> Path:
        """A file named in the charter, from the charter's folder."""
        return (self.folder / name).resolve()

    def files_of(self, source: Source) -> tuple[Path, ...]:
        """Every file of a source, sorted; InputError when there is none."""
        whole = self.folder / source.path
        if whole.is_dir():
            found = [path for path in whole.rglob("*") if path.is_file()]
        elif whole.is_file():
            found = [whole]
        else:
            anchor = Path(whole.anchor) if Path(source.path).is_absolute() else self.folder
            pattern = str(whole.relative_to(anchor)) if Path(source.path).is_absolute() else source.path
            found = [path for path in anchor.glob(pattern) if path.is_file()]
        if not found:
            place = where(self.path, ("sources", self.sources.index(source), "path"))
            raise InputError(
                f"no file matches {source.path!r}", where=place, remedy="correct the path or add the files"
            )
        return tuple(sorted(path.resolve() for path in found))

    def parameters(self, section: str) -> Any:
        """One table as plain JSON values, for cache keys and attestations."""
        table = getattr(self, section)
        return [asdict(row) for row in table] if isinstance(table, tuple) else asdict(table)

    def files(self, section: str) -> dict[str, Path]:
        """The outside files a table names, under names that hold no folder of this machine."""
        if section == "sources":
            return {
                f"{source.name}/{path.relative_to(common_folder(found))}": path
                for source in self.sources
                for found in [self.files_of(source)]
                for path in found
            }
        names = {
            "policy": () if self.policy.opt_out == "none" else (self.policy.opt_out,),
            "refine": () if self.refine.instructions is None else (self.refine.instructions,),
            "evaluate": self.evaluate.packs,
        }.get(section, ())
        return {f"{section}/{Path(name).name}": self.resolve(name) for name in names}


def common_folder(paths: tuple[Path, ...]) -> Path:
    """The deepest folder that holds all of `paths`."""
    return Path(os.path.commonpath([path.parent for path in paths]))


def load(path: Path | str) -> Charter:
    """Read and check a charter. Raises InputError with the line, the key and the remedy."""
    path = Path(path)
    if path.is_dir():
        path = path / "charter.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"no charter at {path}", remedy="freehold init DIR writes one") from None
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 text: {error}", where=str(path), remedy="save the file as UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not valid TOML: {error}", where=str(path), remedy="correct that line") from None
    if "path" in data:
        raise InputError('unknown key "path"', where=where(path, ("path",)), remedy="remove it")
    try:
        text = json.dumps(data | {"path": str(path.resolve())}, default=str)
        charter = TypeAdapter(Charter).validate_json(text, strict=True)
    except ValidationError as error:
        raise complaint(path, error) from None
    check(charter)
    return charter


def check(charter: Charter) -> None:
    """Rules that span several tables. Raises InputError."""

    def refuse(keys: tuple[str | int, ...], message: str, remedy: str) -> None:
        raise InputError(f"{dotted(keys)}: {message}", where=where(charter.path, keys), remedy=remedy)

    total = sum(language.share for language in charter.languages)
    if abs(total - 1) > 0.005:
        refuse(("languages", 0, "share"), f"the shares sum to {total:.3f}", "make them sum to 1")
    for table, names in (
        ("languages", [language.code for language in charter.languages]),
        ("sources", [source.name for source in charter.sources]),
    ):
        key = "code" if table == "languages" else "name"
        for position, name in enumerate(names):
            if name in names[:position]:
                refuse((table, position, key), f'"{name}" is named twice', "keep one of them")
    for position, source in enumerate(charter.sources):
        if source.name in RESERVED:
            refuse(("sources", position, "name"), f'"{source.name}" is a name of ours', "choose another")
        if source.licence is not None and source.licence not in charter.policy.licences:
            message = f'"{source.licence}" is not allowed by [policy].licences'
            refuse(("sources", position, "licence"), message, "remove the source or allow the licence")
        charter.files_of(source)
    named: list[tuple[tuple[str | int, ...], str]] = []
    named += [(("evaluate", "packs", i), pack) for i, pack in enumerate(charter.evaluate.packs)]
    if charter.refine.instructions:
        named.append((("refine", "instructions"), charter.refine.instructions))
    if charter.policy.opt_out != "none":
        named.append((("policy", "opt_out"), charter.policy.opt_out))
    for keys, name in named:
        if not charter.resolve(name).is_file():
            refuse(keys, f"no file {name!r}", "correct the path or add the file")
    if (charter.train.tokens is None) == (charter.train.minutes is None):
        refuse(("train",), "give a budget: either tokens or minutes", "tokens = 4_000_000, for example")
    if charter.train.batch_tokens % charter.train.sequence:
        refuse(("train", "batch_tokens"), "is not a multiple of [train].sequence", "round it to one")


def complaint(path: Path, error: ValidationError) -> InputError:
    """The first thing pydantic found, in our words: line, key, what is wrong, what to do."""
    first = error.errors()[0]
    keys = tuple(first["loc"])
    message, remedy = f"{first['msg']} (found {first['input']!r})", "correct the value"
    if first["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        near = difflib.get_close_matches(str(keys[-1]), known_keys(keys[:-1]), n=1)
        message, remedy = f'unknown key "{keys[-1]}"', f'did you mean "{near[0]}"?' if near else "remove it"
    elif first["type"] in ("missing", "missing_argument"):
        message, remedy = "is missing", "add it"
    if len(error.errors()) > 1:
        remedy += f" ({len(error.errors()) - 1} more after this one)"
    return InputError(f"{dotted(keys)}: {message}", where=where(path, keys), remedy=remedy)


def known_keys(keys: tuple[int | str, ...]) -> list[str]:
    """The keys allowed in the table that `keys` leads to."""
    tables: dict[str, Any] = {
        "responsible": Responsible, "languages": Language, "sources": Source, "policy": Policy, "curate": Curation,
        "tokenizer": Tokenizer, "model": Model, "train": Train, "refine": Refine, "evaluate": Evaluate,
        "release": Release,
    }  # fmt: skip
    return [entry.name for entry in fields(tables[str(keys[0])] if keys else Charter)]


def dotted(keys: tuple[int | str, ...]) -> str:
    """``("sources", 2, "licence")`` as ``sources[2].licence``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")


def where(path: Path, keys: tuple[int | str, ...]) -> str:
    """``charter.toml:14`` for a key, found by scanning headers and assignments; the file alone if it is absent."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return path.name
    table = str(keys[0]) if keys else ""
    nth = keys[1] if len(keys) > 1 and isinstance(keys[1], int) else 0
    leaf = next((str(key) for key in reversed(keys[1:]) if isinstance(key, str)), None)
    inside, seen, header = False, -1, None
    for number, line in enumerate(lines, start=1):
        if heading := re.match(r"\s*\[\[?\s*([A-Za-z0-9_.-]+)\s*\]\]?", line):
            seen += heading[1] == table
            inside = heading[1] == table and seen == nth
            header = number if inside else header
        elif (inside and leaf and re.match(rf"\s*{re.escape(leaf)}\s*=", line)) or (
            header is None and not inside and re.match(rf"\s*{re.escape(table)}\s*=", line)
        ):
            return f"{path.name}:{number}"
    return f"{path.name}:{header}" if header else path.name
