"""The specification's sentences on alerts and their mails, tried from outside: commands in, JSON
and mails out. Each table reads as a clinic's day."""

from __future__ import annotations

import shutil
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from monitor.demo.catcher import Catcher
from tests.command_line import CommandLine

LONG = "mrn,collected_at,analyte,value,unit,specimen_id,status"
COUNTS = {
    "hemoglobin": ("140", "g/L"),
    "white_cells": ("6.0", "10*9/L"),
    "neutrophils": ("4.0", "10*9/L"),
    "lymphocytes": ("1.5", "10*9/L"),
    "platelets": ("250", "10*9/L"),
}


class Ward:
    """One patient, P1, on azathioprine since 5 January 2026, and what is done about them."""

    def __init__(self, monitor: CommandLine) -> None:
        self.monitor = monitor
        self.files = 0

    def take(self, command: str, head: str, *lines: str, at: str) -> object:
        self.files += 1
        name = self.monitor.write(f"file{self.files}.csv", "\n".join([head, *lines]) + "\n")
        return self.monitor(command, name, "--at", at, "--json").json

    def blood(self, day: str, **values: str) -> None:
        """A whole blood count at 08:00, loaded at noon."""
        lines = [
            f"P1,{day}T08:00,{name},{values.get(name, value)},{unit},,"
            for name, (value, unit) in COUNTS.items()
        ]
        self.take("load", LONG, *lines, at=f"{day}T12:00")

    def before_the_start(self) -> None:
        """The baseline, which comes before the patient is enrolled and waits for that."""
        baseline = COUNTS | {"bilirubin": ("10", "umol/L"), "alt": ("20", "U/L")}
        lines = [
            f"P1,2025-12-29T08:00,{name},{value},{unit},,"
            for name, (value, unit) in baseline.items()
        ]
        self.take("load", LONG, *lines, at="2025-12-29T12:00")

    def history(self, alert_id: int, at: str) -> str:
        """What `explain` tells of an alert's life."""
        said = self.monitor("explain", str(alert_id), "--at", at)
        assert said.code == 0
        return said.out.partition("History")[2]


def new_clinic(monitor: CommandLine, migrated: Path) -> Ward:
    shutil.copy(migrated, monitor.folder / "monitor.db")
    assert monitor("init").code == 0
    ward = Ward(monitor)
    ward.before_the_start()
    head = "mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg"
    ward.take("enrol", head, "P1,azathioprine,2026-01-05,normal,normal,100,70", at="2026-01-05")
    return ward


@pytest.fixture
def ward(monitor: CommandLine, migrated_sqlite: Path) -> Ward:
    """A clinic of one patient, on SQLite alone."""
    return new_clinic(monitor, migrated_sqlite)


def mails(folder: Path) -> list[EmailMessage]:
    """What the mail server took, in order."""
    kept = sorted((folder / "mails").glob("*.eml"))
    return [message_from_bytes(path.read_bytes(), policy=default) for path in kept]


def at_full_privacy(ward: Ward) -> None:
    config = ward.monitor.folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('privacy = "minimal"', 'privacy = "full"'), encoding="utf-8")


def is_critical(mail: EmailMessage) -> bool:
    return str(mail["Subject"]).startswith("CRITICAL")


def told(mail: EmailMessage) -> str:
    """The text of a mail, each stretch of space as one."""
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_a_worse_level_says_which_limit_is_met_now(ward: Ward) -> None:
    ward.blood("2026-01-12", neutrophils="1.5")
    ward.blood("2026-01-13", neutrophils="0.9")
    history = ward.history(1, "2026-01-13T12:00")
    assert "13 Jan 2026, 12:00: worse by monitor: a further limit is met, 1.0 10*9/L" in history


def test_no_message_of_one_clinic_is_taken_for_one_of_another(
    ward: Ward, mailbox: Catcher, migrated_sqlite: Path
) -> None:
    """Mail servers drop a Message-ID that they have seen: two clinics of one hospital, or one
    that began anew, count their alerts from 1 alike."""
    for again in (False, True):
        if again:
            (ward.monitor.folder / "monitor.db").unlink()
            ward = new_clinic(ward.monitor, migrated_sqlite)
        ward.blood("2026-01-12", neutrophils="0.9")
        assert ward.monitor("deliver", "--at", "2026-01-12T12:00").code == 0
    sent = mails(ward.monitor.folder)
    critical = [mail for mail in sent if mail["Subject"].startswith("CRITICAL")]
    assert len(critical) == 2
    assert len({mail["Message-ID"] for mail in sent}) == len(sent) == 4
    assert len({mail["References"] for mail in critical}) == 2


