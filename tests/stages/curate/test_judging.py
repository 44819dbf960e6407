"""From a raw record to a document or a reason."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from legal_prose import prose

from freehold import charter_file
from freehold.errors import InputError
from freehold.stages.curate import judging as module
from freehold.stages.curate.judging import Judging, judge, judge_record, shielded
from freehold.stages.curate.parts import RAW, read_rows, write_table
from freehold.stages.curate.readers import Raw
from freehold.stages.curate.rules import Declared, Rules, read_rules, write_rules

LAW = "Die Behörde entscheidet über den Antrag nach § 12 Absatz 3 innerhalb einer Frist von drei Monaten. " * 2
TEXT = LAW + prose("deu", 1, words=60)
RAW_RECORD = Raw(
    id="law/1", text=TEXT, markup=False, language=None, licence=None, title="Gesetz", url="https://e.org/1", date=None,
    origin=None,
)  # fmt: skip
DECLARED = Declared(name="law", licence="public-domain-law", language="deu", origin="o/r@1")


@pytest.fixture
def rules_file(charter_of: Callable[..., Path], tmp_path: Path) -> Path:
    (tmp_path / "law.txt").write_text("x", encoding="utf-8")
    digest = hashlib.sha256(b"exactly this file").hexdigest()
    (tmp_path / "optout.txt").write_text(f"law/9\nhttps://private.example/\n{digest}\n", encoding="utf-8")
    charter = charter_of({"law": {"path": "law.txt", "origin": "o"}}, opt_out="optout.txt")
    write_rules(charter_file.load(charter), tmp_path / "rules.json")
    return tmp_path / "rules.json"


@pytest.fixture
def rules(rules_file: Path) -> Rules:
    return read_rules(str(rules_file))


@pytest.mark.parametrize(
    ("changes", "declared", "reason", "detail"),
    [
        ({}, {}, None, None),
        ({"language": "de-DE"}, {"language": None}, None, None),
        ({}, {"language": None}, None, None),  # detected
        ({}, {"licence": None}, "licence-unknown", "neither the record"),
        ({"licence": "CC-BY-NC-4.0"}, {}, "licence-not-allowed", "CC-BY-NC-4.0"),
        ({"licence": "CC0-1.0 OR CC-BY-NC-4.0"}, {}, None, None),
        ({"text": "kurz"}, {}, "too-short", "4 characters"),
        ({"text": "\u200b\u00ad \n"}, {}, "empty", "no text"),
        ({"text": "12 34 56 78\n" * 60}, {}, "few-letters", ""),
        ({"language": "jpn"}, {}, "language-mismatch", "the record says jpn, its source deu"),
        ({"text": prose("kor", 2)}, {}, "language-mismatch", "declared deu, looks like kor"),
        ({"text": prose("kor", 2)}, {"language": None}, "language-not-in-charter", "kor"),
        ({"id": "law/9"}, {}, "opted-out-list", "named by id"),
        ({"url": "http://private.example/law"}, {}, "opted-out-list", "named by url"),
        ({"text": "exactly this file"}, {}, "opted-out-list", "named by sha256"),
        ({"text": "<html><body></body></html>", "markup": True}, {}, "unreadable-markup", "no main text"),
    ],
)
def test_rules_in_order(
    rules: Rules, changes: dict[str, Any], declared: dict[str, Any], reason: str | None, detail: str | None
) -> None:
    verdict = judge_record(replace(RAW_RECORD, **changes), declared=replace(DECLARED, **declared), rules=rules)
    assert verdict.reason == reason
    assert (verdict.text is None) == (reason is not None)
    assert verdict.detail is None if detail is None else detail in (verdict.detail or "")


def test_a_kept_document(rules: Rules) -> None:
    text = TEXT.replace("Antrag", "Antrag (poststelle@amt.example.de, Tel. 030 18 580 0)").replace(
        "Behörde", "Be\u00adhörde"
    )
    title = "Gesetz, Auskunft: a.b@amt.example.de"
    verdict = judge_record(replace(RAW_RECORD, text=text, title=title), declared=DECLARED, rules=rules)
    assert verdict.text is not None
    assert "Behörde entscheidet über den Antrag (<EMAIL>, Tel. <PHONE>) nach § 12 Absatz 3" in verdict.text
    assert verdict.title == "Gesetz, Auskunft: <EMAIL>"
    assert (verdict.language, verdict.licence) == ("deu", "public-domain-law")
    assert verdict.changes is not None
    assert verdict.changes["email"] == text.count("@") + 1  # the one in the title
    assert verdict.changes["phone"] == text.count("@")


def test_html_becomes_text(rules: Rules) -> None:
    paragraphs = "".join(f"<p>{part}</p>" for part in TEXT.split("\n\n"))
    page = (
        f"<html><head><title>Das &Uuml;ber-Gesetz</title></head><body><nav>Start Menü</nav><article>{paragraphs}"
        "</article><script>var tree = [1,2,3];</script></body></html>"
    )
    verdict = judge_record(replace(RAW_RECORD, text=page, markup=True, title=None), declared=DECLARED, rules=rules)
    assert verdict.text is not None
    assert "§ 12 Absatz 3" in verdict.text
    assert "var tree" not in verdict.text
    assert verdict.title == "Das Über-Gesetz"


def test_the_charters_own_code_is_kept(charter_of: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "law.txt").write_text("x", encoding="utf-8")
    path = charter_of({"law": {"path": "law.txt", "origin": "o"}}, languages=("ekk",))
    write_rules(charter_file.load(path), tmp_path / "ekk.json")
    text = "Eesti on iseseisev ja sõltumatu demokraatlik vabariik, kus kõrgeima riigivõimu kandja on rahvas."
    record = replace(RAW_RECORD, text=text, language="et")
    declared = replace(DECLARED, language=None)
    assert judge_record(record, declared=declared, rules=read_rules(str(tmp_path / "ekk.json"))).language == "ekk"


def test_a_part_is_judged_once(rules_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [asdict(RAW_RECORD) | {"row": 5}, asdict(replace(RAW_RECORD, id="s", text="Geheim, kurz")) | {"row": 6}]
    write_table(tmp_path / "raw.parquet", rows, RAW)
    judged = tmp_path / "judged" / "part-00000.parquet"
    task = Judging(raw=str(tmp_path / "raw.parquet"), source="law", rules=str(rules_file), judged=str(judged))
    monkeypatch.setattr(module, "read_rules", lambda path: replace(read_rules(path), sources={"law": DECLARED}))
    first = judge(json.dumps(asdict(task)))
    assert json.loads(first)["passed"] == 1
    kept, dropped = read_rows(judged)
    assert (kept["row"], kept["origin"], kept["reason"]) == (5, "o/r@1", None)
    assert (dropped["row"], dropped["text"], dropped["reason"]) == (6, None, "too-short")
    assert b"Geheim" not in judged.read_bytes()
    monkeypatch.setattr(module, "judge_record", None)
    assert judge(json.dumps(asdict(task))) == first


def test_an_opt_out_list_that_is_no_text(charter_of: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "law.txt").write_text("x", encoding="utf-8")
    (tmp_path / "optout.txt").write_bytes(b"\xff\xfe\xfa")
    charter = charter_file.load(charter_of({"law": {"path": "law.txt", "origin": "o"}}, opt_out="optout.txt"))
    with pytest.raises(InputError, match="not UTF-8"):
        write_rules(charter, tmp_path / "rules.json")


def test_ids_and_urls_lose_addresses_and_nothing_else(rules: Rules) -> None:
    record = replace(
        RAW_RECORD, id="to a.b@mail.example.org", url="https://x.example/2004/12345678?u=a%40b.example.org"
    )
    changes: Counter[str] = Counter()
    hidden = shielded(record, rules=rules, changes=changes)
    assert (hidden.id, hidden.url) == ("to <EMAIL>", "https://x.example/2004/12345678?u=<EMAIL>")
    assert changes == {"email": 2}
    assert shielded(RAW_RECORD, rules=rules, changes=Counter()) == RAW_RECORD


def boards(text: str, language: str) -> list[tuple[int, int]]:
    """A finder of names as a user would bring it."""
    return [(place, place + 7) for place in range(len(text)) if text.startswith("Behörde", place)]


def test_names_are_looked_for_where_a_finder_is_brought(rules: Rules) -> None:
    record = replace(RAW_RECORD, title="Behörde")
    verdict = judge_record(record, declared=DECLARED, rules=replace(rules, names=boards))
    assert verdict.text is not None
    assert verdict.changes is not None
    assert "Behörde" not in verdict.text
    assert verdict.title == "<NAME>"
    assert verdict.changes["name"] == TEXT.count("Behörde") + 1


@pytest.mark.parametrize(
    ("policy", "fault"),
    [('names = "no_such_module:find"', "no_such_module"), ('redact = ["email", "national-id:XX"]', "no id of XX")],
)
def test_a_finder_or_a_country_that_is_not_there(
    charter_of: Callable[..., Path], tmp_path: Path, policy: str, fault: str
) -> None:
    (tmp_path / "law.txt").write_text("x", encoding="utf-8")
    path = charter_of({"law": {"path": "law.txt", "origin": "o", "licence": "CC0-1.0"}})
    path.write_text(path.read_text(encoding="utf-8").replace("[policy]\n", f"[policy]\n{policy}\n"), encoding="utf-8")
    with pytest.raises(InputError, match=fault) as told:
        write_rules(charter_file.load(path), tmp_path / "rules.json")
    assert told.value.where.startswith("charter.toml:")
