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
_GERMAN = """\
Labor Nord;Befund vom 02.03.2026

Patientennummer;Abnahmedatum;Abnahmezeit;Parameter;Ergebnis;Einheit;Referenzbereich;Bemerkung
F1;13.02.2026;08:30;Leukozyten;3,9;Gpt/l;3,9 - 11,2;
F2;02.03.2026;9:05;Thrombozyten;1.250,5;/nl;<50;Aggregate
Ende der Liste
"""
_TABS = """\
PID\tDATE\tLOINC\tNAME\tVALUE\tLOW\tHIGH\tUNITS
F1\t2026-02-03\t731-0\tLymphs\t0.4\t1\t4\tk/cumm
F3\t2026-02-03\t777-3\tPLT\t99\t150\t400\tk/cumm
"""
_PIPES = """\
patient|date|test|result|flag|Specimen Type
F1|02/14/2026|Hgb|12.1 g/dL|L|Blood
F2|03/02/2026|WBC|7.7 K/uL|H|Urine
"""
_REPORT = """\
Laboratory North
Patient ID: F2
Collected;13.02.2026

Test;Result;Unit;Reference range
WBC;3.9;K/uL;< 11
ALT;haemolysed;U/L;up to 50
"""
_COMPANIONS = """\
ID,drawn,WBC,WBC unit,WBC ref,ANC_10^9_per_L,basophils [10*9/L]
F1,20260213,3.9,10^9/L,4-10,0.9,0.1
F2,2026-02-13 08:00,,10^9/L,4-10,1.2,
"""
_CUMULATIVE = """\
Kumulativbefund
Patient-ID:;F1
;;;02.02.2026;;13.02.2026
Parameter;Einheit;Referenz;07:30;19:00;06:45
Leukozyten;G/l;3,9-10,2;5,1;4,2;3,9
ALT (U/l);;<50;31;;haemolysed
Patient-ID:;F2
Parameter;Einheit;Referenz;14.02.2026
Thrombozyten;G/l;;210
"""
_SIDEWAYS = """\
mrn,F1,F2
collected_at,2026-02-02T08:00,2026-02-03
WBC [10*9/L],5.1,6.2
ALT [U/L],22,>1000
"""
_PAGES = """\
Patient ID: F1
Collected: 2026-02-02
Test,Result,Unit
WBC,5.1,G/L
---
Patient ID: F2
Test,Unit,Result
ALT,U/L,22
"""
_TWO_LINES = """\
Patient,Date of,WBC,,ALT,
ID,collection,Result,Unit,Result,Unit
F1,2026-02-02,5.1,G/L,22,U/L
"""
_UNITS_BELOW = """\
Patient ID,Collected,WBC,Neutrophils,ALT
Unit,,10^9/L,10^9/L,U/L
,,3.9-10.2,1.8-7.5,<50
F1,2026-02-02,5.1,3.0,22
"""
_NAMES_AND_DAYS = '''\
"Fall Nr" , "Pat Nr" , "Patientenname" , "Abnahmedatum" , "Abnahmezeitpunkt" , "Analyse" , "Wert"
F77,"=""F1""","Müller, Jürgen",13.02.2026,13.02.2026 08:30,Płytki krwi (10^9/L),130
F78,F2,Лейкоциты,13.02.2026,,"WBC [K/uL]",3'200
'''
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
    texts = (
        _LONG, _WIDE, _GERMAN, _TABS, _PIPES, _REPORT, _COMPANIONS,
        _CUMULATIVE, _SIDEWAYS, _PAGES, _TWO_LINES, _UNITS_BELOW, _NAMES_AND_DAYS,
    )  # fmt: skip
    return tuple(text.encode() for text in texts)
