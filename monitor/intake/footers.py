"""Where the rows of a table end, and words stand below them that are no rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from monitor.intake.blocks import Block
from monitor.intake.csv import Record, records_of
from monitor.intake.layout import Layout
from monitor.intake.raw import BadLine
from monitor.intake.records import Part
from monitor.intake.vocabulary import key_of, vocabulary

_FOOTERS_LIMIT = 20
_FOOTER_CELLS = 3
_SENTENCE = 4
_RULER = re.compile(r"[\W_]{3,}")


def without_footers(
    items: Iterable[Part], layout: Layout, footers: dict[int, str]
) -> Iterator[Part]:
    """The items but for those lines at the very end that are no rows, which go into `footers`."""
    waiting: list[tuple[Record | BadLine, str]] = []
    places = layout.columns.positions
    required = [places[name] for name in ("mrn", "collected_at", "value") if name in places]
    day = places.get("collected_at")
    for item in items:
        if isinstance(item, Block):
            if _ends_filled(item, required):
                yield from (held for held, _ in waiting)
                waiting.clear()
                yield item
                continue
            rows: Iterable[Record | BadLine] = records_of(item)
        else:
            rows = [item]
        for row in rows:
            text = _footer_text(row, required, day)
            if text and len(waiting) < _FOOTERS_LIMIT:
                waiting.append((row, text))
                continue
            yield from (held for held, _ in waiting)
            waiting.clear()
            yield row
    footers.update((item.line, text) for item, text in waiting)


def _ends_filled(block: Block, required: Sequence[int]) -> bool:
    """Whether its last line is a row: what looks otherwise before it stands among rows."""
    columns = map(block.coded, required)
    return all(column.texts[int(column.codes[-1])].strip() for column in columns)


def _footer_text(item: Record | BadLine, required: Sequence[int], day: int | None) -> str:
    """The text of a line that looks as what stands below a table; "" for any other."""
    if isinstance(item, BadLine):
        if item.code != "field_count":
            return ""
        cells = item.text.split(" | ")
    elif all(item.cells[position].strip() for position in required):
        return ""
    else:
        cells = item.cells
    filled = [cell.strip() for cell in cells if cell.strip()]
    if filled and key_of(filled[0]) in vocabulary().reckoned and _is_of_no_day(item, day):
        return " ".join(filled)
    if not filled or len(filled) > _FOOTER_CELLS:
        return ""
    return " ".join(filled) if is_beside_a_table(filled) else ""


def _is_of_no_day(item: Record | BadLine, day: int | None) -> bool:
    return not isinstance(item, BadLine) and day is not None and not item.cells[day].strip()


def is_beside_a_table(filled: Sequence[str]) -> bool:
    """Words as they stand below a report, a ruler, or a sentence; a row that is cut short
    begins with a patient's number, and is none of these."""
    first = filled[0]
    if _RULER.fullmatch(first):
        return True
    words = re.split(r"[\s:.,;!*#=-]+", first.strip("*#=-_ "))
    if any(key_of(" ".join(words[:size])) in vocabulary().footers for size in (3, 2, 1)):
        return True
    letters = [word for word in words if word.isalpha()]
    return len(filled) == 1 and len(letters) >= _SENTENCE
