"""What a model knows by heart: the one pass finds what a greedy continuation writes, and draws follow from the seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from freehold.learn.shards import Shards
from freehold.model.generation import Decoder, Request
from freehold.progress import Progress
from freehold.proof import scores
from freehold.stage import Stage
from freehold.stages.evaluate.exposure import exposure, times_read
from freehold.stages.evaluate.judged import Judged
from freehold.stages.evaluate.memorisation import memorisation
from freehold.stages.evaluate.passages import Draw, held_out_passages, read_passages, without
from freehold.stages.evaluate.recall import recalled
from freehold.stages.evaluate.surprisal import Span
from freehold.text import canaries

Make = Callable[[Path], Stage]
DRAW = Draw(seed=7, count=3, half=16)


@pytest.fixture(scope="module")
def shards(tokenized: Path) -> Shards:
    return Shards.open(tokenized)


@pytest.fixture(scope="module")
def account(shards: Shards) -> dict[str, dict[str, list[list[int]]]]:
    """As if training had read the first half of every document three times and the rest once."""
    found: dict[str, dict[str, list[list[int]]]] = {}
    for document, language, length in zip(shards.documents, shards.languages, shards.lengths.tolist(), strict=True):
        half = length // 2
        found.setdefault(language, {})[document] = [[0, half, 3], [half, length - half, 1]]
    return found


def greedy(judged: Judged, span: Span) -> Iterator[int]:
    """What a decoder writes after the prompt, the best token each time."""
    decoder = Decoder(judged.model, judged.tokenizer, ends=())
    limit = len(span.tokens) - span.scored_from
    asked = Request(prompt=tuple(span.tokens[: span.scored_from]), max_tokens=limit, temperature=0.0)
    yield from decoder.complete([asked])[0].tokens


def test_one_pass_finds_where_a_greedy_continuation_departs(judged: Judged, shards: Shards) -> None:
    random = np.random.default_rng(3)
    spans = []
    for row in random.integers(0, len(shards.documents), 12).tolist():
        tokens = shards.read(row, 0, 24).tolist()
        own = [*tokens[:8], *greedy(judged, Span(tokens=tokens, scored_from=8))]
        cut = int(random.integers(9, 25))
        changed = [*own[:cut], *((token + 1) % 700 for token in own[cut:])]
        spans += [Span(tokens=found, scored_from=8) for found in (tokens, own, changed)]
    for span, found in zip(spans, recalled(judged.model, spans).tolist(), strict=True):
        written = list(greedy(judged, span))
        agreed = [one == other for one, other in zip(written, span.tokens[span.scored_from :], strict=True)]
        assert found == (agreed.index(False) if False in agreed else len(agreed))
    assert recalled(judged.model, spans)[1::3].tolist() == [16] * 12


def test_passages_lie_within_what_was_read_so_often(shards: Shards, account: dict[str, Any]) -> None:
    found = list(read_passages(DRAW, shards, account))
    assert {(passage.language, passage.times) for passage in found} == {
        (code, times) for code in ("deu", "jpn") for times in (1, 3)
    }
    row_of = {document: row for row, document in enumerate(shards.documents)}
    for passage in found:
        offset, length, _ = next(
            part for part in account[passage.language][passage.document] if part[2] == passage.times
        )
        assert offset <= passage.offset and passage.offset + 32 <= offset + length
        assert passage.tokens == shards.read(row_of[passage.document], passage.offset, 32).tolist()
    assert len(found) == 12


def test_the_seed_alone_decides(shards: Shards, account: dict[str, Any]) -> None:
    turned = {code: dict(reversed(documents.items())) for code, documents in reversed(account.items())}
    assert list(read_passages(DRAW, shards, account)) == list(read_passages(DRAW, shards, turned))
    other = Draw(seed=8, count=3, half=16)
    assert list(read_passages(DRAW, shards, account)) != list(read_passages(other, shards, account))


def test_documents_too_short_for_a_passage_are_left_out() -> None:
    tokens = {"deu": {"short": range(31), "fits": range(32), "long": range(900)}}
    found = {passage.document: passage for passage in held_out_passages(DRAW, tokens)}
    assert set(found) == {"fits", "long"} and found["fits"].offset == 0 and found["long"].times == 0
    assert without({"deu": {"canaries/deu/1/0/0": [], "a": []}}, "canaries/") == {"deu": {"a": []}}
    assert Draw.of(seed=1, count=1, context=64).half == 32
    assert Draw.of(seed=1, count=1, context=4096).half == 50


def test_the_artifact_holds_rows_and_what_follows(evaluate_at: Make, tmp_path: Path, curated: Path) -> None:
    from freehold.stages.evaluate.held_out import held_out

    stage = evaluate_at(tmp_path / "out")
    found = memorisation(stage, held_out(curated))
    assert found["passages"] == scores.verbatim(found["rows"], tokens=found["continuation_tokens"])
    assert {row["times"] for row in found["rows"]} >= {0, 1}
    assert "canaries" not in found
    assert json.loads(json.dumps(found)) == found


def test_a_canary_that_was_learned_is_exposed_and_extracted(judged: Judged, shards: Shards, trained: Path) -> None:
    told = {"languages": ["deu"], "seed": 7, "count": 1}
    learned = canaries.planted(["deu"], seed=7, count=1)[-1]
    pupil = Judged.open(trained / "model", precision="fp32")
    tokens = torch.tensor([[pupil.bos, *pupil.tokens_of(learned.text)][: pupil.model.config.context + 1]])
    adam = torch.optim.Adam(pupil.model.parameters(), lr=3e-3)
    for _ in range(150):
        adam.zero_grad()
        pupil.model.loss(tokens[:, :-1], tokens[:, 1:]).backward()
        adam.step()
    rows = exposure(pupil, told, shards, {}, progress=Progress(quiet=True))["canary_rows"]
    by_times = {row["times"]: row for row in rows}
    assert by_times[16]["exposure"] == 8.0 and by_times[16]["verbatim"] == by_times[16]["of"]
    assert by_times[16]["estimate"] > 20
    assert by_times[1]["verbatim"] < by_times[1]["of"]
    before = exposure(judged, told, shards, {}, progress=Progress(quiet=True))["canary_rows"]
    assert all(row["verbatim"] < row["of"] for row in before)


def test_times_read_count_parts_of_documents(shards: Shards) -> None:
    canary = canaries.Canary(language="deu", times=1, number=0, text="x")
    shards.documents.append(canary.documents[0])
    lengths, shards.lengths = shards.lengths, np.append(shards.lengths, 40)
    account = {"deu": {canary.documents[0]: [[0, 10, 3], [10, 30, 1]]}}
    assert times_read([canary], shards, account) == {canary.id: 1.5}
    shards.documents.pop()
    shards.lengths = lengths
