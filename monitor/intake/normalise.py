"""Raw row to result, held row or ignored row: the one way in for every format.

Source: specification, section 3. Nothing is guessed: what cannot be trusted is held with its
reason, and where the analyte and the patient are known, with the values it may mean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

from monitor.config import Source
from monitor.core.catalogue import Analyte, Catalogue
from monitor.core.meanings import write_meanings
from monitor.core.status_words import PLACEHOLDER
from monitor.core.vocabulary import Status
from monitor.intake.cells import Cells
from monitor.intake.dates import Moment
from monitor.intake.issuers import Issuers
from monitor.intake.measure import Measures
from monitor.intake.measured import Measure, Problem
from monitor.intake.outcomes import UNKNOWN_PATIENT, Held, Ignored, Outcome, Taken
from monitor.intake.people import People, Person, mrn_key
from monitor.intake.problems import called, no_date, no_status
from monitor.intake.raw import OPEN_POINT, BadLine, RawRow
from monitor.intake.vocabulary import specimen_number
from monitor.intake.whose import Unsure, Whose

_ID = re.compile("[/:]")
_COMMENT_LIMIT = 4000
_METHOD_LIMIT = 200
_NAME_SHOWN = 60
_MRN_LIMIT = 200
"""Characters of a number that quarantine is searched by; no real one comes near."""


class Normaliser:
    """Normalises the rows of one source at one instant."""

    def __init__(
        self,
        people: People,
        catalogue: Catalogue,
        source: Source,
        *,
        zone: ZoneInfo,
        now: datetime,
        issuers: Issuers | None = None,
        patients: Mapping[str, str] | None = None,
        ignore_unknown_patients: bool = False,
    ) -> None:
        self._people = people
        self.issuers = issuers or Issuers()
        self._catalogue = catalogue
        self._source = source
        self.cells = Cells(source, zone, now)
        self.whose = Whose(people, self.cells, self.issuers, patients or {}, now)
        self._ignore_unknown = ignore_unknown_patients
        self.measures = Measures(catalogue, source)
        self.unread: Counter[str] = Counter()
        """Optional cells that say nothing that can be so, and count as missing, by column."""

    def normalise(self, rows: Iterable[RawRow | BadLine]) -> Iterator[Outcome]:
        """The outcome of each row, in order; patients are looked up for all of them at once."""
        rows = list(rows)
        self._people.prepare(
            self.issuers.claim(row.mrn, row.issuer).number.number
            for row in rows
            if isinstance(row, RawRow)
        )
        for row in rows:
            yield self._bad_line(row) if isinstance(row, BadLine) else self._row(row)

    def prepare(self, numbers: Iterable[str]) -> None:
        """Look up the patients of plain numbers, as rows without an issuer give them."""
        self._people.prepare(map(self._plain_number, numbers))

    def patients_with(self, numbers: Iterable[str]) -> set[int]:
        """Everyone who has one of these plain numbers, of whatever issuer."""
        found = (self._people.with_number(self._plain_number(mrn)) for mrn in numbers)
        return {known.person.id for several in found for known in several}

    def _plain_number(self, mrn: str) -> str:
        return self.issuers.claim(mrn, "").number.number

    def possible_values(self, held: Held) -> str:
        """The canonical values that a held row may mean, as quarantine keeps them: where its
        names contradict each other, those of each analyte that they name."""
        analyte = self._catalogue.find(held.analyte) if held.analyte else None
        row = held.raw
        if analyte is None or row is None or held.patient_id is None:
            return ""

        def values(analyte: Analyte) -> tuple[Decimal, ...]:
            return self.measures.possible(analyte, row.value, row.unit, row.decimal)

        meant = self._meant(row)
        own = analyte.absolute_name or analyte.name
        named = [name for it, name in meant.items() if it != own] if len(meant) > 1 else []
        others = (self._analyte_of(row, name) for name in named)
        return write_meanings(values(analyte), {it.name: values(it) for it in others if it})

    def _bad_line(self, bad: BadLine) -> Held:
        stored = {"line": bad.text} | ({"place": bad.place} if bad.place else {})
        return Held(bad.line, stored, bad.code, bad.reason, place=bad.place)

    def _row(self, row: RawRow) -> Outcome:
        if row.unresolved and self._source.patient_id_is_mrn:
            row = row._replace(mrn=_ID.split(row.reference)[-1])
        contradiction = None
        if row.also:
            contradiction = self._contradicting(row)
            row = self._named(row)
        if why := self._needs_nobody(row):
            return Ignored(row.line, why)
        status = self.cells.status(row.status)
        if status == PLACEHOLDER:
            return Ignored(row.line, "announced" if row.value.strip() else "placeholder")
        whose = self.whose.of(row)
        if isinstance(whose, Unsure):
            return self._nobody(row, whose)
        moment = self.cells.collected(row.collected_at, row.dates)
        if moment is None:
            return self._hold(row, no_date(row.collected_at, row.dates), whose.id)
        if moment.at > self.cells.latest:
            problem = Problem("future", "collected more than 24 hours in the future")
            return self._hold(row, problem, whose.id)
        if not isinstance(status, Status):
            return self._hold(row, no_status(row.status), whose.id)
        if contradiction:
            return self._hold(row, contradiction, whose.id)
        return self.measured(row, whose, moment, status)

    def _needs_nobody(self, row: RawRow) -> str:
        """Why a row is no result whatever stands in it, if so."""
        if row.is_derived:
            return "derived"
        if row.is_remark:
            return "remark"
        return "mapping" if self.measures.is_ignored(row.analyte) else ""

    def measured(self, row: RawRow, whose: Person, moment: Moment, status: Status) -> Outcome:
        """The outcome of a row of which whose it is, its instant and its status are known."""
        measures = self.measures
        if status in (Status.WITHDRAWN, Status.CANCELLED):
            found = measures.withdrawn(row.analyte, row.value, row.unit, row.decimal)
        else:
            found = measures.measure(row.analyte, row.value, row.unit, row.decimal)
            if isinstance(found, Problem) and self._has_limits_with_point(row, found):
                return self.measured(row._replace(decimal="point"), whose, moment, status)
        if isinstance(found, Problem):
            return self._hold(row, found, whose.id)
        if found.pending and status is not Status.WITHDRAWN:
            return Ignored(row.line, "placeholder")
        cancelled = status is Status.CANCELLED
        low, high = measures.limits(
            found.analyte, row.ref_low, row.ref_high, found.unit, row.decimal
        )
        comment = row.comment.strip()[:_COMMENT_LIMIT]
        return Taken(
            line=row.line,
            patient_id=whose.id,
            analyte=found.analyte.name,
            collected=moment,
            specimen_id=specimen_number(row.specimen_id),
            value=None if cancelled else found.value,
            comparator="" if cancelled else found.comparator,
            no_result=_no_result(found, status, row.value),
            status=status,
            received_value=row.value.strip(),
            received_unit=row.unit.strip(),
            ref_low=low,
            ref_high=high,
            reported_at=self._reported(row),
            comment=comment,
            below_plausible=found.below_plausible,
            doubtful_comment=measures.doubt(comment, found.analyte),
            method=" ".join(row.method.casefold().split())[:_METHOD_LIMIT],
            raw=row,
            home_id=whose.moved_from,
            issuer=row.issuer.strip()[:_MRN_LIMIT],
            is_by_merge=not whose.is_enrolled,
        )

    def _has_limits_with_point(self, row: RawRow, problem: Problem) -> bool:
        """Whether the limits of a row say what the point of its value marks."""
        if row.decimal != OPEN_POINT or problem.analyte is None:
            return False
        return self.measures.shows_point(problem.analyte, (row.ref_low, row.ref_high), row.unit)

    def _nobody(self, row: RawRow, why: Unsure) -> Held | Ignored:
        if self._ignore_unknown and why.problem.code == UNKNOWN_PATIENT:
            return Ignored(row.line, "not enrolled")
        return self._hold(row, why.problem, why.patient_id)

    def _reported(self, row: RawRow) -> datetime | None:
        if not row.reported_at.strip():
            return None
        moment = self.cells.reported(row.reported_at, row.dates)
        if moment is None:
            self.unread["reported_at"] += 1
            return None
        return moment.at

    def _hold(self, row: RawRow, problem: Problem, patient_id: int | None) -> Held:
        """Hold a row with all that is known of it, so that a watched patient's is judged."""
        problem = called(problem, row)
        analyte = problem.analyte or self._analyte_of(row, row.analyte)
        moment = self.cells.collected(row.collected_at, row.dates)
        return Held(
            line=row.line,
            stored=row.stored(),
            code=problem.code,
            reason=problem.reason,
            hint=problem.hint,
            mrn_key=mrn_key(self.issuers.claim(row.mrn, row.issuer).number.number)[:_MRN_LIMIT],
            patient_id=patient_id,
            analyte="" if analyte is None else analyte.name,
            collected_on=None if moment is None else moment.on,
            raw=row,
            place=row.place,
        )

    def _analyte_of(self, row: RawRow, name: str) -> Analyte | None:
        """What a row measures under one of its names: a percentage where its unit says so."""
        analyte = self.measures.analyte(name)
        if analyte is None or "%" not in row.unit:
            return analyte
        return self.measures.measure(name, row.value, row.unit, row.decimal).analyte or analyte

    def _named(self, row: RawRow) -> RawRow:
        """The row under that one of its analyte's names that counts: one to be ignored, one that
        the mapping names, one that is known to be of something else (mid cells, whatever they are
        called besides), else the first that says something to us."""
        names = [name for name in (row.analyte, *row.also) if name.strip()]
        measures = self.measures
        known = (name for name in names if measures.analyte(name) is not None)
        chosen = chain(
            filter(measures.is_ignored, names),
            filter(measures.is_mapped, names),
            filter(self._catalogue.is_of_another, names),
            known,
            names,
        )
        return row._replace(analyte=next(chosen, row.analyte))

    def _contradicting(self, row: RawRow) -> Problem | None:
        """Why two names of a row's analyte cannot both be right, if so; a count and its
        percentage are no contradiction, for the unit tells them apart."""
        meant = list(self._meant(row).values())
        if len(meant) < 2:
            return None
        one, other = meant[:2]
        reason = "code and name of the analyte contradict each other"
        hint = f'"{one[:_NAME_SHOWN]}" and "{other[:_NAME_SHOWN]}"'
        return Problem("code_contradicts_name", reason, hint)

    def _meant(self, row: RawRow) -> dict[str, str]:
        """The analytes that a row's names mean, each with the first name that means it."""
        meant: dict[str, str] = {}
        for name in (row.analyte, *row.also):
            analyte = self.measures.analyte(name)
            if analyte is not None and not self.measures.is_mapped(name):
                meant.setdefault(analyte.absolute_name or analyte.name, name)
        return meant


def _no_result(found: Measure, status: Status, text: str) -> str:
    if status is Status.CANCELLED:
        return found.no_result if found.no_result and text.strip() else "cancelled"
    return found.no_result if found.value is None and status is not Status.WITHDRAWN else ""
