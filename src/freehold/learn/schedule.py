"""The schedule: how fast weights move at each step. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """So many steps over which the factor goes from `start` to `end` in a line."""

    steps: int
    start: float
    end: float

    def rate(self, step: int) -> float:
        """Factor at `step` of the slope. A rise reaches its end at the last step, a fall one after: none is at zero.

        >>> [Slope(steps=2, start=0, end=1).rate(step) for step in range(2)]
        [0.5, 1.0]
        """
        gone = step + 1 if self.end > self.start else step
        return (self.start * (self.steps - gone) + self.end * gone) / self.steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One factor for every rate: warm-up, flat, linear decay to zero; or slope after slope where there are any."""

    steps: int
    warmup_steps: int = 0
    decay_share: float = 0.5  # of the steps, at the end
    slopes: tuple[Slope, ...] = ()  # of the phases; they cover all steps
    momentum_steps: int = 200  # over which Muon's momentum grows from 0.85 to 0.95

    def rate(self, step: int) -> float:
        """Factor of the learning rates at `step` (counted from 0).

        >>> schedule = Schedule(steps=10, warmup_steps=2, decay_share=0.4)
        >>> [round(schedule.rate(step), 3) for step in range(10)]
        [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25]
        """
        begin = 0
        for slope in self.slopes:
            if step < begin + slope.steps:
                return slope.rate(step - begin)
            begin += slope.steps
        rising = (step + 1) / self.warmup_steps if step < self.warmup_steps else 1.0
        falling_steps = self.decay_share * self.steps
        falling = (self.steps - step) / falling_steps if falling_steps else 1.0
        return max(0.0, min(rising, falling, 1.0))

    def momentum(self, step: int) -> float:
        """Muon's momentum at `step`.

        >>> Schedule(steps=1000).momentum(0), Schedule(steps=1000).momentum(500)
        (0.85, 0.95)
        """
        return 0.85 + 0.10 * min(1.0, step / self.momentum_steps)
