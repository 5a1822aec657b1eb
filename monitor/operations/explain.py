"""Why this alert, or why none: everything the answer was made of, as data and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Settings
from monitor.core.actions import ActionRefused
from monitor.core.answer import Review
from monitor.core.calendar import FIRST_YEAR, LAST_YEAR, clinic_day, instant_text, start_of_day
from monitor.core.findings import day_text
from monitor.core.judges import View, considered
from monitor.core.protocol import Protocol
from monitor.core.reasons import Outcome, panel_reasons, rule_reasons
from monitor.core.repeats import read_on
from monitor.core.review import view_of
from monitor.core.sureness import sureness
from monitor.operations.alert_list import Standing, alert_row, alerts_at, number
from monitor.operations.answers import Answers, answers, enrolments_of
from monitor.operations.muted import muted_alerts
from monitor.store.alerts import history_of
from monitor.store.database import Store
from monitor.store.rulebook import RuleBook


def explain_alert(store: Store, settings: Settings, alert_id: int, now: datetime) -> dict[str, Any]:
    """One alert as it stood at `now`: what it shows, the rule and its source, the values as
    received and converted, the arithmetic, and its history. Raises ActionRefused."""
    with store.read() as connection:
        found = next(alerts_at(connection, settings, now, only=alert_id), None)
        if found is None:
            raise ActionRefused(f"there is no alert {alert_id}; see: monitor alerts --state all")
        history = [entry for entry in history_of(connection, [alert_id]) if entry.at <= now]
        batches = list(answers(connection, settings, now, ids=[found.row.enrolment_id], until=now))
        muted_by = muted_alerts(connection).get(alert_id)
    zone = settings.clinic.zone
    reviewed = _reviewed(batches, now, zone)
    shown, today = found.shown, clinic_day(now, zone)
    return {
        "alert": alert_row(found, zone, now),
        "muted_by": muted_by,
        "action": shown["action"],
        "say": shown["say"] if found.state == "closed" else [*read_on(today, shown["say"])],
        "protocol": shown["protocol"],
        "limit": shown["limit_text"],
        "arithmetic": shown["arithmetic"],
        "values": [{**point, "value": number(point["value"])} for point in shown["series"]],
        "panels": [dict(panel) for panel in shown["panels"]],
        "held": [dict(row) for row in shown["held"]],
        "dose": _dose(shown["dose"]),
        "rule": _rule_of(found, reviewed),
        "sure": sureness(shown["source"]),
        "considered": _considered(found, reviewed),
        "history": [
            {
                "at": entry.at.astimezone(zone).isoformat(),
                "what": entry.what,
                "by": entry.by,
                "note": entry.note,
            }
            for entry in history
        ],
    }


def explain_patient(
    store: Store, settings: Settings, mrn: str, on: date | None, now: datetime
) -> dict[str, Any]:
    """Every rule and panel of a patient at the end of a clinic day (None: at `now`), and why
    it spoke or stayed quiet; of a day before any enrolment there is none. Raises ActionRefused."""
    zone = settings.clinic.zone
    if on is not None and not FIRST_YEAR <= on.year <= LAST_YEAR:
        raise ActionRefused(f"a day is explained from {FIRST_YEAR} to {LAST_YEAR}")
    at = now if on is None else _end_of(on, zone)
    with store.read() as connection:
        ids = enrolments_of(connection, mrn)
        if not ids:
            raise ActionRefused(f"nobody is enrolled under {mrn.strip()}; see: monitor status")
        batches = list(answers(connection, settings, at, ids=ids, until=min(at, now)))
    if any(batch.failed for batch in batches):
        raise ActionRefused(f"{mrn.strip()} could not be judged: a fault of the monitor")
    reviewed = _reviewed(batches, at, zone)
    known = [answer.review.case.enrolment.mrn for answer, _ in reviewed]
    return {
        "mrn": known[0] if known else mrn.strip(),
        "at": at.astimezone(zone).isoformat(),
        "enrolments": [_enrolment(answer, rulebook) for answer, rulebook in reviewed],
    }


def in_words(told: Mapping[str, Any]) -> list[str]:
    """An explanation as lines of text."""
    return list(_alert_in_words(told) if "alert" in told else _patient_in_words(told))


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return start_of_day(day + timedelta(days=1), zone) - timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the core says of an enrolment, and what the judges saw."""

    review: Review
    view: View


