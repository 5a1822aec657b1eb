"""From an alert's evidence to what a mail shows of it.

The sentences of the medicine come with the evidence; here they are only put in order. The
age of a result and the last dose are added, because they depend on when it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from monitor.core.calendar import clinic_day
from monitor.core.changes import ChangeWhat
from monitor.core.findings import titled
from monitor.core.repeats import read_on
from monitor.core.units import show
from monitor.core.vocabulary import LATE, SELF_CLOSING, AlertState, Kind, Status
from monitor.delivery.figure import Figure, Point, alt_text, breaches, day_text, is_worth_drawing
from monitor.delivery.language import AsWritten
from monitor.delivery.view import AlertView, PanelRow, Person, Standing, ValueRow
from monitor.delivery.words import (
    age_words,
    counted,
    day_words,
    distance,
    headline,
    instant_words,
    old_sentence,
    short_day,
    what_words,
)

ROWS = 6
"""Values in the table of a mail; the figure shows all of the evidence's series."""
_FIRST = {ChangeWhat.OPENED.value, "digest"}
_REDUCING = {Kind.DISCONTINUE, Kind.WITHHOLD, Kind.DOSE_REDUCTION}
_ABOUT_THE_DOSE = _REDUCING | {Kind.CONTRAINDICATED, Kind.INTERACTION}
"""What may lead to a change of the dose names the last one."""


def view_of(
    alert_id: int,
    shown: dict[str, Any],
    person: Person,
    standing: Standing,
    *,
    what: str,
    reason: str,
    now: datetime,
    zone: ZoneInfo,
    public_url: str = "",
) -> AlertView:
    """Lay out one alert. `shown` is the evidence of `core.evidence`, numbers as exact text."""
    limit = _number(shown["limit"])
    value = _number(shown["value"])
    points = _points(shown)
    figure = _figure(shown, points, limit, zone)
    return AlertView(
        id=alert_id,
        person=person,
        drug=shown["drug"],
        clinic=shown["clinic"],
        kind=shown["kind"],
        urgency=shown["urgency"],
        what=what_words(what),
        is_new=what in _FIRST,
        reason=reason,
        headline=headline(shown["kind"]),
        summary=shown["summary"],
        old=_old(shown, now, zone),
        value=shown_value(shown, ""),
        unit=shown["unit"] or "",
        analyte=shown["analyte_title"] or "",
        measured=titled(shown["analyte_title"] or "", derived=bool(shown.get("derived"))),
        collected=_collected(shown["collected_at"], now, zone),
        collected_at=_instant(shown["collected_at"], zone),
        distance=_distance(shown, value, limit),
        limit_text=shown["limit_text"],
        latest=_latest(shown, now, zone),
        action=shown["action"],
        say=_said(shown, standing, clinic_day(now, zone)),
        cautions=_cautions(shown, clinic_day(now, zone)),
        values=_rows(shown, points, limit, zone),
        legend=_legend(points),
        figure=figure,
        alt=() if figure is None else alt_text(figure),
        panels=tuple(
            _panel(panel, clinic_day(standing.closed_at or now, zone)) for panel in shown["panels"]
        ),
        held=tuple(_held(row) for row in shown["held"]),
        why=_why(shown, standing, zone),
        state=standing.state,
        standing=_standing(standing, zone),
        is_closed=standing.closed_at is not None,
        is_recovered=_is_recovered(shown) and not _old(shown, now, zone),
        commands=_commands(alert_id, shown, standing),
        link=f"{public_url.rstrip('/')}/alerts/{alert_id}" if public_url else "",
    )


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def shown_value(shown: dict[str, Any], prefix: str) -> str:
    """The worst value of an alert, or its latest (`latest_`), with what hides more of it."""
    value = _number(shown[f"{prefix}value"])
    if value is None:
        return ""
    return f"{shown[f'{prefix}comparator'] or ''}{_shown_number(shown, value)}"


def _shown_number(shown: dict[str, Any], value: Decimal) -> str:
    return show(value, shown["decimals"], _limits(shown))


def _limits(shown: dict[str, Any]) -> tuple[Decimal, ...]:
    """Those of every level: no value is shown on or across one that it does not meet. What was
    written before all were kept has the one it is about."""
    texts = shown.get("limits") or [shown["limit"]]
    return tuple(Decimal(text) for text in texts if text is not None)


def _instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(zone)


def _collected(text: str | None, now: datetime, zone: ZoneInfo) -> str:
    if text is None:
        return ""
    at = datetime.fromisoformat(text)
    return f"{instant_words(at, zone)} ({age_words(at, now, zone)})"


