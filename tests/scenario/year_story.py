"""A year of a small clinic: eight patients and what happens to them.

Each line is a clinic-local day and time, who, what. `labs` is a CSV a nurse loads: complete
panels with unremarkable values, except those named (`neutrophils=0.9`, `lymphocytes=400_/uL`
where the unit is not the usual one).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

PATIENTS = """\
mrn,family_name,given_name,birth_date,drug,started_on,dose_mg_per_day,clinic,tpmt,nudt15,weight_kg
A-ANN,Adams,Ann,1970-03-01,azathioprine,2026-01-05,50,rheumatology,normal,normal,70
B-BEN,Brown,Ben,1981-07-12,azathioprine,2026-01-05,50,rheumatology,normal,normal,70
C-CAT,Clark,Cat,1990-11-30,azathioprine,2026-01-05,50,gastroenterology,normal,normal,70
D-DAN,Davis,Dan,1965-05-05,azathioprine,2026-01-05,100,gastroenterology,normal,normal,70
E-EVE,Evans,Eve,1977-09-17,azathioprine,2026-01-05,50,rheumatology,normal,normal,70
F-FLO,Frank,Flo,1958-02-28,azathioprine,2026-01-05,50,hepatology,normal,normal,70
G-GUS,Green,Gus,1949-12-24,azathioprine,2026-01-05,50,hepatology,normal,normal,70
H-HAL,Hill,Hal,1985-08-08,azathioprine,2026-01-05,50,rheumatology,normal,normal,70
"""

BASELINE_ON = "2025-12-29T09:00"
"""A week before the start, all but Ben were tested; the laboratory's file waits for them."""

USUAL = {
    "hemoglobin": ("140", "g/L"),
    "white_cells": ("6.0", "10*9/L"),
    "neutrophils": ("4.0", "10*9/L"),
    "lymphocytes": ("1.5", "10*9/L"),
    "platelets": ("250", "10*9/L"),
    "bilirubin": ("10", "umol/L"),
    "alt": ("25", "U/L"),
}
CBC = ("hemoglobin", "white_cells", "neutrophils", "lymphocytes", "platelets")
LFT = ("bilirubin", "alt")

TOLD = """\
# Ben is never tested until a nurse reaches him in March.
2026-03-10 11:00 labs B-BEN cbc
# Cat misses the third week and comes in the fourth.
# Dan: neutrophils fall, then 0.9; held, rechecked, recovered; closed by the consultant.
2026-02-09 10:30 labs D-DAN cbc neutrophils=3.4
2026-02-16 10:30 labs D-DAN cbc neutrophils=2.4
2026-02-23 10:30 labs D-DAN cbc neutrophils=1.4
2026-02-24 09:00 event D-DAN hold 2026-03-10 neutrophils 1.4
2026-03-02 10:30 labs D-DAN cbc neutrophils=0.9
2026-03-02 16:00 ack D-DAN rule:neutropenia Dr Gray
2026-03-04 10:30 labs D-DAN cbc neutrophils=1.2
2026-03-09 10:30 labs D-DAN cbc neutrophils=2.2
2026-03-12 09:00 close D-DAN rule:neutropenia Dr Gray: drug held, counts recovered, resumes at 50 mg
2026-03-16 09:00 event D-DAN dose 50
2026-03-16 09:00 event D-DAN resume
2026-03-23 10:30 labs D-DAN cbc
2026-03-30 10:30 labs D-DAN cbc+lft
2026-04-07 10:30 labs D-DAN cbc
2026-04-13 10:30 labs D-DAN cbc
2026-04-20 10:30 labs D-DAN cbc
2026-04-27 10:30 labs D-DAN cbc
2026-05-05 10:30 labs D-DAN cbc
2026-05-11 10:30 labs D-DAN cbc
# Eve's other laboratory counts in cells per microlitre; later it corrects itself.
2026-04-05 14:00 labs E-EVE cbc+lft lymphocytes=400_/uL
2026-04-08 11:00 corrected E-EVE 2026-04-05 lymphocytes=1400_/uL
# Flo's sample clots; the repeat comes a week later.
2026-05-26 10:00 labs F-FLO cbc+lft platelets=clotted
2026-06-02 10:00 labs F-FLO cbc+lft
# Gus: a dose increase in June restarts the weekly tests, and he misses the second.
2026-06-08 09:00 event G-GUS dose 75
2026-06-15 10:00 labs G-GUS cbc
2026-07-06 10:00 labs G-GUS cbc+lft
2026-07-13 10:00 labs G-GUS cbc
2026-07-20 10:00 labs G-GUS cbc
2026-07-27 10:00 labs G-GUS cbc
2026-08-03 10:00 labs G-GUS cbc
# Hal stops in September; a low platelet count in the wash-out, then recovery.
2026-09-14 09:00 event H-HAL stop
2026-09-28 10:00 labs H-HAL cbc platelets=120
2026-10-05 10:00 labs H-HAL cbc platelets=180
2026-10-06 09:00 close H-HAL rule:thrombocytopenia Dr Gray: recovered after the stop
# An unknown number and a wrong unit wait in quarantine until somebody looks.
2026-10-12 10:00 labs X-XENIA cbc
2026-10-19 10:00 labs A-ANN lft alt=25_g/L
"""

