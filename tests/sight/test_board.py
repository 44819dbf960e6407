from __future__ import annotations

import struct
from pathlib import Path

from test_steps import MEASURES, taken

from freehold.sight.board import CURVES, Board
from freehold.sight.steps import Steps


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Tag → (step, value) of every scalar in the event files of a folder, read as TFRecords."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[str, list[tuple[int, float]]] = {}
    for path in sorted(folder.glob("events.out.tfevents.*")):
        data = path.read_bytes()
        while data:
            (length,) = struct.unpack("<Q", data[:8])
            event = Event.FromString(data[12 : 12 + length])
            data = data[16 + length :]
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_a_resumed_run_continues_the_curve(tmp_path: Path) -> None:
    for name, first, last in (("one", 0, 5), ("two", 4, 8)):
        folder = tmp_path / name
        folder.mkdir()
        observers = (Steps(folder, scratch=tmp_path), Board(folder, steps=8, flush_steps=2))
        for number in range(first, last):
            for observer in observers:
                observer(taken(number), {**MEASURES, "loss": 10.0 - number})
    found = curves(tmp_path / "two" / "tensorboard")
    assert set(found) == set(CURVES.values())
    assert found["learning/loss_nats_per_token"] == [(step, 11.0 - step) for step in range(1, 9)]
