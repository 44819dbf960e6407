"""The report is one well-formed page that fetches nothing, runs nothing and says what was measured."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from freehold.page import charts
from freehold.page.markup import Markup, join, tag
from freehold.stages.release.facts import Facts, read_facts
from freehold.stages.release.report import plots, sections
from freehold.stages.release.report.page import page
from freehold.stages.release.report.sections import Signed
from freehold.store.workspace import Sealed

SIGNED = Signed(
    party="amt", fingerprint="f" * 64, weights="e" * 64, stages=[{"name": "train", "digest": "d", "seconds": 75}]
)


class Reader(HTMLParser):
    """Collects tags, attributes and text, and refuses what is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs) -> None:
        self.open.append(tag)
        self.handle_startendtag(tag, attrs)

    def handle_startendtag(self, tag: str, attrs) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(data: bytes) -> Reader:
    reader = Reader()
    reader.feed(data.decode())
    assert reader.open == []
    return reader


@pytest.fixture
def facts(shop) -> Facts:
    return read_facts(shop.stage())


def test_it_is_well_formed_and_asks_for_nothing_from_outside(released: Sealed) -> None:
    data = (released.path / "report.html").read_bytes()
    reader = read(data)
    assert not {name for _, name, _ in reader.attributes} & {"src", "srcset", "data", "action", "poster"}
    links = [value for _, name, value in reader.attributes if name == "href"]  # followed by whoever clicks, not loaded
    assert all((released.path / str(link)).is_file() for link in links)
    assert not {tag for tag, _, _ in reader.attributes} & {"script", "link", "iframe", "img", "object", "base"}
    assert b"<script" not in data
    assert not re.search(rb"url\(|@import|@font-face", data)
    policy = [value for tag, name, value in reader.attributes if tag == "meta" and name == "content"]
    assert any(value.startswith("default-src 'none'") for value in policy)


def test_it_says_what_was_measured(facts: Facts) -> None:
    text = " ".join(read(page(facts, signed=SIGNED)).text)
    for said in (
        "It is small.",
        "It beats both references in every language.",
        "1.210",
        "118 documents did not enter",
        "near duplicate",
        "27.1 %",
        "cannot be told from guessing",
        "freehold verify RELEASE --trust amt.pub",
        "f" * 64,
        "1 min 15 s",
        "UrhG § 5 (DE)",
    ):
        assert said in text, said


def test_it_does_not_claim_what_was_not_reached(facts: Facts) -> None:
    worse = {**facts.bits_per_byte, "kor": {**facts.bits_per_byte["kor"], "model": 1.60}}
    text = " ".join(read(page(dataclasses.replace(facts, bits_per_byte=worse), signed=SIGNED)).text)
    assert "It beats both references in 5 of 6 languages." in text


def test_no_text_of_a_document_becomes_code(facts: Facts) -> None:
    hostile = {"language": "deu", "prompt": "</p><script>alert(1)</script>", "completion": '"><img src=x onerror=1>'}
    data = page(dataclasses.replace(facts, completions=(hostile,)), signed=SIGNED)
    reader = read(data)
    assert b"<script" not in data
    assert b"<img" not in data
    assert "</p><script>alert(1)</script>" in reader.text


def test_a_model_without_packs_samples_or_drops_still_has_a_report(facts: Facts) -> None:
    bare = dataclasses.replace(facts, choice={}, completions=(), drops={}, curve=())
    text = " ".join(read(page(bare, signed=SIGNED)).text)
    assert "Does it know answers?" not in text
    assert "What was left out?" not in text


def test_a_completion_carries_its_language_for_readers_aloud(facts: Facts) -> None:
    reader = read(page(facts, signed=SIGNED))
    assert {"ja", "ko", "de"} <= {value for tag, name, value in reader.attributes if (tag, name) == ("p", "lang")}


@pytest.mark.parametrize("plot", [plots.loss, plots.bits_per_byte, plots.premium, plots.text_by_language, plots.drops])
def test_a_plot_alone_is_valid_svg_with_words_for_those_who_do_not_see_it(facts: Facts, plot) -> None:
    root = ElementTree.fromstring(plot(facts).alone())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert float(root.get("width")) > 300
    assert root.findtext("{http://www.w3.org/2000/svg}title")
    assert len(root.findtext("{http://www.w3.org/2000/svg}desc")) > 10


def test_bars_are_as_long_as_their_values(facts: Facts) -> None:
    found = re.findall(r'<rect[^>]*width="([\d.]+)%"[^>]*class="(\w+)"', plots.bits_per_byte(facts).body)
    german = {role: float(width) for width, role in found[:3]}
    assert german["model"] / german["xz"] == pytest.approx(1.21 / 2.08, abs=0.001)
    assert german["five"] / german["xz"] == pytest.approx(1.72 / 2.08, abs=0.001)


def test_a_smoothed_line_begins_where_the_steps_begin_and_stays_among_them() -> None:
    points = [(float(x), 10 - x / 10 + (-1) ** x) for x in range(100)]
    line = charts.smoothed(points, share=0.1)
    assert line[0] == points[0]
    assert [x for x, _ in line] == [x for x, _ in points]
    assert max(abs(y - (10 - x / 10)) for x, y in line[5:]) < 0.5


def test_thinning_keeps_both_ends_and_the_limit() -> None:
    points = [(float(x), 0.0) for x in range(100_000)]
    kept = charts.thinned(points, most=400)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert len(kept) <= 402


def test_markup_is_kept_and_text_is_escaped() -> None:
    assert tag("p", "a & b", tag("b", '"'), class_="x") == '<p class="x">a &amp; b<b>&quot;</b></p>'
    assert join("<", Markup("<br/>"), between=" ") == "&lt; <br/>"


def test_what_is_known_by_heart_has_a_chart_and_a_table(shop, released: Sealed) -> None:
    page = (released.path / "report.html").read_text(encoding="utf-8")
    told = page[page.index("What does it know by heart?") :]
    assert "never read (held out): 0.0, read 1 ×: 2.0, read 17-32 ×: 40.0" in told
    assert "16 documents" in told
    facts = dataclasses.replace(read_facts(shop.stage()), memorisation={})
    assert sections.memory(facts) is None
