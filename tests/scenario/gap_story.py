"""Five weeks of a clinic with gaps in its blood tests, as they were told to the command line."""

from __future__ import annotations

from typing import Any

from tests.command_line import CommandLine

PEOPLE = """\
mrn,family_name,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg,clinic
P1,Doe,azathioprine,2026-01-05,normal,normal,100,70,north
P2,Roe,azathioprine,2026-01-05,normal,normal,100,70,north
P3,Poe,azathioprine,2026-01-05,normal,normal,100,70,south
P4,Moe,azathioprine,2026-01-05,normal,normal,100,70,south
P5,Coe,azathioprine,2026-01-05,normal,normal,100,70,south
"""
HEADER = (
    "mrn,collected_at,hemoglobin [g/L],white cells [10*9/L],neutrophils [10*9/L],"
    "lymphocytes [10*9/L],platelets [10*9/L],bilirubin [umol/L],alt [U/L]"
)
EVERYBODY = ("P1", "P2", "P3", "P4", "P5")
NOW = "2026-02-10T12:00"
DAYS = ("--from", "2026-01-05", "--to", "2026-02-08")


class Story:
    """What came on which day, told to the command line."""

    def __init__(self, clinic: CommandLine) -> None:
        self.clinic = clinic
        self._files = 0

    def __call__(self, on: str, *command: str) -> None:
        ended = self.clinic(*command, "--at", on)
        assert ended.code in (0, 3), ended.err

    def tested(self, came: str, *days: str, who: tuple[str, ...], row: str = "") -> None:
        row = row or "140,6.0,4.0,1.5,250,10,20"
        lines = [f"{mrn},{day},{row}" for day in days for mrn in who]
        self._load(came, "\n".join([HEADER, *lines]))

    def value(self, came: str, line: str) -> None:
        self._load(came, f"mrn,collected_at,analyte,value,unit\n{line}\n")

    def happened(self, on: str, *lines: str) -> None:
        self._files += 1
        text = "\n".join(["mrn,on,event,value,note", *lines])
        self(on, "events", self.clinic.write(f"events{self._files}.csv", text))

    def _load(self, came: str, text: str) -> None:
        self._files += 1
        self(came, "load", self.clinic.write(f"labs{self._files}.csv", text))

    def overdue_alert(self, mrn: str, on: str) -> str:
        rows = self.clinic("alerts", "--json", "--at", on).json
        return next(
            str(it["id"]) for it in rows if (it["mrn"], it["kind"]) == (mrn, "overdue_test")
        )


def told_to(clinic: CommandLine) -> CommandLine:
    """Five patients. P1 is in time, but the count of 19 January comes on the 30th. P2 is held,
    could not be reached, and declines. P3 is elsewhere for a while. Of P4 a value waits in
    quarantine, and a sample lacks lymphocytes. Of P5 nothing is known since 12 January."""
    tell = Story(clinic)
    tell("2026-01-05", "enrol", clinic.write("people.csv", PEOPLE))
    tell.tested("2026-01-05T08:00", "2025-12-29", who=EVERYBODY)
    tell.tested("2026-01-12T16:00", "2026-01-12", who=EVERYBODY)
    tell.happened("2026-01-15", "P3,2026-01-14,monitored_elsewhere,2026-02-01,letter of Dr Ash")
    tell.value("2026-01-19T16:00", "P4,2026-01-19,platelets,231,furlong")
    tell("2026-01-23", "sweep")
    tell.tested("2026-01-27T16:00", "2026-01-26", who=("P1",))
    alert = tell.overdue_alert("P2", "2026-01-28")
    for day, outcome in (
        ("2026-01-28", "no_answer"),
        ("2026-01-29", "no_answer"),
        ("2026-02-02", "declined"),
    ):
        tell(f"{day}T10:00", "contact", alert, "--outcome", outcome, "--by", "Nurse Bell")
        if day == "2026-01-29":
            tell.happened("2026-01-29T11:00", "P2,2026-01-25,hold,,fever")
            tell.tested("2026-01-30T08:00", "2026-01-19", who=("P1",))
            tell.tested("2026-01-30T09:00", "2026-01-29", who=("P4",), row="140,6.0,4.0,,250,10,20")
    tell(
        "2026-02-02T11:00",
        "quarantine",
        "discard",
        "1",
        "--by",
        "Nurse Bell",
        "--reason",
        "no platelets",
    )
    tell.tested("2026-02-03T09:00", "2026-02-02", who=("P1", "P3"))
    tell(
        "2026-02-03T10:00",
        "snooze",
        tell.overdue_alert("P4", "2026-02-03T10:00"),
        "--until",
        "2026-02-06",
        "--by",
        "Nurse Bell",
        "--reason",
        "comes on Friday",
    )
    return clinic


def whole(desk: CommandLine, *more: str) -> Any:
    ended = desk("report", "gaps", *DAYS, "--json", "--at", NOW, *more)
    assert ended.code == 0, ended.err
    return ended.json
