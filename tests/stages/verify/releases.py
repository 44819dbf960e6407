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
from freehold.stages.verify import readings, recipes

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
RATES = {"matrix": 0.02, "embedding": 0.3, "head": 0.004, "vector": 0.01, "weight_decay": 0.1}
TRAIN = {
    "base": None, "device": "cpu", "format": 1, "goldfish": 0, "model": SHAPE, "precision": "fp32", "rates": RATES,
    "samples": 8, "seed": 7, "sequence": 64, "steps": 80, "checkpoint_steps": 50,
    "document_mask": False, "warmup_steps": 0, "decay_share": 0.5, "keep_every": 0, "keep_checkpoints": 2,
}  # fmt: skip
TAUGHT = {
    "format": 1, "samples": 8, "seed": 7, "sequence": 64, "steps": 5, "rates": RATES, "epochs": 1,
    "instructions": "1" * 64,
}  # fmt: skip
SOURCE = {
    "name": "laws", "licence": "CC0-1.0", "licences": {"CC0-1.0": 2}, "statute": None, "domain": None, "origin": "here",
    "opt_out": "none", "files": [{"path": "laws/a.jsonl", "sha256": "a" * 64, "bytes": 9}], "documents_read": 2,
    "documents_kept": 2, "bytes_kept": 9, "drops": {}, "languages": {"deu": 2},
}  # fmt: skip
RIGHTS = {
    "format": 1,
    "policy": {"licences": ["CC0-1.0"], "opt_out": "none", "opt_out_time": "both", "agent": None},
    "rows": [
        {
            "source": "laws", "licence": "CC0-1.0", "ground": "licence", "statute": None, "outcome": "kept",
            "reason": None, "documents": 2, "bytes": 9,
        }
    ],
    "unread": 0,
    "evidence": {"laws": {"the record's field licence": 2}},
    "hosts": {"laws": {"count": 0, "bytes": {}}},
    "opt_outs": {"kept_without_notice": 0, "kept_without_url": 2, "notices": 0},
    "overrides": [],
    "totals": {
        "documents_read": 2, "documents_kept": 2, "documents_refused": 0, "documents_dropped": 0, "bytes_kept": 9,
    },
}  # fmt: skip
CROISSANT = {
    "license": ["CC0-1.0"],
    "isBasedOn": [{"@type": "sc:CreativeWork", "name": "laws", "sourceOrganization": "here"}],
    "distribution": [],
}
SERVED = {"fertility": 3.9, "unit": "word", "bytes_per_token": 2.0, "premium": 1.0}
FAIRNESS = {
    "measure": readings.MEASURE,
    "languages": {
        "deu": {"tokens": 50, "bytes": 100, "characters": 80, "content_bytes": 40, "tokens_per_character": 0.625}
        | {"seen": False}
        | SERVED
    },
    "best_served": "deu",
    "worst_premium": 1.0,
    "gini": 0.0,
}
FIGURES = {
    "curate": {"documents_read": 2, "documents_kept": 2, "drops": {}},
    "tokenize": {
        "documents": 2,
        "tokens": 900,
        "tokens_by_language": {"deu": 900},
        "fairness": {"deu": SERVED},
        "gini": 0.0,
    },
    "train": {"parameters": 143_168, "tokens_by_language": {"deu": 40_960}, "steps": 80, "precision": "fp32"},
    "refine": {"steps": 5, "tokens": 2560},
}
POLICY = {"licences": ["CC0-1.0"], "opt_out": "none", "opt_out_time": "both", "agent": None}
CHARTER = {
    "sequence": 64, "goldfish": 0, "document_mask": False, "checkpoint_steps": 50, "warmup_steps": 0,
    "decay_share": 0.5, "seed": 7, "batch_tokens": 512, "keep_every": None, "keep_checkpoints": 2,
} | {key: RATES[name] for name, key in recipes.RATES.items()}  # fmt: skip
TABLES = {"train": {"train": CHARTER}, "refine": {"refine": {"epochs": 1, "learning_rate": 0.02}}}
CONFIG = {"model_type": "qwen3"} | {name: SHAPE[key] for key, name in recipes.SHAPE.items()}
SAID = {"intended_uses": "tests", "obtained": {"laws": "public"}, "rights_contact": ""}


