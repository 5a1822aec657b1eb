"""What is recalled of the results of a batch: what an earlier review left, and what came since.

Of each patient as much is read as goes on from there: the rows that came, and the results of those
analytes that a rule has still to see (`core/recalled.py`, docs/adr/0057).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from monitor.core.calendar import clinic_day
from monitor.core.case import Case, Result
from monitor.core.derive import may_derive
from monitor.core.indications import meant_for
from monitor.core.kept import unchanged_rules
from monitor.core.kept_text import Counted, memory_from, of_results
from monitor.core.ordered import Ordered, in_order
from monitor.core.protocol import Protocol
from monitor.core.recalled import Memory, Recalled
from monitor.review.program import BETWEEN, judged_in
from monitor.store import keeping, remembered
from monitor.store.histories import Histories
from monitor.store.keeping import OfResults
from monitor.store.remembered import Newer
from monitor.store.rulebook import RuleBook, load_earlier


@dataclass(slots=True)
class _Known:
    memory: Memory
    counted: Counted
    text: str
    new: Ordered
    settled: frozenset[str]
    wanted: frozenset[str]
    """Analytes whose results are to be read at once."""
    read: dict[str, Sequence[Result]] = field(default_factory=dict)


class Recall:
    """What is recalled of the results of patients of a batch: of whom that is enough."""

    def __init__(
        self,
        connection: Connection,
        histories: Histories,
        enrolment_ids: Collection[int],
        rulebook: RuleBook,
        zone: ZoneInfo,
        until: datetime | None = None,
    ) -> None:
        self._connection = connection
        self._histories = histories
        self._rulebook = rulebook
        self._zone = zone
        self._until = until
        self.counted: dict[int, Counted] = {}
        """The rows of those patients of whom something is remembered."""
        self._of: dict[int, _Known] = {}
        self._unchanged: dict[tuple[str, str], frozenset[str] | None] = {}
        if enrolment_ids:
            self._recall(keeping.of_results(connection, sorted(set(enrolment_ids))))
            self.read({patient: it.wanted for patient, it in self._of.items()})

    def results(self) -> Mapping[int, Recalled]:
        """By patient."""
        return {patient: self.of(patient) for patient in self._of}

    def of(self, patient: int) -> Recalled:
        known = self._of[patient]
        return Recalled(known.memory, known.new, known.settled, known.read)

    def known(self, patient: int) -> tuple[Memory, Counted, str] | None:
        """What an earlier review left of a patient's results, and its text."""
        known = self._of.get(patient)
        return None if known is None else (known.memory, known.counted, known.text)

    def serves(self, case: Case) -> bool:
        """Whether a case may be judged by what is recalled: it stands alone, as it did."""
        known = self._of.get(case.enrolment.patient_id)
        alone = not (case.siblings or case.personal or case.held)
        return known is not None and alone and known.memory.indication == case.enrolment.indication

    def read(self, wanted: Mapping[int, frozenset[str]]) -> None:
        """Read all results of some analytes, of each patient of others."""
        found = remembered.of_analytes(
            self._histories, {patient: names for patient, names in wanted.items() if names}
        )
        for patient, own in found.items():
            self._of[patient].read |= {
                analyte: sorted(results, key=in_order) for analyte, results in own.items()
            }

    def _recall(self, kept: Sequence[OfResults]) -> None:
        known = {it.patient_id: (it, *what) for it in kept if (what := memory_from(it.reach))}
        counted = self.counted = remembered.counted(self._connection, known)
        newer = self._newer(
            {
                patient: (then.last, counted[patient].rows - then.rows)
                for patient, (_, _, then) in known.items()
                if counted[patient] != then
            }
        )
        for patient, (it, memory, then) in known.items():
            rows = newer.get(patient, ())
            new = [row.result for row in rows if row.counts]
            settled = self._settled(it, memory)
            if settled is None or counted[patient].rows != then.rows + len(rows):
                continue
            if not self._had_come(memory):
                continue
            if self._go_on(memory, rows, new):
                self._of[patient] = _Known(
                    memory=memory,
                    counted=then,
                    text=of_results(it.reach),
                    new=Ordered(sorted(new, key=in_order)),
                    settled=settled,
                    wanted=memory.asked | self._open(it.protocol_id, memory, settled),
                )

    def _newer(self, expected: Mapping[int, tuple[int, int]]) -> dict[int, Sequence[Newer]]:
        """The rows that came since; `expected` are the last one that was there before, and how
        many came. Mostly all of them came after whatever was there of anybody."""
        if not expected:
            return {}
        latest = max(last for last, _ in expected.values())
        found = dict(remembered.newer(self._histories, dict.fromkeys(expected, latest)))
        lacking = {
            patient: last
            for patient, (last, count) in expected.items()
            if len(found.get(patient, ())) != count
        }
        return found | dict(remembered.newer(self._histories, lacking))

    def _go_on(self, memory: Memory, rows: Sequence[Newer], new: Sequence[Result]) -> bool:
        """Whether rows that came since change nothing of what is remembered."""
        return (
            all(memory.goes_on_with(it.collected_on, it.analyte) for it, _ in rows)
            and (self._until is None or all(it.collected_at <= self._until for it in new))
            and all(result.value is not None for result in new)
            and not may_derive((it.analyte for it, _ in rows), self._rulebook.catalogue)
        )

    def _had_come(self, memory: Memory) -> bool:
        """Whether all that is remembered was collected by the instant after which nothing is seen:
        a review counts results of a laboratory whose clock goes ahead. Of its day nobody knows."""
        if self._until is None:
            return True
        today = clinic_day(self._until, self._zone)
        return all(it.last < today for it in memory.of.values())

    def _settled(self, it: OfResults, memory: Memory) -> frozenset[str] | None:
        """The rules that need not see what is remembered; None: it was remembered by another
        catalogue or in another zone."""
        key = it.protocol_id, it.by
        if key not in self._unchanged:
            self._unchanged[key] = self._same_rules(it)
        unchanged = self._unchanged[key]
        return None if unchanged is None else unchanged - memory.open

    def _same_rules(self, it: OfResults) -> frozenset[str] | None:
        then, *others = it.by.split(BETWEEN)
        now, *others_now = judged_by(it.protocol_id, self._rulebook, self._zone).split(BETWEEN)
        if others != others_now:
            return None
        new = self._rulebook.protocols[it.protocol_id]
        old: Protocol | None = new
        if then != now:
            old = load_earlier(self._connection, it.protocol_id, then, self._rulebook.catalogue)
        return frozenset() if old is None else unchanged_rules(old, new)

    def _open(self, protocol_id: str, memory: Memory, settled: frozenset[str]) -> frozenset[str]:
        """The analytes of rules that have to see all results."""
        return frozenset(
            rule.analyte
            for rule in self._rulebook.protocols[protocol_id].rules
            if rule.id not in settled
            and rule.analyte in memory.of
            and meant_for(rule, memory.indication)
        )


def judged_by(protocol_id: str, rulebook: RuleBook, zone: ZoneInfo) -> str:
    """What an answer depends on besides the patient: the protocol's digest first, the program's
    last."""
    digests = (rulebook.protocols[protocol_id].digest, rulebook.catalogue.digest)
    return BETWEEN.join((*digests, judged_in(zone)))


def is_recalled(case: Case) -> bool:
    """Whether not all results of a case were read."""
    return isinstance(case.results, Recalled)
