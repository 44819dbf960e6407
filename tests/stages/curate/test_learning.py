"""What a source as a whole teaches before its documents are judged."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from legal_prose import prose

from freehold import charter_file
from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.curate.labels import read_labels
from freehold.stages.curate.models import language_model
from freehold.stages.curate.overview import ENOUGH, chosen, learned_bounds
from freehold.text.repair import Edit, undo

Write = Callable[..., Path]
Curate = Callable[[Path], Stage]
FACTS = {"origin": "o", "licence": "CC0-1.0", "language": "deu"}
FOOTER = "ΕΦΗΜΕΡΙΣ ΤΗΣ ΚΥΒΕΡΝΗΣΕΩΣ www.gazette.example – Σελίδα"
FORMULA = "Der Bundestag hat das folgende Gesetz beschlossen:"
FRENCH = (
    "La loi est l'expression de la volonté générale. Tous les citoyens ont droit de concourir personnellement ou par "
    "des représentants à sa formation. Elle doit être la même pour tous, soit qu'elle protège, soit qu'elle punisse. "
)


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def documents(stage: Stage) -> dict[str, dict[str, Any]]:
    paths = [path for name in ("documents", "held_out") for path in sorted((stage.output / name).glob("*.parquet"))]
    return {row["id"]: row for path in paths for row in pq.read_table(path).to_pylist()}


def told(stage: Stage, name: str) -> Any:
    return json.loads((stage.output / name).read_text(encoding="utf-8"))


def test_imprints_go_and_the_log_gives_them_back(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    raw = {
        f"g{n}": f"{FORMULA}\n{prose('deu', n)}\n{FOOTER} {n}\nGrund\u00adgesetz f\u00c3\u00bcr {prose('deu', 50 + n)} "
        for n in range(30)
    }
    write_jsonl(tmp_path / "a.jsonl", [{"id": identity, "text": text} for identity, text in raw.items()])
    stage = curated_from(charter_of({"gazette": FACTS | {"path": "a.jsonl"}}))
    kept = documents(stage)
    assert not any("gazette.example" in row["text"] for row in kept.values())
    assert all(FORMULA in row["text"] and "Grundgesetz für" in row["text"] for row in kept.values())
    (line,) = told(stage, "recurring.json")["gazette"]
    assert (line["documents"], line["of"]) == (30, 30)
    assert "gazette.example" in line["line"]
    log: dict[str, list[Edit]] = {}
    for row in pq.read_table(stage.output / "repairs.parquet").to_pylist():
        edit = {name: row[name] for name in ("rule", "round", "position", "removed", "inserted")}
        log.setdefault(row["id"], []).append(Edit(**edit))
    assert {identity: undo(kept[identity]["text"], log[identity]) for identity in kept} == raw
    assert told(stage, "curate.json")["repaired"]["recurring-line"] == 30


def test_lines_stay_where_the_charter_says_so(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"g{n}", "text": f"{prose('deu', n)}\n{FOOTER} {n}"} for n in range(20)])
    stage = curated_from(charter_of({"gazette": FACTS | {"path": "a.jsonl"}}, curate="recurring_lines = 0.0"))
    assert all("gazette.example" in row["text"] for row in documents(stage).values())


def test_bounds_are_learned_from_reference_sources(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "good.jsonl", [{"id": f"g{n}", "text": prose("deu", n)} for n in range(ENOUGH + 10)])
    words = [prose("deu", 900 + n).split() for n in range(3)]
    short = ["\n".join(f"{a} {b}" for a, b in pairwise(each) if not set("0123456789") & set(a + b)) for each in words]
    records = [{"id": f"w{n}", "text": prose("deu", 700 + n)} for n in range(10)]
    records += [{"id": f"short{n}", "text": text} for n, text in enumerate(short)]
    write_jsonl(tmp_path / "web.jsonl", records)
    path = charter_of({"good": FACTS | {"path": "good.jsonl"}, "web": FACTS | {"path": "web.jsonl"}})
    plain = curated_from(path)
    assert told(plain, "thresholds.json") == {}
    assert "short0" in documents(plain)
    path.write_text(path.read_text().replace('name = "good"', 'name = "good"\nreference = true'), encoding="utf-8")
    learned = curated_from(path)
    assert told(learned, "thresholds.json")["deu"]["short-lines"]["high"] < 1
    dropped = {row["id"]: row["reason"] for row in pq.read_table(learned.output / "ledger.parquet").to_pylist()}
    assert {dropped.get(f"short{n}") for n in range(3)} == {"short-lines"}
    assert not any(identity.startswith("g") for identity in dropped)


def test_few_documents_teach_nothing() -> None:
    assert learned_bounds({"short-lines": [0.1] * (ENOUGH - 1)}) == {}
    assert learned_bounds({"short-lines": [0.1] * ENOUGH}) == {"short-lines": {"high": 0.16}}


def test_the_sample_is_a_function_of_ids() -> None:
    picked = [identity for identity in map(str, range(2000)) if chosen(identity, every=10)]
    assert 140 < len(picked) < 260
    assert all(chosen(identity, every=1) for identity in picked)


@pytest.mark.parametrize(
    ("mixed", "ids", "dropped"),
    [
        ("keep", {"both"}, {}),
        ("split", {"both#deu", "both#fra"}, {}),
        ("drop", set(), {"both": "mixed-language"}),
    ],
)
def test_mixed_texts(
    charter_of: Write, curated_from: Curate, tmp_path: Path, mixed: str, ids: set[str], dropped: dict[str, str]
) -> None:
    draw = random.Random(3)
    words = FRENCH.split()
    french = "\n\n".join(FRENCH + " ".join(draw.sample(words, len(words))) for _ in range(8))
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{n}", "text": prose("deu", n)} for n in range(12)])
    write_jsonl(tmp_path / "c.jsonl", [{"id": "both", "text": prose("deu", 99, words=1200) + "\n\n" + french}])
    facts = {name: FACTS | {"path": f"{name}.jsonl"} for name in "ac"}
    facts["d"] = {"origin": "o", "licence": "CC0-1.0", "language": "fra", "path": "d.jsonl"}
    write_jsonl(tmp_path / "d.jsonl", [{"id": "fr", "text": FRENCH * 2}])
    if mixed == "drop":
        write_jsonl(tmp_path / "c.jsonl", [json.loads(line) for line in (tmp_path / "c.jsonl").open(encoding="utf-8")]
                    + [{"id": "other", "text": prose("deu", 77)}])  # fmt: skip
    path = charter_of(facts, languages=("deu", "fra"), held_out_bytes=0, curate=f'mixed = "{mixed}"')
    stage = curated_from(path)
    kept = documents(stage)
    assert {identity for identity in kept if identity.startswith("both")} == ids
    found = {row["id"]: row["reason"] for row in pq.read_table(stage.output / "ledger.parquet").to_pylist()}
    assert {identity: reason for identity, reason in found.items() if identity.startswith("both")} == dropped
    if mixed == "keep":
        assert kept["both"]["languages"].startswith("deu 0.")
        assert told(stage, "curate.json")["hints"]["mixed-language"] == 1
    if mixed == "split":
        assert kept["both#fra"]["language"] == "fra"
        assert "volonté" in kept["both#fra"]["text"]
        assert "volonté" not in kept["both#deu"]["text"]


def test_labels_teach_a_classifier(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    draw = random.Random(1)
    shop = ["Rabatt", "Angebot", "kaufen", "gratis", "Newsletter", "Warenkorb", "und", "die", "Versand", "bestellen"]

    def advert(number: int) -> str:
        return " ".join(f"{draw.choice(shop)}{number * k % 97 or ''}" for k in range(90)) + "."

    records = [{"id": f"d{n}", "text": prose("deu", n)} for n in range(40)]
    records += [{"id": f"ad{n}", "text": advert(n)} for n in range(40)]
    write_jsonl(tmp_path / "a.jsonl", records)
    labels: list[dict[str, Any]] = [{"id": f"d{n}", "label": "keep"} for n in range(35)]
    labels += [{"text": advert(100 + n), "label": "drop"} for n in range(40)] + [{"id": "nobody", "label": "drop"}]
    write_jsonl(tmp_path / "labels.jsonl", labels)
    stage = curated_from(charter_of({"web": FACTS | {"path": "a.jsonl"}}, curate='labels = "labels.jsonl"'))
    assert {identity[0] for identity in documents(stage)} == {"d"}
    figures = told(stage, "classifier.json")
    assert (figures["precision"], figures["recall"], figures["ids_not_found"]) == (1.0, 1.0, 1)
    reasons = pq.read_table(stage.output / "ledger.parquet").column("reason").to_pylist()
    assert reasons.count("own-classifier") == 40


@pytest.mark.parametrize("line", ["{]", '{"id": "a"}', '{"label": "keep"}', '{"text": "", "label": "drop"}', "[]"])
def test_labels_that_are_none(tmp_path: Path, line: str) -> None:
    (tmp_path / "labels.jsonl").write_text(f'{{"id": "a", "label": "keep"}}\n\n{line}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"labels\.jsonl:3"):
        read_labels(tmp_path / "labels.jsonl")


def test_too_few_labels(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": f"d{n}", "text": prose("deu", n)} for n in range(5)])
    write_jsonl(tmp_path / "labels.jsonl", [{"text": "kurz", "label": "drop"}])
    path = charter_of({"web": FACTS | {"path": "a.jsonl"}}, curate='labels = "labels.jsonl"')
    with pytest.raises(InputError, match="are left to learn from"):
        curated_from(path)


def test_a_file_that_is_not_there(charter_of: Write, tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"id": "d", "text": prose("deu", 1)}])
    path = charter_of({"web": FACTS | {"path": "a.jsonl"}}, curate='language_model = "none.bin"')
    with pytest.raises(InputError, match=r"curate\.language_model: no file 'none\.bin'"):
        charter_file.load(path)


def fasttext_file(path: Path, words: dict[str, set[str]]) -> None:
    """A fastText classifier (format 12) that knows some words of each language, written byte by byte."""
    known = sorted(set().union(*words.values()))
    entries = [(word, 0) for word in known] + [(f"__label__{code}", 1) for code in words]
    size = len(words)
    data = struct.pack("<ii12id", 793712314, 12, size, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100, 1e-4)
    data += struct.pack("<iiiqq", len(entries), len(known), size, 1000, -1)
    data += b"".join(word.encode() + b"\0" + struct.pack("<qb", 10, kind) for word, kind in entries)
    data += struct.pack("<?qq", False, len(known), size)
    data += b"".join(struct.pack("<f", float(word in words[code])) for word in known for code in words)
    data += struct.pack("<?qq", False, size, size)
    data += b"".join(struct.pack("<f", 20.0 if row == column else -20.0) for row in words for column in words)
    path.write_bytes(data)


def test_a_fasttext_model_of_ones_own(charter_of: Write, curated_from: Curate, tmp_path: Path) -> None:
    pytest.importorskip("fasttext")
    words = {f"{code}_X": set(" ".join(prose(code, n) for n in range(5)).split()) for code in ("deu", "kor")}
    fasttext_file(tmp_path / "own.bin", words)
    assert language_model(str(tmp_path / "own.bin")).classify("die Behörde und") == ("deu_X", 1.0)
    records = [{"id": f"{code}{n}", "text": prose(code, 100 + n)} for n in range(6) for code in ("deu", "kor")]
    write_jsonl(tmp_path / "a.jsonl", records)
    facts = {"origin": "o", "licence": "CC0-1.0", "path": "a.jsonl"}
    path = charter_of({"web": facts}, languages=("deu", "kor"), curate='language_model = "own.bin"')
    assert {row["language"] for row in documents(curated_from(path)).values()} == {"deu", "kor"}
    (tmp_path / "own.bin").write_bytes(b"no model")
    language_model.cache_clear()
    with pytest.raises(InputError, match="no fastText model"):
        curated_from(path)
