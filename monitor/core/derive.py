"""Absolute counts from white cells and a differential in percent (specification, section 3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from monitor.core.case import Result
from monitor.core.catalogue import Catalogue
from monitor.core.ordered import Ordered, Results, in_order
from monitor.core.recalled import Recalled
from monitor.core.vocabulary import Status

WHITE_CELLS = "white_cells"
_PERCENT = Decimal(100)
_Specimen = tuple[str, date] | tuple[datetime]


def with_derived(results: Sequence[Result] | Recalled, catalogue: Catalogue) -> Results:
    """The results and the counts that follow from them, ordered by collection.

    A count is derived where white cells and a percentage of one specimen are known and the
    laboratory reported no absolute count of its own for that specimen. Recalled results are none
    of these (`may_derive`); those in order have them already.
    """
    if isinstance(results, Recalled | Ordered):
        return results
    derived: list[Result] = []
    if may_derive((result.analyte for result in results), catalogue):
        specimens: dict[_Specimen, list[Result]] = defaultdict(list)
        for result in results:
            if result.value is not None:
                specimens[_specimen(result)].append(result)
        for members in specimens.values():
            derived.extend(_derive(members, catalogue))
    return Ordered(sorted((*results, *derived), key=in_order))


def may_derive(analytes: Iterable[str], catalogue: Catalogue) -> bool:
    """Whether counts may follow from results of these analytes."""
    return any(counted_from(name, catalogue) for name in set(analytes))


def _specimen(result: Result) -> _Specimen:
    if result.specimen_id:
        return result.specimen_id, result.collected_on
    return (result.collected_at,)


def counted_from(name: str, catalogue: Catalogue) -> str | None:
    """The count that follows from a percentage and the white cells; None of any other analyte."""
    analyte = catalogue.analytes.get(name)
    return analyte.percent_of if analyte is not None else None


def _stands_alone(result: Result, catalogue: Catalogue) -> bool:
    """A percentage of a whole cell line; bands only add to the segmented neutrophils."""
    return catalogue.analytes[result.analyte].adds_to is None


def _derive(members: Sequence[Result], catalogue: Catalogue) -> Iterable[Result]:
    """Every absolute count that the percentages of one specimen give."""
    white_cells = [result for result in members if result.analyte == WHITE_CELLS]
    reported = {result.analyte for result in members}
    shares: dict[str, list[Result]] = defaultdict(list)
    for result in members:
        absolute = counted_from(result.analyte, catalogue)
        if absolute is not None and absolute not in reported:
            shares[absolute].append(result)
    for absolute, parts in shares.items():
        if not any(_stands_alone(part, catalogue) for part in parts):
            continue
        for total in white_cells:
            count = _count(absolute, total, parts, catalogue)
            if count is not None:
                yield count


def _count(
    absolute: str, total: Result, parts: Sequence[Result], catalogue: Catalogue
) -> Result | None:
    """White cells times the percentages of one cell line; of one percentage reported twice
    the lower speaks, different ones (segmented, bands) add up. The count is of the instant of
    the one that stands alone, whichever came in first."""
    lowest: dict[str, Result] = {}
    for part in sorted(parts, key=lambda it: (_stands_alone(it, catalogue), in_order(it))):
        kept = lowest.get(part.analyte)
        if kept is None or _value(part) < _value(kept):
            lowest[part.analyte] = part
    *others, alone = lowest.values()
    used = [alone, *others]
    comparator = _joint_comparator([total, *used])
    if comparator is None:
        return None
    percent = sum((_value(part) for part in used), Decimal(0))
    value = _value(total) * percent / _PERCENT
    analyte = catalogue.analytes[absolute]
    shown = " + ".join(f"{part.comparator}{_value(part):f} %" for part in used)
    return alone._replace(
        analyte=absolute,
        value=value,
        comparator=comparator,
        status=_joint_status([total, *used]),
        received_value=f"{value:f}",
        received_unit=analyte.unit,
        ref_low=None,
        ref_high=None,
        received_at=max(part.received_at for part in (total, *used)),
        derived=f"white cells {total.comparator}{_value(total):f} x ({shown})",
        below_plausible=any(part.below_plausible for part in (total, *used)),
        doubtful_comment=next(
            (part.doubtful_comment for part in (total, *used) if part.doubtful_comment), ""
        ),
    )


def _value(result: Result) -> Decimal:
    assert result.value is not None
    return result.value


def _joint_comparator(parts: Iterable[Result]) -> str | None:
    """The comparator of a product: None where an upper and a lower bound meet; one strict
    bound makes it strict."""
    comparators = {part.comparator for part in parts if part.comparator}
    if len({comparator[0] for comparator in comparators}) > 1:
        return None
    return min(comparators, key=len, default="")


def _joint_status(parts: Sequence[Result]) -> Status:
    statuses = {part.status for part in parts}
    for status in (Status.PRELIMINARY, Status.CORRECTED):
        if status in statuses:
            return status
    return Status.FINAL
