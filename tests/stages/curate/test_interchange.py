from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from legal_prose import prose

from freehold.proof.digests import sha256_file
from freehold.stage import Stage

Curate = Callable[[Path], Stage]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No connection can be made, and nothing is cached outside the test."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("this test has no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))


@pytest.fixture
def corpus(tmp_path: Path, charter_of: Any, curated_from: Curate) -> Stage:
    """German law and press and Japanese law, mixed by domains."""
    sources = {}
    for number, (language, domain) in enumerate((("deu", "law"), ("deu", "press"), ("jpn", "law"))):
        name = f"{language}-{domain}"
        texts = [{"id": f"{name}/{n}", "text": prose(language, 100 * number + n)} for n in range(40)]
        lines = "".join(json.dumps(text) + "\n" for text in texts)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        facts = {"path": f"{name}.jsonl", "origin": f"o|{name}", "licence": "CC0-1.0"}
        sources[name] = facts | {"language": language, "domain": domain}
    curate = "[mixture]\ndomains = { law = 0.4, press = 0.6 }\n"
    return curated_from(charter_of(sources, languages=("deu", "jpn"), curate=curate))


def test_the_mixture_is_told(corpus: Stage) -> None:
    told = json.loads((corpus.output / "mixture.json").read_bytes())
    rows = {(row["language"], row["domain"]): row for row in told["rows"]}
    assert rows["deu", "press"]["achieved"] == rows["deu", "press"]["target"] == 0.3
    assert rows["jpn", "press"] | {"epochs": 0.0} == rows["jpn", "press"]
    assert rows["jpn", "law"]["achieved"] == 0.5 and rows["jpn", "law"]["moved"] == 0.3
    short = {"language": "jpn", "domain": "press", "lacking": 0.3, "why": "no text", "to": ["jpn/law"]}
    assert told["short"] == [short]
    assert sum(row["available"] for row in rows.values()) == told["amount"]
    assert corpus.figures["mixture"]["deu/press"]["achieved"] == 0.3
    card = (corpus.output / "README.md").read_text(encoding="utf-8")
    assert "o\\|deu-law" in card and "| deu | press |" in card


def test_croissant_is_valid_and_reads_the_documents(corpus: Stage, offline: None) -> None:
    croissant = pytest.importorskip("mlcroissant")
    path = corpus.output / "croissant.json"
    described = json.loads(path.read_bytes())
    for part in described["distribution"]:
        if part["@type"] == "cr:FileObject":
            file = corpus.output / part["contentUrl"]
            assert part["sha256"] == sha256_file(file) and part["contentSize"] == f"{file.stat().st_size} B"
    dataset = croissant.Dataset(jsonld=path)
    assert not dataset.metadata.ctx.issues.errors
    counts = json.loads((corpus.output / "curate.json").read_bytes())
    read = [record["documents/id"].decode() for record in dataset.records("documents")]
    assert len(set(read)) == sum(counts["documents"].values()) == len(read)
    held_out = list(dataset.records("held_out"))
    assert len(held_out) == sum(counts["held_out"]["documents"].values()) > 0
    assert {record["held_out/source"].decode() for record in held_out} <= {"deu-law", "deu-press", "jpn-law"}


def test_datasets_finds_the_splits(corpus: Stage, offline: None, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    counts = json.loads((corpus.output / "curate.json").read_bytes())
    splits = datasets.load_dataset(str(corpus.output), cache_dir=str(tmp_path / "whole"))
    assert splits["train"].num_rows == sum(counts["documents"].values())
    assert splits["held_out"].num_rows == sum(counts["held_out"]["documents"].values())
    files = str(corpus.output / "documents" / "*.parquet")
    alone = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "alone"))
    assert alone["train"]["text"][:] == splits["train"]["text"][:]