def _old(shown: dict[str, Any], now: datetime, zone: ZoneInfo) -> str:
    """The state today is known as well as the latest result is new."""
    text = shown["latest_collected_at"] or shown["collected_at"] or shown.get("happened_at")
    return "" if text is None else old_sentence(datetime.fromisoformat(text), now, zone)


def _distance(shown: dict[str, Any], value: Decimal | None, limit: Decimal | None) -> str:
    if value is None or limit is None:
        return ""
    return distance(value, shown["comparator"] or "", limit, downward=shown["downward"])


def _latest(shown: dict[str, Any], now: datetime, zone: ZoneInfo) -> str:
    """The latest value, where it is another than the worst one that the alert is about."""
    text = shown["latest_collected_at"]
    if text is None or text == shown["collected_at"]:
        return ""
    value = shown_value(shown, "latest_")
    unit = titled(shown["unit"], derived=bool(shown.get("latest_derived")))
    latest = f"{value} {unit} on {_collected(text, now, zone)}{_how_it_stands(shown)}"
    return "; ".join([latest, *_since_then(shown, text, now, zone)])


def _since_then(shown: dict[str, Any], latest: str, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    """A value that came after the latest that counts, which would pass for the latest there is: a
    preliminary one ends nothing, one of the next treatment is not of this."""
    if not shown["series"]:
        return
    newest = shown["series"][-1]
    is_newer = datetime.fromisoformat(newest["at"]) > datetime.fromisoformat(latest)
    if is_newer and newest["value"]:
        since = "preliminary since" if newest.get("status") == Status.PRELIMINARY else "since then"
        text = f"{newest['comparator'] or ''}{_shown_number(shown, Decimal(newest['value']))}"
        unit = titled(shown["unit"], derived=bool(newest["derived"]))
        yield f"{since}: {text} {unit} on {_collected(newest['at'], now, zone)}"


def _is_recovered(shown: dict[str, Any]) -> bool:
    """Of a recovered alert: one episode may be over and the latest result be of the next."""
    return bool(shown["recovered"] and not shown.get("latest_breaches"))


def _how_it_stands(shown: dict[str, Any]) -> str:
    if _is_recovered(shown):
        return ": back within the limit"
    return ": beyond a limit again" if shown["recovered"] else ""


def _said(shown: dict[str, Any], standing: Standing, today: date) -> tuple[str, ...]:
    """What is asked for still is, until somebody has closed it."""
    sentences = tuple(shown["say"])
    return sentences if standing.state == AlertState.CLOSED else read_on(today, sentences)


def _cautions(shown: dict[str, Any], today: date) -> tuple[str, ...]:
    """The last dose with every alert that may lead to a change of it, and a start in doubt."""
    lines = []
    dose = shown["dose"]
    is_to_come = dose is not None and date.fromisoformat(dose["on"]) > today
    if shown["kind"] in _ABOUT_THE_DOSE and not is_to_come:
        lines.append(
            f"Last dose on record: {_dose(dose)}." if dose else "Last dose: not on record, ask."
        )
    is_asked = any("INR" in sentence for sentence in shown["say"])
    if shown["kind"] in _REDUCING and shown["warfarin"] and not is_asked:
        lines.append("Warfarin is on the list: check INR.")
    is_said = any(sentence.startswith("Held since ") for sentence in shown["say"])
    if shown["enrolment_state"] not in {"active", "planned"} and not is_said:
        lines.append(f"On record as {shown['enrolment_state']}.")
    return tuple(lines)


def _dose(dose: dict[str, str]) -> str:
    amount = Decimal(dose["mg_per_day"])
    return f"{amount:f} mg/day since {short_day(date.fromisoformat(dose['on']))}"


def _points(shown: dict[str, Any]) -> tuple[Point, ...]:
    points, limits = [], _limits(shown)
    for entry in shown["series"]:
        value = _number(entry["value"])
        text = entry["no_result"] or "no result"
        if value is not None:
            text = f"{entry['comparator']}{show(value, shown['decimals'], limits)}"
        points.append(
            Point(
                at=datetime.fromisoformat(entry["at"]),
                value=value,
                text=text,
                comparator=entry["comparator"] or "",
                derived=bool(entry["derived"]),
            )
        )
    return tuple(points)


def _figure(
    shown: dict[str, Any], points: tuple[Point, ...], limit: Decimal | None, zone: ZoneInfo
) -> Figure | None:
    if limit is None or not is_worth_drawing(points):
        return None
    return Figure(
        title=shown["analyte_title"],
        unit=shown["unit"],
        points=points,
        limit=limit,
        limit_text=shown["limit_text"],
        downward=shown["downward"],
        zone=zone,
        days=tuple(day_text(point.at, zone) for point in points),
    )


def _rows(
    shown: dict[str, Any], points: tuple[Point, ...], limit: Decimal | None, zone: ZoneInfo
) -> tuple[ValueRow, ...]:
    """The newest first; as received where that reads otherwise than what is shown."""
    rows = []
    for entry, point in zip(shown["series"], points, strict=True):
        beyond = limit is not None and breaches(point, limit, downward=shown["downward"])
        notes = [
            "beyond the limit" if beyond else "",
            "derived, not reported" if point.derived else "",
            "preliminary" if entry.get("status") == "preliminary" else "",
            _as_received(entry, point, shown["unit"]),
        ]
        rows.append(
            ValueRow(
                when=instant_words(point.at, zone),
                value=point.text,
                note="; ".join(note for note in notes if note),
                beyond=beyond,
            )
        )
    return tuple(reversed(rows[-ROWS:]))


def _as_received(entry: dict[str, Any], point: Point, unit: str) -> str:
    """What the laboratory wrote, where it reads otherwise than the number shown."""
    received = str(entry["received"])
    if point.value is None or point.derived or not received:
        return ""
    number, _, own_unit = received.partition(" ")
    try:
        same = Decimal(number.lstrip("<>=")) == point.value and own_unit in {unit, ""}
    except InvalidOperation:
        same = False
    return "" if same else f"received as {received}"


def _legend(points: tuple[Point, ...]) -> str:
    parts = [
        "○ derived" if any(point.derived for point in points) else "",
        "▲▼ only a bound" if any(point.comparator for point in points) else "",
        "× no result" if any(point.value is None for point in points) else "",
    ]
    return " · ".join(part for part in parts if part)


def _panel(panel: dict[str, Any], today: date) -> PanelRow:
    """Its days are counted when it is told: the evidence is not written anew each day for them."""
    due, last = panel["due_on"], panel["last_completed_on"]
    declared = " (declared)" if panel["declared"] else ""
    serious = panel["state"] == "seriously_overdue"
    since_due = 0 if due is None else (today - date.fromisoformat(due)).days
    days = max(0, since_due) if panel["state"] in LATE else 0
    late = f"{counted(days, 'day')} overdue" if days else panel["state"].replace("_", " ")
    if due is not None and since_due <= 0:
        late = f"due in {counted(-since_due, 'day')}" if since_due else "due today"
    return PanelRow(
        title=panel["title"],
        due_on=None if due is None else date.fromisoformat(due),
        was="is due" if due is not None and since_due <= 0 else "was due",
        due="no due day" if due is None else day_words(date.fromisoformat(due)),
        late=late + (", seriously" if serious else ""),
        days=days,
        serious=serious,
        last="never done"
        if last is None
        else f"last done {short_day(date.fromisoformat(last))}{declared}",
    )


def _held(row: dict[str, Any]) -> str:
    day = "no day" if row["on"] is None else short_day(date.fromisoformat(row["on"]))
    return f"{day}: {row['received'] or 'no value'} ({row['reason']})"


def _why(shown: dict[str, Any], standing: Standing, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
    protocol = shown["protocol"]
    level = f", level {shown['level']}" if shown["level"] else ""
    limit = f", {shown['limit_text']}" if shown["limit_text"] else ""
    rule = [("Rule", f"{shown['rule'].replace('_', ' ')}{level}{limit}")] if shown["rule"] else []
    return (
        *rule,
        ("Source", AsWritten(shown["source"])),
        ("Protocol", f"{protocol['title']}, version {protocol['version']}"),
        ("Status", f"{protocol['status']} (text {protocol['digest'][:10]})"),
        ("Open since", instant_words(standing.opened_at, zone)),
    )


def _standing(standing: Standing, zone: ZoneInfo) -> str:
    """What has become of the alert between being queued and being sent."""
    if standing.closed_at is not None:
        outcome = f": {standing.outcome}" if standing.outcome else ""
        return f"Closed since, on {instant_words(standing.closed_at, zone)}{outcome}"
    if standing.state == "acknowledged" and standing.acknowledged_until is not None:
        until = day_words(standing.acknowledged_until)
        return f"Acknowledged by {standing.acknowledged_by or 'somebody'} until {until}"
    return ""


def _commands(
    alert_id: int, shown: dict[str, Any], standing: Standing
) -> tuple[tuple[str, str], ...]:
    explain = ("See the arithmetic", f"monitor explain {alert_id}")
    if standing.closed_at is not None:
        return (explain,)
    commands = [("Take it on", f"monitor ack {alert_id} --by YOUR-NAME")]
    if shown["kind"] not in SELF_CLOSING:
        ended = shown["recovered"] or shown.get("ends_when_closed")
        review_by = "" if ended else " --review-by DAY"
        commands.append(
            (
                "Close it when done",
                f'monitor close {alert_id} --by YOUR-NAME --outcome "WHAT WAS DONE"{review_by}',
            )
        )
    return (*commands, explain)
