"""Records out of files of every kind, and a reason for each that is none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.stages.curate.formats.jsonl import parsed
from freehold.stages.curate.formats.mapping import record
from freehold.stages.curate.readers import Dropped, Raw, format_of, records

TEXT = "Die Würde des Menschen ist unantastbar."


def read(path: Path, declared: str = "auto", limit: int = 1000) -> list[Raw | Dropped]:
    return list(records(path, name=f"s/{path.name}", declared=declared, limit=limit))


@pytest.mark.parametrize(
    ("name", "declared", "form"),
    [
        ("a.jsonl", "auto", "jsonl"),
        ("a.jsonl.zst", "auto", "jsonl"),
        ("a.NDJSON.gz", "auto", "jsonl"),
        ("a.jsonl.zst", "html", "jsonl"),
        ("a.dump", "html", "html"),
        ("a.md", "auto", "txt"),
        ("a.dat", "txt", "txt"),
        ("a.png", "auto", None),
        ("a.zst", "auto", None),
    ],
)
def test_formats(name: str, declared: str, form: str | None) -> None:
    assert format_of(Path(name), declared) == form


def test_jsonl(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        json.dumps({"id": 7, "text": TEXT, "lang": "deu", "license": "CC0-1.0", "source": "o/r@1:p", "date": None}),
        "",
        "no json",
        json.dumps([1]),
        json.dumps({"id": "none"}),
        json.dumps({"id": "long", "text": "x" * 2_000_000}),
        "[" * 100_000,
        json.dumps({"text": TEXT + "\ud800"}),
        json.dumps({"id": "docbook", "text": "<para>", "markup": "xml"}),
    ]
    path.write_bytes("\n".join(rows).encode() + b'\n{"text": "\xff\xfe"}\n')
    found = read(path)
    assert found[0] == Raw(
        id="7",
        text=TEXT,
        markup=False,
        language="deu",
        licence="CC0-1.0",
        title=None,
        url=None,
        date=None,
        origin="o/r@1:p",
        evidence="the record's field licence",
        checksum=hashlib.sha256(rows[0].encode()).hexdigest(),
    )
    assert [(item.id, item.reason) for item in found if isinstance(item, Dropped)] == [
        ("s/a.jsonl#3", "invalid-json"),
        ("s/a.jsonl#4", "invalid-json"),
        ("none", "no-text"),
        ("s/a.jsonl#6", "record-too-long"),
        ("s/a.jsonl#7", "invalid-json"),
        ("docbook", "unknown-markup"),
        ("s/a.jsonl#10", "invalid-utf8"),
    ]
    assert isinstance(found[6], Raw)
    assert (found[6].id, found[6].text) == ("s/a.jsonl#8", TEXT)  # the lone surrogate is gone


@given(st.binary(max_size=200))
def test_any_line_is_a_record_or_a_reason(line: bytes) -> None:
    assert isinstance(parsed(line, place="p", html=False), Raw | Dropped)


JSON = st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=2)
FIELDS = st.sampled_from(["id", "text", "markup", "html", "lang", "licence", "title", "url", "date", "source"])


@given(st.dictionaries(FIELDS, JSON), st.booleans())
def test_any_object_is_a_record_or_a_reason(row: dict[str, object], html: bool) -> None:
    found = record(row, place="p", html=html)
    assert isinstance(found, Raw | Dropped)
    pa.array([found.id, found.text if isinstance(found, Raw) else found.detail], pa.string())  # can be written


def test_markup_in_json(tmp_path: Path) -> None:
    page = f"<html><body><p>{TEXT}</p></body></html>"
    rows = [{"text": page, "markup": "html"}, {"markup": page}, {"html": page}, {"text": TEXT, "markup": "markdown"}]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [item.markup for item in read(path) if isinstance(item, Raw)] == [True, True, True, False]
    assert [item.markup for item in read(path, "html") if isinstance(item, Raw)] == [True, True, True, True]


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [f"d{n}" for n in range(200)], "text": [TEXT] * 199 + [None]}), path)
    found = read(path)
    assert len(found) == 200
    assert isinstance(found[198], Raw)
    assert found[199] == Dropped(id="d199", reason="no-text", detail="no field text, html or markup with text in it")


def test_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(TEXT, encoding="utf-16")
    assert [item.text for item in read(path) if isinstance(item, Raw)] == [TEXT]
    path.write_text("".join(f"{TEXT}\n\n" for _ in range(100)), encoding="utf-8")
    parts = read(path)
    assert [item.id for item in parts][:2] == ["s/a.txt", "s/a.txt#2"]
    assert "".join(item.text for item in parts if isinstance(item, Raw)).count(TEXT) == 100
    assert all(
        len(item.text.encode()) <= 1000 and item.text.startswith("Die") for item in parts if isinstance(item, Raw)
    )
    path.write_bytes(b"kurz\n" + b"x" * 5000 + b"\nkurz\n")
    assert [type(item).__name__ for item in read(path)] == ["Raw", "Dropped", "Raw"]
    path.write_bytes(b"\xff\xfe\xfa\x00\x81")
    assert [item.reason for item in read(path) if isinstance(item, Dropped)] == ["invalid-utf8"]


def test_html(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes('<meta charset="iso-8859-1"><p>Grüße'.encode("latin-1"))
    assert [(item.markup, "Grüße" in item.text) for item in read(path) if isinstance(item, Raw)] == [(True, True)]
    path.write_bytes(b"<p>" + b"x" * 10_000)
    assert [item.reason for item in read(path) if isinstance(item, Dropped)] == ["record-too-long"]


def test_other_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(b"\x89PNG")
    assert [item.reason for item in read(path) if isinstance(item, Dropped)] == ["unknown-format"]
