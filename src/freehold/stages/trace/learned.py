"""How often training read what a span stands in, from the account that training left (consumed.json)."""

from __future__ import annotations

import json
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path

from freehold.errors import InputError


class Learned:
    """The account of a training: ranges [offset, tokens, times] of each document, in order, by language and id."""

    def __init__(self, languages: dict[str, dict[str, list[list[int]]]]) -> None:
        self.languages = languages

    def times(self, language: str, document: str, position: int) -> int:
        """How often the token at `position` of a document was read; 0 where training never came to it.

        >>> Learned({"deu": {"a": [[0, 4, 2], [4, 2, 1]]}}).times("deu", "a", 3)
        2
        """
        ranges = self.languages.get(language, {}).get(document, [])
        place = bisect_right(ranges, position, key=lambda held: held[0]) - 1
        if place < 0:
            return 0
        offset, tokens, times = ranges[place]
        return times if position < offset + tokens else 0


@lru_cache(maxsize=4)
def learned_from(train_folder: Path) -> Learned:
    """The account in a train artifact, kept between questions. Raises InputError where it is missing."""
    path = train_folder / "consumed.json"
    if not path.is_file():
        raise InputError("no account of what training read", where=str(path), remedy="leave the training out")
    return Learned(json.loads(path.read_bytes())["languages"])
