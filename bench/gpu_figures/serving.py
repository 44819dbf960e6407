"""Speed of the 124M shape in service: tokens a second that the embedded engine writes and that evaluation reads."""

from __future__ import annotations

import time
from collections.abc import Iterator

from report import Figure

from freehold.learn.precision import set_precision
from freehold.model.slots import Slots
from freehold.stages.evaluate.surprisal import Span, surprisal
from gpu_figures.setting import Setting, filled
from gpu_figures.training import shape_of

SLOTS = (1, 8)
PROMPT, ANSWER = 256, 64  # tokens
JUDGED_SPANS = 512


def serving(setting: Setting) -> Iterator[Figure]:
    """Decode with one answer and with eight under way, then score spans of a whole context."""
    shape = shape_of(setting, "124M")
    model = filled(shape.config, device=setting.device).eval()
    prompt, answer = (8, 4) if setting.rehearse else (PROMPT, ANSWER)
    set_precision(model, "bf16")
    for slots in SLOTS:
        cache = Slots(model, slots=slots)
        places = list(range(slots))
        for slot in places:
            cache.prefill(slot, [slot + 1] * prompt)
        begun = 0.0
        for step in range(-2, answer):
            if step == 0:
                setting.wait()
                begun = time.perf_counter()
            # Fetched as the decoder does, which chooses the next token on the processor.
            cache.decode(places, [1] * slots, [prompt + step + 2] * slots, rows=slots).cpu()
        speed = slots * answer / (time.perf_counter() - begun)
        yield Figure(figure=f"124M bf16: generation, {slots} at a time", value=speed, unit="tokens/s", why="no goal")
    tokens = list(range(shape.sequence + 1))
    spans = [Span(tokens=[token % shape.vocabulary for token in tokens], scored_from=1)]
    spans *= 4 if setting.rehearse else JUDGED_SPANS
    surprisal(model, spans[:2])
    setting.wait()
    begun = time.perf_counter()
    surprisal(model, spans)
    speed = len(spans) * shape.sequence / (time.perf_counter() - begun)
    yield Figure(figure="124M bf16: evaluation", value=speed, unit="tokens/s", why="no goal")
