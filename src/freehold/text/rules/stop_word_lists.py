"""Function words by language (ISO 639-3), as they stand inside a sentence. Add a line to add a language."""

from __future__ import annotations

from typing import Final

LISTS: Final = {
    "afr": "die en van is in het nie wat te met",
    "bul": "и на за от се да не по в с",
    "cat": "el la els les de i que en per amb no del un una",
    "ces": "a v na se o je z k do nebo podle pro ve za",
    "dan": "og i at den det til af for som med ikke en",
    "deu": "der die das und in den von zu mit für nicht des ist im oder ein eine auf nach",
    "ell": "και το του της η την τον με για από σε να οι τα των",
    "eng": "the of and to in a is that for be with or by not",
    "est": "ja on ei või kui et mis selle ning ta see",
    "eus": "eta da ez du edo bat dira izan hori",
    "fin": "ja on ei tai että se jos sekä ovat mukaan hän oli",
    "fra": "le la les de des du et en un une que qui dans pour par est au aux à",
    "gle": "an na agus ar is le i do go de",
    "glg": "o a os as de e que en do da un unha para por non",
    "hrv": "i u na je se o za od te koji da ili",
    "hun": "a az és vagy nem hogy is egy ha szerint",
    "isl": "og að í á er sem til ekki við um",
    "ita": "il la di e che in un una per del della è le i non al con dei",
    "lat": "et in non est ad ut cum ex per quod",
    "lav": "un ir ar uz no par kas vai pēc ja",
    "lit": "ir yra kad bei arba su iš į pagal kaip",
    "ltz": "an de den d' ass vun mat fir net oder déi",
    "nld": "de het een van en in is dat op te niet voor met of",
    "nob": "og i å det er som på til av for ikke en",
    "nno": "og i å det er som på til av for ikkje ein",
    "pol": "w i z na o do się nie lub jest przez oraz dla po od",
    "por": "o a os as de e que em do da um uma para por não no na",
    "roh": "da la il e las per in ed en ch'è",
    "ron": "de și în la cu a se sau pe din pentru nu este care",
    "rus": "и в на с не по к что из от для о или",
    "slk": "a v na sa o je z k do alebo podľa pre vo za",
    "slv": "in v na je se za z ki da ali po",
    "spa": "el la los las de y que en un una por para con no del se al a",
    "sqi": "dhe në e të për me nga një që ose",
    "srp": "и у на је се о за од који да i u na je se",
    "swe": "och i att det som en på är av för inte eller den till",
    "tur": "ve bir bu için ile olarak veya da de olan",
    "ukr": "і в у на та з до не що за або від про як",
}
STOP_WORDS: Final = {language: frozenset(words.split()) for language, words in LISTS.items()}