def test_a_recovered_episode_is_not_told_by_the_low_count_of_the_next_one(
    ward: Ward, mailbox: Catcher
) -> None:
    """Its mail said of 0.95, which another episode is about: "back within the limit"."""
    counts = {"2026-02-02": "0.9", "2026-02-03": "4.0", "2026-05-01": "0.95"}
    lines = [f"P1,{day}T08:00,neutrophils,{value},10*9/L,," for day, value in counts.items()]
    ward.take("load", LONG, *lines, at="2026-05-01T12:00")
    assert ward.monitor("deliver", "--at", "2026-05-01T12:05").code == 0
    first, second = (told(mail) for mail in mails(ward.monitor.folder) if is_critical(mail))
    assert "Neutrophils 0.90 10*9/L, Mon 2 Feb 2026" in first
    assert "Latest: 0.95 10*9/L on Fri 1 May 2026, 08:00 (today): beyond a limit again" in first
    assert "Neutrophils 0.95 10*9/L, Fri 1 May 2026" in second


def test_a_combination_is_no_older_than_the_two_drugs_taken_together(
    ward: Ward, mailbox: Catcher
) -> None:
    """Of allopurinol for years before the start it said "2136 days old: state today unknown" on
    the first day."""
    head = "mrn,on,event,value"
    for event, at in (
        ("P1,2020-03-01,comedication_start,allopurinol", "2026-01-05T10:00"),
        ("P1,2026-01-20,comedication_start,febuxostat", "2026-01-27T10:00"),
    ):
        ward.take("events", head, event, at=at)
        assert ward.monitor("deliver", "--at", at).code == 0
    first, *later = (told(mail) for mail in mails(ward.monitor.folder) if is_critical(mail))
    assert first.startswith("CRITICAL - Interaction")
    assert "allopurinol on the list since 1 Mar 2020 with azathioprine" in first
    last = next(text for text in later if "febuxostat on the list since 20 Jan 2026" in text)
    assert last.startswith("7 days old: state today unknown: test now.")


def test_what_a_person_must_close_says_how_and_what_may_stop_a_drug_names_its_last_dose(
    ward: Ward, mailbox: Catcher
) -> None:
    """Their mails named no way to close them, and no dose: of allopurinol, a cut of what?"""
    head = "mrn,on,event,value"
    lines = (
        "P1,2026-01-05,comedication_start,warfarin",
        "P1,2026-01-12,comedication_start,allopurinol",
        "P1,2026-01-12,genotype,tpmt:poor",
    )
    ward.take("events", head, *lines, at="2026-01-12T10:00")
    assert ward.monitor("deliver", "--at", "2026-01-12T10:05").code == 0
    critical = [told(mail) for mail in mails(ward.monitor.folder) if is_critical(mail)]
    assert len(critical) == 2
    for text in critical:
        assert "Last dose on record: 100 mg/day since 5 Jan 2026." in text
        assert '--by YOUR-NAME --outcome "WHAT WAS DONE" --review-by DAY' in text
    (contraindicated,) = (text for text in critical if "TPMT poor metaboliser" in text)
    assert "Warfarin is on the list: check INR." in contraindicated
    assert "Does not apply to steroids: never stop prednisolone suddenly." in contraindicated


def test_before_the_first_dose_there_is_no_last_dose(
    monitor: CommandLine, migrated_sqlite: Path, mailbox: Catcher
) -> None:
    ward = new_clinic(monitor, migrated_sqlite)
    head = "mrn,drug,started_on,tpmt,nudt15,dose_mg_per_day,weight_kg"
    ward.take("enrol", head, "P2,azathioprine,2026-02-02,poor,normal,100,70", at="2026-01-12T10:00")
    assert ward.monitor("deliver", "--at", "2026-01-12T10:05").code == 0
    (text,) = (told(mail) for mail in mails(monitor.folder) if is_critical(mail))
    assert "TPMT poor metaboliser" in text
    assert "dose on record" not in text
    assert "steroids" not in text


