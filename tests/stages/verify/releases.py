"""A small release with everything that verify reads, built by the product's own code from a recipe."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from freehold.law import facts, generate
from freehold.law.facts import DECLARED
from freehold.law.facts import LOCK as LOCKED
from freehold.proof import bundle, chain
from freehold.proof.digests import digest_of
from freehold.proof.log import withdrawals
from freehold.proof.log.withdrawals import Entry
from freehold.proof.signing import keys
from freehold.proof.signing.keys import KeyFiles
from freehold.proof.statements import stage_statement
from freehold.proof.tree import sparse
from freehold.records import canonical_json

from .evaluations import evaluation

WEIGHTS = bytes(range(256)) * 400  # 102,400 bytes: four chunks of locators
ENVIRONMENT = {
    "python": "3.11.7",
    "system": "Linux x86_64",
    "processor": "abacus",
    "packages": {"numpy": "2.4.6", "torch": "2.13.0+cpu"},
}
LOCK = (
    b"# Python 3.11.7, Linux x86_64, abacus\nnumpy==2.4.6  # SPDX-License-Identifier: BSD-3-Clause\ntorch==2.13.0+cpu\n"
)
SHAPE = {
    "context": 64, "depth": 1, "experts": None, "family": "qwen3", "ffn_width": 192, "head_size": 64, "heads": 1,
    "kv_heads": 1, "latent": None, "tied": False, "vocab_size": 700, "width": 64, "windows": [],
}  # fmt: skip
TRAIN = {
    "base": None, "device": "cpu", "goldfish": 0, "model": SHAPE, "precision": "fp32", "rates": {"matrix": 0.02},
    "samples": 8, "seed": 7, "sequence": 64, "steps": 80,
}  # fmt: skip
TAUGHT = {"samples": 8, "seed": 7, "sequence": 64, "steps": 5}
RIGHTS = {
    "opt_outs": {"kept_without_notice": 0, "kept_without_url": 2, "notices": 0},
    "rows": [
        {"source": "laws", "licence": "CC0-1.0", "ground": "licence", "outcome": "kept", "documents": 2, "bytes": 9}
    ],
    "hosts": {"laws": {"count": 0, "bytes": {}}},
}
FIGURES = {
    "curate": {"documents_read": 2, "documents_kept": 2, "drops": {}},
    "tokenize": {"documents": 2, "tokens": 900, "tokens_by_language": {"deu": 900}},
    "train": {"parameters": 143_168, "tokens_by_language": {"deu": 40_960}},
    "refine": {},
    "evaluate": {},
}
SAID = {"intended_uses": "tests", "obtained": {"laws": "public"}, "rights_contact": ""}


def table(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {path: {"sha256": sha256(data).hexdigest(), "size": len(data)} for path, data in files.items()}


@dataclass(kw_only=True)
class Recipe:
    """What the release is made of; a test changes a field and builds a consistent forgery."""

    sources: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"name": "laws", "licence": "CC0-1.0", "files": [{"path": "laws/a.jsonl", "sha256": "a" * 64, "bytes": 9}]}
        ]
    )
    curate_files: dict[str, str] = field(default_factory=lambda: {"laws/a.jsonl": "a" * 64})
    policy: dict[str, Any] = field(default_factory=lambda: {"licences": ["CC0-1.0"]})
    trained: bytes = WEIGHTS[::-1]
    refined: bytes = WEIGHTS
    shipped: bytes = WEIGHTS
    segments: list[dict[str, Any]] = field(default_factory=list)
    inputs: dict[str, dict[str, str]] = field(default_factory=dict)  # stage → inputs that replace the true ones
    stages: tuple[str, ...] = ("curate", "tokenize", "train", "refine", "evaluate")
    extra: dict[str, bytes] = field(default_factory=dict)
    documents: tuple[str, ...] = ("The first document.", "The second document.")  # that the tree was made of
    tree: bytes | None = None  # instead of the true one
    train_files: dict[str, str] = field(default_factory=dict)  # that training read from outside: a base's
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)  # stage → tables of the charter besides the policy
    reads: dict[str, tuple[str, ...]] = field(default_factory=dict)  # stage → what it read instead of what is due
    tokenizer: bytes = b"{}"  # that the model carries
    recipes: dict[str, dict[str, Any]] = field(default_factory=lambda: {"train": dict(TRAIN), "refine": dict(TAUGHT)})
    figures: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(FIGURES))
    lock: bytes = LOCK
    law: dict[str, Any] | None = field(default_factory=lambda: dict(SAID))  # statements; None: no law documents
    withdrawals: tuple[Entry, ...] = ()  # drafts; a release with some carries a log, signed by the first signer
    withdrawn: dict[str, list[dict[str, str]]] = field(default_factory=dict)  # stage → what it was told to leave out
    threshold: int = 1
    shards: int = 1  # files that weights are cut into
    evaluated: dict[str, bytes] = field(default_factory=evaluation)  # what evaluate leaves
    asked_packs: dict[str, str] = field(default_factory=dict)  # that evaluate read: name → SHA-256

    def __post_init__(self) -> None:
        if not self.segments:
            drawn, trained, refined = (self.checkpoint(data) for data in (b"drawn", self.trained, self.refined))
            self.segments = [
                segment(first_step=0, last_step=0, checkpoint=drawn),
                segment(first_step=1, last_step=50, checkpoint=sha256(b"half").hexdigest()),
                segment(first_step=51, last_step=80, checkpoint=trained),
                segment(stage="refine", first_step=1, last_step=5, checkpoint=refined),
            ]

    def model_files(self, weights: bytes) -> dict[str, bytes]:
        """The weights in as many files as there are shards, and then with an index."""
        if self.shards == 1:
            return {"model/model.safetensors": weights}
        size = -(-len(weights) // self.shards)
        parts = [weights[start : start + size] for start in range(0, len(weights), size)]
        named = {f"model/model-{n:05d}-of-{len(parts):05d}.safetensors": part for n, part in enumerate(parts, 1)}
        return {**named, "model/model.safetensors.index.json": b'{"weight_map":{}}'}

    def checkpoint(self, weights: bytes) -> str:
        """What the chain says of them."""
        files = {path: data for path, data in self.model_files(weights).items() if path.endswith(".safetensors")}
        return chain.weights_digest({path.split("/")[1]: sha256(data).hexdigest() for path, data in files.items()})


def tree_of(documents: Iterable[str]) -> bytes:
    """documents.smt over texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.smt"
        sparse.write(path, map(sparse.key_of_text, documents))
        return path.read_bytes()


