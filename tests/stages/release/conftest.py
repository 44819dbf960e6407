"""A workspace with every artifact that release reads: tiny, but of the true form and sealed by the product's code."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from freehold import charter_file
from freehold.journey import STEPS
from freehold.model import config_file
from freehold.model.config import ModelConfig
from freehold.progress import Progress
from freehold.proof import chain, scores
from freehold.proof.statements import stage_statement
from freehold.proof.tree import sparse
from freehold.stage import Stage, build, identify
from freehold.stages.tokenize import vocabulary
from freehold.store.workspace import Sealed, Workspace, seal

# One sentence of law a language (the first articles of constitutions, which are official works), and its translation
# into bits: model, 5-gram, xz.
LANGUAGES: dict[str, tuple[str, float, float, float]] = {
    "deu": ("Die Würde des Menschen ist unantastbar. Sie zu achten ist Verpflichtung aller Gewalt.", 1.21, 1.72, 2.08),
    "jpn": (
        "天皇は、日本国の象徴であり日本国民統合の象徴であつて、この地位は、主権の存する日本国民の総意に基く。",
        0.97,
        1.33,
        1.30,
    ),
    "kor": (
        "대한민국은 민주공화국이다. 대한민국의 주권은 국민에게 있고, 모든 권력은 국민으로부터 나온다.",
        1.05,
        1.44,
        1.53,
    ),
    "fra": ("La France est une République indivisible, laïque, démocratique et sociale.", 1.14, 1.61, 1.94),
    "spa": ("España se constituye en un Estado social y democrático de Derecho.", 1.09, 1.58, 1.89),
    "pol": ("Rzeczpospolita Polska jest dobrem wspólnym wszystkich obywateli.", 1.28, 1.79, 2.02),
}
VOCABULARY = 400
STEPS_TRAINED = 300
SEED = 20261121  # the charter's default


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A charter and a workspace in which everything up to evaluate is done."""

    charter: Path
    workspace: Workspace
    sealed: dict[str, Sealed]

    def stage(self, *, key: str | None = None) -> Stage:
        """What the release stage is handed; the same `key` gives the same partial folder."""
        declared = charter_file.load(self.charter)
        identity = identify(declared, STEPS["release"], self.sealed)
        output = self.workspace.partial("release", key or identity.key)
        output.mkdir(parents=True, exist_ok=True)
        return Stage(
            charter=declared,
            identity=identity,
            inputs=self.sealed,
            workspace=self.workspace,
            output=output,
            run_folder=self.workspace.folder / "runs" / "now",
            progress=Progress(events=self.workspace.folder / "runs" / "now" / "events.jsonl", quiet=True),
        )

    def events(self) -> list[dict[str, Any]]:
        """What the stage told."""
        lines = (self.workspace.folder / "runs" / "now" / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def write_charter(folder: Path) -> Path:
    """A charter over one source a language."""
    share = {code: 1 / len(LANGUAGES) for code in LANGUAGES}
    tables = [
        'format = 1\n[responsible]\nname = "Amt für Sprache"\ncountry = "DE"\ncontact = "post@example.org"',
        *(f'[[languages]]\ncode = "{code}"\nshare = {value:.4f}' for code, value in share.items()),
    ]
    for code, (text, *_) in LANGUAGES.items():
        (folder / f"{code}.jsonl").write_text(json.dumps({"id": f"{code}-1", "text": text}) + "\n", encoding="utf-8")
        tables.append(
            f'[[sources]]\nname = "{code}-law"\npath = "{code}.jsonl"\norigin = "https://example.org/{code}"\n'
            f'licence = "{licence(code)}"\nlanguage = "{code}"'
        )
    tables.append('[policy]\nlicences = ["public-domain-law", "etalab-2.0"]')
    tables.append('[train]\ntokens = 100_000\n[release]\nname = "commons"\nversion = "0.1.0"')
    path = folder / "charter.toml"
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def licence(code: str) -> str:
    return "etalab-2.0" if code == "fra" else "public-domain-law"


def write_curate(folder: Path, charter: Path) -> None:
    rows = []
    for place, code in enumerate(LANGUAGES):
        data = (charter.parent / f"{code}.jsonl").read_bytes()
        size = 1_150_000 - 90_000 * place
        rows.append(
            {
                "name": f"{code}-law",
                "licence": licence(code),
                "statute": "UrhG § 5 (DE)" if code == "deu" else None,
                "origin": f"https://example.org/{code}",
                "opt_out": "none",
                "files": [{"path": f"{code}.jsonl", "sha256": sha256(data).hexdigest(), "bytes": len(data)}],
                "documents_read": 220,
                "documents_kept": 190 - place,
                "bytes_kept": size,
                "languages": {code: 190 - place},
                "licences": {licence(code): 190 - place},
                "drops": {"too-short": 30},
            }
        )
    sparse.write(folder / "documents.smt", (sparse.key_of_text(text) for text, *_ in LANGUAGES.values()))
    (folder / "sources.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    reasons = ["near-duplicate"] * 61 + ["too-short"] * 44 + ["language-not-in-charter"] * 9 + ["repetition"] * 4
    ledger = {name: [f"{name} {i}" for i in range(len(reasons))] for name in ("id", "source", "detail")}
    pq.write_table(pa.table({**ledger, "reason": reasons}), folder / "ledger.parquet")
    (folder / "curate.json").write_text(json.dumps({"format": 1, "documents": 1125}))


def write_tokenize(folder: Path) -> None:
    tokenizer = vocabulary.learn((text * 3 for text, *_ in LANGUAGES.values()), size=VOCABULARY)
    assert tokenizer.get_vocab_size() <= VOCABULARY
    (folder / "tokenizer.json").write_text(tokenizer.to_str())
    (folder / "tokenizer_config.json").write_bytes(vocabulary.settings())
    (folder / "chat_template.jinja").write_text(vocabulary.CHAT_TEMPLATE)
    served = {
        code: {
            "premium": 1 + 0.07 * place,
            "fertility": 2.1,
            "unit": "word",
            "bytes_per_token": 3.4,
            "tokens": 9,
            "bytes": 31,
        }
        for place, code in enumerate(LANGUAGES)
    }
    fairness = {"measure": "tokens per byte under xz", "languages": served, "gini": 0.031, "worst_premium": 1.35}
    (folder / "fairness.json").write_text(json.dumps(fairness))
    (folder / "shards").mkdir()
    rows = [
        {"document": f"{code}-{n}", "language": code, "licence": licence(code), "bytes": 6000 - 300 * place}
        for place, code in enumerate(LANGUAGES)
        for n in range(150)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "shards" / "train-00000.parquet")
    (folder / "tokenize.json").write_text(json.dumps({"format": 1, "vocabulary": VOCABULARY, "tokens": 1000}))


def write_model(folder: Path, tokenize: Path, *, seed: int) -> str:
    """A Hugging Face folder with random weights, half of them bf16 bits; the weights' SHA-256."""
    folder.mkdir(parents=True)
    config = ModelConfig.from_depth(
        2, vocabulary=VOCABULARY, context=128, width=32, head_size=8, bos_id=0, eos_id=2, pad_id=3
    )
    random = np.random.default_rng(seed)

    def weights(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    q, kv, f, w = config.heads * 8, config.kv_heads * 8, config.ffn_width, config.width
    layer = {
        "self_attn.q_proj": (q, w), "self_attn.k_proj": (kv, w), "self_attn.v_proj": (kv, w),
        "self_attn.o_proj": (w, q),
        "self_attn.q_norm": (8,), "self_attn.k_norm": (8,), "input_layernorm": (w,), "post_attention_layernorm": (w,),
        "mlp.gate_proj": (f, w), "mlp.up_proj": (f, w), "mlp.down_proj": (w, f),
    }  # fmt: skip
    tensors = {f"model.layers.{n}.{name}.weight": weights(*shape) for n in range(2) for name, shape in layer.items()}
    tensors["model.embed_tokens.weight"] = weights(VOCABULARY, w)
    tensors["model.norm.weight"] = weights(w)
    tensors["lm_head.weight"] = weights(VOCABULARY, w)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config_file.write(config)))
    (folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 0, "eos_token_id": [0, 2]}))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_bytes((tokenize / name).read_bytes())
    return sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def write_train(folder: Path, tokenize: Path) -> None:
    made = write_model(folder / "model", tokenize, seed=1)
    drawn = {
        "stage": "train",
        "first_step": 0,
        "last_step": 0,
        "documents": chain.documents_root([]),
        "checkpoint": "d" * 64,
    }
    trained = drawn | {
        "first_step": 1,
        "last_step": STEPS_TRAINED,
        "documents": chain.documents_root(["1"]),
        "checkpoint": made,
    }
    data = b""
    for segment in (drawn, trained):
        data += chain.line(segment | {"seed": SEED, "learning_rate": 0.02, "previous": chain.last_digest(data)}) + b"\n"
    (folder / "chain.jsonl").write_bytes(data)
    random = np.random.default_rng(5)
    with (folder / "curve.jsonl").open("w") as file:
        for step in range(1, STEPS_TRAINED + 1):
            loss = 3.1 + (math.log(VOCABULARY) - 3.1) * math.exp(-step / 40) + 0.06 * random.standard_normal()
            file.write(
                json.dumps({"step": step, "tokens": step * 8192, "loss": round(loss, 5), "learning_rate": 0.02}) + "\n"
            )
    recipe = {
        "seed": SEED,
        "precision": "fp32",
        "steps": STEPS_TRAINED,
        "rates": {"matrix": 0.02},
        "samples": 64,
        "sequence": 128,
        "device": "cpu",
        "goldfish": 0,
        "model": ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=128, width=32, head_size=8).to_dict(),
    }
    (folder / "recipe.json").write_text(json.dumps(recipe))
    (folder / "train.json").write_text(json.dumps({"format": 1, "steps": STEPS_TRAINED}))


