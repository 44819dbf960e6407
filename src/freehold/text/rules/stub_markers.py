"""What stands where a provision was repealed, by language (ISO 639-3). Add a line to add a language."""

from __future__ import annotations

from typing import Final

EVERYWHERE: Final = ("[…]", "(…)")
MARKERS: Final[dict[str, tuple[str, ...]]] = {
    "cat": ("(Derogat", "(Sense contingut", "(Suprimit", "Derogat", "Sense contingut"),
    "ces": ("zrušen", "Zrušen", "zrušeno", "vypuštěn"),
    "dan": ("(Ophævet", "Ophævet", "ophævet"),
    "deu": ("(weggefallen)", "(aufgehoben)", "(gegenstandslos)", "Aufgehoben", "weggefallen"),
    "ell": ("Καταργήθηκε", "Καταργείται", "καταργήθηκε"),
    "eng": ("Repealed", "repealed", "[Reserved]", "(Reserved)", "Omitted", "[Deleted]", "Spent"),
    "est": ("Kehtetu", "kehtetu", "Välja jäetud"),
    "fin": ("on kumottu", "kumottu", "Kumottu"),
    "fra": ("abrogé", "Abrogé", "(abrogée", "Abrogée", "(supprimé", "Supprimé", "(Néant)"),
    "hrv": ("Brisan", "brisan", "Brisano"),
    "hun": ("Hatályát vesztette", "hatályát vesztette", "hatálytalan"),
    "ita": ("abrogato", "Abrogato", "abrogata", "soppresso", "Soppresso"),
    "jpn": ("削除",),
    "kor": ("삭제", "폐지"),
    "lit": ("Neteko galios", "neteko galios"),
    "lav": ("Izslēgts", "izslēgts"),
    "nld": ("[Vervallen", "Vervallen", "vervallen"),
    "nob": ("Opphevet", "(Opphevet", "opphevet"),
    "pol": ("(uchylony)", "(uchylona)", "(uchylone)", "(skreślony)", "(pominięty)", "(pominięta)", "(utracił moc)"),
    "por": ("(Revogado", "Revogado", "revogado"),
    "ron": ("Abrogat", "abrogat", "Abrogată", "(abrogat"),
    "slk": ("Zrušený", "zrušený", "Zrušené", "zrušené", "vypustený"),
    "slv": ("(črtan)", "(črtana)", "(prenehal veljati)"),
    "spa": ("Derogado", "(Derogado", "(derogado", "Suprimido", "(Suprimido", "(Sin contenido", "Sin contenido"),
    "swe": ("Upphävd", "upphävd", "Har upphävts"),
    "tha": ("ยกเลิก",),
    "tur": ("Mülga", "(Mülga"),
    "ukr": ("виключено", "Виключено", "втратив чинність", "втратила чинність"),
    "zho": ("删除", "刪除", "废止", "廢止"),
}