def segment(**changed: Any) -> dict[str, Any]:
    known = {"stage": "train", "documents": chain.documents_root(["1", "2"]), "seed": 7, "learning_rate": 0.02}
    return known | changed


def chains(segments: list[dict[str, Any]]) -> dict[str, bytes]:
    """chain.jsonl of each stage; `previous` is filled in where a test did not."""
    files: dict[str, bytes] = {}
    previous = chain.GENESIS
    for row in segments:
        line = chain.line({"previous": previous} | row)
        previous = chain.line_digest(line)
        files[row["stage"]] = files.get(row["stage"], b"") + line + b"\n"
    return files


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def told_of(recipe: Recipe, stage: str) -> dict[str, Any]:
    """What the log asks of a stage, as its parameter."""
    rows = recipe.withdrawn.get(stage)
    level = {"curate": "W1", "train": "W3"}.get(stage)
    if rows is None:
        chosen = [entry for entry in recipe.withdrawals if entry.level == level]
        rows = [{"level": entry.level, "id": one.id, "key": one.key} for entry in chosen for one in entry.documents]
    return {"withdrawn": rows} if rows else {}


def carry_log(folder: Path, drafts: tuple[Entry, ...], *, key: Any) -> None:
    """The log and its head, as a release carries them."""
    log = folder / bundle.WITHDRAWALS
    for draft in drafts:
        withdrawals.append(log, draft, key=key)
    write(folder, {bundle.WITHDRAWALS_HEAD: withdrawals.head(withdrawals.read(log)).line()})


