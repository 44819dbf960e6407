"""Invented ids that pass their country's check, made from a seed: no real person's data, and no list of anybody's.

Digits are drawn from the form of an id, a date of birth where it holds one, and the last places are searched until
python-stdnum accepts the whole. Who holds such a number, if anybody does, is unknown to us and left to chance.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable, Iterator
from itertools import product

from stdnum import bitcoin, imei, luhn, numdb
from stdnum import iban as ibans

from freehold import plugins
from freehold.text.privacy import accounts, national, numbers
from freehold.text.privacy.national import NationalId

# Where a date of birth stands, as Y, M and D; # is a digit, @ a letter, | one of ways to write.
DATED = {
    "at.vnr": "####DDMMYY", "be.ssn": "YYMMDD#####", "bg.egn": "YYMMDD####", "cz.rc": "YYMMDD####",
    "sk.rc": "YYMMDD####", "dk.cpr": "DDMMYY####", "ee.ik": "3YYMMDD####", "fi.hetu": "DDMMYY-###@",
    "gr.amka": "DDMMYY#####", "lt.asmens": "3YYMMDD####", "lv.pvn": "DDMMYY1####", "pl.pesel": "YYMMDD#####",
    "ro.cnp": "1YYMMDD12####", "se.personnummer": "YYMMDD-####", "si.emso": "DDMM9YY50####", "no.fodselsnummer":
    "DDMMYY#####", "is_.kennitala": "DDMMYY###9", "kr.rrn": "YYMMDD-1######", "my.nric": "YYMMDD-01-####",
    "id.nik": "317101DDMMYY####", "cn.ric": "11010119YYMMDD####", "mx.curp": "@@@@YYMMDDHDF@@@0#",
    "it.codicefiscale": "@@@@@@YYADDA###@", "cu.ni": "YYMMDD#####", "za.idnr": "YYMMDD#####08#"[:13],
    "mu.nid": "@DDMMYY######@", "fr.nir": "1YYMM75########", "ch.ssn": "756##########", "md.idno": "2############",
    "in_.pan": "@@@P@####@", "ad.nrt": "F-######-@", "al.nipt": "J########@", "ie.pps": "#######@", "es.dni":
    "########@", "es.nie": "X#######@", "pt.cc": "#########ZZ#", "pe.cui": "########-#", "ve.rif": "V-########-#",
    "cl.rut": "########-#", "co.nit": "##########", "ar.dni": "########", "nz.ird": "#########", "au.tfn": "#########",
    "in_.aadhaar": "############", "us.itin": "9##-7#-####", "us.ssn": "5##-##-####", "ec.ci": "171#######",
    "cr.cpf": "10###0###"[:9], "hr.oib": "###########", "gb.nhs": "##########", "pk.cnic": "34201########",
    "th.pin": "1############", "do.cedula": "001########", "pt.nif": "2########", "fr.nif": "1############",
    "ru.inn": "77##########", "il.idnr": "#########", "ca.sin": "1########",
}  # fmt: skip
LETTERS = string.ascii_uppercase
TRIES = 20_000


def made(row: NationalId, chance: random.Random) -> str:
    """A valid id of one row of the table, written in one of its forms."""
    if not row.check:
        if row.country == "KR":
            return filled("YYMMDD-1######", chance)
        return f"AB{chance.randrange(10**6):06d}{chance.choice('ABCD')}"
    check = plugins.need(f"stdnum.{row.check}")
    sizes = chance.choice(row.groups) if row.groups else ()
    template = DATED.get(row.check, "#" * sum(sizes))
    if row.groups and len(re.sub(r"[^#@A-Z0-9]", "", template)) > sum(sizes) and row.check in ("cz.rc", "sk.rc"):
        sizes = next(each for each in ((6, 4), (10,)) if each in row.groups)
    for _ in range(TRIES):
        number = filled(template, chance)
        if row.check == "se.personnummer" and sum(sizes) == 12:
            number = "19" + number
        if sizes and sum(sizes) != len("".join(filter(str.isalnum, number))):
            number = "".join(str(chance.randrange(10)) for _ in range(sum(sizes)))
        if number := completed(number, check.is_valid):
            return grouped(number, sizes, chance, marked=row.marked) if sizes else number
    raise ValueError(f"no valid {row.check} in {TRIES} tries")


def filled(template: str, chance: random.Random) -> str:
    """A template with digits, letters and a date of birth in place."""
    date = {"Y": f"{chance.randrange(40, 99):02d}", "M": f"{chance.randrange(1, 13):02d}"}
    date["D"] = f"{chance.randrange(1, 29):02d}"
    for letter, value in date.items():
        template = template.replace(letter * 2, value)
    drawn = (chance.choice(LETTERS) if sign == "@" else str(chance.randrange(10)) for sign in template if sign in "#@")
    return "".join(next(drawn) if sign in "#@" else sign for sign in template)


def completed(number: str, valid: Callable[[str], bool]) -> str:
    """The number with its last sign replaced by the first that makes it valid, or nothing if none does."""
    if valid(number):
        return number
    signs = string.digits if number[-1].isdigit() else LETTERS + string.digits
    return next((number[:-1] + sign for sign in signs if valid(number[:-1] + sign)), "")


def grouped(number: str, sizes: tuple[int, ...], chance: random.Random, *, marked: bool) -> str:
    """The digits in groups of these sizes."""
    plain = "".join(filter(str.isalnum, number))
    separator = chance.choice("-" if len(sizes) == 2 else " -.") if sum(sizes) == len(plain) else ""
    if len(sizes) == 2 and not marked and chance.random() < 0.2:
        separator = " "
    groups, place = [], 0
    for size in sizes:
        groups.append(plain[place : place + size])
        place += size
    return separator.join(groups)


def iban(country: str, chance: random.Random) -> str:
    """A valid IBAN of a country, in upper case and without separators."""
    structure = numdb.get("iban").info(country)[0][1]["bban"]
    alphabets = {"n": string.digits, "a": LETTERS, "c": string.digits + LETTERS}
    account = "".join(
        chance.choice(alphabets[kind])
        for size, kind in re.findall(r"(\d+)!([nac])", structure)
        for _ in range(int(size))
    )
    return country + ibans.calc_check_digits(country + "00" + account) + account


def iban_countries() -> list[str]:
    """Every country of the IBAN registry that python-stdnum knows."""
    return ["".join(pair) for pair in product(LETTERS, repeat=2) if accounts.iban_length("".join(pair))]


def iban_forms(number: str) -> Iterator[str]:
    """The ways in which an IBAN is written."""
    for separator in ("", " ", "-", ".", "\n", "  ", "/"):
        fours = [number[start : start + 4] for start in range(0, len(number), 4)]
        written = separator.join(fours) if separator != "\n" else " ".join(fours[:3]) + "\n" + " ".join(fours[3:])
        yield from (written, written.lower())
    yield f"{number[:2]} {number[2:4]} {number[4:]}"


def card(chance: random.Random) -> str:
    """A valid number of a payment card of any issuer."""
    low, high, lengths = chance.choice(accounts.ISSUERS)
    size = chance.choice(lengths)
    first = f"{chance.randrange(int(low), int(high) + 1)}"
    body = first + "".join(str(chance.randrange(10)) for _ in range(size - len(first) - 1))
    return body + luhn.calc_check_digit(body)


def device(chance: random.Random) -> str:
    """A valid IMEI."""
    body = "35" + "".join(str(chance.randrange(10)) for _ in range(12))
    assert imei.is_valid(body + luhn.calc_check_digit(body))
    return body + luhn.calc_check_digit(body)


def coin(chance: random.Random) -> str:
    """A Bitcoin address of the first kind over random bytes."""
    import hashlib

    body = b"\0" + chance.randbytes(20)
    whole = body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4]
    value, written = int.from_bytes(whole), ""
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    while value:
        value, place = divmod(value, 58)
        written = alphabet[place] + written
    written = "1" * (len(whole) - len(whole.lstrip(b"\0"))) + written
    assert bitcoin.is_valid(written)
    return written


def rows() -> tuple[NationalId, ...]:
    """Every id of every country."""
    return national.TABLE


def passes(row: NationalId, number: str) -> bool:
    """Whether the country's check takes a number as written."""
    return numbers.checks(row, number)
