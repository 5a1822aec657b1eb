"""Every mail, word for word. After a wanted change: MONITOR_WRITE_GOLDEN=1 make test, then read
the difference, and look at the HTML in a browser."""

from __future__ import annotations

import csv
import io
import os
import re
from dataclasses import replace
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pytest

from monitor.core.vocabulary import Kind
from monitor.delivery.digest import DigestContent, Ledger
from monitor.delivery.message import Rendered, render_alerts, render_bare
from monitor.delivery.view import Person
from monitor.delivery.words import HEADLINES, PURPOSE, SUBJECT_ACTIONS
from tests.golden.mail_samples import (
    ANNA,
    BEN,
    CARLA,
    NOW,
    all_mails,
    evidence,
    held,
    leased,
    neutropenia,
    overdue,
    raised_alt,
    settings,
    to_email,
    view,
)

FOLDER = Path(__file__).parent / "mails"
MAILS = all_mails()


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_reads_as_agreed(name: str) -> None:
    mail = MAILS[name]
    written = {
        FOLDER / f"{name}.txt": f"Subject: {mail.subject}\n\n{mail.text}",
        FOLDER / f"{name}.html": mail.html,
    }
    for path, text in written.items():
        if os.environ.get("MONITOR_WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MAILS)
def test_every_mail_ends_with_the_intended_purpose(name: str) -> None:
    mail = MAILS[name]
    tail = mail.text[mail.text.rindex("\n--\n") :]
    assert PURPOSE in " ".join(tail.split())
    assert PURPOSE in mail.html.replace("&#39;", "'")


@pytest.mark.parametrize("name", MAILS)
def test_no_mail_calls_a_patient_safe_or_fetches_anything(name: str) -> None:
    mail = MAILS[name]
    assert not re.search(r"\bsafe\b", mail.text + mail.html, re.IGNORECASE)
    assert not re.search(r"""(src|background)="(?!cid:)|url\(|<link|<script|@import""", mail.html)


@pytest.mark.parametrize("name", MAILS)
def test_subjects_never_say_what_must_not_stand_on_a_locked_screen(name: str) -> None:
    subject = MAILS[name].subject
    assert "\n" not in subject
    assert not re.search("Miller|Anna|Rossi|Carla|Ben", subject)
    if name in {"alert_minimal", "overdue", "withdrawal", "digest"}:
        assert "0.4" not in subject
        assert "Neutrophils" not in subject


@pytest.mark.parametrize("name", ["alert_minimal", "overdue", "withdrawal", "digest"])
def test_no_name_stands_anywhere_at_minimal_privacy(name: str) -> None:
    mail = MAILS[name]
    assert not re.search("Miller|Rossi|1961", mail.text + mail.html)


@pytest.mark.parametrize("name", ["alert_full", "alert_minimal"])
def test_a_critical_mail_gives_mrn_action_value_and_telephone_at_every_level(name: str) -> None:
    mail = MAILS[name]
    for body in (mail.text, mail.html):
        for wanted in ("A100", "discontinue azathioprine", "0.4", "+41 44 555 01 20"):
            assert wanted in body


def test_words_of_a_site_never_bring_what_is_unmentionable_into_a_subject() -> None:
    shown = neutropenia(analyte_title="Hepatitis B surface antigen")
    person = Person(mrn="HIV\n7", initials="A.M.")
    message = leased("alert", "critical")
    mail = render_alerts(message, [view(17, shown, person)], settings("full"), NOW)
    assert mail.subject == "CRITICAL, MRN in the mail: prescriber to decide on discontinuation"


def test_a_result_told_late_begins_with_its_age() -> None:
    mail = render_alerts(
        leased("alert", "urgent"), [view(12, raised_alt(), ANNA)], settings("minimal"), NOW
    )
    assert mail.text.startswith("7 days old: state today unknown: test now.\n")
    assert "days old" not in MAILS["alert_full"].text


def test_the_last_dose_stands_with_every_action_on_it_and_inr_where_warfarin_is_taken() -> None:
    text = MAILS["alert_full"].text
    assert "Last dose on record: 150 mg/day since 2 Mar 2026." in text
    assert text.count("check INR") == 1
    silent = neutropenia(say=[])
    mail = render_alerts(
        leased("alert", "critical"), [view(1, silent, ANNA)], settings("full"), NOW
    )
    assert mail.text.count("check INR") == 1


def test_no_alert_is_left_out_of_a_long_message() -> None:
    views = [view(number, held(), Person(mrn=f"M{number}")) for number in range(1, 61)]
    mail = render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW)
    for body in (mail.text, mail.html):
        assert all(re.search(rf"M{number}\b", body) for number in range(1, 61))
    assert mail.whole_list == ""
    assert sent_size(mail) <= 60 * 1024


