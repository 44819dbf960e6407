"""Evidence of a small release as law reads it; a test changes a file and looks at what becomes of the documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from freehold.law import facts, generate
from freehold.law.facts import Facts

Json = dict[str, Any]

SHAPE = {
    "context": 64, "depth": 1, "experts": None, "family": "qwen3", "ffn_width": 192, "head_size": 64, "heads": 1,
    "kv_heads": 1, "latent": None, "tied": False, "vocab_size": 700, "width": 64, "windows": [],
}  # fmt: skip
SOURCES = [
    {
        "name": "laws", "origin": "https://example.org/laws", "licence": "CC0-1.0", "licences": {"CC0-1.0": 40},
        "statute": "UrhG § 5", "domain": "law", "documents_kept": 40, "bytes_kept": 104_879, "languages": {"deu": 40},
        "opt_out": "none", "files": [{"path": "laws/a.jsonl", "sha256": "a" * 64, "bytes": 9}],
    },
    {
        "name": "press", "origin": "crawl of 2026", "licence": None, "licences": {"CC-BY-4.0": 3, "MIT": 1},
        "statute": None, "documents_kept": 4, "bytes_kept": 9_000, "languages": {"jpn": 4}, "opt_out": "list.txt",
        "files": [{"path": "press/b.warc.gz", "sha256": "b" * 64, "bytes": 9}],
    },
]  # fmt: skip
POLICY = {"agent": None, "licences": ["CC0-1.0"], "opt_out": "none", "opt_out_time": "both", "redact": ["email", "ip"]}
RULES = {
    "min_characters": 200,
    "max_characters": 5000,
    "near_duplicate": 0.8,
    "contaminated": "drop",
    "held_out_bytes": 6,
}
STAGES: dict[str, Json] = {
    "curate": {
        "parameters": {
            "policy": POLICY,
            "curate": RULES,
            "sources": [{"name": "laws", "format": "jsonl"}, {"name": "press", "format": "warc"}],
        },
        "figures": {"documents_read": 50, "documents_kept": 44, "drops": {"too-short": 6}},
        "files": {"laws/a.jsonl": "a" * 64, "press/b.warc.gz": "b" * 64},
    },
    "tokenize": {
        "figures": {
            "documents": 44, "tokens": 148_561, "tokens_by_language": {"deu": 54_267, "jpn": 94_294},
            "fairness": {"deu": {"premium": 1.0}, "jpn": {"premium": 1.0785}},
        },
    },
    "train": {
        "parameters": {"base": None},
        "figures": {"parameters": 143_168, "tokens_by_language": {"deu": 14_720, "jpn": 9_856}},
    },
    "refine": {
        "files": {"refine/instructions.jsonl": "c" * 64},
        "figures": {"instructions": 12},
        "manifest": {
            "model/model.safetensors": {"sha256": "e" * 64, "size": 9},
            "model/config.json": {"sha256": "f" * 64, "size": 1},
        },
    },
    "evaluate": {},
}  # fmt: skip
EMPTY: Json = {"parameters": {}, "figures": {}, "files": {}, "manifest": {}}
ENVIRONMENT = {"python": "3.11.7", "system": "Linux x86_64", "processor": "abacus", "packages": {"torch": "2.13.0+cpu"}}

LOCK = """# Python 3.11.7, Linux x86_64, abacus
numpy==2.4.6  # License: BSD License
torch==2.13.0+cpu  # SPDX-License-Identifier: BSD-3-Clause AND MIT
"""


def files() -> dict[str, Any]:
    """Every file as a JSON value, the lock as text."""
    recipe = {
        "base": None, "device": "cpu", "goldfish": 0, "model": SHAPE, "precision": "fp32", "samples": 8, "seed": 7,
        "sequence": 64, "steps": 48, "rates": {"matrix": 0.02}, "document_mask": False, "data": "d" * 64,
    }  # fmt: skip
    steps = {
        facts.step(name): {
            "predicate": {
                **EMPTY, **told, "environment": ENVIRONMENT,
                "started": "2026-11-21T10:00:00.000Z", "finished": "2026-11-21T11:00:00.000Z",
            }
        }
        for name, told in STAGES.items()
    }  # fmt: skip
    made: dict[str, Any] = {
        facts.DECLARED: {
            "release": {"name": "tiny", "version": "0.1.0", "licence": "Apache-2.0"},
            "responsible": {"name": "Tiny Town", "country": "DE", "contact": "town@example.org"},
            "statements": {
                "obtained": {"laws": "public", "refine": "other"},
                "power_watts": 100.0,
                "high_impact": False,
            },
        },
        facts.SOURCES: SOURCES,
        facts.RIGHTS: {
            "hosts": {"press": {"count": 20, "bytes": {f"{chr(97 + n)}.example": 900 - n for n in range(20)}}},
            "opt_outs": {"kept_without_notice": 1, "kept_without_url": 40, "notices": 3},
            "rows": [
                {
                    "source": "laws",
                    "licence": "CC0-1.0",
                    "ground": "licence",
                    "statute": None,
                    "outcome": "kept",
                    "reason": None,
                    "documents": 40,
                },
                {
                    "source": "press",
                    "licence": None,
                    "ground": None,
                    "statute": None,
                    "outcome": "refused",
                    "reason": "opted-out-robots",
                    "documents": 6,
                },
            ],
        },
        facts.RECIPE: recipe,
        facts.REFINED: {"steps": 12, "samples": 8, "sequence": 64},
        facts.RESULTS: {
            "bits_per_byte": {"deu": {"model": 2.6329}},
            "choice": {"pack": {"accuracy": 0.5, "low": 0.2, "high": 0.8, "n": 6}},
        },
        facts.CONFIG: {"max_position_embeddings": 64},
        facts.LOCK: LOCK,
        **steps,
    }
    return copy.deepcopy(made)


def read(change: Callable[[dict[str, Any]], object] | None = None) -> Facts:
    """The facts, after `change` has been at the files."""
    made = files()
    if change is not None:
        change(made)
    data = {path: encoded(path, value) for path, value in made.items()}
    return facts.read(data.__getitem__, data.keys())


def encoded(path: str, value: Any) -> bytes:
    if path == facts.SOURCES:
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in value).encode()
    return value.encode() if isinstance(value, str) else json.dumps(value, ensure_ascii=False).encode()


def generated(change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, bytes]:
    return generate.generate(read(change))


def document(name: str, change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, Json]:
    """{field id: field} of one document."""
    table = json.loads(generated(change)[f"evidence/law/{name}.json"])
    return {field["id"]: field for section in table["sections"] for field in section["fields"]}