def write_refine(folder: Path, tokenize: Path, train: Path) -> None:
    made = write_model(folder / "model", tokenize, seed=2)
    segment = {
        "stage": "refine",
        "first_step": 1,
        "last_step": 5,
        "documents": chain.documents_root(["i"]),
        "checkpoint": made,
    }
    before = (train / "chain.jsonl").read_bytes()
    line = chain.line(segment | {"seed": SEED, "learning_rate": 0.002, "previous": chain.last_digest(before)})
    (folder / "chain.jsonl").write_bytes(line + b"\n")
    (folder / "recipe.json").write_text(json.dumps({"epochs": 1}))
    (folder / "refine.json").write_text(json.dumps({"format": 1}))


def memorised() -> dict[str, Any]:
    """What evaluation finds of passages and canaries."""
    rows = [
        {"document": f"{code}-{times}", "language": code, "offset": 0, "times": times, "verbatim": 2 * times}
        for code in LANGUAGES
        for times in (0, 1, 20)
    ]
    references = [float(value) for value in range(200, 455)]
    planted = [
        {"id": f"canaries/deu/{times}/0", "language": "deu", "times": times, "read": times, "nats": nats, "bits": 300.0}
        | scores.exposed(nats, references, bits=300.0)
        | {"verbatim": times, "of": 16}
        for times, nats in ((1, 300.0), (4, 190.0), (16, 20.0))
    ]
    passages = {"prompt_tokens": 50, "continuation_tokens": 50, "rows": rows}
    canaries = {"canary_rows": planted, "canaries": scores.canaries(planted), "never_planted_nats": references}
    return {"format": 1, "seed": 7, "passages": scores.verbatim(rows, tokens=50)} | passages | canaries


