"""Bad charters are refused with file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.charter_file import load
from freehold.charter_tables import RESERVED
from freehold.errors import InputError
from freehold.stages.verify.lineage import BESIDE


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("depth = 1", "dept = 1", 'charter.toml:33: model.dept: unknown key "dept"; did you mean "depth"?'),
        ("tokens = 24_576", 'tokens = "8 min"', "charter.toml:35: train.tokens: Input should be a valid integer"),
        ("share = 0.4", "share = 0.3", "charter.toml:8: languages[0].share: the shares sum to 0.900"),
        ('country = "DE"', "", "charter.toml:3: responsible.country: is missing; add it"),
        ('code = "jpn"', 'code = "ja"', "charter.toml:10: languages[1].code: String should match pattern"),
        ('code = "jpn"', 'code = "deu"', 'languages[1].code: "deu" is named twice'),
        ('path = "jpn.jsonl"', 'path = "nowhere/*.jsonl"', "no file matches 'nowhere/*.jsonl'"),
        (
            'licences = ["public-domain-law"]',
            'licences = ["CC0-1.0"]',
            'sources[0].licence: "public-domain-law" is not allowed by [policy].licences; remove the source or allow',
        ),
        ("tokens = 24_576", "", "give a budget: either tokens or minutes"),
        ("batch_tokens = 512", "batch_tokens = 500", "is not a multiple of [train].sequence"),
        ("compile = false", "keep_every = 12", "train.keep_every: is not a multiple of [train].checkpoint_steps"),
        ("compile = false", "goldfish = 1", "train.goldfish: one token in one leaves nothing to predict; use 0 (off)"),
        ("share = 0.4", "share = 0.0004", "share: Input should be greater than or equal to 0.001"),
        ('packs = ["pack.jsonl"]', 'packs = ["nope.jsonl"]', "no file 'nope.jsonl'"),
        ('name = "jpn-law"', 'name = "policy"', 'sources[1].name: "policy" is a name of ours'),
        (
            "[release]",
            '[law.obtained]\nkor-law = "public"\n[release]',
            'law.obtained: "kor-law" is not among [[sources]]',
        ),
        ("[release]", '[law]\npublished = "soon"\n[release]', "law.published: String should match pattern"),
        ("format = 1", "format = 2", "format: Input should be 1"),
        ("format = 1", "format = ", "not valid TOML"),
    ],
)
def test_a_bad_charter_is_refused_with_its_place(tiny: Path, old: str, new: str, message: str) -> None:
    tiny.write_text(tiny.read_text().replace(old, new, 1))
    with pytest.raises(InputError) as refusal:
        load(tiny)
    assert message in str(refusal.value)
    assert refusal.value.exit_code == 2


def test_a_charter_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="freehold init"):
        load(tmp_path)


def test_a_charter_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "charter.toml").write_bytes(b"format = 1\nname = '\xff'")
    with pytest.raises(InputError, match="not UTF-8"):
        load(tmp_path)


def test_files_are_named_without_folders_of_this_machine(tiny: Path) -> None:
    charter = load(tiny)
    assert list(charter.files("sources")) == ["deu-law/deu.jsonl", "jpn-law/jpn.jsonl"]
    assert list(charter.files("evaluate")) == ["evaluate/pack.jsonl"]


PHASES = """
[[phases]]
name = "main"
share = 0.9
rate = [1, 1]

[[phases]]
name = "anneal"
share = 0.1
rate = [1, 0]
sequence = 128
languages = { deu = 0.5, jpn = 0.5 }
sources = ["deu-law", "jpn-law"]
rope_theta = 50_000
rope_scaling = { type = "yarn", factor = 2 }
"""


def test_all_that_curation_reads_beside_its_sources_is_named(tiny: Path) -> None:
    for name in ("own.bin", "labels.jsonl", "sketches.parquet"):
        (tiny.parent / name).touch()
    keys = 'language_model = "own.bin"\nlabels = "labels.jsonl"\nagainst = ["sketches.parquet"]'
    tiny.write_text(tiny.read_text(encoding="utf-8").replace("[curate]", f"[curate]\n{keys}"), encoding="utf-8")
    found = load(tiny).files("curate")
    assert set(found) == {
        "curate/own.bin", "curate/labels.jsonl", "against/0/sketches.parquet", "packs/0/pack.jsonl",
    }  # fmt: skip
    assert {name.split("/")[0] for name in found} <= RESERVED & set(BESIDE)


def test_phases_are_read(tiny: Path) -> None:
    tiny.write_text(tiny.read_text() + PHASES)
    main, anneal = load(tiny).phases
    assert (main.rate, main.sequence, main.languages, main.sources) == ((1.0, 1.0), None, None, ())
    assert (anneal.rate, anneal.sequence, anneal.languages) == ((1.0, 0.0), 128, {"deu": 0.5, "jpn": 0.5})
    assert anneal.rope_scaling is not None and anneal.rope_scaling.factor == 2.0


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("share = 0.1", "share = 0.2", "share = 0.9", "phases[0].share: the shares sum to 1.100"),
        ("deu = 0.5, jpn", "deu = 0.2, jpn", "languages = {", "phases[1].languages: the shares sum to 0.700"),
        ("deu = 0.5, jpn", "kor = 0.5, jpn", "languages = {", "phases[1].languages: kor is not among [[languages]]"),
        (
            "deu = 0.5, jpn = 0.5",
            "deu = 0.9999, jpn = 0.0001",
            "languages = {",
            "languages: jpn has a share under 0.001",
        ),
        ('"deu-law", "jpn-law"', '"kor-law"', "sources = [", 'phases[1].sources: "kor-law" is not among [[sources]]'),
        ("sequence = 128", "sequence = 1024", "sequence = 1024", "phases[1].sequence: windows of 1024 tokens do not"),
        ('"anneal"', '"main"', 'name = "main"', 'phases[1].name: "main" is named twice'),
        ("rate = [1, 0]", "rate = [1, 2]", "rate = [1, 2]", "phases[1].rate[1]: Input should be less than"),
        (
            "rope_theta = 50_000",
            "rope_thet = 1",
            "rope_thet = 1",
            'unknown key "rope_thet"; did you mean "rope_theta"?',
        ),
        ("compile = false", "decay_share = 0.2", "decay_share", "train.decay_share: phases set the rate"),
        ("depth = 1", "depth = 1\ncontext = 64", "context", "model.context: 64 tokens are fewer than windows of 128"),
    ],
)
def test_bad_phases_are_refused_with_their_line(tiny: Path, old: str, new: str, line: str, message: str) -> None:
    text = (tiny.read_text() + PHASES).replace(old, new, 1)
    tiny.write_text(text)
    with pytest.raises(InputError) as refusal:
        load(tiny)
    assert message in str(refusal.value)
    last = [number for number, row in enumerate(text.splitlines(), 1) if row.startswith(line)][-1]
    assert refusal.value.where == f"charter.toml:{last}"


def test_windows_divide_the_longest(tiny: Path) -> None:
    text = (tiny.read_text() + PHASES).replace("sequence = 128", "sequence = 96", 1)
    tiny.write_text(text.replace("batch_tokens = 512", "batch_tokens = 192", 1))
    with pytest.raises(InputError, match=r"phases\[0\].sequence: windows of 64 tokens do not divide those of 96"):
        load(tiny)