QUARTERLY = {
    "A-ANN": ("2026-03-02", "2026-06-01", "2026-08-31", "2026-11-30"),
    "B-BEN": ("2026-06-09", "2026-09-08", "2026-12-08"),
    "C-CAT": ("2026-03-02", "2026-06-02", "2026-09-01", "2026-12-01"),
    "D-DAN": ("2026-06-15", "2026-09-14", "2026-12-14"),
    "E-EVE": ("2026-07-06", "2026-10-05", "2027-01-04"),
    "F-FLO": ("2026-03-02", "2026-09-01", "2026-12-01"),
    "G-GUS": ("2026-03-02", "2026-11-02"),
    "H-HAL": ("2026-03-02", "2026-06-01", "2026-08-31"),
}
WEEKLY = {
    "A-ANN": (0, 1, 2, 3, 4, 5, 6, 7),
    "C-CAT": (0, 1, 3, 4, 5, 6, 7),
    "D-DAN": (0, 1, 2, 3, 4),
    "E-EVE": (0, 1, 2, 3, 4, 5, 6, 7, 8),
    "F-FLO": (0, 1, 2, 3, 4, 5, 6, 7),
    "G-GUS": (0, 1, 2, 3, 4, 5, 6, 7),
    "H-HAL": (0, 1, 2, 3, 4, 5, 6, 7),
}
FIRST_MONDAY = datetime(2026, 1, 5, 10, 0)


@dataclass(frozen=True)
class Step:
    """One thing that happens: `words` begins with the MRN."""

    at: datetime
    what: str
    words: tuple[str, ...]


def steps() -> list[Step]:
    """Everything that happens in the year, in order of time."""
    found = [_step(line) for line in TOLD.splitlines() if not line.startswith("#")]
    for mrn, weeks in WEEKLY.items():
        for week in weeks:
            panels = "cbc+lft" if week == 0 else "cbc"
            found.append(Step(FIRST_MONDAY + timedelta(weeks=week), "labs", (mrn, panels)))
    for mrn, days in QUARTERLY.items():
        for day in days:
            at = datetime.fromisoformat(f"{day}T10:00")
            found.append(Step(at, "labs", (mrn, "cbc+lft")))
    return sorted(found, key=lambda step: (step.at, step.words))


def _step(line: str) -> Step:
    day, time, what, *words = line.split(" ")
    return Step(datetime.fromisoformat(f"{day}T{time}"), what, tuple(words))


def results_csv(step: Step) -> str:
    """The nurse's file of one `labs` step, or of one `corrected` value."""
    if step.what == "corrected":
        mrn, day, *values = step.words
        collected, panels, status = f"{day}T14:00", "", "corrected"
    else:
        mrn, panels, *values = step.words
        collected, status = step.at.isoformat(timespec="minutes"), "final"
    named = dict(value.split("=", 1) for value in values)
    wanted = [*(CBC if "cbc" in panels else ()), *(LFT if "lft" in panels else ())] or list(named)
    lines = ["mrn,collected_at,analyte,value,unit,specimen_id,status"]
    for analyte in wanted:
        value, unit = USUAL[analyte]
        if analyte in named:
            value, _, own = named[analyte].partition("_")
            unit = own or unit
        lines.append(f"{mrn},{collected},{analyte},{value},{unit},{mrn}-{collected[:10]},{status}")
    return "\n".join(lines) + "\n"


def baseline_csv() -> str:
    """The tests before the first dose."""
    lines = ["mrn,collected_at,analyte,value,unit"]
    for mrn in WEEKLY:
        for analyte, (value, unit) in USUAL.items():
            lines.append(f"{mrn},{BASELINE_ON},{analyte},{value},{unit}")
    return "\n".join(lines) + "\n"


def events_csv(step: Step) -> str:
    mrn, event, *rest = step.words
    value, note = (rest or [""])[0], " ".join(rest[1:])
    return f"mrn,on,event,value,note\n{mrn},{step.at:%Y-%m-%d},{event},{value},{note}\n"
