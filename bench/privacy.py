"""Personal data: recall and precision per kind on invented ids, what is replaced in real law, and throughput.

Every kind is made from a seed (`made_ids`), written in its forms into sentences of several languages, and then spoiled
by a wrong check digit. A spoiled id that any national id's rule replaces counts against its kind. Look-alikes of law
(dates, cases, sections, ISBNs, prices) are counted by themselves. `--corpora` names a folder of real texts, ``*.jsonl``
or ``*.jsonl.zst`` with ``text`` and ``lang``: replaced per MB and kind, and MB per CPU second.
"""

from __future__ import annotations

import io
import json
import random
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import made_ids
import zstandard
from report import Figure, parser, report

from freehold.text.normalise import normalise
from freehold.text.privacy import ALL, redact
from freehold.text.privacy.national import NationalId

SENTENCES = {
    "deu": "Der Antragsteller ({}) gab am 3. Mai 2004 Auskunft über § 12 Abs. 3.",
    "eng": "The applicant gave {} on 3 May 2004, under section 12(3).",
    "spa": "El interesado, con {}, compareció el 3 de mayo de 2004 (art. 12).",
    "fra": "Le demandeur, {}, a été entendu le 3 mai 2004 selon l'article 12.",
    "kor": "신청인은 {} 로 2004. 5. 3. 제12조에 따라 신청하였다.",
    "jpn": "申請者は、{} により平成16年5月3日に申請した。",
}
LOOK_ALIKES = {
    "dates": ("{d:02d}.{m:02d}.{y}", "{y}-{m:02d}-{d:02d}", "{y}. {m}. {d}.", "{d:02d}/{m:02d}/{y}"),
    "cases": ("{d} O {n3}/{m:02d}", "C-{n3}/{m:02d}", "{n4}/{y}", "Az. {d}-{n4}-{m:02d}", "nr {n3} poz. {n4}"),
    "sections": ("§ {n3}", "{d}.{m}.{d}.{m}", "Art. {n3} Abs. {m}", "L. {n3}-{m}", "제{n3}조"),
    "prices": ("{n3}.{n3}.{n3},00 Euro", "{n3} {n3} {n3} Kč", "$ {n3},{n3}.50", "{n3}.{n3} pesos"),
    "books": ("ISBN 978-3-16-14{n4}-0", "ISSN 2049-{n4}", "EAN 40063813{n4}1", "DOI 10.1000/{n4}.{n3}"),
    "journals": (
        "BGBl. I S. {n4}",
        "ABl. L {n3} vom {d}.{m}.{y}, S. {d}",
        "BOE-A-{y}-{n4}{d}",
        "Dz.U. {y} nr {d} poz. {n4}",
    ),
}
PER_IBAN_COUNTRY = 5  # numbers, each in every form


def main() -> None:
    """Print the table."""
    options = parser(__doc__)
    options.add_argument("--corpora", type=Path, help="folder of real texts")
    options.add_argument("--megabytes", type=float, default=20, help="of each file of the corpora")
    chosen = options.parse_args()
    chance = random.Random(20261121)
    figures = [*ibans(chance), *simple(chance, 40 if chosen.quick else 300)]
    for row in made_ids.rows():
        figures += national(row, chance, 20 if chosen.quick else 100)
    figures += look_alikes(chance, 200 if chosen.quick else 2000)
    if chosen.corpora:
        figures += real(chosen.corpora, 1e6 if chosen.quick else chosen.megabytes * 1e6)
    report("privacy", figures, options=chosen, repetitions=1)


def ibans(chance: random.Random) -> Iterator[Figure]:
    """Every country's IBANs in every form, and the same with a wrong check digit."""
    found = missed = wrong = spoiled = 0
    for country in made_ids.iban_countries():
        for _ in range(PER_IBAN_COUNTRY):
            number = made_ids.iban(country, chance)
            for written in made_ids.iban_forms(number):
                language, text = sentence(f"IBAN {written}", chance)
                hit = "<IBAN>" in redact(text, rules=ALL, language=language).text
                found, missed = found + hit, missed + (not hit)
            bad = number[:2] + f"{(int(number[2:4]) + 1) % 100:02d}" + number[4:]
            spoiled += 1
            wrong += "<IBAN>" in redact(f"Konto {bad}.", rules=ALL, language="deu").text
    countries = len(made_ids.iban_countries())
    yield recall(f"iban: {found + missed} of {countries} countries", found, missed, goal="= 1")
    yield precision("iban", found, wrong, spoiled)


def simple(chance: random.Random, times: int) -> Iterator[Figure]:
    """Cards, devices, coins, addresses."""
    kinds: dict[str, tuple[str, Callable[[], str]]] = {
        "card": ("Visa card", lambda: made_ids.card(chance)),
        "imei": ("IMEI", lambda: made_ids.device(chance)),
        "crypto": ("Bitcoin", lambda: made_ids.coin(chance)),
        "email": ("E-mail", lambda: f"a{chance.randrange(999)}.b@mail{chance.randrange(99)}.example.org"),
        "ip": ("IP", lambda: f"{chance.randrange(11, 99)}.{'.'.join(str(chance.randrange(255)) for _ in range(3))}"),
        "phone": ("Tel.", lambda: f"+49 30 {chance.randrange(2000000, 9999999)}"),
    }
    for kind, (word, make) in kinds.items():
        found = wrong = 0
        for _ in range(times):
            value = make()
            language, text = sentence(f"{word} {value}", chance)
            found += f"<{kind.upper()}>" in redact(text, rules=ALL, language=language).text
            language, text = sentence(f"{word} {spoil(value)}", chance)
            wrong += f"<{kind.upper()}>" in redact(text, rules=ALL, language=language).text
        yield recall(kind, found, times - found)
        if kind in ("card", "imei", "crypto"):  # the others have nothing that a wrong digit could break
            yield precision(kind, found, wrong, times)