def table(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {path: {"sha256": sha256(data).hexdigest(), "size": len(data)} for path, data in files.items()}


@dataclass(kw_only=True)
class Recipe:
    """What the release is made of; a test changes a field and builds a consistent forgery."""

    sources: list[dict[str, Any]] = field(default_factory=lambda: [dict(SOURCE)])
    curate_files: dict[str, str] = field(default_factory=lambda: {"laws/a.jsonl": "a" * 64})
    policy: dict[str, Any] = field(default_factory=lambda: dict(POLICY))
    rights: dict[str, Any] = field(default_factory=lambda: dict(RIGHTS))
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


def write_law(folder: Path, statements: Mapping[str, Any], *, threshold: int) -> None:
    """Law documents and bill of materials from the evidence as it lies there."""
    release = {"name": "tiny", "version": "0.1.0", "licence": "Apache-2.0", "threshold": threshold}
    responsible = {"name": "Tiny Town", "country": "DE", "contact": ""}
    declared = generate.declared(release=release, responsible=responsible, statements=statements)
    write(folder, {DECLARED: declared})
    paths = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    write(folder, generate.generate(facts.read(lambda path: (folder / path).read_bytes(), paths)))


def croissant(recipe: Recipe) -> dict[str, Any]:
    """The corpus described, with the licences of its sources."""
    tables = [row.get("licences") for row in recipe.sources if isinstance(row, dict)]
    licences = {str(name) for table in tables if isinstance(table, dict | list) for name in table}
    return CROISSANT | {"license": sorted(licences)}


def completed(told: Any, due: Mapping[str, str]) -> Any:
    """A recipe with what it must name, where a test gave it nothing else."""
    return {**due, **told} if isinstance(told, dict) else told


def figures_of(recipe: Recipe, stage: str) -> dict[str, Any]:
    """What a statement tells: of the evaluation, what its files say."""
    if stage != "evaluate":
        return recipe.figures[stage]
    results = json.loads(recipe.evaluated.get("results.json", b"{}"))
    memory = json.loads(recipe.evaluated.get("memorisation.json", b"{}"))
    if not isinstance(results, dict) or not isinstance(memory, dict):
        return {}
    told = {name: results.get(name) for name in ("bits_per_byte", "choice")}
    passages = memory.get("passages")
    together = passages.get("all", {}) if isinstance(passages, dict) else {}
    tables = {"memorisation": together, "canaries": memory.get("canaries", {})}
    return told | {name: table for name, table in tables.items() if table}


def build(folder: Path, recipe: Recipe, signers: Mapping[str, KeyFiles]) -> Path:
    """A sealed release, signed by every party."""
    told = chains(recipe.segments)
    sources = b"".join(json.dumps(row).encode() + b"\n" for row in recipe.sources)
    tree = tree_of(recipe.documents) if recipe.tree is None else recipe.tree
    shape = {"model/config.json": json.dumps(CONFIG).encode(), "model/tokenizer.json": recipe.tokenizer}
    tokenized = {"tokenizer.json": b"{}", "fairness.json": json.dumps(FAIRNESS).encode()}
    data = digest_of(table(tokenized))
    trained = {"data": data}
    taught = {
        "data": data,
        "base": next((row["checkpoint"] for row in recipe.segments[::-1] if row["stage"] == "train"), ""),
    }
    outputs = {
        "curate": {
            "sources.jsonl": sources,
            "documents.smt": tree,
            "curate.json": b"{}",
            "rights.json": json.dumps(recipe.rights).encode(),
            "croissant.json": json.dumps(croissant(recipe)).encode(),
        },
        "tokenize": tokenized,
        "train": {
            **recipe.model_files(recipe.trained),
            **shape,
            "chain.jsonl": told.get("train", b""),
            "recipe.json": canonical_json(completed(recipe.recipes["train"], trained)),
        },
        "refine": {
            **recipe.model_files(recipe.refined),
            **shape,
            "chain.jsonl": told.get("refine", b""),
            "recipe.json": canonical_json(completed(recipe.recipes["refine"], taught)),
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
            parameters={"policy": recipe.policy}
            | TABLES.get(stage, {})
            | recipe.tables.get(stage, {})
            | told_of(recipe, stage),
            inputs=recipe.inputs.get(stage, {need: made[need] for need in needs[stage] if need in made}),
            files={
                "curate": recipe.curate_files,
                "train": recipe.train_files,
                "refine": {"refine/instructions.jsonl": "1" * 64},
                "evaluate": recipe.asked_packs,
            }.get(stage, {}),
            output=made[stage],
            manifest=manifest,
            figures=figures_of(recipe, stage),
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
        write_law(folder, recipe.law, threshold=recipe.threshold)
    write(folder, recipe.extra)
    parties = {party: pair.fingerprint for party, pair in signers.items()}
    bundle.write_policy(folder, parties=parties, threshold=recipe.threshold)
    bundle.seal(folder, name="tiny", version="0.1.0", licence="Apache-2.0", inputs=made)
    for party, pair in signers.items():
        bundle.sign_bundle(folder, party=party, key=keys.load_private(pair.private))
    return folder
