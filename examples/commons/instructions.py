"""Instructions made of the example's own documents: openings, articles, titles, continuations and languages of laws.

Every answer is copied from an official work or names a language, so the set is as free as the data. The choice of
documents and of wordings is a pure function of document ids (`make.py` calls `instructions_of`).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterator

from wordings import ARTICLE, LANGUAGE_NAMES, WORDINGS

Record = dict[str, object]
Pair = tuple[str, str]  # what is asked (fills the wording), what is answered
Pairs = Callable[[Record, str], Iterator[Pair]]  # of a document, for the language asked in

EACH = 30  # instructions of one kind in one language
PASSAGE_BYTES = (100, 700)
PRIVATE = re.compile(r"@|(?:\+|\b00)\d[\d /-]{6,}\d|\b[A-Z]{2}\d{2}(?: ?[0-9A-Z]{4}){3,}")  # e-mail, phone, IBAN
# Numbers of a Japanese list or article whose text would come in the next paragraph.
DANGLING = re.compile(r"(?:\n+(?:[一二三四五六七八九十]+|(?:（[^）\n]*）\n)?第[一二三四五六七八九十百千]+条))+$")
RESIDUE = "Pokaż całość"  # where the script of the Polish pages begins


def instructions_of(corpus: dict[str, list[Record]]) -> list[Record]:
    """Return the instructions for records grouped by language, about `EACH` of every kind in every language."""
    made: list[Record] = []
    for language, records in corpus.items():
        for kind, pairs_of in KINDS.items():
            pool = corpus if kind == "language" else {language: records}
            made += list(of_kind(kind, pairs_of, language, pool))
    return made


def of_kind(kind: str, pairs_of: Pairs, language: str, pool: dict[str, list[Record]]) -> Iterator[Record]:
    """Yield the instructions of one kind, one a document, an equal number from each language of the pool."""
    for spoken, records in pool.items():
        order = sorted(records, key=lambda record: digest(kind, language, str(record["id"])))
        left = EACH // len(pool)
        for record in order:
            pair = next(usable(pairs_of(record, language)), None)
            if pair is None or left == 0:
                continue
            left -= 1
            wordings = WORDINGS[language][kind]
            asked = wordings[int(digest("wording", kind, str(record["id"]))[:8], 16) % len(wordings)]
            yield {
                "messages": [
                    {"role": "user", "content": asked.format(asked=pair[0], title=title_of(record))},
                    {"role": "assistant", "content": pair[1]},
                ],
                "language": language,
                "kind": kind,
                "licence": record["licence"],
                "document": record["id"],
                "document_language": spoken,
            }


def usable(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Leave out pairs that hold an address or a number of a person, or are empty."""
    return (pair for pair in pairs if all(pair) and not PRIVATE.search(" ".join(pair)))


def digest(*words: str) -> str:
    """Return the SHA-256 of the words, as the one source of chance."""
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def paragraphs_of(record: Record) -> list[str]:
    """Return the paragraphs of a document, composed (NFC), without page script."""
    text = unicodedata.normalize("NFC", str(record["text"])).replace("\u00ad", "").split(RESIDUE)[0]
    return [paragraph.strip("\n ") for paragraph in text.split("\n\n") if paragraph.strip()]


def title_of(record: Record) -> str:
    """Return the title on one line, without a full stop."""
    return " ".join(unicodedata.normalize("NFC", str(record["title"])).split()).rstrip(".")


def lowered(number: str) -> str:
    """Return the number of an article as it stands inside a sentence: ``article L1-2``."""
    return number[:1].lower() + number[1:]


def passage(paragraphs: list[str], *, least: int = PASSAGE_BYTES[0]) -> str:
    """Join whole paragraphs from the first on, up to the most bytes; empty if they cannot give the least."""
    taken = ""
    for paragraph in paragraphs:
        longer = f"{taken}\n\n{paragraph}" if taken else paragraph
        if len(longer.encode()) > PASSAGE_BYTES[1]:
            break
        taken = longer
    taken = DANGLING.sub("", taken)
    return taken if len(taken.encode()) >= least else ""


def prose(record: Record) -> Iterator[int]:
    """Yield the places of paragraphs that are sentences, in an order of their own for each document."""
    paragraphs = paragraphs_of(record)
    places = [i for i, p in enumerate(paragraphs) if i and PASSAGE_BYTES[0] <= len(p.encode()) <= PASSAGE_BYTES[1]]
    yield from sorted(places, key=lambda place: digest(str(record["id"]), str(place)))


def openings(record: Record, _language: str) -> Iterator[Pair]:
    """First line, then how the document begins."""
    paragraphs = paragraphs_of(record)
    yield paragraphs[0].splitlines()[0].rstrip("."), passage(paragraphs, least=2 * PASSAGE_BYTES[0])


def titles(record: Record, _language: str) -> Iterator[Pair]:
    """How a document begins, then its first line."""
    paragraphs = paragraphs_of(record)
    begun, heading = passage(paragraphs), paragraphs[0].splitlines()[0]
    yield begun if begun != heading else "", heading


def continuations(record: Record, _language: str) -> Iterator[Pair]:
    """A paragraph, then the next."""
    paragraphs = paragraphs_of(record)
    for place in prose(record):
        yield paragraphs[place], passage(paragraphs[place + 1 : place + 2])


def languages(record: Record, language: str) -> Iterator[Pair]:
    """A paragraph, then the name of its language."""
    paragraphs = paragraphs_of(record)
    for place in prose(record):
        yield paragraphs[place], LANGUAGE_NAMES[language][str(record["lang"])]


def articles(record: Record, language: str) -> Iterator[Pair]:
    """The number of an article, then its text."""
    paragraphs, heading = paragraphs_of(record), ARTICLE[language]
    heads = [(place, match) for place, p in enumerate(paragraphs) if (match := heading.match(p))]
    ends = [*[place for place, _ in heads][1:], len(paragraphs)]
    spans = zip(heads, ends, strict=False)
    found = [(lowered(match["number"]), "\n\n".join(paragraphs[place:end])) for (place, match), end in spans]
    for number, whole in sorted(found, key=lambda article: digest(str(record["id"]), article[1])):
        yield number, whole if PASSAGE_BYTES[0] <= len(whole.encode()) <= PASSAGE_BYTES[1] else ""


KINDS: dict[str, Pairs] = {
    "opening": openings,
    "title": titles,
    "continuation": continuations,
    "language": languages,
    "article": articles,
}