def national(row: NationalId, chance: random.Random, times: int) -> Iterator[Figure]:
    """One row of the table of national ids: beside its word, alone, and spoiled."""
    name = f"national-id:{row.country} {row.check or 'by shape'} {'letters' if row.shape else 'digits'}"
    name += f" {'/'.join('-'.join(map(str, form)) for form in row.groups)}" if row.groups else ""
    tag, home = f"<NATIONAL-ID:{row.country}>", sorted(row.languages)[0]
    found = alone = wrong = spoiled = 0
    for _ in range(times):
        value, word = made_ids.made(row, chance), chance.choice(row.words.split("|"))
        text = chance.choice(list(SENTENCES.values()))
        found += tag in redact(text.format(f"{word} {value}"), rules=ALL, language=home).text
        alone += tag in redact(text.format(value), rules=ALL, language=home).text
        if row.check and (bad := spoil(value)) and not made_ids.passes(row, bad):
            spoiled += 1
            wrong += "<NATIONAL-ID" in redact(text.format(f"{word} {bad}"), rules=ALL, language=home).text
    yield recall(name, found, times - found)
    if row.alone != "never":
        yield recall(f"{name}, without a word", alone, times - alone)
    if spoiled:
        yield precision(name, found, wrong, spoiled)


def look_alikes(chance: random.Random, times: int) -> Iterator[Figure]:
    """What law is full of, and nothing may replace."""
    for family, forms in LOOK_ALIKES.items():
        wrong = 0
        for _ in range(times):
            numbers = {"d": chance.randrange(1, 29), "m": chance.randrange(1, 13), "y": chance.randrange(1890, 2026)}
            more = {"n3": chance.randrange(100, 999), "n4": chance.randrange(1000, 9999)}
            language, text = sentence(chance.choice(forms).format(**numbers, **more), chance)
            wrong += sum(redact(text, rules=ALL, language=language).counts.values())
        yield Figure(figure=f"look-alikes: {family}", value=wrong, unit=f"of {times}", goal="0", holds=wrong == 0)


def real(folder: Path, most: float) -> Iterator[Figure]:
    """Replaced per MB and kind in the texts of a folder, and MB per CPU second over all of them and in each."""
    size, spent, slowest = 0.0, 0.0, (float("inf"), "")
    counts: Counter[str] = Counter()
    for path in sorted([*folder.glob("*law*.jsonl"), *folder.glob("*law*.jsonl.zst")]):
        part = seconds = 0.0
        for text, language in documents(path, most):
            start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            counts.update(redact(text, rules=ALL, language=language).counts)
            seconds += resource.getrusage(resource.RUSAGE_SELF).ru_utime - start
            part += len(text.encode())
        slowest = min(slowest, (part / 1e6 / seconds, path.name.partition(".")[0]))
        size, spent = size + part, spent + seconds
    yield Figure(figure=f"law, {size / 1e6:.0f} MB: all kinds", value=size / 1e6 / spent, unit="MB/CPU s",
                 goal=">= 15", holds=size / 1e6 / spent >= 15)  # fmt: skip
    yield Figure(figure=f"law: slowest file, {slowest[1]}", value=slowest[0], unit="MB/CPU s")
    for kind in ALL:
        yield Figure(
            figure=f"law: {kind}", value=counts[kind] / size * 1e6, unit="per MB", why=f"{counts[kind]} in all"
        )


def documents(path: Path, most: float) -> Iterator[tuple[str, str]]:
    """The texts of a file as curation sees them, up to so many bytes."""
    read = 0
    with path.open("rb") as file:
        stream = zstandard.ZstdDecompressor().stream_reader(file) if path.suffix == ".zst" else file
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            record = json.loads(line)
            text = normalise(record["text"])
            yield text, record["lang"]
            read += len(text.encode())
            if read > most:
                return


def sentence(value: str, chance: random.Random) -> tuple[str, str]:
    """A language and a sentence in it that holds the value."""
    language = chance.choice(list(SENTENCES))
    return language, SENTENCES[language].format(value)


def spoil(value: str) -> str:
    """The value with its last digit raised by one."""
    place = max(place for place, sign in enumerate(value) if sign.isdigit())
    return value[:place] + str((int(value[place]) + 1) % 10) + value[place + 1 :]


def recall(kind: str, found: int, missed: int, *, goal: str = ">= 0.99") -> Figure:
    """The share of valid values that were replaced by their own placeholder."""
    value = found / (found + missed)
    holds = value == 1 if goal == "= 1" else value >= 0.99
    return Figure(figure=kind, value=value, unit="recall", goal=goal, holds=holds, why=f"{found} of {found + missed}")


def precision(kind: str, found: int, wrong: int, spoiled: int) -> Figure:
    """The share of what was replaced that was valid, where every value is also there spoiled."""
    value = found / (found + wrong) if found + wrong else 0.0
    return Figure(figure=kind, value=value, unit="precision", why=f"{wrong} of {spoiled} spoiled ones replaced")


if __name__ == "__main__":
    main()
