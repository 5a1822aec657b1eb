"""Laboratory CSV as it comes: long and wide, several languages, with what surrounds it."""

from __future__ import annotations

from tools.fuzz.mutation import mutator

_LONG = """\
mrn,collected_at,analyte,value,unit,ref_low,ref_high,specimen_id,status,reported_at,comment
F1,2026-03-02T08:30,neutrophils,0.9,10*9/L,1.8,7.5,A1,F,2026-03-02T11:02,
F1,2026-03-02T08:30,platelets,clotted,,,,A1,F,2026-03-02T11:02,"please
repeat"
F2,2026-03-02,6690-2,<3.4,K/uL,,,,P,,
F2,2026-03-02,lymphocytes,31,%,,,,C,,haemolysed
F3,2026-03-02,ALT,40,U/L,,,,W,,
"""
_WIDE = """\
mrn,collected_at,neutrophils [10*9/L],platelets [10*9/L],alt [U/L]
F1,2026-03-02T08:30,2.1,240,31
F2,2026-03-02T08:30,,180,>1000
"""
_TOKENS = (
    "", " ", "F1", "f1", "F9", "0.1", "<0.1", ">1000", "1+", "1,234", "1.234,5", "1'234", "-3",
    "1e9", "1e999", "NaN", "see comment", "haemolysed", "Not done", "pending", "2026-03-02",
    "02.03.2026", "03/04/26", "13/13/2026", "46083", "2026-02-30T25:61", "9999-12-31T23:59-14:00",
    "10*9/L", "K/uL", "%", "G/L", "neutrophils", "6690-2", "mrn", "collected_at", "value", "unit",
    "Ergebnis", "3.9 - 11.2", "[ 1.1 - 4.0 ]", "< 50", '"', '""', '"a;b"', "sep=;", "F", "W", "X",
    "=1+1", "\u0660\u0661", "\u202e", "\ufeff", "x" * 5000, "9" * 400, ",,,,", ";;;;",
)  # fmt: skip

MUTATE = mutator([token.encode() for token in _TOKENS], b",;\t|")


def corpus() -> tuple[bytes, ...]:
    """True files, to be spoilt."""
    texts = (_LONG, _WIDE)
    return tuple(text.encode() for text in texts)
