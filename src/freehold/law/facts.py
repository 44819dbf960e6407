"""What a release's own evidence says, each value with the file and key it was read from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, Literal

from freehold.errors import GateError
from freehold.proof import canonical
from freehold.proof.bundle import MAX_RELEASE_BYTES, SOURCES, STEPS

DECLARED = "evidence/law/declared.json"
RIGHTS = "evidence/corpus/rights.json"
RECIPE = "evidence/train/recipe.json"
REFINED = "evidence/refine/recipe.json"
RESULTS = "evidence/evaluation/results.json"
FAIRNESS = "evidence/tokenizer/fairness.json"
LOCK = "evidence/train/environment.lock"
CONFIG = "model/config.json"
STAGES = ("curate", "tokenize", "train", "refine", "evaluate")
PACKAGE = re.compile(
    r"(?P<name>[^=\s#]+)==(?P<version>[^\s#]+)(?:  # (?P<kind>SPDX-License-Identifier|License): (?P<licence>.+))?"
)
LARGEST = 1 << 40  # of any number in a model's shape: a stranger's recipe may not make us count for ever
DEEPEST = 10_000  # layers

Origin = Literal["fact", "computed", "declared", "rule", "not stated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One answer and where it is from; `value` is None where nobody said, a text, a number, a list or a table."""

    value: Any
    origin: Origin
    cites: tuple[str, ...] = ()  # "file#key"
    method: str | None = None  # how it was computed

    def __bool__(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The evidence that law documents are made from, parsed."""

    files: Mapping[str, Any]  # path → JSON value, or list of them
    sha256: Mapping[str, str]

    def at(self, path: str, *keys: str) -> Value:
        """A fact, or "not stated" where file or key is missing."""
        found: Any = self.files.get(path)
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            return MISSING
        return Value(value=found, origin="fact", cites=(f"{path}#{'.'.join(keys)}",))

    def step(self, stage: str, *keys: str) -> Value:
        """A fact of a stage's statement, below its predicate."""
        return self.at(step(stage), "predicate", *keys)

    def said(self, key: str) -> Value:
        """A person's statement of the charter's [law]; "not stated" where it is empty."""
        found = self.at(DECLARED, "statements", key)
        return replace(found, origin="declared") if found and found.value not in ("", [], {}) else MISSING

    def named(self, *keys: str) -> Value:
        """A person's statement of the charter's other tables: release and responsible."""
        found = self.at(DECLARED, *keys)
        return replace(found, origin="declared") if found and found.value != "" else MISSING

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Rows of sources.jsonl."""
        return list(self.files.get(SOURCES, []))

    @property
    def title(self) -> str:
        """Name and version of the model."""
        return f"{self.named('release', 'name').value} {self.named('release', 'version').value}"


MISSING = Value(value=None, origin="not stated")


def step(stage: str) -> str:
    """Where a stage's statement stands in a release."""
    return f"{STEPS}/{stage}.intoto.jsonl"


def computed(value: Any, method: str, *of: Value) -> Value:
    """A value made of others by a formula; "not stated" where one of them is."""
    if value is None or not all(of):
        return replace(MISSING, method=method)
    cites = tuple(dict.fromkeys(cite for one in of for cite in one.cites))
    return Value(value=value, origin="computed", cites=cites, method=method)


def read(read: Callable[[str], bytes], paths: Collection[str]) -> Facts:
    """Parse the evidence; `paths` are the files that the release holds, `read` returns one's bytes.

    Raises GateError where a file is no JSON of the expected form.
    """
    wanted = [DECLARED, SOURCES, RIGHTS, RECIPE, REFINED, RESULTS, FAIRNESS, LOCK, CONFIG, *map(step, STAGES)]
    data = {path: read(path) for path in wanted if path in paths}
    return Facts(
        files={path: parsed(path, found) for path, found in data.items()},
        sha256={path: hashlib.sha256(found).hexdigest() for path, found in data.items()},
    )


def parsed(path: str, data: bytes) -> Any:
    """A file's JSON value; of sources.jsonl and the lock a list of rows."""
    if path == LOCK:
        return {"environment": environment(data), "packages": packages(data)}
    if path == SOURCES:
        rows = canonical.lines(data, where=path, max_bytes=MAX_RELEASE_BYTES)
        if not all(isinstance(row, dict) for row in rows):
            raise GateError("a source that is no JSON object", where=path)
        return rows
    found = canonical.load(data.removesuffix(b"\n"), where=path, max_bytes=MAX_RELEASE_BYTES)
    if not isinstance(found, dict):
        raise GateError("no JSON object", where=path)
    return found


def packages(lock: bytes) -> list[dict[str, str]]:
    """Rows of environment.lock: name, version and, where the environment knows it, licence and its kind.

    Raises GateError at a line that is none.
    """
    rows = []
    for number, line in enumerate(lock.decode("utf-8", "replace").splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        if not (found := PACKAGE.fullmatch(line)):
            raise GateError("no package with its version", where=f"{LOCK}:{number}")
        rows.append({key: text for key, text in found.groupdict().items() if text is not None})
    return rows


def environment(lock: bytes) -> str | None:
    """The first line of environment.lock: Python, system and processor."""
    first = lock.decode("utf-8", "replace").split("\n", 1)[0]
    return first.removeprefix("# ") if first.startswith("# ") else None


def shape_of(table: Mapping[str, Any]) -> SimpleNamespace:
    """The model of a recipe as an object with attributes. Raises GateError for numbers that no model has."""
    bounded(table)
    if not 0 < table["depth"] <= DEEPEST:
        raise GateError(f"a model of {table['depth']} layers", where=RECIPE)
    nested = {key: SimpleNamespace(**value) if isinstance(value, dict) else value for key, value in table.items()}
    return SimpleNamespace(**nested)


def bounded(value: Any) -> None:
    """Raise GateError for a whole number that is negative or too large to be part of a model's shape."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            bounded(one)
    elif isinstance(value, int) and not 0 <= value <= LARGEST:
        raise GateError(f"the number {value:.3g} in a model's shape", where=RECIPE)


@contextmanager
def sound() -> Iterator[None]:
    """Turn a value of another kind than expected into the finding that it is: evidence may be a stranger's."""
    try:
        yield
    except (TypeError, KeyError, AttributeError, ValueError, ArithmeticError, IndexError, RecursionError) as error:
        message = f"evidence of another form than law documents are made from: {type(error).__name__} {error}"
        raise GateError(message, where="evidence") from None
