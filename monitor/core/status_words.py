"""The words by which laboratories say how final a result is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from monitor.core.vocabulary import Status

PLACEHOLDER = "placeholder"
"""A status that announces a result and brings none: pending, not asked, registered."""

_FINAL, _CORRECTED, _PRELIMINARY = Status.FINAL, Status.CORRECTED, Status.PRELIMINARY
_WITHDRAWN, _CANCELLED = Status.WITHDRAWN, Status.CANCELLED

_WORDS: dict[str, Status | str] = {
    # HL7 table 0085
    "f": _FINAL, "v": _FINAL, "u": _FINAL, "b": _FINAL,
    "c": _CORRECTED, "a": _CORRECTED,
    "p": _PRELIMINARY, "r": _PRELIMINARY, "s": _PRELIMINARY,
    "d": _WITHDRAWN, "w": _WITHDRAWN,
    "x": _CANCELLED,
    "i": PLACEHOLDER, "n": PLACEHOLDER, "o": PLACEHOLDER,
    # FHIR observation-status
    "registered": PLACEHOLDER,
    "preliminary": _PRELIMINARY, "unknown": _PRELIMINARY,
    "final": _FINAL, "appended": _FINAL,
    "corrected": _CORRECTED, "amended": _CORRECTED,
    "enteredinerror": _WITHDRAWN,
    "cancelled": _CANCELLED, "canceled": _CANCELLED,
    # plain words
    "verified": _FINAL, "partial": _PRELIMINARY, "correction": _CORRECTED,
    "withdrawn": _WITHDRAWN, "deleted": _WITHDRAWN,
    "pending": PLACEHOLDER, "notasked": PLACEHOLDER,
    # what programs and people write
    "complete": _FINAL, "completed": _FINAL, "finalresult": _FINAL, "resulted": _FINAL,
    "validated": _FINAL, "authorised": _FINAL, "authorized": _FINAL, "auth(verified)": _FINAL,
    "released": _FINAL, "signed": _FINAL, "approved": _FINAL, "reported": _FINAL,
    "endbefund": _FINAL, "endgültig": _FINAL, "freigegeben": _FINAL, "validiert": _FINAL,
    "définitif": _FINAL, "validé": _FINAL, "definitivo": _FINAL, "validado": _FINAL,
    "vidiert": _FINAL, "definitief": _FINAL, "gevalideerd": _FINAL, "validato": _FINAL,
    "liberado": _FINAL, "reviewed": _FINAL,
    "modified": _CORRECTED, "altered": _CORRECTED, "edited": _CORRECTED, "revised": _CORRECTED,
    "editedresultfinal": _CORRECTED, "korrigiert": _CORRECTED, "korrektur": _CORRECTED,
    "corrigé": _CORRECTED, "corregido": _CORRECTED, "corrigido": _CORRECTED,
    "corretto": _CORRECTED, "auth(modified)": _CORRECTED, "gecorrigeerd": _CORRECTED,
    "interim": _PRELIMINARY, "provisional": _PRELIMINARY, "unauth": _PRELIMINARY,
    "vorläufig": _PRELIMINARY, "teilbefund": _PRELIMINARY, "provisoire": _PRELIMINARY,
    "prelim": _PRELIMINARY, "unverified": _PRELIMINARY, "voorlopig": _PRELIMINARY,
    "provvisorio": _PRELIMINARY, "preliminar": _PRELIMINARY, "parcial": _PRELIMINARY,
    "partiel": _PRELIMINARY,
    "inerror": _WITHDRAWN, "widerrufen": _WITHDRAWN, "void": _WITHDRAWN, "voided": _WITHDRAWN,
    "storniert": _CANCELLED, "annulé": _CANCELLED, "anulado": _CANCELLED,
    "notdone": _CANCELLED, "notperformed": _CANCELLED,
    "inprocess": PLACEHOLDER, "inprogress": PLACEHOLDER, "ordered": PLACEHOLDER,
    "incomplete": PLACEHOLDER, "angefordert": PLACEHOLDER, "inarbeit": PLACEHOLDER,
    "certified": _FINAL, "autoverified": _FINAL, "done": _FINAL, "abgeschlossen": _FINAL,
    "fertig": _FINAL, "endergebnis": _FINAL, "definitive": _FINAL, "validata": _FINAL,
    "confermato": _FINAL, "slutsvar": _FINAL, "slutgiltig": _FINAL, "slutgiltigt": _FINAL,
    "endelig": _FINAL, "endeligt": _FINAL, "godkendt": _FINAL, "godkjent": _FINAL,
    "lopullinen": _FINAL, "ostateczny": _FINAL, "zatwierdzony": _FINAL, "konečný": _FINAL,
    "onaylandı": _FINAL, "onaylı": _FINAL, "окончательный": _FINAL, "已审核": _FINAL,
    "medfreigegeben": _FINAL, "medizinischfreigegeben": _FINAL, "medvalidiert": _FINAL,
    "medizinischvalidiert": _FINAL, "ärztlichvalidiert": _FINAL,
    "updated": _CORRECTED, "modifié": _CORRECTED, "rectifié": _CORRECTED,
    "modificado": _CORRECTED, "rectificado": _CORRECTED, "retificado": _CORRECTED,
    "modificato": _CORRECTED, "rettificato": _CORRECTED, "gewijzigd": _CORRECTED,
    "rättat": _CORRECTED, "rättad": _CORRECTED, "korrigerad": _CORRECTED,
    "korrigerat": _CORRECTED, "korrigeret": _CORRECTED, "korrigert": _CORRECTED,
    "rettet": _CORRECTED, "korjattu": _CORRECTED, "skorygowany": _CORRECTED,
    "opravený": _CORRECTED, "修正": _CORRECTED,
    "préliminaire": _PRELIMINARY, "preliminare": _PRELIMINARY, "nonvalidé": _PRELIMINARY,
    "vorabbefund": _PRELIMINARY, "zwischenbefund": _PRELIMINARY, "unvalidiert": _PRELIMINARY,
    "nichtvalidiert": _PRELIMINARY, "nichtfreigegeben": _PRELIMINARY,
    "technischfreigegeben": _PRELIMINARY, "technfreigegeben": _PRELIMINARY,
    "technischvalidiert": _PRELIMINARY, "technvalidiert": _PRELIMINARY,
    "notvalidated": _PRELIMINARY, "notverified": _PRELIMINARY, "notfinal": _PRELIMINARY,
    "preliminär": _PRELIMINARY, "preliminärt": _PRELIMINARY, "preliminärsvar": _PRELIMINARY,
    "foreløbig": _PRELIMINARY, "foreløbigt": _PRELIMINARY, "foreløpig": _PRELIMINARY,
    "alustava": _PRELIMINARY, "wstępny": _PRELIMINARY, "předběžný": _PRELIMINARY,
    "предварительный": _PRELIMINARY, "初步": _PRELIMINARY,
    "nullified": _WITHDRAWN, "retracted": _WITHDRAWN, "zurückgezogen": _WITHDRAWN,
    "gelöscht": _WITHDRAWN, "makulerad": _WITHDRAWN,
    "cancelado": _CANCELLED, "annullato": _CANCELLED, "geannuleerd": _CANCELLED,
    "vervallen": _CANCELLED, "annulleret": _CANCELLED, "annullert": _CANCELLED,
    "annullerad": _CANCELLED, "peruttu": _CANCELLED, "anulowany": _CANCELLED,
    "zrušený": _CANCELLED,
    "offen": PLACEHOLDER, "ausstehend": PLACEHOLDER, "inbearbeitung": PLACEHOLDER,
    "encours": PLACEHOLDER, "enattente": PLACEHOLDER, "pendiente": PLACEHOLDER,
    "pendente": PLACEHOLDER, "incorso": PLACEHOLDER, "inbehandeling": PLACEHOLDER,
}  # fmt: skip

_TAKEN_BACK = (_WITHDRAWN, _CANCELLED)
_FLAGS = frozenset(("normal", "abnormal", "high", "low", "critical"))
"""A column of this name may hold flags, and says nothing then."""
_IDLE = frozenset(
    (
        "report", "result", "results", "status", "lab", "test", "befund", "ergebnis", "resultat",
        "résultat", "resultado", "risultato", "rapport", "svar", "uitslag",
    )
)  # fmt: skip
"""Words beside one that tells: `Final report`, `Rättat svar`."""
KNOWN_WORDS = "F, C, P, W, X or final, corrected, preliminary, withdrawn, cancelled"
_LONGEST = 80
_NO_LETTER = re.compile(r"[\W_]+")


def _bare(text: str) -> str:
    """A word without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


