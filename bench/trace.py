"""Trace against 100 M tokens: what the index costs, how fast and how exact an answer is, how much of a cold disk.

    python bench/trace.py --corpora FOLDER [--prepared FOLDER] [--peer PYTHON] [--quick] [--json] [--save]

Answers have 200 tokens: from texts that are not in the index, cut out of documents in it, and half of each. Time is
CPU time, from the text to spans with documents, the best of several rounds for each answer, then the median of all
answers: a first reading is left out. The peer, infini-gram, is given tokens and asked for spans alone, over the same
shards. Pages are counted exactly: every element that an answer reads of the arrays and the tokens is noted.
"""

from __future__ import annotations

import gc
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from report import Figure, parser, report
from trace_corpus import BOS, prepare
from trace_pages import cold_pages, pages_of

from freehold.index.spans import maximal_spans
from freehold.progress import Progress
from freehold.stages.trace.corpus import Corpus
from freehold.stages.trace.query import Span, opened, trace
from freehold.stages.trace.run import build

TOKENS: Final = 200  # of an answer
MIN_TOKENS: Final = 6
PEER: Final = Path(__file__).parent / "peers" / "infini_gram_spans.py"
NAME: Final = "infini-gram 2.6.0"
Answers = dict[str, list[str]]


def main() -> None:
    """Prepare, build, ask, count, compare."""
    options = parser(__doc__)
    options.add_argument("--corpora", type=Path, help="a folder of JSON Lines shards")
    options.add_argument("--prepared", type=Path, help="where tokens and indexes are kept between runs")
    options.add_argument("--peer", help="a Python that has infini-gram and numpy")
    chosen = options.parse_args()
    if chosen.corpora is None:
        missing = Figure(figure="a 200-token answer", value=None, unit="ms", why="no --corpora FOLDER was given")
        report("trace", [missing], options=chosen, repetitions=0)
        return
    rounds = 2 if chosen.quick else 3
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.prepared or Path(temporary)
        prepare(chosen.corpora, folder, tokens=3_000_000 if chosen.quick else 100_000_000)
        figures = index_figures(folder)
        corpus = opened(folder / "index", folder / "tokenized")
        answers = drawn(corpus, folder, count=10 if chosen.quick else 20)
        figures += answer_figures(corpus, folder, answers, rounds=rounds, peer=chosen.peer)
        del corpus
        opened.cache_clear()
        gc.collect()  # pages that are mapped cannot be dropped out of memory
        figures += page_figures(folder, answers)
    report("trace", figures, options=chosen, repetitions=rounds)


def index_figures(folder: Path) -> list[Figure]:
    """Build the index anew; CPU seconds, bytes and memory."""
    begun, before = cpu_s(), peak()
    output = folder / "index"
    for path in output.glob("*"):
        path.unlink()
    facts = build(
        folder / "curated", folder / "tokenized", output, scratch=folder / ".scratch", progress=Progress(quiet=True)
    )
    millions = facts["tokens"] / 1e6
    seconds = (cpu_s() - begun) / millions
    size = sum(path.stat().st_size for path in output.iterdir()) / facts["tokens"]
    grown = peak() - before
    longest = max(part["tokens"] for part in facts["arrays"])
    why = f"{millions:.1f} M tokens, {len(facts['arrays'])} arrays, {facts['documents']:,} documents"
    return [
        goal("index, CPU seconds per million tokens", seconds, "s", 1.0, why=why),
        goal("index, bytes a token beyond the text", size, "B", 5.0),
        goal("index, memory per token of the longest array", grown / longest, "B", 32.0),
        Figure(figure="index, peak memory of the process", value=peak() / 1e9, unit="GB"),
        Figure(
            figure="sample kept in memory",
            value=sum(path.stat().st_size for path in output.glob("sample-*")) / 1e6,
            unit="MB",
        ),
    ]


def goal(name: str, value: float, unit: str, most: float, *, why: str = "") -> Figure:
    """A figure that should not be above `most`."""
    return Figure(figure=name, value=value, unit=unit, goal=f"<= {most:g} {unit}", holds=value <= most, why=why)


