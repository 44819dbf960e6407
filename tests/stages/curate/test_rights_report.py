"""Rights over the whole stage: overrides, notices, opt-outs, and a report that adds up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from legal_prose import prose
from made_files import html, warc

from freehold import charter_file
from freehold.errors import InputError
from freehold.progress import Progress
from freehold.stage import Stage
from freehold.stages.curate.rules import write_rules

OVERRIDES = [
    {"id": "d1", "decision": "refuse", "ground": "letter of the heirs", "by": "J. D.", "date": "2026-05-01"},
    {
        "id": "d2",
        "decision": "allow",
        "licence": "CC0-1.0",
        "ground": "contract 7",
        "by": "J. D.",
        "date": "2026-05-02",
    },
    {
        "url": "https://shut.example/15",
        "decision": "allow",
        "ground": "contract 8",
        "by": "J. D.",
        "date": "2026-05-03",
    },
    {"id": "nobody", "decision": "refuse", "ground": "none", "by": "J. D.", "date": "2026-05-04"},
]


def records() -> list[dict[str, Any]]:
    found = [{"id": f"d{n}", "text": prose("deu", n)} for n in range(60)]
    found[2]["licence"] = "CC-BY-NC-4.0"
    found[3]["licence"] = "CC-BY-NC-4.0 OR public-domain-law"
    found[4]["licence"] = "CC-BY-NC-4.0"
    found[5]["licence"] = "alle Rechte bei Jane Doe, jane@doe.example"
    for n in range(10, 20):
        found[n]["url"] = f"https://shut.example/{n}"
    found[20]["url"] = "https://open.example/law"
    found[21]["url"] = "https://quiet.example/law"
    found[22]["url"] = "https://reserved.example/law"
    found[23]["url"] = "https://a.gone.example/law"
    found.append({"id": "copy", "text": found[30]["text"]})
    found.append({"id": "short", "text": "kurz"})
    return found


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the stage tells a person."""
    notes: list[str] = []
    monkeypatch.setattr(Progress, "note", lambda _, text, **__: notes.append(text))
    return notes


