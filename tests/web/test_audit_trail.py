"""What is done and its line of the audit trail stand together: a deed whose line cannot be written
is not done, and one that is refused leaves no line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from monitor.core.permissions import Role
from monitor.operations.report_audit import Entry, audit
from monitor.operations.report_overdue import Which
from monitor.store.deeds import Deed
from tests.web.test_load import LAB, bring, first_held, waiting
from tests.web.test_quarantine import take
from tests.web.test_schedules import edit, milder, second_clinician, text_on
from tests.web_clinic import PEOPLE, WebClinic, post

NOT_OF_DEEDS = {"audit", "web_sessions", "throttles"}
"""What changes with every request."""


@dataclass(frozen=True)
class Doer:
    web: WebClinic

    def client(self, role: Role = Role.CLINICIAN) -> httpx.Client:
        return self.web.client(role)

    @property
    def alert(self) -> str:
        return f"/alerts/{self.web.alert_id(urgency='urgent')}"

    def with_alert(self, doing: str, **fields: str) -> Callable[[], httpx.Response]:
        """Of the version that everything has at first."""
        client = self.client()
        return lambda: post(client, f"{self.alert}/{doing}", version="0", **fields)

    def held(self, doing: str, **fields: str) -> Callable[[], httpx.Response]:
        client = self.client()
        take(client, LAB)
        path = first_held(client, "furlongs")
        return lambda: post(client, f"{path}/{doing}", **fields)


def together(doer: Doer, do: str) -> Callable[[], httpx.Response]:
    chosen = f"{doer.web.alert_id(urgency='urgent')}:0"
    fields = {"alerts": chosen, "do": do, "to": PEOPLE[Role.NURSE][1]}
    client = doer.client()
    return lambda: post(client, "/worklist/together", **fields)


def event(doer: Doer) -> Callable[[], httpx.Response]:
    path = f"/patients/{doer.web.patient_id('D1112')}/events"
    said = {"event": "dose", "on": "2026-03-09", "value": "25", "agreed": "yes"}
    client = doer.client()
    return lambda: post(client, path, **said)


def loaded(doer: Doer) -> Callable[[], httpx.Response]:
    client = doer.client()
    token = waiting(bring(client))
    return lambda: post(client, "/load/take", token=token)


def taken_back(doer: Doer) -> Callable[[], httpx.Response]:
    client = doer.client()
    path = post(client, "/load/take", token=waiting(bring(client))).headers["location"]
    return lambda: post(client, path, reason="another clinic's", agreed="yes")


def forgotten(doer: Doer) -> Callable[[], httpx.Response]:
    client = doer.client()
    take(client)
    post(client, f"{first_held(client, 'furlongs')}/mend", unit="10*9/L")
    return lambda: post(client, "/quarantine/fixes/1")


def proposed(doer: Doer) -> Callable[[], httpx.Response]:
    client = doer.client()
    changed = milder(text_on(client))
    return lambda: edit(client, text=changed, reason="minutes", step="propose")


def decided(doer: Doer, decision: str) -> Callable[[], httpx.Response]:
    path = proposed(doer)().headers["location"]
    second = second_clinician(doer.web)
    return lambda: post(second, path, decision=decision, note="seen")


def withdrawn(doer: Doer) -> Callable[[], httpx.Response]:
    client = doer.client()
    changed = milder(text_on(client))
    sent = edit(client, text=changed, reason="minutes", step="propose")
    return lambda: post(client, sent.headers["location"], decision="refuse")


def with_person(doer: Doer, doing: str, **fields: str) -> Callable[[], httpx.Response]:
    name = PEOPLE[Role.VIEWER][0]
    client = doer.client(Role.ADMIN)
    return lambda: post(client, f"/people/{name}/{doing}", **fields)


DEEDS: Mapping[str, Callable[[Doer], Callable[[], httpx.Response]]] = {
    "alert acknowledged": lambda it: it.with_alert("acknowledge"),
    "alert assigned": lambda it: it.with_alert("assign", to="Nora Gray"),
    "contact recorded": lambda it: it.with_alert("contact", outcome="reached"),
    "alert snoozed": lambda it: it.with_alert("snooze", until="2026-03-12", reason="away"),
    "alert commented": lambda it: it.with_alert("comment", text="asked the ward"),
    "alert closed": lambda it: it.with_alert(
        "close", code="repeat_ordered", outcome="Thursday", review_by="2026-03-12"
    ),
    "event recorded": event,
    "file loaded": loaded,
    "file taken back": taken_back,
    "row mended": lambda it: it.held("mend", unit="10*9/L"),
    "row tried again": lambda it: it.held("retry"),
    "rows let go": lambda it: it.held("discard", reason="a test"),
    "fix removed": forgotten,
    "schedule proposed": proposed,
    "schedule approved": lambda it: decided(it, "approve"),
    "schedule refused": lambda it: decided(it, "refuse"),
    "schedule withdrawn": withdrawn,
    "role changed": lambda it: with_person(it, "role", role="nurse"),
    "person disabled": lambda it: with_person(it, "disable"),
}
"""By the line of the audit trail: sets the stage and returns the deed itself."""


TOLD = {
    "contact recorded": 2,  # and until when it is laid by
    "file taken back": 3,  # and each row that waited is let go
    "row mended": 2,  # the fix, and the row that it lets in
    "schedule approved": 2,  # the proposer's text, the approver's word
}
"""How many lines of the report a deed is, where it is not one."""


def everything(web: WebClinic) -> dict[str, list[Any]]:
    with web.store.read() as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        names = set(connection.scalars(text(query))) - NOT_OF_DEEDS
        return {
            name: list(connection.execute(text(f"SELECT * FROM {name}"))) for name in sorted(names)
        }


def reported(web: WebClinic) -> Counter[Entry]:
    now = datetime(2027, 1, 1, tzinfo=UTC)
    return Counter(audit(web.store, web.settings, Which(), (date(2025, 1, 1), None), now).entries)


@pytest.mark.parametrize("what", DEEDS)
def test_a_deed_and_its_line_stand_together(web: WebClinic, what: str) -> None:
    deed = DEEDS[what](Doer(web))
    before, lines = everything(web), len(web.audit())
    unwritable = (
        "CREATE TRIGGER unwritable BEFORE INSERT ON audit WHEN NEW.what = '{}' "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    )
    with web.store.write() as connection:
        connection.exec_driver_sql(unwritable.format(what))
    assert deed().status_code in (500, 503)
    assert everything(web) == before
    with web.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER unwritable")
    assert deed().status_code == 303
    assert everything(web) != before or what == "row tried again"
    mine = [it for it in web.audit()[lines:] if it.endswith(f": {what}")]
    assert len(mine) == 1


@pytest.mark.parametrize("what", DEEDS)
def test_the_report_of_who_did_what_tells_a_deed_once(web: WebClinic, what: str) -> None:
    deed = DEEDS[what](Doer(web))
    before = reported(web)
    assert deed().status_code == 303
    done = reported(web) - before
    assert done.total() == TOLD.get(what, 1)
    asked_by_another = {it for it in done if ", approved by " in it.who}
    assert all("from 127.0.0.1" in it.note for it in done.keys() - asked_by_another)


@pytest.mark.parametrize("do", ["acknowledge", "assign"])
def test_of_several_each_has_a_line_of_its_patient(web: WebClinic, do: str) -> None:
    lines = len(web.audit())
    assert together(Doer(web), do)().status_code == 303
    assert [it for it in web.audit()[lines:] if f": alert {do}" in it]
    with web.store.read() as connection:
        query = "SELECT patient_id FROM audit WHERE alert_id IS NOT NULL AND patient_id IS NULL"
        assert connection.execute(text(query)).all() == []


def test_what_is_refused_leaves_no_line(web: WebClinic) -> None:
    doer = Doer(web)
    client, empty = doer.client(), doer.with_alert("snooze", until="2026-03-12", reason="")
    before = everything(web)
    past = {"event": "dose", "on": "2026-03-09", "value": "much", "agreed": "yes"}
    refused = (
        empty(),
        post(client, f"{doer.alert}/acknowledge", version="7"),
        post(client, f"/patients/{web.patient_id('D1112')}/events", **past),
    )
    assert [it.status_code for it in refused] == [422, 409, 422]
    assert everything(web) == before
    told = ("alert snoozed", "alert acknowledged", "event recorded")
    assert not [it for it in web.audit() if it.endswith(told)]


def test_only_the_first_transaction_that_stands_has_the_line(web: WebClinic) -> None:
    told = []
    deed = Deed(web.store, lambda _: told.append("line"))
    with pytest.raises(RuntimeError), deed.write():
        raise RuntimeError("refused")
    for _ in range(2):
        with deed.write():
            pass
    assert told == ["line", "line"], "once rolled back, once kept"