def test_a_long_overdue_list_names_everybody_the_latest_first() -> None:
    views = [
        view(number, overdue(f"M{number}", serious=number == 150), Person(mrn=f"M{number}"))
        for number in range(1, 201)
    ]
    mail = render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW)
    assert mail.subject == "URGENT, MRN M150 and 199 more patients: tests overdue"
    for body in (mail.text, mail.html):
        assert all(re.search(rf"M{number}\b", body) for number in range(1, 201))
    assert mail.whole_list == ""
    assert sent_size(mail) <= 60 * 1024


@pytest.mark.parametrize(
    "beside",
    [
        {"unjudged": (("A1", "rising creatinine: no baseline value is known"),)},
        {"quarantine": (("unknown unit", 3),)},
        {"notices": ("feed: no lab file since Fri 8 May 2026, 17:40.",)},
        {"ledger": Ledger(up_to_date=3, not_judged=1)},
    ],
    ids=lambda it: next(iter(it)),
)
def test_a_digest_with_something_to_see_to_does_not_say_that_nothing_is(
    beside: dict[str, Any],
) -> None:
    said: dict[str, Any] = {"day": NOW.date(), "ledger": Ledger(up_to_date=3)}
    content = DigestContent(**said | beside)
    payload = {"content": content.to_payload(), "privacy": "full"}
    mail = render_bare(leased("digest", "routine", **payload), settings("full"), NOW)
    assert mail.subject.endswith(": no alert to deal with")
    assert "No alert to deal with." in mail.text
    for body in (mail.text, mail.html):
        assert "othing needs you" not in body


def test_the_tests_of_one_patient_on_two_drugs_are_not_called_two_patients() -> None:
    views = [
        view(number, overdue("A1", serious=False) | {"drug": drug}, Person(mrn="A1"))
        for number, drug in ((1, "azathioprine"), (2, "methotrexate"))
    ]
    mail = render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW)
    assert mail.subject == "URGENT, MRN A1: test overdue"
    for body in (mail.text, mail.html):
        assert "Tests overdue: 1 patient" in body
        assert "2 patients" not in body


def test_a_subject_says_that_what_it_names_is_over() -> None:
    """Not of a result that is too old to say so, nor where one of several goes on."""

    def subject(*shown: dict[str, Any]) -> str:
        expired = ("acknowledgement expired", "the acknowledgement has run out")
        views = [view(number, it, BEN, *expired) for number, it in enumerate(shown, start=1)]
        return render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW).subject

    over = raised_alt(latest_collected_at="2026-05-11T06:30:00+00:00")
    asks = "MRN B-207: prescriber to decide on withholding"
    assert subject(over) == f"URGENT (open again, recovered), {asks}"
    assert subject(raised_alt()) == f"URGENT (open again), {asks}"
    assert subject(over, raised_alt(recovered=False)) == f"URGENT (open again), {asks}"
    assert subject(over | {"latest_breaches": True}) == f"URGENT (open again), {asks}"


def test_a_message_that_says_something_new_is_not_called_a_reminder() -> None:
    def subject(*said: tuple[str, str]) -> str:
        views = [
            view(number, overdue(f"M{number}", serious=number == 1), Person(mrn=f"M{number}"), *it)
            for number, it in enumerate(said, start=1)
        ]
        return render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW).subject

    known, new, who = ("reminded", "still overdue"), ("opened", ""), "MRN M1 and 1 more patient"
    assert subject(known, known) == f"URGENT (reminder), {who}: tests overdue"
    assert subject(known, new) == f"URGENT, {who}: tests overdue"


def sent_size(mail: Rendered) -> int:
    """Bytes of the mail as it is sent, without the attached list."""
    whole = to_email(replace(mail, whole_list=""), leased("alert", "urgent"), settings("full"), NOW)
    return len(whole.as_bytes())


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_small(name: str) -> None:
    assert sent_size(MAILS[name]) <= 60 * 1024


