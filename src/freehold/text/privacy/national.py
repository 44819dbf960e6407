"""National ids of persons: how each is written, what checks it, where it is at home, which words announce it.

Every check is a module of `python-stdnum` (structure, date of birth, check digits). Where an id stands without a word
that announces it, it is taken only if it is `sure` (its written form is found in nothing else), or `home` (in a text
in a language of its country, and its check is strong). All others need a word: laws are full of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Alone = Literal["sure", "home", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """One id of one country."""

    country: str  # ISO 3166-1 alpha-2
    check: str  # module of stdnum; "" where there is no check digit
    groups: tuple[tuple[int, ...], ...] = ()  # sizes of the groups of digits as written
    shape: str = ""  # or a pattern, where letters belong to it
    languages: frozenset[str] = frozenset()  # ISO 639-3
    alone: Alone = "never"
    words: str = ""
    marked: bool = False  # what stands between the groups has a meaning, such as a century


def digits(
    country: str, check: str, written: str, languages: str, words: str, *, alone: Alone = "never", marked: bool = False
) -> NationalId:
    """An id of digits alone; `written` has one word per form, such as ``11 2-3-3-3``."""
    groups = tuple(tuple(int(size) for size in form.split("-")) for form in written.split())
    spoken = frozenset(languages.split())
    return NationalId(
        country=country, check=check, groups=groups, languages=spoken, words=words, alone=alone, marked=marked
    )


def letters(country: str, check: str, shape: str, languages: str, words: str, *, alone: Alone = "never") -> NationalId:
    """An id with letters; `shape` is matched regardless of case, from six digits or so, and has no open repeats."""
    spoken = frozenset(languages.split())
    return NationalId(country=country, check=check, shape=shape, languages=spoken, words=words, alone=alone)


# Words that announce an id of any country.
ANY: Final = (
    "national id|identity number|identity card|identity code|identification number|id number|id no|id-nr|"
    "personal code|personal number|personal id|citizen number|tax id|tax number|taxpayer|tin|social security|"
    "national insurance|passport"
)
BIRTH: Final = "rodné číslo|rodného čísla|rodným číslom|rodným číslem|r.č.|rč|birth number"

TABLE: Final = (
    # Member states of the European Union
    digits("AT", "at.vnr", "10 4-6 4-2-2-2", "deu", "Versicherungsnummer|Sozialversicherungsnummer|SVNR|SV-Nr|VSNR"),
    digits("AT", "at.tin", "9 2-3-4 5-4", "deu", "Abgabenkontonummer|Steuernummer|St.-Nr|StNr"),
    digits("BE", "be.ssn", "11 2-2-2-3-2 6-3-2 6-5", "nld fra deu", "rijksregisternummer|registre national|"
           "Nationalregisternummer|INSZ|NISS|numéro national|BIS-nummer|NRN", alone="home"),
    digits("BG", "bg.egn", "10", "bul", "ЕГН|единен граждански номер|EGN"),
    digits("BG", "bg.pnf", "10 4-3-3", "bul", "ЛНЧ|личен номер|LNCh"),
    digits("CZ", "cz.rc", "6-4 6-3", "ces", BIRTH, alone="home"),
    digits("CZ", "cz.rc", "10 9", "ces", BIRTH),
    digits("SK", "sk.rc", "6-4 6-3", "slk", BIRTH, alone="home"),
    digits("SK", "sk.rc", "10 9", "slk", BIRTH),
    digits("DE", "de.idnr", "11 2-3-3-3", "deu", "Identifikationsnummer|IdNr|Steuer-ID|SteuerID|Steuer-IdNr|"
           "Steueridentifikationsnummer|Steuernummer", alone="home"),
    digits("DK", "dk.cpr", "6-4", "dan", "CPR|personnummer|CPR-nr|CPR-nummer", alone="home"),
    digits("DK", "dk.cpr", "10", "dan", "CPR|personnummer|CPR-nr|CPR-nummer"),
    digits("EE", "ee.ik", "11", "est", "isikukood|isikukoodi|IK", alone="home"),
    letters("ES", "es.dni", r"[0-9]{8}[ -]?[A-Z]|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-Z]", "spa cat glg eus",
            "DNI|NIF|D.N.I.|N.I.F.|documento nacional de identidad|document nacional d'identitat|NAN|IFZ",
            alone="sure"),
    letters("ES", "es.nie", r"[XYZ][ -]?[0-9]{7}[ -]?[A-Z]", "spa cat glg eus", "NIE|N.I.E.", alone="sure"),
    letters("FI", "fi.hetu", r"[0-9]{6}(?:[-+A-FU-Y][0-9]{3}[A-Z]|[A-FU-Y][0-9]{4})", "fin swe",
            "henkilötunnus|hetu|personbeteckning", alone="sure"),
    digits("FI", "fi.hetu", "6-4", "fin swe", "henkilötunnus|hetu|personbeteckning", alone="home", marked=True),
    digits("FR", "fr.nir", "15 1-2-2-2-3-3-2 13-2", "fra", "NIR|sécurité sociale|numéro de sécu|numéro d'inscription|"
           "INSEE", alone="home"),
    letters("FR", "fr.nir", r"[12] ?[0-9]{2} ?[0-9]{2} ?2[AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", "fra",
            "NIR|sécurité sociale", alone="sure"),
    digits("FR", "fr.nif", "13 2-2-3-3-3", "fra", "numéro fiscal|NIF|référence fiscale|identifiant fiscal|SPI"),
    digits("GR", "gr.amka", "11", "ell", "ΑΜΚΑ|Α.Μ.Κ.Α.|AMKA", alone="home"),
    digits("GR", "gr.vat", "9", "ell", "ΑΦΜ|Α.Φ.Μ.|AFM|αριθμός φορολογικού μητρώου"),
    digits("HR", "hr.oib", "11", "hrv", "OIB|osobni identifikacijski broj"),
    letters("IE", "ie.pps", r"[0-9]{7} ?[A-W][A-IW]?", "gle eng", "PPS|PPSN|PPS number|PPS no|RSI number|UPSP|PSP"),
    letters("IT", "it.codicefiscale", r"[A-Z]{3} ?[A-Z]{3} ?[0-9LMNP-V]{2} ?[ABCDEHLMPRST] ?[0-9LMNP-V]{2} ?[A-Z]"
            r"[0-9LMNP-V]{3} ?[A-Z]", "ita", "codice fiscale|cod. fisc.|C.F.|fiscal code", alone="sure"),
    digits("LT", "lt.asmens", "11", "lit", "asmens kodas|asmens kodo|a.k.", alone="home"),
    digits("LV", "lv.pvn", "6-5", "lav", "personas kods|personas koda|personas kodu|p.k.", alone="home"),
    digits("LV", "lv.pvn", "11", "lav", "personas kods|personas koda|personas kodu|p.k."),
    digits("NL", "nl.bsn", "9 4-2-3 3-3-3", "nld", "BSN|burgerservicenummer|sofinummer|sofi-nummer"),
    digits("PL", "pl.pesel", "11", "pol", "PESEL", alone="home"),
    letters("PT", "pt.cc", r"[0-9]{8} ?[0-9] ?[A-Z0-9]{2}[0-9]", "por", "cartão de cidadão|cartão do cidadão|CC"),
    digits("PT", "pt.nif", "9 3-3-3", "por", "NIF|contribuinte|número fiscal|identificação fiscal"),
    digits("RO", "ro.cnp", "13", "ron", "CNP|cod numeric personal|codul numeric personal", alone="home"),
    digits("SE", "se.personnummer", "6-4 8-4", "swe fin", "personnummer|samordningsnummer|pers.nr|personnr",
           alone="home", marked=True),
    digits("SE", "se.personnummer", "10 12", "swe", "personnummer|samordningsnummer|pers.nr|personnr", marked=True),
    digits("SI", "si.emso", "13", "slv hrv srp bos mkd", "EMŠO|EMSO|JMBG|ЈМБГ|matični broj|enotna matična številka",
           alone="home"),
    # Europe beyond the union
    letters("AD", "ad.nrt", r"[FE]-?[0-9]{6}-?[A-Z]", "cat", "NRT|registre tributari", alone="home"),
    letters("AL", "al.nipt", r"[A-M] ?[0-9]{8} ?[A-Z]", "sqi", "NIPT|NUIS|NID"),
    digits("CH", "ch.ssn", "13 3-4-4-2", "deu fra ita roh", "AHV|AVS|AHVN13|Versichertennummer|NAVS|numéro AVS",
           alone="sure"),
    letters("GB", "", r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", "eng",
            "national insurance|NINO|NI number|NI no|N.I. number"),
    digits("GB", "gb.nhs", "10 3-3-4", "eng", "NHS|NHS number|NHS no"),
    digits("IS", "is_.kennitala", "6-4", "isl", "kennitala|kennitölu|kt.", alone="home"),
    digits("IS", "is_.kennitala", "10", "isl", "kennitala|kennitölu|kt."),
    digits("MD", "md.idno", "13", "ron", "IDNP|IDNO|cod personal"),
    digits("NO", "no.fodselsnummer", "11 6-5", "nor nob nno", "fødselsnummer|fødselsnr|personnummer|fnr|D-nummer",
           alone="home"),
    digits("RU", "ru.inn", "12", "rus", "ИНН|INN"),
    digits("TR", "tr.tckimlik", "11", "tur", "T.C. kimlik|TC kimlik|kimlik no|kimlik numarası|TCKN"),
    digits("UA", "ua.rntrc", "10", "ukr", "РНОКПП|ІПН|ідентифікаційний номер|ідентифікаційний код|податковий номер"),
    # Asia and the Pacific
    digits("AU", "au.tfn", "9 8 3-3-3", "eng", "TFN|tax file number"),
    digits("CN", "cn.ric", "18", "zho", "身份证|身分證|居民身份|公民身份", alone="home"),
    letters("CN", "cn.ric", r"[0-9]{17}X", "zho", "身份证|身分證|居民身份|公民身份", alone="sure"),
    digits("ID", "id.nik", "16", "ind", "NIK|nomor induk kependudukan|KTP", alone="home"),
    digits("IL", "il.idnr", "9 8-1", "heb", "ת.ז.|תעודת זהות|מספר זהות|teudat zehut"),
    digits("IN", "in_.aadhaar", "12 4-4-4", "hin eng tam tel ben mar guj kan mal pan urd", "Aadhaar|Aadhar|UIDAI|आधार"),
    letters("IN", "in_.pan", r"[A-Z]{5}[0-9]{4}[A-Z]", "hin eng", "PAN|permanent account number|income tax|पैन"),
    digits("JP", "jp.in_", "12 4-4-4", "jpn", "マイナンバー|個人番号|My Number"),
    digits("KR", "kr.rrn", "6-7", "kor", "주민등록번호|주민번호|외국인등록번호", alone="sure"),
    # Since October 2020 the digits behind the birth date are drawn by lot, without a check digit.
    digits("KR", "", "6-7", "kor", "주민등록번호|주민번호|외국인등록번호"),
    digits("KR", "kr.rrn", "13", "kor", "주민등록번호|주민번호|외국인등록번호"),
    digits("MY", "my.nric", "6-2-4", "msa", "MyKad|NRIC|kad pengenalan|no. KP", alone="home"),
    digits("MY", "my.nric", "12", "msa", "MyKad|NRIC|kad pengenalan|no. KP"),
    digits("NZ", "nz.ird", "8 9 2-3-3 3-3-3", "eng mri", "IRD|IRD number|IRD no"),
    digits("PK", "pk.cnic", "13 5-7-1", "urd eng", "CNIC|NADRA|شناختی کارڈ"),
    digits("TH", "th.pin", "13 1-4-5-2-1", "tha", "เลขประจำตัวประชาชน|บัตรประชาชน|เลขบัตร", alone="home"),
    # The Americas
    digits("AR", "ar.dni", "8 7 2-3-3 1-3-3", "spa", "DNI|D.N.I.|documento nacional de identidad"),
    digits("AR", "ar.cuit", "11 2-8-1", "spa", "CUIT|CUIL|C.U.I.T.|C.U.I.L."),
    digits("BR", "br.cpf", "3-3-3-2 9-2", "por", "CPF|C.P.F.|cadastro de pessoas físicas", alone="home"),
    digits("BR", "br.cpf", "11", "por", "CPF|C.P.F.|cadastro de pessoas físicas"),
    digits("CA", "ca.sin", "9 3-3-3", "eng fra", "SIN|social insurance|NAS|assurance sociale"),
    digits("CL", "cl.rut", "8-1 7-1 2-3-3-1 1-3-3-1", "spa", "RUT|RUN|R.U.T.|rol único tributario"),
    letters("CL", "cl.rut", r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-?K", "spa", "RUT|RUN|R.U.T.|rol único tributario"),
    digits("CO", "co.nit", "9-1 3-3-3-1 10", "spa", "NIT|N.I.T.|cédula de ciudadanía"),
    digits("CR", "cr.cpf", "1-4-4 9", "spa", "cédula|cédula de identidad"),
    digits("CU", "cu.ni", "11", "spa", "carné de identidad|número de identidad"),
    digits("DO", "do.cedula", "11 3-7-1", "spa", "cédula|cédula de identidad"),
    digits("EC", "ec.ci", "10 9-1", "spa", "cédula|cédula de identidad|C.I.|C.C."),
    letters("MX", "mx.curp", r"[A-Z]{4}[0-9]{6}[HM][A-Z]{5}[A-Z0-9][0-9]", "spa", "CURP", alone="sure"),
    digits("PE", "pe.cui", "8-1 9", "spa", "DNI|CUI|D.N.I."),
    letters("PE", "pe.cui", r"[0-9]{8}-?[A-K]", "spa", "DNI|CUI|D.N.I."),
    digits("US", "us.ssn", "3-2-4 9", "eng", "SSN|social security"),
    digits("US", "us.itin", "3-2-4", "eng", "ITIN|taxpayer identification"),
    letters("VE", "ve.rif", r"[VE] ?-?[0-9]{8}-?[0-9]", "spa", "RIF|R.I.F."),
    # Africa
    letters("MU", "mu.nid", r"[A-Z][0-9]{12}[0-9A-Z]", "eng fra mfe", "NIC|NID|national identity card"),
    digits("ZA", "za.idnr", "13 6-4-2-1 6-4-3", "afr eng zul xho", "ID-nommer|identiteitsnommer|RSA ID|SA ID",
           alone="home"),
)  # fmt: skip
COUNTRIES: Final = tuple(sorted({each.country for each in TABLE}))
