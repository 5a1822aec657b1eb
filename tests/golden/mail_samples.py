"""One mail of every kind, made of the evidence of invented patients."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from monitor.config import Settings, read_settings
from monitor.delivery.digest import CameIn, DigestContent, DigestLine, DueLine, Ledger
from monitor.delivery.message import Rendered, render_alerts, render_bare
from monitor.delivery.mime import to_bytes
from monitor.delivery.shown import view_of
from monitor.delivery.view import AlertView, Person, Standing
from monitor.store.leases import Leased
from monitor.store.outbox import message_id

NOW = datetime(2026, 5, 12, 7, 2, tzinfo=UTC)
ANNA = Person(mrn="A100", name="Miller, Anna", born="4 Mar 1961", initials="A.M.")
BEN = Person(mrn="B-207", name="Ng, Ben", born="19 Nov 1987", initials="B.N.")
CARLA = Person(mrn="0042", name="Rossi, Carla", born="1 Feb 1974", initials="C.R.")
STEROIDS = "Does not apply to steroids: never stop prednisolone suddenly."

CONFIG = """
[clinic]
name = "Rheumatology, Hill Hospital"
timezone = "Europe/Zurich"
email = "clinic@hill.example"
telephone = "+41 44 555 01 20"
locale = "{locale}"
[mail]
sender = "monitor@hill.example"
privacy = "{privacy}"
[web]
public_url = "{url}"
"""


def settings(privacy: str, url: str = "", locale: str = "en") -> Settings:
    text = CONFIG.format(privacy=privacy, url=url, locale=locale)
    return read_settings(text, Path("config.toml"), {})


def evidence(**changed: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "mrn": "A100",
        "drug": "azathioprine",
        "clinic": "rheumatology",
        "protocol": {
            "id": "azathioprine",
            "title": "Azathioprine: CBC weekly to week 8, then CBC and LFT every 3 months",
            "version": "2026-11",
            "digest": "8c1f00d2a9b7e6",
            "status": "not yet approved by a clinician",
        },
        "kind": "review",
        "urgency": "urgent",
        "rule": None,
        "level": 1,
        "summary": "",
        "action": "",
        "say": [],
        "source": "founding brief",
        "recovered": False,
        "downward": True,
        "analyte": None,
        "analyte_title": None,
        "unit": None,
        "decimals": None,
        "value": None,
        "comparator": None,
        "collected_at": None,
        "latest_value": None,
        "latest_comparator": None,
        "latest_collected_at": None,
        "limit": None,
        "limit_text": "",
        "series": [],
        "panels": [],
        "held": [],
        "dose": {"mg_per_day": "150", "on": "2026-03-02"},
        "warfarin": False,
        "start_confirmed": True,
        "enrolment_state": "active",
        "arithmetic": [],
    }
    return shown | changed


def point(day: str, value: str | None, **changed: Any) -> dict[str, Any]:
    return {
        "at": f"{day}T06:30:00+00:00",
        "on": day,
        "timed": True,
        "value": value,
        "comparator": "",
        "derived": False,
        "no_result": "",
        "status": "final",
        "received": f"{value} 10*9/L",
    } | changed


def neutropenia(**changed: Any) -> dict[str, Any]:
    """Neutrophils that fell to 0.4, with a clotted and a derived value on the way."""
    series = [
        point("2026-03-16", "3.1"),
        point("2026-03-23", "2.62", derived=True, received="54 %"),
        point("2026-03-30", None, no_result="clotted", received="clotted"),
        point("2026-04-07", "2.1"),
        point("2026-04-20", "1.7"),
        point("2026-05-04", "1.2", received="1200 /uL"),
        point("2026-05-12", "0.4", status="preliminary"),
    ]
    return (
        evidence(
            kind="discontinue",
            urgency="critical",
            rule="neutropenia",
            level=3,
            summary="Neutrophils 0.4 10*9/L on 12 May 2026: below 0.5 10*9/L",
            action="Protocol: discontinue azathioprine. Prescriber to decide.",
            say=["Same-day clinical assessment.", "Warfarin is on the list: check INR.", STEROIDS],
            source="withhold: BSR 2017; discontinue: CTCAE v5 grades 3 and 4",
            analyte="neutrophils",
            analyte_title="Neutrophils",
            unit="10*9/L",
            decimals=1,
            value="0.4",
            comparator="",
            collected_at="2026-05-12T06:30:00+00:00",
            latest_value="0.4",
            latest_comparator="",
            latest_collected_at="2026-05-12T06:30:00+00:00",
            limit="0.5",
            limit_text="0.5 10*9/L",
            series=series,
            warfarin=True,
        )
        | changed
    )


def raised_alt(**changed: Any) -> dict[str, Any]:
    """An ALT that was above five times its limit and came down, told late."""
    series = [
        point("2026-02-02", "31", received="31 U/L"),
        point("2026-04-24", "262", received="4.37 ukat/L"),
        point("2026-05-05", "96", received="96 U/L"),
    ]
    return (
        evidence(
            mrn="B-207",
            kind="withhold",
            rule="raised_alt",
            level=2,
            summary="ALT 262 U/L on 24 Apr 2026: above 5 x ULN 50 = 250 U/L (default ULN)",
            action="Protocol: withhold azathioprine. Prescriber to decide.",
            say=[STEROIDS],
            source="BSR 2017; 5 x ULN is CTCAE v5 grade 3",
            recovered=True,
            downward=False,
            analyte="alt",
            analyte_title="ALT",
            unit="U/L",
            decimals=0,
            value="262",
            comparator="",
            collected_at="2026-04-24T06:30:00+00:00",
            latest_value="96",
            latest_comparator="",
            latest_collected_at="2026-05-05T06:30:00+00:00",
            limit="250",
            limit_text="5 x ULN 50 = 250 U/L (default ULN)",
            series=series,
            dose=None,
        )
        | changed
    )


def overdue(mrn: str, *, serious: bool) -> dict[str, Any]:
    """A late blood count, and where it is serious late liver tests too."""
    count = {
        "panel": "cbc",
        "title": "Complete blood count with differential",
        "phase": "weekly",
        "due_on": "2026-04-27" if serious else "2026-05-08",
        "days_overdue": 15 if serious else 4,
        "state": "seriously_overdue" if serious else "overdue",
        "because": "schedule",
        "last_completed_on": None if serious else "2026-05-01",
        "declared": False,
        "partial": [{"on": "2026-05-03", "missing": ["lymphocytes"]}] if serious else [],
    }
    liver = count | {
        "panel": "lft",
        "title": "Liver function tests",
        "phase": "quarterly",
        "due_on": "2026-05-04",
        "days_overdue": 8,
        "state": "overdue",
        "last_completed_on": "2026-02-04",
        "declared": True,
        "partial": [],
    }
    say = [
        "Tests are not in date: prescriber to decide on further supply.",
        "Complete blood count with differential was incomplete on 3 May 2026: no lymphocytes.",
    ]
    return evidence(
        mrn=mrn,
        kind="overdue_test",
        panels=[count, liver] if serious else [count],
        summary="Complete blood count with differential overdue",
        action="Test now: Complete blood count with differential"
        + (" and Liver function tests." if serious else "."),
        say=say if serious else [],
    )


def held() -> dict[str, Any]:
    return evidence(
        mrn="0042",
        kind="quarantined_result",
        summary="1 result is held in quarantine and not judged: platelets",
        action="Look at the held rows and correct them: monitor quarantine list.",
        source="a held row is never hidden",
        held=[
            {
                "id": 9,
                "analyte": "platelets",
                "received": "41000 (no unit)",
                "on": "2026-05-11",
                "reason": "the unit is missing",
            }
        ],
    )


TEST = {
    "test": True,
    "topic": "TEST of the routes, nothing to do for a patient",
    "text": "This is a test. Alerts for nurses come to this address. If you read this and are the "
    "right one, tell whoever runs the monitor, who then writes the day into confirmed_on of the "
    "role.",
}


def corrected() -> dict[str, Any]:
    """The count that was critical, after a correction of the laboratory."""
    return neutropenia(
        kind="withhold",
        urgency="urgent",
        level=2,
        summary="Neutrophils 0.9 10*9/L on 12 May 2026: below 1.0 10*9/L",
        action="Protocol: withhold azathioprine. Prescriber to decide.",
        say=[STEROIDS],
        value="0.9",
        latest_value="0.9",
        limit="1.0",
        limit_text="1.0 10*9/L",
    )


def storm() -> list[AlertView]:
    """A feed that is restored: forty alerts at once, the worst first."""
    people = [Person(mrn=f"S{number:03}") for number in range(1, 41)]
    worst = [view(100 + n, raised_alt(), it) for n, it in enumerate(people[:8])]
    late = enumerate(people[8:])
    return worst + [view(200 + n, overdue(it.mrn, serious=n < 5), it) for n, it in late]


def leased(kind: str, urgency: str, **payload: Any) -> Leased:
    key = f"{kind}:nurse@hill.example:17:1"
    return Leased(
        id=1,
        once_key=key,
        kind=kind,
        recipient="nurse@hill.example",
        urgency=urgency,
        message_id=message_id(key, "monitor@hill.example", "0f0f0f0f0f0f"),
        payload=payload,
        attempts=0,
        created_at=NOW,
        lines=(),
    )


def to_email(
    rendered: Rendered, message: Leased, settings: Settings, now: datetime
) -> EmailMessage:
    """A mail as a mail program reads it."""
    mail = message_from_bytes(to_bytes(rendered, message, settings, now), policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


def view(
    alert_id: int,
    shown: dict[str, Any],
    person: Person,
    what: str = "opened",
    reason: str = "",
    url: str = "",
    **standing: Any,
) -> AlertView:
    opened = datetime(2026, 5, 12, 6, 58, tzinfo=UTC)
    return view_of(
        alert_id,
        shown,
        person,
        replace(Standing(state="open", opened_at=opened), **standing),
        what=what,
        reason=reason,
        now=NOW,
        zone=settings("full").clinic.zone,
        public_url=url,
    )


def digest() -> DigestContent:
    """A clinic's morning with something in every section."""
    anna, ben, carla = (Person(mrn=it.mrn) for it in (ANNA, BEN, CARLA))
    return DigestContent(
        day=date(2026, 5, 12),
        new=(
            DigestLine(
                alert_ids=(31,),
                person=ben,
                urgency="routine",
                text="Haemoglobin 97 g/L on 11 May 2026: below 100 g/L",
                note="open since 11 May 2026",
            ),
            DigestLine(
                alert_ids=(32, 33),
                person=carla,
                urgency="routine",
                text="Complete blood count with differential overdue: was due 8 May 2026",
                note="open since today",
            ),
        ),
        still_open=(
            DigestLine(
                alert_ids=(17,),
                person=anna,
                urgency="critical",
                text="Neutrophils 0.4 10*9/L on 12 May 2026: below 0.5 10*9/L",
                note="open since 2 May 2026, 10 days",
            ),
        ),
        recovered=(
            DigestLine(
                alert_ids=(12,),
                person=ben,
                urgency="urgent",
                text="7 days old: state today unknown: test now. ALT 262 U/L on 24 Apr 2026",
                note="latest 96 U/L on 5 May 2026",
            ),
        ),
        in_hand=(
            DigestLine(
                alert_ids=(25,),
                person=carla,
                urgency="urgent",
                text="White cells 3.2 10*9/L on 9 May 2026: below 3.5 10*9/L",
                note="acknowledged by Sister Kay until Mon 18 May 2026",
            ),
        ),
        due_soon=(
            DueLine(
                person=anna,
                panel="Complete blood count with differential",
                due_on=date(2026, 5, 13),
                days=1,
                latest_on=date(2026, 5, 15),
            ),
            DueLine(person=carla, panel="Liver function tests", due_on=date(2026, 5, 18), days=6),
        ),
        unjudged=(
            ("B-207", "rising creatinine, result of 11 May 2026: no baseline value is known"),
        ),
        quarantine=(("unknown unit", 3), ("unknown patient", 14)),
        came_in=CameIn(files=3, rows=412, stored=396, quarantined=2, patients=31),
        notices=("feed: no lab file since Fri 8 May 2026, 17:40.",),
        ledger=Ledger(
            up_to_date=41, due=9, overdue=3, seriously_overdue=1, planned=2, stopped=4, held=2
        ),
    )