@pytest.mark.parametrize(("late", "privacy"), [(False, "minimal"), (True, "full")])
def test_a_storm_is_one_small_mail_and_its_whole_list_is_attached(late: bool, privacy: str) -> None:
    views = [
        view(
            number,
            overdue(f"M{number}", serious=False) if late else raised_alt(),
            Person(mrn=f"M{number}", name="Longname-Double, Maximiliane"),
        )
        for number in range(1, 601)
    ]
    mail = render_alerts(leased("alert", "urgent", storm=True), views, settings(privacy), NOW)
    assert sent_size(mail) <= 60 * 1024
    listed = list(csv.DictReader(io.StringIO(mail.whole_list)))
    assert {row["mrn"] for row in listed} == {f"M{number}" for number in range(1, 601)}
    for body in (mail.text, mail.html):
        assert "attached list" in body
    if privacy == "minimal":
        assert "262 U/L" not in mail.text + mail.html + mail.whole_list


def test_the_attached_list_says_what_has_been_closed_since() -> None:
    views = [view(number, raised_alt(), Person(mrn=f"M{number}")) for number in range(1, 601)]
    views[0] = view(1, raised_alt(), Person(mrn="M1"), state="closed", closed_at=NOW)
    mail = render_alerts(leased("alert", "urgent", storm=True), views, settings("full"), NOW)
    *_, last = listed = list(csv.DictReader(io.StringIO(mail.whole_list)))
    assert (last["mrn"], last["standing"]) == ("M1", "Closed since, on Tue 12 May 2026, 09:02")
    assert not any(row["standing"].startswith("Closed") for row in listed[:-1])


def test_at_minimal_privacy_values_stay_behind_unless_it_is_critical() -> None:
    shown = [view(12, raised_alt(), BEN), view(9, held(), CARLA)]
    mail = render_alerts(leased("alert", "urgent"), shown, settings("minimal"), NOW)
    for body in (mail.subject, mail.text, mail.html):
        assert not re.search(r"\b262\b|4[.]37|41000|96 U/L", body)
    assert "ALT: the value is not shown here" in mail.text
    assert "Protocol: withhold azathioprine. Prescriber to decide." in mail.text
    assert mail.pictures == ()
    dose = evidence(
        kind="dose_check",
        summary="150 mg/day is above the maximum, 2 mg/kg/day x 60 kg = 120 mg/day.",
    )
    mail = render_alerts(leased("alert", "urgent"), [view(5, dose, BEN)], settings("minimal"), NOW)
    assert "150" not in mail.text and "\nThe details are not shown here.\n" in mail.text


def test_at_minimal_privacy_the_day_of_a_recheck_is_said() -> None:
    """It is the protocol's, and what to do by when."""
    say = ["Repeat the test by 19 May 2026 at the latest.", "Doubt: 4.37 is not 262."]
    shown = view(12, raised_alt() | {"say": say}, BEN)
    mail = render_alerts(leased("alert", "urgent"), [shown], settings("minimal"), NOW)
    for body in (mail.text, mail.html):
        assert say[0] in body and "Doubt" not in body


@pytest.mark.parametrize("privacy", ["minimal", "full"])
def test_a_mail_sent_late_asks_for_no_test_by_a_day_that_is_over(privacy: str) -> None:
    """Mail was down for days: "Repeat the test by 11 May" came on the 12th."""
    shown = raised_alt() | {"say": ["Repeat the test by 11 May 2026 at the latest."]}
    mail = render_alerts(leased("alert", "urgent"), [view(9, shown, BEN)], settings(privacy), NOW)
    for body in (mail.text, mail.html):
        words = " ".join(body.split())
        assert "The test was to be repeated by 11 May 2026 at the latest: test now." in words
        assert "Repeat the test by" not in words


@pytest.mark.parametrize("privacy", ["minimal", "full"])
def test_a_sample_without_a_result_is_no_value_that_is_not_shown(privacy: str) -> None:
    summary = "Complete blood count with differential of 11 May 2026 gave no result (clotted)"
    shown = evidence(kind="sample_unusable", summary=summary, analyte_title="Platelets")
    mail = render_alerts(leased("alert", "urgent"), [view(3, shown, BEN)], settings(privacy), NOW)
    assert summary in " ".join(mail.text.split())
    assert "not shown here" not in mail.text + mail.html