def write_evaluate(folder: Path) -> None:
    bits = {
        code: {"model": model, "ngram5": ngram, "xz": xz, "bytes": 400_000}
        for code, (_, model, ngram, xz) in LANGUAGES.items()
    }
    answers = [
        {"pack": "citizenship", "id": str(place), "nats_per_byte": [1.0, 2.0, 2.5, 3.0], "chosen": 0}
        | {"answer": int(place >= 84), "correct": place < 84}
        for place in range(310)
    ]
    choice = {"citizenship": scores.accuracy(answers)}
    (folder / "results.json").write_text(json.dumps({"bits_per_byte": bits, "choice": choice}))
    (folder / "answers.jsonl").write_text("".join(json.dumps(answer) + "\n" for answer in answers))
    (folder / "memorisation.json").write_text(json.dumps(memorised()))
    with (folder / "completions.jsonl").open("w", encoding="utf-8") as file:
        for code, (text, *_) in LANGUAGES.items():
            half = len(text) // 2
            row = {
                "language": code,
                "document": f"{code}-9",
                "prompt": text[:half],
                "completion": text[half:] * 2,
                "seed": 1,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    (folder / "evaluate.json").write_text(json.dumps({"format": 1}))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Everything up to evaluate, sealed and attested."""
    charter, workspace = write_charter(tmp_path), Workspace(tmp_path / ".freehold")
    sealed: dict[str, Sealed] = {}
    writers: dict[str, Callable[[Path], None]] = {
        "curate": lambda folder: write_curate(folder, charter),
        "tokenize": write_tokenize,
        "train": lambda folder: write_train(folder, sealed["tokenize"].path),
        "refine": lambda folder: write_refine(folder, sealed["tokenize"].path, sealed["train"].path),
        "evaluate": write_evaluate,
    }
    declared = charter_file.load(charter)
    for number, (name, write) in enumerate(writers.items()):
        identity = identify(declared, STEPS[name], {need: sealed[need] for need in STEPS[name].needs})
        folder = workspace.partial(name, identity.key)
        folder.mkdir(parents=True)
        write(folder)
        digest, manifest = seal(folder)
        statement = stage_statement(
            stage=name,
            format=1,
            code=identity.code,
            parameters=identity.parameters,
            inputs=identity.inputs,
            files=identity.files,
            output=digest,
            manifest=manifest,
            figures={},
            environment={"python": "3.11.7", "system": "Linux", "processor": "abacus", "packages": {"torch": "2.13.0"}},
            started=1_790_000_000.0 + 100 * number,
            finished=1_790_000_000.0 + 100 * number + [40, 17, 400, 12, 55][number],
        )
        sealed[name] = workspace.keep(name, identity.key, digest=digest, statement=statement)
    return Shop(charter=charter, workspace=workspace, sealed=sealed)


@pytest.fixture
def released(shop: Shop) -> Sealed:
    """The sealed release of the shop."""
    return build(shop.stage())


def encoder(model: Path) -> Tokenizer:
    """The tokenizer of a model folder."""
    return Tokenizer.from_file(str(model / "tokenizer.json"))
