from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.learn.scarcity import FADING, Use, account, capped, effective, epochs_of

UNIQUE = {("deu", "law"): 100, ("deu", "press"): 300, ("jpn", "law"): 50}


def test_repeated_text_is_worth_less_and_less() -> None:
    worth = [effective(1.0, epochs) for epochs in (1, 2, 4, 16, 64, 1e6)]
    assert worth == sorted(worth)
    assert 0.9 < worth[2] / 4 < 1 and worth[4] / 64 < 0.3
    assert worth[-1] == pytest.approx(1 + FADING)


def test_passes_are_counted_by_source() -> None:
    uses = [Use(language="deu", tokens=800), Use(language="deu", tokens=200, sources=("law",))]
    epochs = epochs_of(uses, UNIQUE)
    assert epochs == {("deu", "law"): 4.0, ("deu", "press"): 2.0, ("jpn", "law"): 0.0}
    row = account(epochs, UNIQUE)["deu"]
    assert (row["unique"], row["epochs"], row["most_epochs"]) == (400, 2.5, 4.0)
    assert row["effective"] == round(effective(100, 4) + effective(300, 2))


def test_what_is_over_goes_to_the_others_by_their_shares() -> None:
    shares = {"deu": 0.2, "jpn": 0.2, "kor": 0.6}
    new = capped(shares, room={"deu": 1e9, "jpn": 1e9, "kor": 200}, tokens=1000)
    assert new == {"deu": 0.4, "jpn": 0.4, "kor": 0.2}
    assert capped(shares, room={"deu": 100, "jpn": 100, "kor": 100}, tokens=1000) is None


@given(st.lists(st.tuples(st.floats(0.01, 1), st.floats(0, 2000)), min_size=1, max_size=6))
def test_capped_shares_keep_to_their_room_and_sum_to_one(rows: list[tuple[float, float]]) -> None:
    shares = {str(place): share / sum(row[0] for row in rows) for place, (share, _) in enumerate(rows)}
    room = {str(place): left for place, (_, left) in enumerate(rows)}
    new = capped(shares, room=room, tokens=1000)
    if new is None:
        assert sum(room.values()) < 1000
    else:
        assert sum(new.values()) == pytest.approx(1, abs=2e-3)
        assert all(new[name] * 1000 <= room[name] + 1e-6 for name in new)
