"""What a message says of a sample elsewhere than beside the number that it doubts: as a result of
its own, or below another result of the same order."""

from __future__ import annotations

import re

from monitor.core.catalogue import Catalogue
from monitor.core.plain_words import plain_words
from monitor.intake.hl7_orders import Order, Result
from monitor.intake.hl7_text import Segment
from monitor.intake.hl7_values import is_text, value_of

_NAMES = (2, 5, 1, 4)
"""Where OBX-3 has names: its texts before its codes."""
_TRUE = frozenset(("t", "true", "y", "yes", "1", "pos", "positive", "present", "suspect"))
"""How an analyser says that it suspects something."""
_FOUND = frozenset(
    """
    seen found detected observed noted trace slight slightly mild mildly moderate moderately marked
    markedly gross grossly severe severely strong few some many occasional numerous
    leicht leichte mittel massig deutlich stark vorhanden nachweisbar
    """.split()
)
"""And how people say that it was there, and how much of it."""
_GRADE = re.compile(r"\(?(?:\+{1,4}|[1-4]\s?\+|\+\s?[1-4])\)?")


def settle_doubts(order: Order, catalogue: Catalogue) -> None:
    """Make comments on the whole order of what doubts other numbers of it.

    - What an analyser suspects is a result of its own: `PLT Clump?` with the value T. It is no
      more than that comment.
    - What people say of the sample may stand in a text of its own (`Comment: platelets clumped`),
      which stays a row, and
    - below a result that it does not doubt: platelet clumps below the lymphocytes, or below the
      last result of the panel.
    """
    for result in order.results:
        if result.is_remark:
            continue
        analyte = next(filter(None, map(catalogue.find, _called(result.obx))), None)
        if analyte is None:
            _settle_one_of_its_own(result, order, catalogue)
        doubts = catalogue.doubts
        elsewhere = [
            note
            for note in result.notes
            if doubts.of(note, of_some=True)
            and (analyte is None or not doubts.of(note, analyte.name))
        ]
        result.notes = [note for note in result.notes if note not in elsewhere]
        order.notes += elsewhere


def is_affirmed(said: str) -> bool:
    """Whether a value says that what its test is called was there: `T`, `Present`, `2+`, `Mild`."""
    bare = said.strip()
    words = plain_words(bare.casefold())
    is_found = len(words) == 1 and words[0] in _FOUND
    return bare.casefold() in _TRUE or is_found or _GRADE.fullmatch(bare) is not None


def _settle_one_of_its_own(result: Result, order: Order, catalogue: Catalogue) -> None:
    called, said = next(iter(_called(result.obx)), ""), value_of(result.obx).strip()
    if is_affirmed(said):
        if catalogue.is_doubt(called):
            order.notes.append(called)
            result.is_remark = True
    elif said and is_text(result.obx) and catalogue.is_doubt(said):
        order.notes.append(said)


def _called(obx: Segment) -> list[str]:
    """The names of a test (OBX-3), wherever an analyser writes it: `^^^^PLT Clumps?`."""
    return [name for part in _NAMES if (name := obx.component(3, part))]
