from pathlib import Path

from freehold.stages.tokenize import sample
from freehold.stages.tokenize.corpus import census


def test_every_language_gives_the_same_number_of_bytes(curated: Path) -> None:
    folder = curated / "documents"
    chosen = sample.choose(census(folder), total=40_001)
    size: dict[str, int] = {}
    for language, text in sample.texts(folder, chosen):
        size[language] = size.get(language, 0) + len(text.encode())
    assert set(size) == {"deu", "jpn"}
    assert all(19_990 < found <= 20_001 for found in size.values())  # a cut character may be lost at the end


def test_the_choice_does_not_depend_on_the_order_of_files(curated: Path) -> None:
    table = census(curated / "documents")
    turned = table.take(list(reversed(range(table.num_rows))))
    assert sample.choose(table, total=50_000) == sample.choose(turned, total=50_000)


def test_a_budget_beyond_the_corpus_takes_all_of_it(curated: Path) -> None:
    table = census(curated / "documents")
    assert sum(sample.choose(table, total=10**12).values()) == sum(table.column("bytes").to_pylist())