def write_law(folder: Path, statements: Mapping[str, Any]) -> None:
    """Law documents and bill of materials from the evidence as it lies there."""
    release = {"name": "tiny", "version": "0.1.0", "licence": "Apache-2.0"}
    responsible = {"name": "Tiny Town", "country": "DE", "contact": ""}
    declared = generate.declared(release=release, responsible=responsible, statements=statements)
    write(folder, {DECLARED: declared})
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    write(folder, generate.generate(facts.read(lambda path: (folder / path).read_bytes(), paths)))


def build(folder: Path, recipe: Recipe, signers: Mapping[str, KeyFiles]) -> Path:
    """A sealed release, signed by every party."""
    told = chains(recipe.segments)
    sources = b"".join(json.dumps(row).encode() + b"\n" for row in recipe.sources)
    tree = tree_of(recipe.documents) if recipe.tree is None else recipe.tree
    shape = {"model/config.json": b'{"model_type":"qwen3"}', "model/tokenizer.json": recipe.tokenizer}
    outputs = {
        "curate": {
            "sources.jsonl": sources,
            "documents.smt": tree,
            "curate.json": b"{}",
            "rights.json": json.dumps(RIGHTS).encode(),
            "croissant.json": b"{}",
        },
        "tokenize": {"tokenizer.json": b"{}", "fairness.json": b"{}"},
        "train": {
            **recipe.model_files(recipe.trained),
            **shape,
            "chain.jsonl": told.get("train", b""),
            "recipe.json": canonical_json(recipe.recipes["train"]),
        },
        "refine": {
            **recipe.model_files(recipe.refined),
            **shape,
            "chain.jsonl": told.get("refine", b""),
            "recipe.json": canonical_json(recipe.recipes["refine"]),
        },
        "evaluate": recipe.evaluated,
    }
    needs: dict[str, tuple[str, ...]] = {
        "curate": (),
        "tokenize": ("curate",),
        "train": ("tokenize",),
        "refine": ("train",),
        "evaluate": ("refine",),
    } | recipe.reads
    made: dict[str, str] = {}
    for stage in recipe.stages:
        manifest = table(outputs[stage])
        made[stage] = digest_of(manifest)
        statement = stage_statement(
            stage=stage,
            format=1,
            code="c" * 64,
            parameters={"policy": recipe.policy} | recipe.tables.get(stage, {}) | told_of(recipe, stage),
            inputs=recipe.inputs.get(stage, {need: made[need] for need in needs[stage] if need in made}),
            files={"curate": recipe.curate_files, "train": recipe.train_files, "evaluate": recipe.asked_packs}.get(
                stage, {}
            ),
            output=made[stage],
            manifest=manifest,
            figures=recipe.figures[stage],
            environment=ENVIRONMENT,
            started=1.0,
            finished=2.5,
        )
        write(folder, {bundle.step_path(stage): statement})
    for place, (stage, path) in bundle.COPIES.items():
        if stage in made and path in outputs[stage]:
            write(folder, {place: outputs[stage][path]})
    model = {**recipe.model_files(recipe.shipped), **shape}
    write(folder, {**model, "model/README.md": b"# card\n", "report.html": b"<p>report</p>\n"})
    if recipe.withdrawals:
        carry_log(folder, recipe.withdrawals, key=keys.load_private(next(iter(signers.values())).private))
    if recipe.law is not None:
        write(folder, {LOCKED: recipe.lock})
        write_law(folder, recipe.law)
    write(folder, recipe.extra)
    parties = {party: pair.fingerprint for party, pair in signers.items()}
    bundle.write_policy(folder, parties=parties, threshold=recipe.threshold)
    bundle.seal(folder, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=made)
    for party, pair in signers.items():
        bundle.sign_bundle(folder, party=party, key=keys.load_private(pair.private))
    return folder
