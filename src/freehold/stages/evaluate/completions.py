"""Sample completions: what the model writes after the beginning of documents it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from freehold.model.generation import Decoder, Request
from freehold.stages.evaluate.held_out import HeldOut

PROMPT_BYTES = 240
TOKENS = 120
TEMPERATURE = 0.7
TOP_P = 0.9


def prompts(documents: Sequence[HeldOut], *, count: int) -> list[HeldOut]:
    """Choose the first documents that leave something to complete."""
    long_enough = [document for document in documents if len(document.data) > 2 * PROMPT_BYTES]
    return list(long_enough or documents)[:count]


def beginning(text: str, *, limit: int = PROMPT_BYTES) -> str:
    """Return at most `limit` bytes of the text's beginning, ending between words where it can.

    >>> beginning("Die Würde des Menschen", limit=12)
    'Die Würde'
    """
    if len(text.encode()) <= limit:
        return text
    cut = text.encode()[:limit].decode(errors="ignore")
    space = max(cut.rfind(" "), cut.rfind("\n"))
    # The blank itself belongs to the next word's token, so the prompt ends before it.
    return cut[:space] if space > len(cut) // 2 else cut


def completions(decoder: Decoder, held_out: dict[str, list[HeldOut]], *, count: int) -> list[dict[str, Any]]:
    """Return `count` completions a language; each has a seed of its own, made of its document's id."""
    chosen = [document for documents in held_out.values() for document in prompts(documents, count=count)]
    requests = [request(decoder, document) for document in chosen]
    return [
        {
            "language": document.language,
            "document": document.id,
            "prompt": asked.prompt,
            "completion": given.text,
            "seed": asked.seed,
            "temperature": TEMPERATURE,
            "top_p": TOP_P,
        }
        for document, asked, given in zip(chosen, requests, decoder.complete(requests), strict=True)
    ]


def request(decoder: Decoder, document: HeldOut) -> Request:
    """Ask for the continuation of a document's beginning, which takes at most half of the context."""
    limit = PROMPT_BYTES
    while len(decoder.encode(beginning(document.text, limit=limit))) > decoder.config.context // 2 and limit > 1:
        limit //= 2
    return Request(
        prompt=beginning(document.text, limit=limit),
        max_tokens=TOKENS,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        seed=int(document.digest[:8], 16),
    )
