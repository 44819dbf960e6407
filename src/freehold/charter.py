"""The charter: what a nation declares about its model, and where the files lie that it names."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Len
from pydantic import ConfigDict

from freehold.charter_tables import (
    STRICT,
    Base,
    Curation,
    Evaluate,
    Language,
    Law,
    Mixture,
    Model,
    Phase,
    Policy,
    Refine,
    Release,
    Responsible,
    Source,
    Tokenizer,
    Train,
)
from freehold.errors import InputError
from freehold.mirror import Mirror
from freehold.tree import Tree, tree

# Files of a base folder that decide how text becomes tokens; the weights need all of its files.
TOKENIZER_FILES = (
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)


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
    base: Base | None = None
    curate: Curation = field(default_factory=Curation)
    mixture: Mixture = field(default_factory=Mixture)
    tokenizer: Tokenizer = field(default_factory=Tokenizer)
    model: Model = field(default_factory=Model)
    train: Train = field(default_factory=Train)
    phases: tuple[Phase, ...] = ()
    refine: Refine = field(default_factory=Refine)
    evaluate: Evaluate = field(default_factory=Evaluate)
    withdrawals: Path | None = None  # the log; None: withdrawals.jsonl beside the charter, if it is there
    law: Law = field(default_factory=Law)
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
        return self.tree_of(source).files

    def tree_of(self, source: Source) -> Tree:
        """What the path of a source leads to, with the entries that cannot be followed; InputError without a file."""
        if source.remote:
            return self._fetched(source)
        whole = self.folder / source.path
        if whole.is_dir():
            found = tree(whole)
        elif whole.is_file():
            found = Tree(files=(whole.resolve(),))
        else:
            anchor = Path(whole.anchor) if Path(source.path).is_absolute() else self.folder
            pattern = str(whole.relative_to(anchor)) if Path(source.path).is_absolute() else source.path
            found = Tree(files=tuple(sorted(path.resolve() for path in anchor.glob(pattern) if path.is_file())))
        if not found.files:
            place = where(self.path, ("sources", self.sources.index(source), "path"))
            advice = "correct the path or add the files"
            raise InputError(f"no file matches {source.path!r}", where=place, remedy=advice)
        return found

    def mirror_of(self, source: Source) -> Mirror:
        """The copy of a source that lies in an object store."""
        return Mirror(folder=self.folder / ".freehold" / "mirror" / source.name)

    def _fetched(self, source: Source) -> Tree:
        """What was fetched of a source. Raises InputError where that is not what the charter names now."""
        try:
            return self.mirror_of(source).tree(source.path)
        except InputError as error:
            place = where(self.path, ("sources", self.sources.index(source), "path"))
            advice = error.remedy and error.remedy.replace("CHARTER", self.path.name)
            raise InputError(error.message, where=error.where or place, remedy=advice) from None

    @property
    def base_folder(self) -> Path:
        """The folder of the base; only for a charter that names one."""
        assert self.base is not None
        return self.resolve(self.base.path)

    @property
    def domains(self) -> dict[str, str]:
        """Source → its domain, where training is to mix domains; else nothing."""
        if self.mixture.domains is None and self.mixture.temperature is None:
            return {}
        found = {source.name: source.domain for source in self.sources if source.domain is not None}
        if self.curate.canaries and found:  # they go along with the first domain that is read
            shares = self.mixture.domains or {}
            found["canaries"] = next(domain for domain in found.values() if shares.get(domain, 1))
        return found

    @property
    def sketches(self) -> tuple[Path, ...]:
        """What corpora curated earlier left to be compared with."""
        found = (self.resolve(name) for name in self.curate.against)
        return tuple(path if path.suffix == ".parquet" else path / "sketches.parquet" for path in found)

    @property
    def packs(self) -> tuple[Path, ...]:
        """The question packs, which the curated text must not hold."""
        return tuple(self.resolve(name) for name in self.evaluate.packs)

    def parameters(self, section: str) -> Any:
        """One table as plain JSON values, for cache keys and attestations; what a base decides is left to it."""
        if section == "mixture":
            return {**asdict(self.mixture), "sources": self.domains, "max_epochs": self.train.max_epochs}
        if section == "curate":  # canaries are drawn from the seed
            return asdict(self.curate) | ({"canary_seed": self.train.seed} if self.curate.canaries else {})
        if section == "base":
            return self.base and {**asdict(self.base), "path": self.base_folder.name}
        if section == "tokenizer" and self.base is not None:
            return {"sample_bytes": self.tokenizer.sample_bytes, "new_tokens": self.base.new_tokens}
        if section == "model" and self.base is not None:
            return {}
        table = getattr(self, section)
        return [asdict(row) for row in table] if isinstance(table, tuple) else asdict(table)

    def files(self, section: str) -> dict[str, Path]:
        """The outside files a table names, under names that hold no folder of this machine.

        A base decides what `tokenizer` means, so that table names the files of it that cut text into tokens.
        """
        if section in ("base", "tokenizer"):
            return {f"base/{path.name}": path for path in self._files_of_base(tokenizer=section == "tokenizer")}
        if section == "sources":
            return {
                f"{source.name}/{path.relative_to(common_folder(found))}": path
                for source in self.sources
                for found in [self.files_of(source)]
                for path in found
            }
        if section == "policy":
            return self._files_of_policy()
        if section == "release":
            return {f"release/{party.name}.pub": self.resolve(party.key) for party in self.release.parties}
        names = {
            "curate": tuple(name for name in (self.curate.language_model, self.curate.labels) if name is not None),
            "refine": () if self.refine.instructions is None else (self.refine.instructions,),
            "evaluate": self.evaluate.packs,
        }.get(section, ())
        found = {f"{section}/{Path(name).name}": self.resolve(name) for name in names}
        if section == "curate":  # what it is compared with: every corpus has files of the same names
            found |= {f"against/{place}/{path.name}": path for place, path in enumerate(self.sketches)}
            found |= {f"packs/{place}/{path.name}": path for place, path in enumerate(self.packs)}
        return found

    def _files_of_policy(self) -> dict[str, Path]:
        """The lists that the policy names, and every file of its folder of notices."""
        policy = self.policy
        lists = [name for name in (policy.opt_out, policy.overrides) if name not in (None, "none")]
        found = {f"policy/{Path(name).name}": self.resolve(name) for name in lists if name}
        if policy.notices is not None:
            folder = self.resolve(policy.notices)
            files = [path for path in folder.rglob("*") if path.is_file()]
            found |= {f"policy/notices/{path.relative_to(folder).as_posix()}": path for path in files}
        return found

    def _files_of_base(self, *, tokenizer: bool) -> list[Path]:
        """The files of the base's folder that matter to its tokenizer, or all that hold its model."""
        if self.base is None:
            return []
        found = sorted(path for path in self.base_folder.glob("*") if path.is_file())
        single = any(path.name == "model.safetensors" for path in found)  # what lies beside it is a second copy
        weights = "model.safetensors" if single else ".safetensors"
        endings = () if tokenizer else (".json", ".jinja", weights)
        return [path for path in found if path.name in TOKENIZER_FILES or path.name.endswith(endings)]


def common_folder(paths: tuple[Path, ...]) -> Path:
    """The deepest folder that holds all of `paths`."""
    return Path(os.path.commonpath([path.parent for path in paths]))


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
