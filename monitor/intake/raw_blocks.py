"""Rows of one table as columns: what `raw.RawRow` is for one row, for a block of plain ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.core.result_columns import RESULT_COLUMNS
from monitor.intake.blocks import Block
from monitor.intake.cell_steps import (
    WithComment,
    WithComparator,
    WithDerivation,
    WithOpenDate,
    WithRemark,
    WithSign,
    WithVoid,
)
from monitor.intake.coded import Coded, constant
from monitor.intake.comparators import is_sign
from monitor.intake.csv import Record
from monitor.intake.flags import remark_in
from monitor.intake.layout import Layout
from monitor.intake.mark_steps import may_be_thousands, with_open_point, with_point_by_limits
from monitor.intake.raw import Item, RawRow, restored
from monitor.intake.row_steps import (
    OfOrders,
    Step,
    WithoutUnit,
    without_material,
)
from monitor.intake.value_steps import WithConverted, is_absent, is_compared
from monitor.intake.vocabulary import told_beside

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_OF_POINTS = (with_open_point, with_point_by_limits)


@dataclass(frozen=True, slots=True)
class RawBlock:
    """Consecutive rows of a table in the long form, in the columns of a raw row."""

    first_line: int
    rows: int
    columns: Mapping[str, Coded]
    odd: NDArray[np.bool_] | None
    """Rows whose cells depend on each other; None: there are none."""
    raw_row: Callable[[int], RawRow]
    """One of the rows as everything else takes it, by its number within the block."""

    @property
    def last_line(self) -> int:
        return self.first_line + self.rows - 1


def one_by_one(items: Iterable[Item | RawBlock]) -> Iterator[Item]:
    """The items, the rows of blocks among them."""
    for item in items:
        if isinstance(item, RawBlock):
            yield from map(item.raw_row, range(item.rows))
        else:
            yield item


def raw_block(layout: Layout, block: Block) -> RawBlock | None:
    """The columns of a block; None where its layout needs a look at every row."""
    if layout.wide or not all(_is_of_blocks(step, block) for step in layout.steps):
        return None
    columns = {name: _column(layout, block, name) for name in RESULT_COLUMNS}
    if any(any(map(step.says, columns["collected_at"].texts)) for step in _of_dates(layout)):
        return None
    if any(step in layout.steps for step in _OF_POINTS) and any(
        map(may_be_thousands, columns["value"].texts)
    ):
        return None
    odd = None
    if without_material in layout.steps:
        columns["specimen_id"], odd = _specimens(columns["specimen_id"])

    for step in layout.steps:
        if isinstance(step, WithConverted):
            odd = _either(odd, _with_room_for(step, block, columns))

    def raw_row(row: int) -> RawRow:
        return next(layout.raw_rows(Record(block.first_line + row, block.cells(row))))

    return RawBlock(block.first_line, block.rows, columns, odd, raw_row)


def _is_of_blocks(step: Step, block: Block) -> bool:
    """The step is done for whole blocks, or changes no row of this one."""
    if isinstance(step, OfOrders):
        return not any(step.of_no_blood(block.coded(it).texts) for it in step.positions)
    if isinstance(step, WithoutUnit):
        return not any(map(step.says, block.coded(step.position).texts))
    if isinstance(step, WithComment):
        return not any(map(str.strip, block.coded(step.position).texts))
    if isinstance(step, WithDerivation | WithVoid):
        return not any(map(step.says, block.coded(step.position).texts))
    if isinstance(step, WithComparator):
        return not any(map(step.says, block.coded(step.position).texts))
    if isinstance(step, WithSign):
        return not any(map(is_sign, block.coded(step.position).texts))
    if isinstance(step, WithRemark):
        return not any(map(remark_in, block.coded(step.position).texts))
    known = (WithOpenDate, WithConverted)
    return step in (without_material, *_OF_POINTS) or isinstance(step, known)


def _of_dates(layout: Layout) -> Iterator[WithOpenDate]:
    return (step for step in layout.steps if isinstance(step, WithOpenDate))


def _column(layout: Layout, block: Block, name: str) -> Coded:
    position = layout.columns.positions.get(name)
    if position is None:
        return constant(layout.constants.get(name, ""), block.rows)
    found = block.coded(position)
    if position in layout.beside:
        found = found.mapped(told_beside)
    instead = layout.fill.get(position)
    if instead is not None:
        found = found.mapped(lambda text: text.strip() or instead)
    return found.mapped(layout.number) if name == "mrn" else found


def _specimens(column: Coded) -> tuple[Coded, NDArray[np.bool_] | None]:
    """Specimen ids without those that name the blood; which rows name another material."""
    import numpy as np

    rows = [without_material(_EMPTY._replace(specimen_id=text), ()) for text in column.texts]
    other = [bool(row.analyte) for row in rows]
    if not any(other):
        return Coded(column.codes, [row.specimen_id for row in rows]), None
    return column, np.array(other)[column.codes]


def _with_room_for(
    step: WithConverted, block: Block, columns: Mapping[str, Coded]
) -> NDArray[np.bool_] | None:
    """The rows whose standard result may count instead of what was reported."""
    value, unit = _where(columns["value"], is_absent), _where(columns["unit"], is_absent)
    if unit is not None and step.unit is not None:
        has_unit = _where(block.coded(step.unit), lambda text: not is_absent(text))
        unit = None if has_unit is None else unit & has_unit
    found = _either(value, unit)
    for position in step.values:
        found = _either(found, _where(block.coded(position), is_compared))
    return found


def _where(column: Coded, holds: Callable[[str], bool]) -> NDArray[np.bool_] | None:
    """The rows of which that holds; None for no row."""
    import numpy as np

    found = [holds(text) for text in column.texts]
    return np.array(found)[column.codes] if any(found) else None


def _either(
    one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None
) -> NDArray[np.bool_] | None:
    if one is None or other is None:
        return other if one is None else one
    return one | other


_EMPTY = restored(0, {})