def test_a_derived_count_is_marked_wherever_it_is_shown(ward: Ward, mailbox: Catcher) -> None:
    """The list, the subject, the head of the mail and the digest gave it like a reported one."""
    at_full_privacy(ward)
    lines = (
        "P1,2026-01-12T08:00,white_cells,4.5,10*9/L,S1,",
        "P1,2026-01-12T08:00,neutrophils_percent,20,%,S1,",
    )
    ward.take("load", LONG, *lines, at="2026-01-12T12:00")
    assert ward.monitor("deliver", "--at", "2026-01-12T12:05").code == 0
    critical, digest = mails(ward.monitor.folder)
    assert "Neutrophils (derived) 0.90 10*9/L" in str(critical["Subject"])
    assert "Neutrophils (derived) 0.90 10*9/L, Mon 12 Jan 2026, 08:00" in told(critical)
    summary = "Neutrophils (derived) 0.90 10*9/L on 12 Jan 2026: below 1.0 10*9/L"
    assert summary in told(digest)
    (alert,) = (
        it for it in ward.monitor("alerts", "--json", "--at", "2026-01-12T12:05").json if it["rule"]
    )
    assert alert["summary"] == summary
    lines = (
        "P1,2026-01-14T08:00,white_cells,8.0,10*9/L,S2,",
        "P1,2026-01-14T08:00,neutrophils_percent,50,%,S2,",
    )
    ward.take("load", LONG, *lines, at="2026-01-14T12:00")
    assert ward.monitor("deliver", "--at", "2026-01-14T12:05").code == 0
    assert "latest 4.00 10*9/L (derived) on 14 Jan 2026 [" in told(mails(ward.monitor.folder)[-1])


@pytest.mark.parametrize(
    ("value", "shown"), [("<0.501", "<0.501"), ("501", "0.501"), ("510", "0.51"), ("1004", "1.004")]
)
def test_a_value_is_never_rounded_onto_a_limit_of_another_level(
    ward: Ward, mailbox: Catcher, value: str, shown: str
) -> None:
    """`<0.501` read `<0.50`, which is below 0.5 for certain; 501 /uL read as the limit itself."""
    unit = "10*9/L" if "." in value else "/uL"
    line = f"P1,2026-01-12T08:00,neutrophils,{value},{unit},,"
    ward.take("load", LONG, line, at="2026-01-12T12:00")
    assert ward.monitor("deliver", "--at", "2026-01-12T12:05").code == 0
    (said,) = (
        it["summary"]
        for it in ward.monitor("alerts", "--json", "--at", "2026-01-12T12:05").json
        if it["rule"] == "neutropenia"
    )
    assert said.startswith(f"Neutrophils {shown} 10*9/L on 12 Jan 2026: below 1.")
    if "below 1.0" in said:
        (mail,) = (told(mail) for mail in mails(ward.monitor.folder) if is_critical(mail))
        assert f"Neutrophils {shown} 10*9/L, Mon 12 Jan" in mail


def test_cell_lines_that_are_low_together_each_have_their_day(ward: Ward) -> None:
    """All were told as of the last day, also a count of days before."""
    ward.blood("2026-01-12", platelets="120")
    line = "P1,2026-01-16T08:00,hemoglobin,85,g/L,,"
    ward.take("load", LONG, line, at="2026-01-16T12:00")
    said = [
        it["summary"] for it in ward.monitor("alerts", "--json", "--at", "2026-01-16T12:05").json
    ]
    assert (
        "Cell lines low together on 16 Jan 2026: haemoglobin 85 g/L, "
        "platelets 120 10*9/L of 12 Jan 2026"
    ) in said


def test_a_digest_names_the_latest_value_as_it_is_shown_and_on_which_side_it_lies(
    ward: Ward, mailbox: Catcher
) -> None:
    """It gave the number as it was converted, 12.92593 umol/L, and no word of one beyond it."""
    at_full_privacy(ward)
    values = [
        ("2026-02-02", "bilirubin", "50", "umol/L"),
        ("2026-02-09", "bilirubin", "0.756", "mg/dL"),
        ("2026-02-02", "white_cells", "3.4", "10*9/L"),
        ("2026-02-03", "white_cells", "6.0", "10*9/L"),
        ("2026-05-01", "white_cells", "3.3", "10*9/L"),
    ]
    lines = [f"P1,{day}T08:00,{name},{value},{unit},," for day, name, value, unit in values]
    ward.take("load", LONG, *lines, at="2026-05-01T12:00")
    for now in ("2026-05-01T12:05", "2026-05-02T12:05"):
        assert ward.monitor("deliver", "--at", now).code == 0
    digest = told(mails(ward.monitor.folder)[-1])
    recovered = digest.partition("Recovered, to be closed")[2]
    assert "latest 13 umol/L on 9 Feb 2026 [" in recovered
    assert "latest 3.30 10*9/L on 1 May 2026, beyond a limit again [" in recovered