def cpu_s() -> float:
    """CPU seconds of this process."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def peak() -> int:
    """The most bytes of memory that this process has had."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def drawn(corpus: Corpus, folder: Path, *, count: int) -> Answers:
    """Texts of TOKENS tokens, `count` of each kind."""
    draw = random.Random(5)
    held = json.loads((folder / "held_out.json").read_bytes())

    def foreign(tokens: int) -> list[int]:
        text = draw.choice(held)
        begin = draw.randrange(max(1, len(text) - 12 * tokens))
        return corpus.encode(text[begin : begin + 12 * tokens])[:tokens]

    def verbatim(tokens: int) -> list[int]:
        shard = draw.choice(corpus.shards)
        begin = draw.randrange(len(shard) - tokens)
        return [token for token in shard[begin : begin + tokens].tolist() if token != BOS]

    kinds: dict[str, Callable[[], list[int]]] = {
        "not in the index": lambda: foreign(TOKENS),
        "half of it in the index": lambda: foreign(TOKENS // 2) + verbatim(TOKENS // 2),
        "cut out of documents": lambda: verbatim(TOKENS),
    }
    return {
        kind: [corpus.spelling.spell(make()).decode(errors="ignore") for _ in range(count)]
        for kind, make in kinds.items()
    }


def answer_figures(corpus: Corpus, folder: Path, answers: Answers, *, rounds: int, peer: str | None) -> list[Figure]:
    """Whole answers, and the spans of their tokens beside the peer's."""
    figures = peer_index(peer, folder) if peer else []
    agree = total = 0
    for kind, texts in answers.items():
        queries = [corpus.encode(text) for text in texts]
        spans = [spans_of(corpus, query) for query in queries]
        documents = [sum(len(span.documents) for span in traced(folder, text)) for text in texts]
        whole = best([[timed(traced, folder, text) for text in texts] for _ in range(rounds + 1)])
        alone = best([[timed(searched, corpus, query) for query in queries] for _ in range(rounds + 1)])
        ours = statistics.median(whole)
        why = f"{statistics.median(map(len, spans)):.0f} spans, {statistics.median(documents):.0f} documents; "
        why += f"the slowest {max(whole):.1f} ms; spans and counts alone {statistics.median(alone):.2f} ms"
        figures.append(goal(f"answer of {TOKENS} tokens, {kind}", ours, "ms", 5.0, why=why))
        if peer:
            (path := folder / "queries.json").write_text(json.dumps(queries), encoding="utf-8")
            reply = asked(peer, ["answer", str(folder / "infini"), str(path), str(MIN_TOKENS), str(rounds)])
            theirs = statistics.median(best(reply["cpu_ms"]))
            agree += sum([tuple(each[:2]) for each in a] == b for a, b in zip(reply["spans"], spans, strict=True))
            total += len(queries)
            figures.append(beside(f"the same answers by {NAME}, {kind}", theirs, ours))
    if peer:
        same = Figure(figure="answers with the same spans", value=agree / total, unit="", peer=NAME, goal="= 1")
        figures.append(replace(same, holds=agree == total, why=f"{total} answers"))
    return figures


def beside(name: str, theirs: float, ours: float) -> Figure:
    """The peer's time for spans and counts from tokens, in multiples of ours for the whole answer from text."""
    ratio = theirs / ours
    return Figure(
        figure=name,
        value=theirs,
        unit="ms",
        peer="ours",
        ratio=ratio,
        goal=">= 5 × ours",
        holds=ratio >= 5,
        why="from tokens, spans and counts alone",
    )


def peer_index(peer: str, folder: Path) -> list[Figure]:
    """What the peer's index of the same shards costs, unless it is there from an earlier run."""
    kept = folder / "infini.json"
    if not kept.exists():
        told = asked(peer, ["index", str(folder / "tokenized"), str(folder / "infini")])
        kept.write_text(json.dumps(told), encoding="utf-8")
    told = json.loads(kept.read_bytes())
    return [
        Figure(figure=f"index by {NAME}, per million tokens", value=told["cpu_s"] / told["tokens"] * 1e6, unit="s"),
        Figure(figure=f"index by {NAME}, a token beyond the text", value=told["bytes"] / told["tokens"], unit="B"),
    ]


def asked(python: str, arguments: list[str]) -> dict[str, Any]:
    """One call of the peer in its own Python."""
    done = subprocess.run([python, str(PEER), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the peer failed: {done.stderr.splitlines()[-1:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def traced(folder: Path, text: str) -> list[Span]:
    """A whole answer."""
    return trace(folder / "index", folder / "tokenized", text, min_tokens=MIN_TOKENS)


def spans_of(corpus: Corpus, query: list[int]) -> list[tuple[int, int]]:
    """The spans of tokens."""
    return list(maximal_spans(corpus.matcher(query), len(query), min_tokens=MIN_TOKENS))


def searched(corpus: Corpus, query: list[int]) -> None:
    """The spans of tokens and their places, as the peer tells them."""
    if spans := spans_of(corpus, query):
        begins, ends = np.array(spans).T
        corpus.matcher(query).runs(begins, ends - begins)


def timed(work: Callable[..., Any], *given: Any) -> float:
    """CPU milliseconds."""
    begun = time.process_time()
    work(*given)
    return 1000 * (time.process_time() - begun)


def best(rounds: list[list[float]]) -> list[float]:
    """Each answer's best round."""
    return [min(each) for each in zip(*rounds, strict=True)]


def page_figures(folder: Path, answers: Answers) -> list[Figure]:
    """Distinct pages that an answer reads from a cold disk."""
    first = answers["not in the index"][0]
    opening, answer = cold_pages(folder, first)
    figures = []
    for kind, texts in answers.items():
        counted = [pages_of(folder, text, min_tokens=MIN_TOKENS) for text in texts]
        limit, most = max(one.bound for one in counted), max(one.whole for one in counted)
        figure = Figure(
            figure=f"cold, 4 KiB pages, {kind}",
            value=statistics.median(one.whole for one in counted),
            unit="pages",
            goal="<= bound",
        )
        why = f"at most {most:,}; no text of as many tokens takes more than {limit:,} to find its spans"
        figures.append(replace(figure, holds=all(one.matching <= one.bound for one in counted), why=why))
    noted = pages_of(folder, first, min_tokens=MIN_TOKENS).whole
    why = f"by mincore after dropping the files; {noted:,} were noted for it; opening takes {opening:,}"
    return [*figures, Figure(figure="cold, pages that one answer brought in", value=answer, unit="pages", why=why)]


if __name__ == "__main__":
    sys.exit(main())
