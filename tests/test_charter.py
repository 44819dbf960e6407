"""Bad charters are refused with file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from freehold.charter_file import load
from freehold.errors import InputError


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
        ('packs = ["pack.jsonl"]', 'packs = ["nope.jsonl"]', "no file 'nope.jsonl'"),
        ('name = "jpn-law"', 'name = "policy"', 'sources[1].name: "policy" is a name of ours'),
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