def _dose(last: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if last is None else {**last, "mg_per_day": number(last["mg_per_day"])}


def _reviewed(
    batches: Iterable[Answers], at: datetime, zone: ZoneInfo
) -> list[tuple[_Answer, RuleBook]]:
    found = []
    for batch in batches:
        book = batch.rulebook
        for review in batch.reviews:
            view = view_of(review.case, book.protocols, book.catalogue, at, zone)
            found.append((_Answer(review, view), book))
    return found


def _protocol(review: Review, rulebook: RuleBook) -> Protocol:
    return rulebook.protocols[review.case.enrolment.protocol_id]


def _rule_of(
    found: Standing, reviewed: Sequence[tuple[_Answer, RuleBook]]
) -> dict[str, Any] | None:
    """What the alert's rule makes of the results today: the ladder, and the values it saw."""
    for answer, rulebook in reviewed:
        review = answer.review
        reasons = rule_reasons(review, _protocol(review, rulebook), rulebook.catalogue)
        for reason in reasons:
            if reason.rule == found.shown["rule"]:
                return asdict(reason)
    return None


def _considered(
    found: Standing, reviewed: Sequence[tuple[_Answer, RuleBook]]
) -> list[dict[str, Any]]:
    """What else was looked at that day and kept quiet, with the reason."""
    quiet: list[dict[str, Any]] = []
    for answer, rulebook in reviewed:
        protocol = _protocol(answer.review, rulebook)
        reasons = rule_reasons(answer.review, protocol, rulebook.catalogue)
        quiet += [
            {
                "room": "rule",
                "subject": it.rule,
                "outcome": it.outcome.value,
                "why": list(it.why),
                "source": it.source,
            }
            for it in reasons
            if it.rule != found.shown["rule"] and it.outcome is not Outcome.SPOKE
        ]
        quiet += _rooms(answer)
    return quiet


def _rooms(answer: _Answer) -> list[dict[str, Any]]:
    """What every judge beside the rules kept quiet about."""
    return [
        {
            "room": it.room,
            "subject": it.subject,
            "outcome": (Outcome.QUIET if it.judged else Outcome.NOT_JUDGED).value,
            "why": list(it.why),
            "source": it.source,
        }
        for it in considered(answer.view)
    ]


def _enrolment(answer: _Answer, rulebook: RuleBook) -> dict[str, Any]:
    review = answer.review
    protocol, enrolment, life = _protocol(review, rulebook), review.case.enrolment, review.life
    others = [it for it in review.findings if not it.cause.startswith("rule:") and not it.panels]
    return {
        "drug": enrolment.drug,
        "state": life.state.value,
        "started_on": enrolment.started_on.isoformat(),
        "enrolled_on": enrolment.enrolled_on.isoformat(),
        "start_confirmed": life.start_confirmed,
        "anchors": [day.isoformat() for day in life.anchors],
        "protocol": {
            "id": protocol.id,
            "title": protocol.title,
            "version": protocol.version,
            "digest": protocol.digest,
        },
        "panels": [asdict(reason) for reason in panel_reasons(review, protocol)],
        "rules": [asdict(it) for it in rule_reasons(review, protocol, rulebook.catalogue)],
        "others": [
            {
                "kind": it.kind.value,
                "summary": it.summary,
                "arithmetic": list(it.arithmetic),
                "source": it.source,
                "sure": sureness(it.source),
                "recovered": it.recovered,
            }
            for it in others
        ],
        "considered": _rooms(answer),
    }


def _alert_in_words(told: Mapping[str, Any]) -> Iterator[str]:
    alert, protocol = told["alert"], told["protocol"]
    recovered = ", recovered" if alert["recovered"] else ""
    yield f"Alert {alert['id']}, {alert['mrn']}, {alert['drug']}: {alert['summary']}"
    since = _when(alert["opened_at"])
    kind = alert["kind"].replace("_", " ")
    yield f"  {kind}, {alert['urgency']}, {alert['state']}{recovered}, since {since}"
    if told["muted_by"]:
        by = told["muted_by"]
        yield f"  Muted: alert {by} speaks for it; it is told when that one no longer does."
    yield f"  {told['action']}"
    yield from (f"  {sentence}" for sentence in told["say"])
    yield f"  Source: {alert['source']}"
    yield f"  How sure: {told['sure']}"
    yield f"  Protocol {protocol['id']}, version {protocol['version']}, digest {protocol['digest']}"
    if told["limit"]:
        yield f"  Limit: {told['limit']}"
    yield from _section("How it was reckoned", told["arithmetic"])
    if told["rule"]:
        yield from _section(f"Rule {told['rule']['rule']}", told["rule"]["levels"])
        yield from _section("Values as received and converted", told["rule"]["values"])
    yield from _section("Also considered, and quiet", [_line(it) for it in told["considered"]])
    yield from _section("History", [_entry(entry) for entry in told["history"]])


def _patient_in_words(told: Mapping[str, Any]) -> Iterator[str]:
    if not told["enrolments"]:
        yield f"{told['mrn']} was not enrolled yet; as of {_when(told['at'])}"
    for enrolment in told["enrolments"]:
        protocol = enrolment["protocol"]
        started = "started" if enrolment["start_confirmed"] else "start not confirmed, planned for"
        yield (
            f"{told['mrn']}, {enrolment['drug']}, {enrolment['state']}, {started} "
            f"{_day(enrolment['started_on'])}, enrolled {_day(enrolment['enrolled_on'])}; "
            f"as of {_when(told['at'])}"
        )
        yield f"  Protocol {protocol['id']}, version {protocol['version']}"
        for panel in enrolment["panels"]:
            yield from _section(f"Panel {panel['panel']}: {panel['outcome']}", panel["why"])
        for rule in enrolment["rules"]:
            yield from _section(f"Rule {rule['rule']}: {rule['outcome']}", rule["why"])
            yield f"    source: {rule['source']}"
            yield f"    how sure: {rule['sure']}"
        for other in enrolment["others"]:
            recovered = " (recovered)" if other["recovered"] else ""
            title = f"{other['kind'].replace('_', ' ')}{recovered}: {other['summary']}"
            about = [f"source: {other['source']}", f"how sure: {other['sure']}"]
            yield from _section(title, [*other["arithmetic"], *about])
        quiet = [_line(it) for it in enrolment["considered"]]
        yield from _section("Also considered, and quiet", quiet)


def _line(it: Mapping[str, Any]) -> str:
    unknown = " COULD NOT BE JUDGED:" if it["outcome"] == Outcome.NOT_JUDGED else ""
    return f"{it['room']} {it['subject']}:{unknown} {'; '.join(it['why'])}"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f"  {title}"
        yield from (f"    {line}" for line in lines)


def _entry(entry: Mapping[str, Any]) -> str:
    note = f": {entry['note']}" if entry["note"] else ""
    return f"{_when(entry['at'])}: {entry['what']} by {entry['by']}{note}"


def _day(text: str) -> str:
    return day_text(date.fromisoformat(text))


def _when(text: str) -> str:
    """An instant of the answer, which is in the clinic's time, for people."""
    instant = datetime.fromisoformat(text)
    return instant_text(instant, instant.tzinfo)
