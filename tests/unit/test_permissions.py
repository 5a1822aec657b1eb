"""What each role may do, in code and in the documents alike."""

from __future__ import annotations

from pathlib import Path

from monitor.core.permissions import PERMISSIONS, May, Role, allows

PAGES = Path(__file__).parents[2] / "docs" / "pages.md"


def test_the_documents_say_what_the_table_says() -> None:
    lines = PAGES.read_text(encoding="utf-8").splitlines()
    for may in May:
        cells = " | ".join("yes" if allows(role, may) else "" for role in Role)
        assert f"| {may} | {cells} |" in lines


def test_everything_is_allowed_to_somebody_and_nothing_is_forgotten() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert frozenset().union(*PERMISSIONS.values()) == set(May)


def test_an_admin_decides_nothing_about_a_patient() -> None:
    clinical = {May.WORK_ALERTS, May.CLOSE_ALERTS, May.CLOSE_RECOVERED, May.RECORD_EVENTS}
    assert not PERMISSIONS[Role.ADMIN] & (clinical | {May.APPROVE_SCHEDULES})
    assert not PERMISSIONS[Role.VIEWER] & (clinical | {May.LOAD_FILES, May.MEND_ROWS})
