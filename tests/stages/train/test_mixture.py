"""What a run reads is what the charter's mixture wants, as far as there is text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from corpora import StageMaker
from corpus import write_shards

from freehold.errors import InputError
from freehold.learn.phases import Curriculum
from freehold.learn.shards import Shards
from freehold.stage import Stage
from freehold.stages.train.recipe import settle
from freehold.stages.train.wanted import mixture_of

EXTRA = "[mixture]\n{mixture}\n[tokenizer]"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """Law and press in two languages; German has about twice as much of both."""
    folder = write_shards(tmp_path / "tokens", documents=96)
    shards, facts = Shards.open(folder), json.loads((folder / "tokenize.json").read_text())
    counted: dict[str, dict[str, int]] = {}
    for (language, source), size in shards.tokens().items():
        counted.setdefault(language, {})[source] = size
    (folder / "tokenize.json").write_text(json.dumps(facts | {"tokens_by_source": counted}))
    return folder


def staged(
    tiny: Path,
    tokens: Path,
    stage_at: StageMaker,
    mixture: str,
    *,
    shares: bool = True,
    train: str = "",
    rest: str = "",
) -> Stage:
    """A train stage of the tiny charter with this mixture; its sources are `law` and `press`."""
    text = tiny.read_text(encoding="utf-8").replace("[tokenizer]", EXTRA.format(mixture=mixture), 1)
    text = text.replace('name = "deu-law"', 'name = "law"\ndomain = "law"')
    text = text.replace('name = "jpn-law"', 'name = "press"\ndomain = "press"')
    if not shares:
        text = text.replace("share = 0.6\n", "").replace("share = 0.4\n", "")
    text = text.replace("compile = false", f"compile = false\n{train}", 1) + rest
    tiny.write_text(text, encoding="utf-8")
    return stage_at(tokens.parent / "out", name="train", charter=tiny, tokenize=tokens)


def account(stage: Stage, tokens: Path) -> tuple[dict[str, Any], dict[tuple[str, str], dict[str, Any]]]:
    """The recipe and the rows of mixture.json, as `run` would leave them."""
    shards = Shards.open(tokens)
    recipe = settle(stage, shards)
    told = mixture_of(stage.charter, recipe, Curriculum(shards, recipe).consumed(), shards)
    assert told["amount"] == recipe["steps"] * 512
    return recipe, {(row["language"], row["domain"]): row for row in told["rows"]}


def test_given_shares_are_read(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    stage = staged(tiny, tokens, stage_at, "domains = { law = 0.25, press = 0.75 }")
    recipe, rows = account(stage, tokens)
    assert recipe["domains"]["deu"][0] == {"domain": "law", "share": 0.25, "sources": ["law"]}
    for cell, share in {("deu", "law"): 0.15, ("deu", "press"): 0.45, ("jpn", "law"): 0.1}.items():
        assert rows[cell]["target"] == share and abs(rows[cell]["achieved"] - share) < 0.006


def test_a_domain_without_a_share_is_not_read(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    _, rows = account(staged(tiny, tokens, stage_at, "domains = { law = 1.0, press = 0 }"), tokens)
    assert rows["deu", "press"]["achieved"] == 0.0 and rows["deu", "law"]["achieved"] > 0.59


def test_temperature_sets_languages_and_domains(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    recipe, rows = account(staged(tiny, tokens, stage_at, "temperature = 100", shares=False), tokens)
    assert abs(recipe["shares"]["deu"] - 0.5) < 0.01
    assert all(abs(row["achieved"] - 0.25) < 0.02 for row in rows.values())


def test_no_domain_is_read_more_often_than_allowed(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    sizes = Shards.open(tokens).tokens()
    few = sizes["deu", "press"]
    most = 0.5 * 24_576 * 0.6 / few  # of German, press has room for half
    stage = staged(tiny, tokens, stage_at, "domains = { law = 0.1, press = 0.9 }", train=f"max_epochs = {most:.4f}")
    recipe, rows = account(stage, tokens)
    assert all(row["epochs"] <= most * 1.02 for row in rows.values())
    assert rows["deu", "press"]["moved"] < -0.2 < 0.2 < rows["deu", "law"]["moved"]
    assert recipe["shares"]["deu"] >= 0.6 - 1e-6  # its own domain took what was over


def test_a_phase_mixes_the_domains_of_its_sources(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    phases = '\n[[phases]]\nname = "a"\nshare = 0.5\n[[phases]]\nname = "b"\nshare = 0.5\nsources = ["law"]\n'
    recipe, rows = account(staged(tiny, tokens, stage_at, "domains = { law = 0.5, press = 0.5 }", rest=phases), tokens)
    assert [len(row["domains"]["deu"]) for row in recipe["phases"]] == [2, 1]
    assert abs(rows["deu", "law"]["achieved"] - 0.45) < 0.01 and abs(rows["jpn", "press"]["achieved"] - 0.1) < 0.01


def test_languages_need_text_in_a_domain_with_a_share(tiny: Path, tokens: Path, stage_at: StageMaker) -> None:
    facts = json.loads((tokens / "tokenize.json").read_text())
    facts["tokens_by_source"]["jpn"].pop("law")
    (tokens / "tokenize.json").write_text(json.dumps(facts))
    stage = staged(tiny, tokens, stage_at, "domains = { law = 1.0, press = 0 }")
    with pytest.raises(InputError, match=r"charter.toml:\d+: no domain with a share has text in 'jpn'"):
        settle(stage, Shards.open(tokens))
