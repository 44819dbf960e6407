"""The whole stage: charter in, artifact out; the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from legal_prose import edited, prose

from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.curate import run as module
from freehold.stages.curate import units

Write = Callable[..., Path]
Curate = Callable[[Path], Stage]
COLUMNS = [
    "id", "text", "language", "source", "licence", "title", "url", "date", "origin", "retrieved",
    "evidence", "checksum", "languages",
]  # fmt: skip


def rows(stage: Stage, name: str) -> list[dict[str, Any]]:
    return [row for path in sorted((stage.output / name).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def ledger(stage: Stage) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(stage.output / "ledger.parquet").to_pylist()
    return found


def summary(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stage.output / "curate.json").read_text(encoding="utf-8"))
    return found


def sealed_bytes(stage: Stage) -> str:
    """A digest of everything the stage leaves, scratch apart."""
    total = hashlib.sha256()
    for path in sorted(stage.output.rglob("*")):
        if path.is_file() and ".scratch" not in path.parts:
            total.update(str(path.relative_to(stage.output)).encode() + path.read_bytes())
    return total.hexdigest()


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def two_languages(charter_of: Write, tmp_path: Path) -> Path:
    """German in a folder of mixed files, Japanese in one file, with copies and faults planted."""
    (tmp_path / "deu").mkdir()
    german = [{"id": f"deu/{n}", "text": prose("deu", n), "title": f"Gesetz {n}"} for n in range(60)]
    german[3]["text"] += "\n\nAuskunft: amt@example.de, Tel. 030 18 580 0"
    german.append({"id": "deu/copy", "text": german[5]["text"]})
    german.append({"id": "deu/near", "text": edited(str(german[6]["text"]), share=0.01, seed=1, spaced=True)})
    german.append({"id": "deu/0", "text": prose("deu", 900)})  # an id that is taken
    german.append({"id": "deu/nc", "text": prose("deu", 901), "licence": "CC-BY-NC-4.0"})
    write_jsonl(tmp_path / "deu" / "a.jsonl", german)
    (tmp_path / "deu" / "b.txt").write_text(prose("deu", 902), encoding="utf-8")
    (tmp_path / "deu" / "broken.jsonl.zst").write_bytes(b"no zstd")
    (tmp_path / "deu" / "empty.txt").write_bytes(b"")
    write_jsonl(tmp_path / "jpn.jsonl", [{"id": f"jpn/{n}", "text": prose("jpn", n), "lang": "ja"} for n in range(60)])
    sources = {
        "deu": {"path": "deu", "origin": "o/deu@1", "licence": "public-domain-law", "language": "deu"},
        "jpn": {"path": "jpn.jsonl", "origin": "o/jpn@1", "licence": "CC0-1.0"},
    }
    return charter_of(sources, languages=("deu", "jpn"))


def test_the_artifact(two_languages: Path, curated_from: Curate) -> None:
    stage = curated_from(two_languages)
    kept, held, dropped, told = rows(stage, "documents"), rows(stage, "held_out"), ledger(stage), summary(stage)
    assert list(kept[0]) == COLUMNS
    assert pq.read_schema(stage.output / "documents" / "part-00000.parquet").names == COLUMNS
    assert told["documents_kept"] == len(kept) + len(held) == 122
    assert told["documents_read"] == told["documents_kept"] + len(dropped)
    reasons = {(row["id"], row["reason"]) for row in dropped}
    assert reasons == {
        ("deu/broken.jsonl.zst", "broken-file"),
        ("deu/empty.txt", "empty-file"),
        ("deu/nc", "licence-not-allowed"),
        ("deu/copy", "exact-duplicate"),
        ("deu/near", "near-duplicate"),
    }
    assert told["drops"] == dict(Counter(reason for _, reason in reasons))
    assert next(row["detail"] for row in dropped if row["id"] == "deu/copy") == "of deu/5"
    ids = [row["id"] for row in (*kept, *held)]
    assert len(set(ids)) == len(ids)
    assert sum(identity.startswith("deu/0~") for identity in ids) == told["renamed"] == 1
    third = next(row["text"] for row in (*kept, *held) if row["id"] == "deu/3")
    assert third.endswith("Auskunft: <EMAIL>, Tel. <PHONE>")
    assert {kind: times for kind, times in told["replaced"].items() if times} == {"email": 1, "phone": 1}
    assert told["replaced"]["national-id:DE"] == 0  # looked for, not found
    assert told["names"] is None
    assert {row["language"] for row in kept} == {"deu", "jpn"}  # "ja" is the charter's "jpn"
    assert {row["origin"] for row in kept} == {"o/deu@1", "o/jpn@1"}
    assert stage.figures["bytes"] == told["bytes"]


def test_the_held_out_part(two_languages: Path, curated_from: Curate) -> None:
    stage = curated_from(two_languages)
    kept, held, told = rows(stage, "documents"), rows(stage, "held_out"), summary(stage)
    assert {row["id"] for row in kept}.isdisjoint(row["id"] for row in held)
    for language in ("deu", "jpn"):
        inside = sum(len(row["text"].encode()) for row in held if row["language"] == language)
        outside = sum(len(row["text"].encode()) for row in kept if row["language"] == language)
        assert inside == told["held_out"]["bytes"][language]
        assert outside == told["bytes"][language]
        assert 0 < inside <= min(4000, (inside + outside) / 10)


def test_what_is_like_a_held_out_document_is_held_out_with_it(
    charter_of: Write, curated_from: Curate, tmp_path: Path
) -> None:
    records = []
    for n in range(80):  # forty pairs that are alike, but not enough to be copies
        text = prose("deu", n // 2, words=120)
        records.append({"id": f"{n // 2}/{n % 2}", "text": edited(text, share=0.06, seed=n, spaced=True)})
    write_jsonl(tmp_path / "a.jsonl", records)
    facts = {"path": "a.jsonl", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    stage = curated_from(charter_of({"law": facts}, held_out_bytes=20_000, curate="near_duplicate = 0.95"))
    held = {row["id"].split("/")[0] for row in rows(stage, "held_out")}
    kept = {row["id"].split("/")[0] for row in rows(stage, "documents")}
    assert len(held) >= 2
    assert held.isdisjoint(kept)


def test_sources_are_accounted_for(two_languages: Path, curated_from: Curate) -> None:
    stage = curated_from(two_languages)
    sources = [json.loads(line) for line in (stage.output / "sources.jsonl").read_text(encoding="utf-8").splitlines()]
    german, japanese = sources
    assert (german["name"], german["licence"], german["opt_out"]) == ("deu", "public-domain-law", "none")
    assert [file["path"] for file in german["files"]] == [
        "deu/a.jsonl", "deu/b.txt", "deu/broken.jsonl.zst", "deu/empty.txt",
    ]  # fmt: skip
    digest = hashlib.sha256((two_languages.parent / "jpn.jsonl").read_bytes()).hexdigest()
    assert japanese["files"][0]["sha256"] == digest
    assert japanese["languages"] == {"jpn": 60}
    assert german["documents_read"] == german["documents_kept"] + sum(german["drops"].values()) == 67
    assert str(two_languages.parent) not in (stage.output / "sources.jsonl").read_text(encoding="utf-8")


def test_two_runs_leave_the_same_bytes(
    two_languages: Path, curated_from: Curate, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = curated_from(two_languages)
    monkeypatch.setattr(units, "ALONE_BYTES", 0)  # worker processes, whatever order they finish in
    assert sealed_bytes(curated_from(two_languages)) == sealed_bytes(alone)


def test_a_failed_run_goes_on(two_languages: Path, stage_at: Any, curated_from: Curate, monkeypatch: Any) -> None:
    whole = curated_from(two_languages)
    stage = stage_at(two_languages.parent / "again" / "out", name="curate", charter=two_languages)
    with monkeypatch.context() as broken:
        broken.setattr(module, "compare", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            module.run(stage)
    with monkeypatch.context() as nothing_left:  # reading and judging are done: neither is called again
        nothing_left.setattr("freehold.stages.curate.judging.judge_record", None)
        nothing_left.setattr("freehold.stages.curate.reading.records", None)
        module.run(stage)
    assert sealed_bytes(stage) == sealed_bytes(whole)


def test_opt_outs(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    write_jsonl(
        tmp_path / "a.jsonl", [{"id": f"d{n}", "text": prose("deu", n), "url": f"https://e.org/{n}"} for n in range(30)]
    )
    digest = hashlib.sha256(prose("deu", 3).encode()).hexdigest()
    (tmp_path / "optout.txt").write_text(f"d1\nhttps://e.org/2\n{digest}\n", encoding="utf-8")
    facts = {"path": "a.jsonl", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    stage = curated_from(charter_of({"law": facts}, opt_out="optout.txt"))
    opted = {row["id"] for row in ledger(stage) if row["reason"] == "opted-out-list"}
    assert opted == {"d1", "d3", "d2", *(f"d{n}" for n in range(20, 30))}  # the URL is a prefix


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty-file 1"),
        (b"\xff\xfe\xfa\n" * 3, "invalid-utf8 3"),
        (b"{]\n", "invalid-json 1"),
        (json.dumps({"text": "ab cd " * 300}).encode(), "repeated-text 1"),
        (json.dumps({"text": prose("deu", 1), "licence": "CC-BY-NC-4.0"}).encode(), "licence-not-allowed 1"),
    ],
)
def test_a_source_of_which_nothing_is_left(
    charter_of: Write, curated_from: Curate, tmp_path: Path, data: bytes, why: str
) -> None:
    write_jsonl(tmp_path / "good.jsonl", [{"id": f"d{n}", "text": prose("deu", n)} for n in range(5)])
    (tmp_path / "bad.jsonl").write_bytes(data)
    facts = {"origin": "o", "licence": "CC0-1.0", "language": "deu"}
    charter = charter_of({"good": facts | {"path": "good.jsonl"}, "bad": facts | {"path": "bad.jsonl"}})
    with pytest.raises(InputError) as refused:
        curated_from(charter)
    line = charter.read_text(encoding="utf-8").splitlines().index('path = "bad.jsonl"') + 1
    assert f'charter.toml:{line}: sources[1].path: nothing of "bad" is left: {why}' in str(refused.value)


def test_a_language_without_documents(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{n}", "text": prose("deu", n)} for n in range(5)])
    facts = {"path": "a.jsonl", "origin": "o", "licence": "CC0-1.0"}
    with pytest.raises(InputError, match=r'languages\[1\]\.code: no document is in "tha" \(found: deu\)'):
        curated_from(charter_of({"law": facts}, languages=("deu", "tha")))


def test_a_giant_line_and_a_truncated_file_cost_only_themselves(
    charter_of: Write, curated_from: Curate, tmp_path: Path
) -> None:
    lines = [json.dumps({"id": f"d{n}", "text": prose("deu", n)}) for n in range(20)]
    with (tmp_path / "a.jsonl").open("w", encoding="utf-8") as file:
        file.write("\n".join(lines[:10]) + "\n" + "x" * 50_000_000 + "\n" + "\n".join(lines[10:]) + "\n")
    more = "".join(json.dumps({"id": f"e{n}", "text": prose("deu", 100 + n)}) + "\n" for n in range(200))
    (tmp_path / "b.jsonl.zst").write_bytes(zstandard.compress(more.encode())[:-2000])
    facts = {"origin": "o", "licence": "CC0-1.0", "language": "deu"}
    stage = curated_from(charter_of({"a": facts | {"path": "a.jsonl"}, "b": facts | {"path": "b.jsonl.zst"}}))
    assert sorted((row["id"], row["reason"]) for row in ledger(stage)) == [
        ("a/a.jsonl#11", "record-too-long"),
        ("b/b.jsonl.zst", "broken-file"),
    ]
    assert summary(stage)["documents_kept"] > 150


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_in_the_middle_it_goes_on_to_the_same_digest(charter_of: Write, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{n}", "text": prose("deu", n, words=900)} for n in range(1500)])
    facts = {"path": "a.jsonl", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    charter = charter_of({"law": facts})

    def command(workspace: Path) -> list[str]:
        return [
            sys.executable,
            "-m",
            "freehold.cli.main",
            "curate",
            str(charter),
            "--workspace",
            str(workspace),
            "--json",
        ]

    def finished(workspace: Path) -> str:
        done = subprocess.run(command(workspace), capture_output=True, text=True, check=True)
        digest: str = json.loads(done.stdout)["artifact"]["digest"]
        return digest

    workspace = tmp_path / "killed"
    process = subprocess.Popen(command(workspace), stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if list(workspace.glob("artifacts/curate/.partial-*/.scratch/judged/*/*.json")):
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    torn = list(workspace.glob("artifacts/curate/.partial-*/.scratch/judged/*/*.json"))
    assert torn, "it was killed before or after the middle"
    assert finished(workspace) == finished(tmp_path / "whole")
