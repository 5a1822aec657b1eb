"""Every page: accessible as far as axe can tell, without a word of complaint from the browser,
in light and dark, on a telephone and on a desk."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.permissions import Role
from tests.web_clinic import WebClinic

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
    "/reports/compliance": Role.VIEWER,
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
    ],
)
def test_on_a_telephone_a_list_is_read_without_moving_it_sideways(
    someone: Any, path: str, label: str
) -> None:
    """A row of the audit trail was a column of single words, and its end lay beyond the edge."""
    admin = someone(Role.ADMIN, viewport={"width": 390, "height": 800})
    admin.open(path)
    list_ = admin.page.get_by_role("region", name=label)
    assert list_.evaluate("it => it.scrollWidth - it.clientWidth") <= 0


@pytest.mark.parametrize("width", [320, 1440])
def test_no_page_scrolls_sideways(someone: Any, width: int) -> None:
    viewport = {"width": width, "height": 800}
    people = {role: someone(role, viewport=viewport) for role in set(PAGES.values())}
    for path, role in PAGES.items():
        people[role].open(path)
        wide = people[role].page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, path
