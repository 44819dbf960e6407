from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from freehold.learn.targets import Cell, Wanted, by_language, portioned, room_of, rows, short, tempered

SIZES: dict[Cell, int] = {("deu", "law"): 800, ("deu", "press"): 100, ("jpn", "law"): 100}


def wanted(**chosen: object) -> Wanted:
    plain = {"languages": {"deu": 0.5, "jpn": 0.5}, "domains": None, "temperature": 1.0, "mixed": True}
    return Wanted(**{**plain, **chosen})  # type: ignore[arg-type]


def test_temperature_brings_small_ones_forward() -> None:
    sizes = {"deu": 900, "roh": 100, "none": 0}
    assert tempered(sizes, temperature=1) == {"deu": 0.9, "roh": 0.1}
    assert 0.1 < tempered(sizes, temperature=2)["roh"] < tempered(sizes, temperature=5)["roh"] < 0.5


def test_shares_are_given_or_follow_from_sizes() -> None:
    given = wanted(domains={"law": 0.25, "press": 0.75}).shares(SIZES)
    assert given == {("deu", "law"): 0.125, ("deu", "press"): 0.375, ("jpn", "law"): 0.125, ("jpn", "press"): 0.375}
    by_size = wanted(languages=None).shares(SIZES)
    assert {cell: round(share, 9) for cell, share in by_size.items()} == {
        ("deu", "law"): 0.8, ("deu", "press"): 0.1, ("jpn", "law"): 0.1
    }  # fmt: skip
    flat = wanted(temperature=100.0).shares(SIZES)
    assert abs(flat["deu", "law"] - flat["deu", "press"]) < 0.02 and flat["jpn", "law"] == 0.5
    unmixed = wanted(temperature=100.0, languages=None, mixed=False).shares({("deu", ""): 900, ("jpn", ""): 100})
    assert abs(unmixed["deu", ""] - 0.5) < 0.01


def test_what_falls_short_goes_to_its_language_first() -> None:
    targets = wanted(domains={"law": 0.25, "press": 0.75}).shares(SIZES)
    reached = portioned(targets, room_of(SIZES, most=4), amount=1000)
    assert reached is not None
    account = rows(targets, SIZES, reached, amount=1000)
    table = {(row["language"], row["domain"]): row for row in account}
    assert table["jpn", "law"]["epochs"] == 4.0 and table["jpn", "press"]["achieved"] == 0.0
    assert table["jpn", "law"]["achieved"] == 0.4  # its language lacks the rest
    assert table["deu", "press"]["achieved"] == 0.4 and table["deu", "law"]["achieved"] == 0.2
    found = {(line["language"], line["domain"]): line for line in short(account)}
    assert list(found) == [("jpn", "press")]
    assert found["jpn", "press"]["lacking"] == 0.375 and found["jpn", "press"]["why"] == "no text"
    assert found["jpn", "press"]["to"] == ["deu/law", "deu/press", "jpn/law"]
    assert portioned(targets, room_of(SIZES, most=0.5), amount=1000) is None


cells = st.dictionaries(
    st.tuples(st.sampled_from(["deu", "jpn", "kor"]), st.sampled_from(["law", "press", "web"])),
    st.tuples(st.integers(1, 20), st.integers(0, 1000)),
    min_size=1,
)


@given(cells, st.floats(0.1, 8), st.integers(1, 5000))
def test_no_room_is_passed_and_nothing_is_lost(drawn: dict[Cell, tuple[int, int]], most: float, amount: int) -> None:
    whole = sum(share for share, _ in drawn.values())
    targets = {cell: share / whole for cell, (share, _) in drawn.items()}
    room = room_of({cell: size for cell, (_, size) in drawn.items()}, most=most)
    reached = portioned(targets, room, amount=amount)
    if reached is None:
        assert sum(room.values()) < amount
        return
    assert abs(sum(reached.values()) - 1) < 0.002
    assert all(share * amount <= room[cell] * 1.001 + 1e-6 for cell, share in reached.items())
    languages = by_language(reached)
    for language, share in by_language(targets).items():  # who is not full has at least what it should
        if languages[language] * amount < 0.99 * by_language(room)[language]:
            assert languages[language] >= share * 0.99
