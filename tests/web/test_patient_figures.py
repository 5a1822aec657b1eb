"""The figures of a patient's page: the time line of tests and the courses of values."""

from __future__ import annotations

import re

from monitor.core.permissions import Role
from monitor.intake.enrol import enrol_file
from monitor.operations.patient_file import patient_file
from monitor.web import course_figure
from tests.web.test_patient import NEUTROPENIC, load
from tests.web_clinic import WebClinic


def test_the_figure_says_in_words_what_it_draws(web: WebClinic) -> None:
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id(NEUTROPENIC)}?months=0").text
    assert 'aria-label="Neutrophils in ×10⁹/L: ' in page
    assert "2 Mar 2026 0.80 beyond a limit" in page
    assert "below 1.0 ×10⁹/L: discontinue" in page
    assert "earlier</p>" not in page, "everything is shown"


def test_a_small_change_of_what_has_no_limit_looks_small(web: WebClinic) -> None:
    """Creatinine of 78 after 76 went from the foot of its figure to the top: no number stood
    beside it that said how little that is."""
    load(web, "D1021,2026-03-01,creatinine,76,umol/L", "D1021,2026-03-08,creatinine,78,umol/L")
    file = patient_file(web.store, web.settings, web.patient_id("D1021"), web.now)
    (course,) = [it for it in file.courses if it.analyte == "creatinine"]
    span = course_figure.span_of(file.treatments, course.results, 6)
    assert span is not None and not course.limits
    *_, earlier, later = course_figure.of_course(course, span, file.treatments).marks
    assert 0 < earlier.y - later.y < course_figure.HEIGHT / 20


def test_the_time_line_says_what_became_of_each_test(web: WebClinic) -> None:
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id(NEUTROPENIC)}?months=0").text
    line = page.split('aria-label="Time line of azathioprine.')[1].split("</figure>")[0]
    for words in (
        "Complete blood count with differential: 30 Jan 2026 (due 7 Feb 2026, in time)",
        "due 4 Mar 2026, 6 days late",
        "10 Mar 2026 discontinue, critical",
        "held from 3 Mar 2026",
        "quarterly",
    ):
        assert words in line, words
    assert line.count('class="sign missed"') == 1, "the late one, and nothing else"


def test_the_time_line_has_every_test_that_was_done(web: WebClinic) -> None:
    """A test before its day was not there until that day came: of somebody tested each week the
    last three months were empty, beside "Last done" of that morning."""
    full = {
        "white_cells": "5", "neutrophils": "3", "lymphocytes": "1.5", "platelets": "230",
        "hemoglobin": "130", "mcv": "90",
    }  # fmt: skip
    units = {"hemoglobin": "g/L", "mcv": "fL"}
    for day in ("2026-03-06", "2026-03-09"):
        load(web, *(f"D1042,{day},{it},{n},{units.get(it, '10*9/L')}" for it, n in full.items()))
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1042')}").text
    line = page.split('aria-label="Time line of azathioprine.')[1].split("</figure>")[0]
    assert "6 Mar 2026 (done)" in line and "9 Mar 2026 (done)" in line
    assert "<td>Mon 9 Mar 2026</td><td>done</td>" in line


def test_a_figure_says_a_value_as_its_alert_does(web: WebClinic) -> None:
    """Above it stood 0.8 beside an alert of 0.80, and 10.2624 for a bilirubin of 0.6 mg/dL."""
    load(web, f"{NEUTROPENIC},2026-03-09,bilirubin,0.6,mg/dL")
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id(NEUTROPENIC)}").text
    heads = dict(re.findall(r"<figcaption><span>([^<]+)</span><strong>([^<]+)</strong>", page))
    assert (heads["Neutrophils"], heads["Bilirubin"]) == ("0.80", "10")
    assert "Neutrophils 0.80 " in page


def test_alerts_of_one_day_stand_on_that_day(web: WebClinic) -> None:
    """Seventeen of them beside each other reached seven weeks into the days to come."""
    low = ("neutrophils,0.4", "platelets,40", "white_cells,1.5", "lymphocytes,0.1")
    load(web, *(f"D1112,2026-03-10T08:00,{it},10*9/L" for it in low))
    page = web.client(Role.NURSE).get(f"/patients/{web.patient_id('D1112')}").text
    line = page.split('aria-label="Time line of azathioprine.')[1].split("</figure>")[0]
    assert "Alerts: 10 Mar 2026 4 of discontinue, critical; withhold, urgent" in line
    assert line.count('class="sign critical"') == 1
    (count,) = re.findall(r'<text class="count"[^>]*>(\d+)</text>', line)
    assert int(count) == 5


def test_a_limit_that_is_not_meant_for_the_patient_is_not_drawn(web: WebClinic) -> None:
    """ALT of 60 is beyond no limit of somebody with Crohn's disease, and in autoimmune hepatitis
    only its course speaks: one of the protocol's two rules on it each."""
    path = web.folder / "two.csv"
    path.write_text(
        "mrn,drug,started_on,indication\n"
        "H1,azathioprine,2026-01-05,autoimmune_hepatitis\nH2,azathioprine,2026-01-05,crohn\n"
    )
    assert enrol_file(web.store, web.settings, path, web.now).taken == 2
    load(web, "H1,2026-03-08,alt,60,U/L", "H2,2026-03-08,alt,60,U/L")
    for mrn, limits in (("H1", []), ("H2", ["above 100 U/L: review", "above 250 U/L: withhold"])):
        file = patient_file(web.store, web.settings, web.patient_id(mrn), web.now)
        (alt,) = [it for it in file.courses if it.analyte == "alt"]
        assert [it.text for it in alt.limits] == limits, mrn
        page = web.client(Role.NURSE).get(f"/patients/{web.patient_id(mrn)}").text
        assert "beyond a limit" not in page, mrn
