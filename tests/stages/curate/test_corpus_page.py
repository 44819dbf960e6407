"""The page of a corpus: what it shows, what it must never show, and what a real browser makes of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lxml.html
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from legal_prose import edited, prose

from freehold.page.parts import digest_of
from freehold.sight.corpus.look import SCRIPT
from freehold.sight.corpus.report import page_of
from freehold.stage import Stage
from freehold.stages.curate.seen import EYES

Write = Callable[..., Path]
Curate = Callable[[Path], Stage]

ATTACK = "<img src=x onerror=\"document.documentElement.setAttribute('owned', '')\"></table><script>owned()</script>"
CLUSTERS = pa.schema(
    [
        ("cluster", pa.int64()),
        ("row", pa.int64()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("similarity", pa.float64()),
        ("kept", pa.bool_()),
    ]
)


@pytest.fixture
def stage(charter_of: Write, curated_from: Curate, tmp_path: Path) -> Stage:
    """A corpus with a bit of everything in it."""
    records = [{"id": f"law/{n}", "text": prose("deu", n), "title": f"{ATTACK} {n}"} for n in range(40)]
    records[3]["text"] += "\n\nAuskunft: amt@example.de, Tel. 030 18 580 0"
    records[4]["text"] = str(records[4]["text"]).replace("Gesetz", "Ge\u00adsetz") + ATTACK
    records += [
        {"id": "law/copy", "text": records[5]["text"]},
        {"id": "law/near", "text": edited(str(records[6]["text"]), share=0.01, seed=1, spaced=True)},
        {"id": f"law/{ATTACK}", "text": "<script>owned()</script> kurz, an kurz@example.de"},
        {"id": "law/nc", "text": "Unlizenzwort " + prose("deu", 901), "licence": "CC-BY-NC-4.0"},
        {"id": "law/out", "text": "Widerspruchswort " + prose("deu", 904)},
    ]
    lines = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (tmp_path / "law.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "optout.txt").write_text("law/out\n", encoding="utf-8")
    facts = {"path": "law.jsonl", "origin": "o/law@1", "licence": "CC0-1.0", "language": "deu"}
    return curated_from(charter_of({"law": facts}, opt_out="optout.txt"))


def made(stage: Stage, **bounds: int) -> bytes:
    return page_of("Town 1", artifact=stage.output, scratch=stage.scratch, eyes=EYES, **bounds)


def test_the_run_leaves_the_page_beside_the_artifact_and_it_is_the_same_each_time(stage: Stage) -> None:
    assert not list(stage.output.rglob("corpus.html"))
    written = (stage.run_folder / "corpus.html").read_bytes()
    assert made(stage) == made(stage) == written.replace(b"test 0.1.0", b"Town 1")


def test_it_tells_what_became_of_every_record(stage: Stage) -> None:
    page = lxml.html.fromstring(made(stage).decode())
    flow = [[cell.text_content() for cell in row] for row in page.xpath("//section[@id='flow']//tbody/tr")]
    assert flow[0] == ["read", "", "45"]
    assert [row[:2] for row in flow[1:-1]] == [["rights", "1"], ["opt-outs", "1"], ["quality", "1"], ["copies", "2"]]
    rows = {row[0].text_content(): row[2].text_content() for row in page.xpath("//table[@id='of-drops']/tbody/tr")}
    assert rows["law/near"] == "near-duplicate"
    assert rows[f"law/{ATTACK}"] == "too-short"
    changed = {one.xpath("string(summary)") for one in page.xpath("//section[@id='changes']/details")}
    assert {"law/3 (law)", "law/4 (law)"} <= changed


def test_refused_texts_and_personal_values_are_never_in_it(stage: Stage) -> None:
    page = made(stage).decode()
    for secret in ("Unlizenzwort", "Widerspruchswort", "amt@example.de", "kurz@example.de", "18 580"):
        assert secret not in page
    assert "law/nc" in page
    assert "law/out" in page
    assert "kurz, an &lt;EMAIL&gt;" in page  # dropped for its length: a bit of it may be seen


def test_no_text_becomes_markup_and_nothing_is_asked_from_outside(stage: Stage) -> None:
    page = lxml.html.fromstring(made(stage).decode())
    policy = page.xpath("string(//meta[@http-equiv='Content-Security-Policy']/@content)")
    assert "default-src 'none'" in policy
    assert policy.endswith(f"script-src '{digest_of(SCRIPT)}'")
    assert [script.text for script in page.iter("script")] == [SCRIPT]
    assert not list(page.iter("img", "iframe", "link", "object"))
    names = {name for element in page.iter() for name in element.attrib}
    assert not {name for name in names if name.startswith("on")}
    assert all(link.startswith("#") for link in page.xpath("//@href"))


def test_clusters_are_shown_with_two_members_side_by_side(stage: Stage) -> None:
    (stage.output / "clusters.parquet").unlink()
    assert "Copies and families" not in made(stage).decode()
    raw = pq.read_table(next((stage.scratch / "raw").glob("*/part-*.parquet")), columns=["row", "id"]).to_pylist()
    row_of = {row["id"]: row["row"] for row in raw}
    members = [("law/near", False, 0.93), ("law/6", True, None)]
    rows = [
        {
            "cluster": 7,
            "row": row_of[name],
            "id": name,
            "source": "law",
            "kind": "near",
            "similarity": alike,
            "kept": kept,
        }
        for name, kept, alike in members
    ]
    pq.write_table(pa.Table.from_pylist(rows, schema=CLUSTERS), stage.output / "clusters.parquet")
    page = lxml.html.fromstring(made(stage).decode())
    shown = page.xpath("//section[@id='clusters']/details")[0]
    assert shown.xpath("string(summary)") == "2 documents, nearly the same text: law/6"
    assert [heading.text for heading in shown.iter("h4")] == ["law/6", "law/near"]
    assert shown.xpath(".//del")
    assert shown.xpath(".//ins")


def test_it_stays_below_its_bound_whatever_the_corpus(stage: Stage) -> None:
    rows = [
        {"id": f'{n}<&">' * 40, "source": "law", "reason": f"reason-{n % 90}", "detail": '<&">' * 200}
        for n in range(4000)
    ]
    pq.write_table(pa.Table.from_pylist(rows), stage.output / "ledger.parquet")
    told = json.loads((stage.output / "curate.json").read_text())
    told["drops"] = {f"reason-{n}": 44 for n in range(90)}
    (stage.output / "curate.json").write_text(json.dumps(told))
    assert 100_000 < len(made(stage)) < 5_000_000
    assert len(made(stage, most=100_000)) <= 100_000


def in_browser(page: Path, fragment: str = "") -> Any:
    """The page as a real browser has it after its script has run."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"{page.as_uri()}{fragment}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return lxml.html.fromstring(done.stdout)


def test_a_browser_runs_our_script_and_no_other(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    pierced = made(stage).replace(b"<main>", f"<main>{ATTACK}".encode())  # as if something had not been escaped
    path.write_bytes(pierced)
    page = in_browser(path, "#of-drops=near%20law")
    assert "owned" not in page.attrib
    assert page.xpath("//main/img")  # it did get in, and the policy held
    shown = [row[0].text_content() for row in page.xpath("//table[@id='of-drops']/tbody/tr[not(@hidden)]")]
    assert shown == ["law/near"]
    told = page.xpath("string(//div[@data-for='of-drops']/output)")
    assert told == "1 of 5"
    assert page.xpath("//table[@id='of-drops']/thead//button")  # sorting is a button, so a keyboard reaches it
