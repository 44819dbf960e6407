"""Observers: whoever wants to see each step as it was. They look on; nothing they do or fail to do alters training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from freehold.learn.loop import Taken

Measures = dict[
    str, float
]  # loss, learning_rate, tokens, tokens_per_s, utilisation, memory_gb and, if known, bits_per_byte
Observer = Callable[[Taken, Measures], None]


class Observers:
    """Tells every observer of a step; one that fails is reported once and dropped."""

    def __init__(self, observers: Sequence[Observer], *, report: Callable[[str], None]) -> None:
        self.observers, self.report = list(observers), report

    def tell(self, taken: Taken, measures: Measures) -> None:
        """Each gets a copy of the measures of its own."""
        for observer in tuple(self.observers):
            try:
                observer(taken, dict(measures))
            except Exception as error:
                self.observers.remove(observer)
                name = getattr(observer, "name", type(observer).__name__)
                self.report(f"{name} stopped and is left out from here on; training goes on ({error})")
