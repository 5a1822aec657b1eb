"""Every page: accessible as far as axe can tell, without a word of complaint from the browser,
in light and dark, on a telephone and on a desk."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import update

from monitor.core.permissions import Role
from monitor.intake.enrol import enrol_file
from monitor.operations.arrivals import load
from monitor.store import tables
from monitor.store.tables import table_of
from tests.web_clinic import NOW, WebClinic

PAGES = {
    "/": Role.NURSE,
    "/account": Role.NURSE,
    "/account/password": Role.NURSE,
    "/account/second-factor": Role.NURSE,
    "/people": Role.ADMIN,
    "/alerts/1": Role.CLINICIAN,
    "/alerts/1/why": Role.VIEWER,
    "/patients": Role.NURSE,
    "/patients/6": Role.CLINICIAN,
    "/patients/6/why": Role.VIEWER,
    "/patients/6/events": Role.CLINICIAN,
    "/schedules": Role.VIEWER,
    "/schedules/azathioprine": Role.CLINICIAN,
    "/schedules/azathioprine/edit": Role.CLINICIAN,
    "/schedules/compare?a=azathioprine&b=azathioprine-us-label": Role.VIEWER,
    "/load": Role.NURSE,
    "/load/1": Role.NURSE,
    "/quarantine": Role.NURSE,
    "/quarantine/1": Role.NURSE,
    "/reports": Role.VIEWER,
    "/reports/overdue": Role.VIEWER,
    "/reports/compliance": Role.VIEWER,
    "/reports/gaps": Role.VIEWER,
    "/reports/burden": Role.VIEWER,
    "/reports/late": Role.VIEWER,
    "/operations": Role.ADMIN,
    "/audit": Role.ADMIN,
    "/no-such-page": Role.VIEWER,
}
"""Each page that somebody opens, and who."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible(web: WebClinic, someone: Any, scheme: str) -> None:
    """In the dark only colours differ."""
    stranger = someone(color_scheme=scheme)
    stranger.open("/sign-in")
    stranger.check_accessible()
    people = {role: someone(role, color_scheme=scheme) for role in set(PAGES.values())}
    for path, role in PAGES.items():
        people[role].open(path)
        assert people[role].page.url == f"{web.url}{path}"
        people[role].check_accessible(only_contrast=scheme == "dark")
        assert people[role].said == [], path


def test_regions_of_two_treatments_are_told_apart(web: WebClinic, someone: Any) -> None:
    """Who goes from region to region by keyboard heard "Tests" twice, and "Results" within
    "Results", once everything that can be opened was open."""
    path = web.folder / "more.csv"
    again = "D1112,methotrexate,2026-03-02\nD1070,azathioprine,2026-03-09\n"
    path.write_text(f"mrn,drug,started_on\n{again}")
    enrol_file(web.store, web.settings, path, web.now)
    doctor = someone(Role.CLINICIAN)
    for mrn in ("D1112", "D1070"):
        doctor.open(f"/patients/{web.patient_id(mrn)}")
        expect(doctor.page.locator("section[aria-labelledby^='drug-']")).to_have_count(2)
        doctor.page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        doctor.check_accessible()


@pytest.mark.parametrize("path", ["/quarantine", "/operations", "/audit"])
def test_on_a_telephone_the_navigation_shows_where_one_is(someone: Any, path: str) -> None:
    admin = someone(Role.ADMIN, viewport={"width": 390, "height": 800})
    admin.open(path)
    box = admin.page.locator("nav.main [aria-current]").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/quarantine", "Table: Held rows by cause"),
        ("/audit", "Audit trail"),
        ("/operations", "Table: Feeds"),
        ("/schedules/azathioprine", "Table: Calendar"),
        ("/load", "Table: Files"),
        ("/schedules", "Schedules in force"),
        ("/reports/overdue", "Table: Patients"),
        ("/reports/compliance", "Table: By month"),
        ("/reports/gaps", "Table: Patient-days"),
        ("/reports/burden", "Table: By rule"),
    ],
)
def test_on_a_telephone_a_list_is_read_without_moving_it_sideways(
    someone: Any, path: str, label: str
) -> None:
    """A row of the audit trail was a column of single words, and its end lay beyond the edge. Of
    the days overdue the first digit was seen: 4 of 48."""
    admin = someone(Role.ADMIN, viewport={"width": 390, "height": 800})
    admin.open(path)
    list_ = admin.page.get_by_role("region", name=label)
    assert list_.evaluate("it => it.scrollWidth - it.clientWidth") <= 0


@pytest.mark.parametrize("width", [700, 768, 900, 1024, 1280])
def test_no_column_of_a_report_lies_beyond_the_edge(someone: Any, width: int) -> None:
    """On a tablet and on a small laptop the shares of `report gaps` and the last six columns of
    `report compliance` did, behind a table that looked whole."""
    viewer = someone(Role.VIEWER, viewport={"width": width, "height": 800})
    for name in ("overdue", "compliance", "gaps", "burden", "late"):
        viewer.open(f"/reports/{name}")
        for table in viewer.page.locator(".scroll:has(table)").all():
            assert table.evaluate("it => it.scrollWidth - it.clientWidth") <= 0, name
        viewer.check_accessible()