@pytest.fixture
def curated(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path, told: list[str]
) -> Stage:
    lines = "".join(json.dumps(record) + "\n" for record in records())
    (tmp_path / "a.jsonl").write_text(lines + "{broken\n", encoding="utf-8")
    (tmp_path / "overrides.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OVERRIDES), encoding="utf-8")
    (tmp_path / "optout.txt").write_text("*.gone.example\n", encoding="utf-8")
    for host, name, text in (
        ("shut.example", "robots.txt", "User-agent: GPTBot\nDisallow: /\n"),
        ("open.example", "robots.txt", "User-agent: GPTBot\nDisallow: /private\n"),
        ("reserved.example", "tdmrep.json", '[{"location": "*", "tdm-reservation": 1}]'),
    ):
        (tmp_path / "notices" / host).mkdir(parents=True)
        (tmp_path / "notices" / host / name).write_text(text, encoding="utf-8")
    facts = {"path": "a.jsonl", "origin": "o", "licence": "public-domain-law", "language": "deu", "statute": "UrhG § 5"}
    policy = 'overrides = "overrides.jsonl"\nnotices = "notices"'
    return curated_from(charter_of({"law": facts}, opt_out="optout.txt", policy=policy))


def read(stage: Stage, name: str) -> Any:
    return json.loads((stage.output / name).read_text(encoding="utf-8"))


def test_every_right_is_heard(curated: Stage) -> None:
    ledger = {row["id"]: row for row in pq.read_table(curated.output / "ledger.parquet").to_pylist()}
    reasons = {identity: row["reason"] for identity, row in ledger.items() if identity.startswith("d")}
    shut = {f"d{n}": "opted-out-robots" for n in range(10, 20) if n != 15}
    assert reasons == shut | {
        "d1": "refused-by-override",
        "d4": "licence-not-allowed",
        "d5": "licence-unparsable",
        "d22": "opted-out-tdmrep",
        "d23": "opted-out-list",
    }
    assert "Jane" not in str(ledger)
    (notice,) = [
        row for row in map(json.loads, (curated.output / "notices.jsonl").open()) if row["host"] == "shut.example"
    ]
    assert notice["sha256"] in ledger["d10"]["detail"]
    kept = {
        row["id"]: row["licence"]
        for folder in ("documents", "held_out")
        for path in (curated.output / folder).glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    assert (kept["d2"], kept["d3"], kept["d15"]) == ("CC0-1.0", "public-domain-law", "public-domain-law")


def test_the_report_adds_up_to_the_account(curated: Stage) -> None:
    report, account = read(curated, "rights.json"), read(curated, "curate.json")
    sums: Counter[str] = Counter()
    for row in report["rows"]:
        sums[row["outcome"]] += row["documents"]
        sums[f"{row['outcome']} bytes"] += row["bytes"]
    totals = report["totals"]
    assert sums["kept"] == totals["documents_kept"] == account["documents_kept"]
    assert (
        sums["kept bytes"]
        == totals["bytes_kept"]
        == sum(account["bytes"].values()) + sum(account["held_out"]["bytes"].values())
    )
    assert sums["kept"] + sums["refused"] + sums["dropped"] + report["unread"] == account["documents_read"]
    assert report["unread"] == account["drops"]["invalid-json"] == 1
    for row in report["rows"]:
        if row["outcome"] == "refused":
            of_reason = sum(each["documents"] for each in report["rows"] if each["reason"] == row["reason"])
            assert of_reason == account["drops"][row["reason"]]
    (source,) = map(json.loads, (curated.output / "sources.jsonl").open())
    by_licence: Counter[str] = Counter()
    for row in report["rows"]:
        if row["outcome"] == "kept":
            by_licence[row["licence"]] += row["documents"]
    assert by_licence == source["licences"]


def test_the_report_names_grounds_and_what_no_rule_reached(curated: Stage, told: list[str]) -> None:
    report = read(curated, "rights.json")
    grounds = {(row["licence"], row["ground"], row["statute"]) for row in report["rows"] if row["outcome"] == "kept"}
    assert grounds == {
        ("public-domain-law", "statute", "UrhG § 5"),
        ("public-domain-law", "licence", None),  # chosen from the record's own expression
        ("public-domain-law", "override", None),
        ("CC0-1.0", "override", None),
    }
    assert [row["records"] for row in report["overrides"]] == [1, 1, 1, 0]
    assert report["opt_outs"] == {
        "notices": 3,
        "kept_without_url": report["totals"]["documents_kept"] - 3,
        "kept_without_notice": 1,
    }
    assert sum(row["count"] for row in report["hosts"].values()) == 3
    assert [text for text in told if not text.startswith("to browse")] == ["overrides that met no document: line 4"]


@pytest.mark.parametrize(
    ("when", "refused"),
    [
        ("at_fetch", {"closed", "header", "element"}),
        ("latest", {"open", "header", "element"}),
        ("both", {"closed", "open", "header", "element"}),
    ],
)
def test_an_archive_brings_its_own_notices(
    charter_of: Callable[..., Path], curated_from: Callable[[Path], Stage], tmp_path: Path, when: str, refused: set[str]
) -> None:
    """The crawl of 2024 met a robots.txt that closed one folder; the host's present one closes another."""
    headers = {"header": {"TDM-Reservation": "1"}}
    pages = {
        name: html(prose("deu", n, words=200)) for n, name in enumerate(("closed", "open", "header", "element", "free"))
    }
    pages["element"] = pages["element"].replace(b"<head>", b'<head><meta name="robots" content="noai">')
    responses: list[Any] = [
        (f"https://e.org/{name}/1", 200, "text/html", page, headers.get(name, {})) for name, page in pages.items()
    ]
    responses.append(("https://e.org/robots.txt", 200, "text/plain", b"User-agent: CCBot\nDisallow: /closed/\n", {}))
    (tmp_path / "crawl.warc.gz").write_bytes(warc(responses))
    (tmp_path / "notices" / "e.org" / "2026-05-01").mkdir(parents=True)
    present = tmp_path / "notices" / "e.org" / "2026-05-01" / "robots.txt"
    present.write_text("User-agent: *\nDisallow: /open/\n", encoding="utf-8")
    facts = {"path": "crawl.warc.gz", "origin": "o", "licence": "CC0-1.0", "language": "deu"}
    policy = f'notices = "notices"\nopt_out_time = "{when}"'
    stage = curated_from(charter_of({"web": facts}, policy=policy))
    ledger = pq.read_table(stage.output / "ledger.parquet").to_pylist()
    assert {row["reason"] for row in ledger} <= {"opted-out-robots", "opted-out-tdmrep", "opted-out-noai"}
    kept = {
        row["url"].split("/")[3]
        for folder in ("documents", "held_out")
        for path in (stage.output / folder).glob("*.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    assert kept == set(pages) - refused
    assert [row["retrieved"][:10] for row in map(json.loads, (stage.output / "notices.jsonl").open())] == [
        "2024-05-01",
        "2026-05-01",
    ]


@pytest.mark.parametrize(
    ("licence", "fault"),
    [("MIT OR CC-BY-4.0", "is not allowed"), ("all rights reserved", "is no SPDX expression")],
)
def test_a_source_whose_licence_the_policy_cannot_meet(
    charter_of: Callable[..., Path], tmp_path: Path, licence: str, fault: str
) -> None:
    (tmp_path / "a.txt").write_text("x", encoding="utf-8")
    charter = charter_file.load(charter_of({"law": {"path": "a.txt", "origin": "o", "licence": licence}}))
    with pytest.raises(InputError, match=fault):
        write_rules(charter, tmp_path / "rules.json")
