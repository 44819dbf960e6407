from pathlib import Path

import numpy as np
import pytest

from freehold.errors import InputError
from freehold.index import ranked
from freehold.index.ranked import Ranked
from freehold.index.terms import terms

DOCUMENTS = [
    (
        "gg",
        "deu",
        "Grundgesetz",
        "Die Würde des Menschen ist unantastbar.\n\nAlle Menschen sind vor dem Gesetz gleich.",
    ),
    ("mietrecht", "deu", "Mietrecht", "Der Vermieter hat die Mietsache zu erhalten. Der Mieter zahlt die Miete."),
    ("kenpo", "jpn", "日本国憲法", "すべて国民は、法の下に平等であつて、人種により差別されない。"),
    ("heonbeop", "kor", "대한민국헌법", "모든 국민은 법 앞에 평등하다. 누구든지 차별을 받지 아니한다."),
    ("udhr", "tha", "ปฏิญญา", "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ"),
    ("marks", "und", None, "--- ... ---"),
]


def rows():
    for name, language, title, text in DOCUMENTS:
        yield {
            "id": name,
            "language": language,
            "title": title,
            "text": text,
            "licence": "CC0-1.0",
            "url": None,
            "source": f"{language}-law",
        }


@pytest.fixture
def index(tmp_path: Path) -> Ranked:
    extent = ranked.build(rows(), folder=tmp_path)
    assert (extent.documents, extent.passages) == (6, 5), "a passage without terms is left out"
    return Ranked(tmp_path)


@pytest.mark.parametrize(
    ("query", "document"),
    [
        ("würde der menschen", "gg"),
        ("GRUNDGESETZ", "gg"),  # by its title
        ("Mieterhöhung", "mietrecht"),  # by the word's beginning
        ("法の下の平等", "kenpo"),
        ("국민은 평등", "heonbeop"),
        ("차별", "heonbeop"),  # without the particle that follows it
        ("อิสระและเสมอภาค", "udhr"),
    ],
)
def test_the_right_document_comes_first(index: Ranked, query: str, document: str) -> None:
    (score, row), *_ = index.search(query, top=3)
    assert row["document"] == document
    assert score > 0


def test_a_passage_carries_its_citation(index: Ranked) -> None:
    _, row = index.search("Vermieter", top=1)[0]
    assert row["start"] == 0
    assert {name: row[name] for name in ranked.CARRIED} == {
        "title": "Mietrecht",
        "licence": "CC0-1.0",
        "url": None,
        "language": "deu",
        "source": "deu-law",
    }


def test_scores_are_those_of_the_formula(index: Ranked) -> None:
    k1, b = 1.5, 0.75
    held = [terms(title or "") + terms(text) for _, _, title, text in DOCUMENTS[:5]]
    mean = sum(map(len, held)) / len(held)

    def score(term: str, document: list[str]) -> float:
        count, holding = document.count(term), sum(term in other for other in held)
        idf = np.log(1 + (len(held) - holding + 0.5) / (holding + 0.5))
        return float(idf * count / (count + k1 * (1 - b + b * len(document) / mean)))

    expected = [sum(score(term, document) for term in terms("Menschen gleich")) for document in held]
    assert index.rank("Menschen gleich").tolist() == pytest.approx(expected, rel=1e-5)


def test_nothing_found_is_an_empty_answer(index: Ranked) -> None:
    assert index.search("xylophon", top=5) == []


def test_no_more_than_asked_and_equal_scores_in_corpus_order(tmp_path: Path) -> None:
    same = [dict(next(rows()), id=f"copy-{number}") for number in range(600)]
    ranked.build(same, folder=tmp_path)
    found = Ranked(tmp_path).search("Würde", top=4)
    assert [row["document"] for _, row in found] == ["copy-0", "copy-1", "copy-2", "copy-3"]
    assert Ranked(tmp_path).passage(599)["document"] == "copy-599"


def test_the_files_are_the_same_every_time(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        ranked.build(rows(), folder=folder)
    for name in ranked.PARTS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_an_empty_corpus_and_a_damaged_index_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text to search in"):
        ranked.build([], folder=tmp_path)
    with pytest.raises(InputError, match=r"lacks terms\.arrow"):
        Ranked(tmp_path)
