"""The monitoring gap report: of each panel the days that a test covered and those that none did,
with what is on record of why; sealed (docs/adr/0068).

It is made of lines, one an enrolment, and a piece of them at a time is in memory. What is sealed of
them follows from what is stored and from the days asked for, not from when it is asked: the days
are seen as on the last of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from monitor.config import Settings
from monitor.core.adherence import Adherence, adherence
from monitor.core.calendar import clinic_day, start_of_day
from monitor.core.case import Case
from monitor.core.gaps import document, panels
from monitor.core.judges import View
from monitor.core.known_since import is_late
from monitor.operations import gap_facts
from monitor.operations.feed_outages import Outage, outages
from monitor.operations.gap_totals import Totals
from monitor.operations.period import Counted, days_asked, enrolments_asked
from monitor.operations.report_overdue import Which
from monitor.review import WITH_ALL_READ
from monitor.review.judging import look
from monitor.review.program import program
from monitor.store import claims
from monitor.store.database import Store
from monitor.store.frames import chunks, load_cases
from monitor.store.rulebook import RuleBook, load_rulebook
from monitor.store.seal import seal

FORMAT = 1
"""Of what is sealed: another number where the same days would be written otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a gap report ends with."""

    at: str
    program: str
    """By which rules it was made: another program may say otherwise."""
    audit_seal: str
    """Of the audit trail and the history of alerts, as `monitor seal` tries it."""
    digest: str

    def document(self) -> dict[str, str]:
        return {
            "at": self.at,
            "program": self.program,
            "audit_seal": self.audit_seal,
            "digest": self.digest,
        }


class Digest:
    """The SHA-256 of lines as they follow each other."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self._sum.update(text.encode("utf-8", "surrogatepass") + b"\n")

    def __str__(self) -> str:
        return self._sum.hexdigest()


class Gaps:
    """The enrolments of a gap report, the numbers of the patients ascending; once they are told,
    what they add up to, and the seal. `head` says what was asked for. Raises NoPeriod."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        which: Which,
        asked_for: tuple[date | None, date | None],
        now: datetime,
    ) -> None:
        self._store, self._settings, self._which, self._now = store, settings, which, now
        zone = settings.clinic.zone
        with store.read() as connection:
            self.first, self.last = days_asked(connection, asked_for, clinic_day(now, zone))
        over = start_of_day(self.last + timedelta(days=1), zone)
        self.is_over = over <= now
        """Whether the last day is: until then a test may come."""
        self._until = min(over - timedelta.resolution, now)
        self.asked = 0
        self.totals: Mapping[str, Any] = {}
        self.sealed = Sealed(at="", program="", audit_seal="", digest="")

    @property
    def head(self) -> dict[str, Any]:
        """What was asked for, and by what days and results were counted."""
        late = self._settings.intake.late_after
        return {
            "report": "monitoring gaps",
            "format": FORMAT,
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "clinic": self._which.clinic,
            "drug": self._which.drug,
            "timezone": self._settings.clinic.zone.key,
            "late_after": str(late) if late is not None else None,
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        digest, totals = Digest(), Totals()
        digest.add(self.head)
        with self._store.read() as connection:
            for line in self._lines(connection, totals):
                digest.add(line)
                yield line
            self.totals = totals.document()
            digest.add(self.totals)
            self.sealed = Sealed(
                at=self._now.astimezone(self._settings.clinic.zone).isoformat(timespec="seconds"),
                program=program(),
                audit_seal=str(seal(connection, self._now)),
                digest=str(digest),
            )

    def nobody(self) -> str:
        """What is said where nobody was asked for."""
        return self._which.nobody()

    def ending(self) -> dict[str, Any]:
        """What stands after the enrolments."""
        return {"totals": self.totals, "sealed": self.sealed.document()}

    def _lines(self, connection: Connection, totals: Totals) -> Iterator[dict[str, Any]]:
        settings, until, zone = self._settings, self._until, self._settings.clinic.zone
        wanted = enrolments_asked(connection, self._which)
        self.asked = len(wanted)
        rulebook = load_rulebook(connection)
        silent = outages(connection, settings, self.first, until)
        ids = [it for it in claims.ids_by_mrn(connection) if it in wanted]
        for piece in chunks(ids, WITH_ALL_READ):
            cases = load_cases(connection, piece, until=until, zone=zone)
            views, _ = look(cases, rulebook, until, zone)
            seen = {it.case.enrolment.id: it for it in views}
            found = {it: adherence(view, self.first, self.last) for it, view in seen.items()}
            facts = _Facts(connection, settings, silent, until, views, found)
            by_id = {it.enrolment.id: it for it in cases}
            for enrolment in (it for it in piece if it in by_id):
                view = seen.get(enrolment)
                if view is None:
                    totals.not_judged += 1
                    yield {**_names(by_id[enrolment]), "not_judged": True}
                elif found[enrolment].here or found[enrolment].elsewhere:
                    whose = wanted[enrolment]
                    yield _line(view, found[enrolment], whose, facts, totals, rulebook)


class _Facts:
    """What the database tells of the enrolments of one piece beside their cases; it is asked for
    only where something is to be explained."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        silent: Mapping[str, Sequence[Outage]],
        until: datetime,
        views: Sequence[View],
        found: Mapping[int, Adherence],
    ) -> None:
        zone = settings.clinic.zone
        lapsed = [it for it in views if found[it.case.enrolment.id].uncovered]
        ids = [it.case.enrolment.id for it in lapsed]
        self._silent, self._lapsed = silent, frozenset(ids)
        self._alerts = gap_facts.of_alerts(connection, ids, until, zone)
        self._held = gap_facts.of_held_rows(connection, lapsed, until, zone)
        self.late_after = after = settings.intake.late_after
        late = {
            it.case.enrolment.patient_id
            for it in views
            if after is not None and any(is_late(result, after, zone) for result in it.results)
        }
        self._superseded = gap_facts.superseded(connection, late, zone)

    def grounds(self, view: View) -> list[Any]:
        """What is on record of why tests are missing."""
        enrolment = view.case.enrolment.id
        if enrolment not in self._lapsed:
            return []
        return [
            *gap_facts.of_feeds(view, self._silent),
            *self._held.get(enrolment, ()),
            *self._alerts.get(enrolment, ()),
        ]

    def received(self, view: View) -> Mapping[tuple[str, date], date]:
        """When results came that were superseded since."""
        return self._superseded.get(view.case.enrolment.patient_id, {})


def _line(
    view: View,
    found: Adherence,
    whose: Counted,
    facts: _Facts,
    totals: Totals,
    rulebook: RuleBook,
) -> dict[str, Any]:
    told, received = facts.grounds(view), facts.received(view)
    own = panels(view, found, told, received, facts.late_after)
    enrolment, protocol = view.case.enrolment, view.protocol
    titled = [(protocol.panel(it.panel).title, it) for it in own]
    totals.add(enrolment.mrn, whose, found, titled)
    totals.protocols[protocol.id] = rulebook.protocols[enrolment.protocol_id].digest
    stopped = view.life.stopped_on
    return {
        **_names(view.case),
        "stopped_on": stopped.isoformat() if stopped else None,
        "panels": [document(it, view) for it in own],
    }


def _names(case: Case) -> dict[str, Any]:
    it = case.enrolment
    return {
        "mrn": it.mrn,
        "clinic": it.clinic,
        "drug": it.drug,
        "protocol": it.protocol_id,
        "started_on": it.started_on.isoformat(),
        "enrolled_on": it.enrolled_on.isoformat(),
    }
