"""Why a document is kept or not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from legal_prose import edited, prose
from typer.testing import CliRunner

from freehold.cli.main import app
from freehold.errors import InputError
from freehold.stage import Stage
from freehold.stages.curate.explain import explain
from freehold.stages.curate.telling import lines

Write = Callable[..., Path]
Curate = Callable[[Path], Stage]


@pytest.fixture
def charter(charter_of: Write, tmp_path: Path) -> Path:
    """One source of two files, with a document for every fate."""
    records = [{"id": f"law/{n}", "text": prose("deu", n), "title": f"Gesetz {n}"} for n in range(40)]
    records[3]["text"] += "\n\nAuskunft: amt@example.de"
    records += [
        {"id": "law/copy", "text": records[5]["text"]},
        {"id": "law/near", "text": edited(str(records[6]["text"]), share=0.01, seed=1, spaced=True)},
        {"id": "law/short", "text": "Kurz."},
        {"id": "law/nc", "text": prose("deu", 901), "licence": "CC-BY-NC-4.0"},
        {"id": "law/out", "text": prose("deu", 904)},
        {"id": "law/0", "text": prose("deu", 905)},  # the id is taken
    ]
    (tmp_path / "law").mkdir()
    written = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    (tmp_path / "law" / "b.jsonl").write_text(written + "no json\n", encoding="utf-8")
    (tmp_path / "law" / "a.txt").write_text("Erster\u00ad Satz. " + prose("deu", 902), encoding="utf-8")
    (tmp_path / "optout.txt").write_text("law/out\n", encoding="utf-8")
    facts = {"path": "law", "origin": "o/law@1", "licence": "public-domain-law", "language": "deu", "statute": "§ 5"}
    return charter_of({"law": facts}, opt_out="optout.txt")


@pytest.fixture
def asked(charter: Path, curated_from: Curate) -> Callable[[str], list[dict[str, Any]]]:
    """Explain a document of the charter's corpus."""
    stage = curated_from(charter)
    return lambda wanted: explain(stage.output, stage.charter, wanted)


def step(story: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(step for step in story["rules"] if step["step"] == name)
    return found


def test_a_kept_document(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("law/3")
    assert story["fate"] in ("trained on", "held out")
    assert story["from"] | {"file": "law/b.jsonl", "record": 4, "title": "Gesetz 3"} == story["from"]
    assert story["right"] == {"licence": "public-domain-law", "says": "the charter", "statute": "§ 5"}
    assert {one["verdict"] for one in story["rules"]} == {"passed"}
    assert step(story, "language")["saw"]["looks_like"] == "deu"
    assert story["changes"] == {"email": 1}
    told = "\n".join(lines(story))
    assert "{<EMAIL>}" in told
    assert "amt@example.de" not in told + json.dumps(story)
    assert "note" not in story


def test_a_file_that_is_a_document_and_what_was_changed_in_it(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("a.txt")  # the end of its id
    assert (story["id"], story["from"]["file"]) == ("law/a.txt", "law/a.txt")
    assert {"kind": "removed", "text": "Erster⟨U+00AD⟩ "} in story["difference"]


def test_a_document_that_a_rule_dropped(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("law/short")
    assert (story["fate"], story["reason"]) == ("dropped", "too-short")
    assert step(story, "quality")["verdict"] == "dropped"
    assert step(story, "quality")["saw"]["characters"] == 5
    assert step(story, "rights")["verdict"] == "passed"
    assert step(story, "language")["verdict"] == "not asked"
    assert "difference" not in story


def test_documents_that_are_refused_show_nothing_of_their_text(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("law/nc")
    assert step(story, "rights")["saw"]["licence"] == "CC-BY-NC-4.0"
    assert story["right"]["says"] == "the record"
    (out,) = asked("law/out")
    assert (out["reason"], step(out, "opt-outs")["verdict"]) == ("opted-out-list", "dropped")
    for told, seed in ((story, 901), (out, 904)):
        assert not any(line in json.dumps(told, ensure_ascii=False) for line in prose("deu", seed).split("\n\n"))


@pytest.mark.parametrize(("name", "of", "reason"), [("copy", "5", "exact-duplicate"), ("near", "6", "near-duplicate")])
def test_copies_name_what_they_repeat(
    asked: Callable[[str], list[dict[str, Any]]], name: str, of: str, reason: str
) -> None:
    (story,) = asked(f"law/{name}")
    assert (story["reason"], story["copies"]["of"]) == (reason, f"law/{of}")
    assert step(story, "copies")["verdict"] == "dropped"
    assert step(story, "quality")["verdict"] == "passed"


def test_what_a_reader_gave_up(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("law/b.jsonl#47")
    assert story["reason"] == "invalid-json"
    assert story["from"]["file"] == "law/b.jsonl"


def test_an_id_that_was_taken_is_found_by_its_own_record(asked: Callable[[str], list[dict[str, Any]]]) -> None:
    (story,) = asked("law/0~")
    assert story["from"]["record"] == 46
    assert "note" not in story
    (first,) = asked("law/0")
    assert first["from"]["record"] == 1


def test_an_unknown_id_names_near_ones_and_a_short_one_all_it_could_mean(
    asked: Callable[[str], list[dict[str, Any]]],
) -> None:
    with pytest.raises(InputError, match=r"no document called 'law/shrt'.*did you mean law/short"):
        asked("law/shrt")
    with pytest.raises(InputError, match=r"\d+ documents match 'law/'; give more of one of law/0, .* and \d+ more"):
        asked("law/")


def test_on_the_command_line(charter: Path) -> None:
    before = CliRunner().invoke(app, ["curate", str(charter), "--explain", "law/3"])
    assert isinstance(before.exception, InputError)
    assert "has not been curated" in str(before.exception)
    assert CliRunner().invoke(app, ["curate", str(charter)]).exit_code == 0
    done = CliRunner().invoke(app, ["curate", str(charter), "--explain", "law/short", "--json"])
    told = json.loads(done.stdout)
    assert set(told) == {"artifact", "figures", "next"}
    assert told["figures"]["documents"][0]["reason"] == "too-short"
    shown = CliRunner().invoke(app, ["curate", str(charter), "--explain", "law/short"]).stdout
    assert shown.startswith("law/short  dropped: too-short (5 characters)")