_BY_WORD = {_bare(word): status for word, status in _WORDS.items()}
_IDLE_BARE = frozenset(map(_bare, _IDLE))


def read_status(word: str) -> Status | str | None:
    """The meaning of a laboratory's status word: a Status, PLACEHOLDER, or None if unknown.

    Case, spaces, hyphens and underscores do not matter; no word means final.
    """
    text = "".join(sign for sign in word.casefold() if sign not in " -_\t")
    if not text or text in _FLAGS:
        return _FINAL
    return _WORDS.get(text) or _told_in_words(word)


@lru_cache(1024)
def _told_in_words(text: str) -> Status | str | None:
    """`F - Final`, `Final report`, `Corrected (final)`: a code with its meaning, words that say
    nothing beside one that tells. Every word must be known, and one of them be more than a code:
    `not final` is not final."""
    words = [it for it in _NO_LETTER.split(_bare(text[: _LONGEST + 1])) if it]
    codes = [it for it in words if len(it) == 1]
    told = [it for it in words if len(it) > 1 and it not in _IDLE_BARE]
    if len(text) > _LONGEST or not told:
        return None
    whole = _BY_WORD.get("".join(told))
    said = {_BY_WORD.get(it) for it in told} if whole is None else {whole}
    if said == {_FINAL, _CORRECTED}:
        said.discard(_FINAL)
    said |= {_BY_WORD.get(it) for it in codes}
    only = said.pop() if len(said) == 1 else None
    # That a whole report is cancelled leaves open what becomes of a number that stands in it.
    return None if only in _TAKEN_BACK and len(codes) + len(told) < len(words) else only