def test_what_is_not_shown_of_a_withdrawn_alert_ends_with_one_full_stop() -> None:
    shown = evidence(summary="Pregnancy, recorded for 4 May 2026", action="Protocol: review.")
    told = [view(4, shown, BEN, "withdrawn", "the entry no longer stands")]
    mail = render_alerts(leased("withdrawal", "urgent"), told, settings("minimal"), NOW)
    for body in (mail.text, mail.html):
        assert "The details are not shown here. Protocol: review." in " ".join(body.split())


def test_an_alert_closed_before_its_mail_went_out_says_so() -> None:
    closed = view(17, neutropenia(), ANNA, state="closed", closed_at=NOW, outcome="merged")
    mail = render_alerts(leased("alert", "critical"), [closed], settings("minimal"), NOW)
    assert "Closed since, on Tue 12 May 2026, 09:02: merged" in mail.text
    assert mail.subject == (
        "CRITICAL (closed since), MRN A100: prescriber to decide on discontinuation"
    )


@pytest.mark.parametrize("shown", [held(), overdue("0042", serious=False)])
def test_what_was_closed_before_its_mail_went_out_stands_below_what_is_open(
    shown: dict[str, Any],
) -> None:
    """The subject named a patient about whom nothing was to be done any more."""
    late = overdue("A100", serious=True)
    views = [view(17, late, ANNA, state="closed", closed_at=NOW), view(18, shown, CARLA)]
    mail = render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW)
    assert mail.subject.startswith("URGENT, MRN 0042 and 1 more patient: ")
    assert mail.text.index("MRN 0042") < mail.text.index("MRN A100")


@pytest.mark.parametrize("shown", [held(), overdue("0042", serious=False)])
def test_what_was_closed_says_so_also_where_it_is_a_line(shown: dict[str, Any]) -> None:
    """Far down in a list of forty stood "urgent, test now", and the test had been done."""
    views = [view(number, shown, CARLA) for number in range(1, 40)]
    views.append(view(40, shown, CARLA, state="closed", closed_at=NOW, outcome="done"))
    mail = render_alerts(leased("alert", "urgent"), views, settings("minimal"), NOW)
    for body in (mail.text, mail.html):
        assert "Closed since, on Tue 12 May 2026, 09:02: done" in " ".join(body.split())


def test_nobody_is_asked_for_a_test_that_is_done() -> None:
    """An overdue test that was done before its mail went out: "Test now", "tests are not in date",
    and a command that was refused."""
    late = overdue("A100", serious=True)
    done = view(17, late, ANNA, state="closed", closed_at=NOW, outcome="test done")
    mail = render_alerts(leased("alert", "urgent"), [done], settings("full"), NOW)
    for body in (mail.text, mail.html):
        assert "test done" in body
        for asked in ("Test now", "not in date", "monitor ack"):
            assert asked not in body, asked


def test_html_of_a_laboratory_is_text_and_not_markup() -> None:
    shown = held() | {"summary": "<b onclick=x>1</b> & more"}
    mail = render_alerts(leased("alert", "urgent"), [view(1, shown, ANNA)], settings("full"), NOW)
    assert "<b onclick" not in mail.html
    assert "&lt;b onclick=x&gt;1&lt;/b&gt; &amp; more" in mail.html


def test_the_mail_is_rfc_5322_with_both_halves_and_its_figures_inside() -> None:
    message = leased("alert", "critical")
    mail = to_email(MAILS["alert_full"], message, settings("full"), NOW)
    raw = mail.as_bytes()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw.isascii()
    assert mail["From"].addresses == (
        Address("Laboratory monitor", addr_spec="monitor@hill.example"),
    )
    assert mail["Importance"] == "high"
    html, picture = mail.get_body(("html",)), [*mail.walk()][-1]
    assert html is not None
    cid = picture["Content-ID"].strip("<>")
    assert f'src="cid:{cid}"' in html.get_content()
    assert picture["Content-Disposition"].startswith("inline")
    assert len(picture.get_payload(decode=True) or b"") <= 60 * 1024


def test_every_kind_of_alert_has_its_words() -> None:
    assert set(HEADLINES) == set(SUBJECT_ACTIONS) == set(Kind)
    for kind in (Kind.DISCONTINUE, Kind.WITHHOLD, Kind.DOSE_REDUCTION):
        assert "prescriber to decide" in HEADLINES[kind].lower()
        assert "prescriber to decide" in SUBJECT_ACTIONS[kind]