@pytest.mark.parametrize("width", [320, 1440])
def test_no_page_scrolls_sideways(someone: Any, width: int) -> None:
    viewport = {"width": width, "height": 800}
    people = {role: someone(role, viewport=viewport) for role in set(PAGES.values())}
    for path, role in PAGES.items():
        people[role].open(path)
        wide = people[role].page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path


@pytest.mark.parametrize("width", [360, 1440])
def test_a_long_name_stays_in_its_place(web: WebClinic, someone: Any, width: int) -> None:
    """It lay across the alerts on a desk, and made a telephone scroll sideways."""
    patients = table_of(tables.Patient)
    with web.store.write() as connection:
        own = update(patients).where(patients.c.mrn == "D1063")
        connection.execute(own.values(family_name="Wolfeschlegelsteinhausenbergerdorff" * 2))
    nurse = someone(Role.NURSE, viewport={"width": width, "height": 800})
    row = nurse.page.locator(".somebody", has_text="D1063")
    name = row.locator(".person")
    assert name.evaluate("it => it.scrollWidth - it.clientWidth") <= 0
    assert nurse.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["/alerts/{alert}", "/patients/{patient}"])
def test_a_long_number_is_whole_on_a_telephone(web: WebClinic, someone: Any, path: str) -> None:
    """Its end lay beyond the edge at the head of both pages."""
    where = path.format(alert=web.alert_id(urgency="critical"), patient=web.patient_id("D1063"))
    patients = table_of(tables.Patient)
    with web.store.write() as connection:
        own = update(patients).where(patients.c.mrn == "D1063")
        connection.execute(own.values(mrn="7" * 40))
    nurse = someone(Role.NURSE, viewport={"width": 320, "height": 800})
    nurse.open(where)
    assert nurse.page.evaluate("document.documentElement.scrollWidth") <= 320


RIGHT_OF_THE_NAME = """link => {
    const words = document.createRange();
    words.selectNodeContents(link.nextSibling);
    return words.getClientRects()[0].left - link.getBoundingClientRect().right;
}"""


def test_a_number_stands_behind_a_name_that_is_written_leftwards(
    web: WebClinic, someone: Any
) -> None:
    """Digits behind an Arabic name went to its left, between it and what stood before it."""
    patients = table_of(tables.Patient)
    with web.store.write() as connection:
        own = update(patients).where(patients.c.mrn == "D1063")
        connection.execute(own.values(family_name="بن عبد الله", given_name="محمد", mrn="10063"))
    nurse = someone(Role.NURSE)
    nurse.open(f"/alerts/{web.alert_id(urgency='critical')}")
    link = nurse.page.locator(".heading p a[href^='/patients/']").first
    assert link.evaluate(RIGHT_OF_THE_NAME) > -1


def test_on_a_telephone_what_can_be_done_is_one_press_away(someone: Any) -> None:
    """The forms stand below the values and the history, four screens down."""
    nurse = someone(Role.NURSE, viewport={"width": 360, "height": 800})
    nurse.open("/alerts/1")
    nurse.page.get_by_role("link", name="What you can do").click()
    expect(nurse.page.locator("#do")).to_be_in_viewport()
    wide = someone(Role.NURSE, viewport={"width": 1440, "height": 800})
    wide.open("/alerts/1")
    expect(wide.page.get_by_role("link", name="What you can do")).to_be_hidden()


def test_a_steady_value_of_many_years_is_seen(web: WebClinic, someone: Any) -> None:
    """The rim of each point lay on the one before it: of seven hundred equal values one was
    left, at the end of an empty strip."""
    days = [NOW.date() - timedelta(days=7 * week) for week in range(1, 700)]
    path = web.folder / "lab.csv"
    rows = "".join(f"D1021,{day},albumin,42,g/L\n" for day in days)
    path.write_text(f"mrn,collected_at,analyte,value,unit\n{rows}")
    load(web.store, web.settings, path, "", web.now)
    nurse = someone(Role.NURSE)
    nurse.open(f"/patients/{web.patient_id('D1021')}?months=0")
    figure = nurse.page.locator("figure.course", has_text="Albumin").locator("svg")
    point = figure.locator("circle.mark").first.evaluate("it => getComputedStyle(it).fill")
    wanted = tuple(map(int, re.findall(r"\d+", point)))
    picture = Image.open(BytesIO(figure.screenshot())).convert("RGB")
    across = {
        x for x in range(picture.width) for y in range(picture.height)
        if _near(picture.getpixel((x, y)), wanted)
    }  # fmt: skip
    assert len(across) > picture.width // 2


def _near(colour: Any, wanted: tuple[int, ...]) -> bool:
    """The same but for the browser's rounding where points lie on each other."""
    return all(abs(it - other) <= 8 for it, other in zip(colour, wanted, strict=True))