def all_mails(locale: str = "en") -> dict[str, Rendered]:
    """Every kind of mail, by the name of its golden file."""
    full = settings("full", "https://monitor.hill.example", locale)
    minimal = settings("minimal", locale=locale)
    url = full.web.public_url
    plain = [Person(mrn=it.mrn) for it in (ANNA, BEN, CARLA)]
    told = "back above the limit after a corrected result of 11 May 2026"
    late = [
        view(21, overdue("B-207", serious=True), plain[1], "reminded", "still overdue"),
        view(22, overdue("0042", serious=False), plain[2]),
    ]
    many = [
        view(12, raised_alt(), BEN, "worse", "a worse level than the one told", url),
        view(9, held(), CARLA, url=url),
        view(21, overdue("B-207", serious=True), BEN, url=url),
    ]
    quiet = DigestContent(day=date(2026, 5, 12), ledger=Ledger(up_to_date=12))
    alarm = {
        "topic": "address refused: nurse@hill.example",
        "text": "The mail server refused nurse@hill.example for good: 550 5.1.1 no such user. "
        "This message goes to doctor@hill.example now, and the address is used again next time. "
        "Correct it in [[routes]] or [recipients].",
    }
    tier = "told to tier 2"
    milder = "a correction made it milder; before: critical, discontinue"
    died = DigestLine(
        alert_ids=(),
        person=plain[1],
        urgency="routine",
        text="Recorded as died on 11 May 2026: all alerts are closed",
        note="nothing more is sent about this patient",
    )
    closing = replace(quiet, ended=(died,))
    critical = leased("alert", "critical")
    withdrawal = leased("withdrawal", "critical")
    return {
        "alert_full": render_alerts(critical, [view(17, neutropenia(), ANNA, url=url)], full, NOW),
        "alert_minimal": render_alerts(critical, [view(17, neutropenia(), plain[0])], minimal, NOW),
        "alert_urgent_minimal": render_alerts(
            leased("alert", "urgent"), [view(12, raised_alt(), plain[1])], minimal, NOW
        ),
        "alerts_many": render_alerts(
            leased("alert", "urgent", refused_by="gone@hill.example"), many, full, NOW
        ),
        "overdue": render_alerts(leased("alert", "urgent"), late, minimal, NOW),
        "withdrawal": render_alerts(
            withdrawal, [view(17, neutropenia(), plain[0], "withdrawn", told)], minimal, NOW
        ),
        "digest": render_bare(
            leased("digest", "routine", content=digest().to_payload()), minimal, NOW
        ),
        "digest_quiet": render_bare(
            leased("digest", "routine", content=quiet.to_payload()), minimal, NOW
        ),
        "operator": render_bare(leased("operator", "urgent", **alarm), minimal, NOW),
        "test": render_bare(leased("operator", "routine", **TEST), minimal, NOW),
        "escalation": render_alerts(
            critical, [view(17, neutropenia(), plain[0], "escalated", tier)], minimal, NOW
        ),
        "no_outcome": render_alerts(
            critical,
            [
                view(
                    17,
                    neutropenia(),
                    plain[0],
                    "outcome missing",
                    "none within 4 hours of the acknowledgement, told to tier 2",
                    state="acknowledged",
                    acknowledged_by="Sister Kay",
                    acknowledged_until=date(2026, 5, 19),
                )
            ],
            minimal,
            NOW,
        ),
        "correction": render_alerts(
            leased("alert", "urgent"),
            [view(17, corrected(), plain[0], "updated", milder)],
            minimal,
            NOW,
        ),
        "storm": render_alerts(leased("alert", "urgent", storm=True), storm(), minimal, NOW),
        "digest_closing": render_bare(
            leased("digest", "routine", content=closing.to_payload()), minimal, NOW
        ),
    }
