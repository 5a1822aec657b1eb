"""A block on its way in: its plain rows as columns, all others as every row of other formats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from monitor.intake.normalise import Normaliser
from monitor.intake.outcomes import Outcome, Taken
from monitor.intake.plain import PlainNormaliser
from monitor.intake.plain_results import PlainResults
from monitor.intake.raw import RawRow
from monitor.intake.raw_blocks import RawBlock
from monitor.intake.results import ResultWriter
from monitor.store.beside import Beside


@dataclass(frozen=True, slots=True)
class BlockDone:
    """What became of a block: how many rows were stored, of which patients, and the rows that
    are still to be written, with their outcomes, in the order of the file."""

    stored: int
    patients: Collection[int]
    rows: Sequence[RawRow]
    outcomes: Sequence[Outcome]


class PlainBlocks:
    """Takes in the blocks of one file, which has so many `lines`."""

    def __init__(
        self,
        connection: Connection,
        normaliser: Normaliser,
        held_numbers: Callable[[], Collection[str]],
        writer: ResultWriter,
        beside: Beside,
        file_id: int,
        lines: int,
    ) -> None:
        self._normaliser = normaliser
        self._beside = beside
        self._plain = PlainNormaliser(normaliser, held_numbers)
        self._results = PlainResults(connection, writer, beside, file_id, lines)

    def take(self, block: RawBlock) -> BlockDone:
        """Have the plain rows written, and normalise the others."""
        import numpy as np

        with self._beside.between():
            new = self._plain.prepare(block.columns["mrn"].texts)
            self._results.expect(self._normaliser.patients_with(new))
        plain = self._plain.plain(block)
        is_plain = np.zeros(block.rows, bool)
        is_plain[plain.rows] = True
        outcomes = self._normalised(block, np.flatnonzero(~is_plain).tolist())
        others = [it for _, it in outcomes.values() if isinstance(it, Taken)]
        buckets = self._results.buckets(plain)
        fresh = self._results.fresh(plain, buckets, others)
        outcomes |= self._normalised(block, plain.rows[~fresh].tolist())
        written = plain.only(fresh)
        self._results.add(written, buckets[fresh], block.first_line)
        for meant, count in zip(
            written.meant.distinct, np.bincount(written.meant.codes).tolist(), strict=True
        ):
            for code in meant.read_as_percent:
                self._normaliser.measures.read_as_percent[code] += count
        rest = [outcomes[row] for row in sorted(outcomes)]
        self.meet(it for _, it in rest)
        return BlockDone(
            len(written),
            {it.id for it in written.persons.distinct},
            [raw for raw, _ in rest],
            [outcome for _, outcome in rest],
        )

    def meet(self, outcomes: Iterable[Outcome]) -> None:
        """Of rows of the file that are about to be written otherwise, in a block or between two."""
        self._results.meet(it for it in outcomes if isinstance(it, Taken))

    def finish(self) -> None:
        """Write what waits still."""
        self._results.write()
        self._beside.settle()

    def _normalised(
        self, block: RawBlock, rows: Sequence[int]
    ) -> dict[int, tuple[RawRow, Outcome]]:
        raws = [block.raw_row(row) for row in rows]
        found = zip(raws, self._normaliser.normalise(raws), strict=True)
        return dict(zip(rows, found, strict=True))
