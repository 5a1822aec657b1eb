"""`/`: the worklist, its search, what it asks for by itself, and what is done to many at once."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from starlette.responses import Response

from monitor.core.actions import ActionRefused
from monitor.core.permissions import May
from monitor.core.vocabulary import Urgency
from monitor.operations import people
from monitor.operations.health import standstill
from monitor.operations.worklist import View, Wanted, Worklist, seen, worklist
from monitor.web.alert_forms import chosen_colleague, colleagues, found, urgency_of
from monitor.web.visit import Visit, needs, whole_number

routes = APIRouter()
Seer = Annotated[Visit, needs(May.SEE_PATIENTS)]
TITLES = {
    View.NEEDED: "Needs somebody",
    View.IN_HAND: "In hand",
    View.SNOOZED: "Snoozed",
    View.RECOVERED: "Recovered",
    View.ALL: "All",
}
AT_ONCE = 200
"""Alerts that are dealt with together."""


@routes.get("/")
def page(visit: Seer) -> Response:
    found = _found(visit)
    visit.audit("worklist seen")
    return visit.page("worklist.html", **_shown(visit, found))


@routes.get("/worklist/part")
def part(visit: Annotated[Visit, needs(May.SEE_PATIENTS, quiet=True)]) -> Response:
    """The list alone, for a page that is open; the same addresses as of `/`."""
    return visit.page("worklist_part.html", **_shown(visit, _found(visit)))


@routes.get("/worklist/seen")
def changed(visit: Annotated[Visit, needs(May.SEE_PATIENTS, quiet=True)]) -> Response:
    """What differs once anything has happened to any alert."""
    return JSONResponse({"seen": _seen(seen(visit.site.store), _stands_still(visit))})


@routes.post("/worklist/search")
def search(visit: Seer) -> Response:
    """By POST: what is looked for are names and numbers, which do not belong in an address."""
    words = visit.text("q")
    wanted = Wanted(view=View.ALL, like=words)
    found = worklist(visit.site.store, visit.site.settings, wanted, visit.now)
    visit.audit("worklist searched")
    return visit.page("worklist.html", **(_shown(visit, found) | {"searched": words}))


@routes.post("/worklist/together")
def together(visit: Annotated[Visit, needs(May.WORK_ALERTS)]) -> Response:
    """Acknowledge or assign several. Nothing else is done to many at once: an outcome, a snooze
    and a closing say something about one patient. Critical ones are acknowledged one by one."""
    back = visit.text("next") or "/"
    ticked = [it for it in map(_chosen, visit.texts("alerts")) if it is not None]
    chosen = ticked[:AT_ONCE]
    if not chosen:
        visit.notice("Nothing was chosen: tick the alerts first.", "problem")
        return visit.redirect(back)
    refused = []
    for alert_id, version in chosen:
        try:
            _one_of_many(visit, alert_id, version)
        except ActionRefused as why:
            whose = found(visit.site.store, alert_id)
            of = f" of {whose.person.mrn}" if whose else ""
            refused.append(f"Alert {alert_id}{of} was left as it is: {why.plain}.")
    done = len(chosen) - len(refused)
    if done:
        what = "assigned" if visit.text("do") == "assign" else "acknowledged"
        visit.notice(f"{done} alert{'' if done == 1 else 's'} {what}.")
    if more := len(ticked) - len(chosen):
        refused.append(f"{more} more were ticked than are done at once: they stand as they did.")
    for text in refused:
        visit.notice(text, "problem")
    return visit.redirect(back)


def _one_of_many(visit: Visit, alert_id: int, version: int) -> None:
    settings = visit.site.settings
    urgency = urgency_of(visit.site.store, alert_id)
    if not urgency:
        raise ActionRefused("there is no such alert")
    if visit.text("do") == "assign":
        deed = visit.deed("alert assigned", alert_id=alert_id)
        people.assign(
            deed, settings, alert_id, to=chosen_colleague(visit), by=visit.who, version=version,
            now=visit.now,
        )  # fmt: skip
        return
    if urgency == Urgency.CRITICAL:
        raise ActionRefused("a critical alert is taken in hand by itself, not among others")
    deed = visit.deed("alert acknowledged", alert_id=alert_id)
    people.acknowledge(deed, settings, alert_id, by=visit.who, version=version, now=visit.now)


def _chosen(text: str) -> tuple[int, int] | None:
    alert_id, version = map(whole_number, text.partition(":")[::2])
    return None if alert_id is None or version is None else (alert_id, version)


def _stands_still(visit: Visit) -> str:
    return standstill(visit.site.store, visit.now)


def _seen(alerts: str, still: str) -> str:
    """What differs once the list would be another one."""
    return f"{alerts}.still" if still else alerts


def _found(visit: Visit) -> Worklist:
    asked = visit.request.query_params
    view = asked.get("view", "")
    wanted = Wanted(
        view=View(view) if view in list(View) else View.NEEDED,
        clinic=asked.get("clinic", ""),
        drug=asked.get("drug", ""),
        urgency=asked.get("urgency", "") if asked.get("urgency") in list(Urgency) else "",
        overdue=asked.get("overdue") == "yes",
        mine=visit.who if asked.get("mine") == "yes" else "",
        page=whole_number(asked.get("page", "")) or 1,
    )
    return worklist(visit.site.store, visit.site.settings, wanted, visit.now)


def _shown(visit: Visit, found: Worklist) -> dict[str, Any]:
    wanted = found.wanted

    def address(**other: Any) -> str:
        """This list with other choices; the first page unless said."""
        chosen = {
            "view": wanted.view, "clinic": wanted.clinic, "drug": wanted.drug,
            "urgency": wanted.urgency, "overdue": "yes" if wanted.overdue else "",
            "mine": "yes" if wanted.mine else "", "page": "",
        } | other  # fmt: skip
        default = {"view": View.NEEDED, "page": 1}
        kept = {name: it for name, it in chosen.items() if it and it != default.get(name)}
        return f"/?{urlencode(kept)}" if kept else "/"

    still = _stands_still(visit)
    chosen = bool(wanted.clinic or wanted.drug or wanted.urgency or wanted.overdue or wanted.mine)
    return {
        "work": found,
        "still": still,
        "seen": _seen(found.seen, still),
        "views": [(it, TITLES[it], found.counts[it]) for it in View],
        "title": TITLES[wanted.view],
        "address": address,
        "here": address(page=found.page),
        "is_chosen": chosen,
        "urgencies": [("", "any"), *((str(it), str(it)) for it in reversed(Urgency))],
        "clinic_options": [("", "any"), *((it, it) for it in found.clinics)],
        "drug_options": [("", "any"), *((it, it) for it in found.drugs)],
        "colleagues": colleagues(visit),
        "searched": None,
    }
