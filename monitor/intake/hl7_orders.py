"""The segments of a message gathered into orders: an OBR with its ORC, the specimens, the notes
and the results that are its own, and whose they are.

What belongs to what is told by where it stands, and that differs. In ORU an ORC stands before its
OBR and a specimen behind the results; in OUL from R22 on a specimen stands before its orders and an
ORC behind its OBR, and laboratories write ORU in that way too. So a specimen counts for what
follows where the first one stands before any order; and an ORC between an OBR and a result is that
order's. Source: HL7 v2.5.1, chapter 7.3 (ORU^R01, OUL^R21 to R24).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from monitor.intake.hl7_text import Message, Segment

_SPECIMEN_FIRST = ("R22", "R23", "R24")
"""Events of OUL whose SPM stands before its orders."""


@dataclass(slots=True)
class Result:
    """One OBX and the notes below it."""

    obx: Segment
    place: str
    notes: list[str] = field(default_factory=list)
    is_remark: bool = False
    """Text beside a number of the same test, which has it as its comment."""


@dataclass(slots=True)
class Order:
    """One OBR and what hangs on it."""

    pid: Segment | None = None
    orc: Segment | None = None
    obr: Segment | None = None
    specimens: list[Segment] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


def orders_of(message: Message) -> Iterator[Order]:
    """The orders of a message that have results, in the order in which they stand there."""
    gathering = _Gathering(message.number, _is_specimen_first(message))
    for segment in message.segments:
        yield from gathering.take(segment)
    yield from gathering.finished()


def _is_specimen_first(message: Message) -> bool:
    if message.kind.partition("^")[2] in _SPECIMEN_FIRST:
        return True
    names = (it.name for it in message.segments)
    return next((it for it in names if it in ("OBR", "SPM")), "") == "SPM"


class _Gathering:
    """An order on its way: what came before it and counts for it, and what it has by now."""

    def __init__(self, message: int, specimen_first: bool) -> None:
        self._message = message
        self._specimen_first = specimen_first
        self._order = Order()
        self._specimen: Segment | None = None
        self._of_specimen: list[str] = []
        """The notes below the specimen that counts for all that follows."""
        self._orc: Segment | None = None
        """One of which it is not known yet whether its OBR stands before or behind it."""
        self._of_orc: list[str] = []
        self._last = ""
        """The segment that a note is about."""
        self._count = 0

    def take(self, segment: Segment) -> Iterator[Order]:
        """The order that is complete before this segment."""
        if self._is_complete_before(segment.name):
            yield from self.finished()
        if segment.name == "PID":
            self._order.pid, self._specimen, self._orc = segment, None, None
            self._of_specimen, self._of_orc = [], []
        elif segment.name == "ORC":
            self._orc, self._of_orc = segment, []
        elif segment.name == "OBR":
            self._order.obr = segment
            self._settle_orc()
        elif segment.name == "SPM":
            self._take_specimen(segment)
        elif segment.name == "OBX":
            self._settle_orc()
            self._count += 1
            place = f"message {self._message}, OBX {self._count}"
            self._order.results.append(Result(segment, place))
        elif segment.name == "NTE":
            self._take_note(segment)
        if segment.name in ("PID", "ORC", "OBR", "SPM", "OBX"):
            self._last = segment.name

    def finished(self) -> Iterator[Order]:
        """The order as it stands, if it has results; the next one is the same patient's."""
        order, self._order = self._order, Order(pid=self._order.pid)
        if self._specimen is not None and not order.specimens:
            order.specimens.append(self._specimen)
            order.notes += self._of_specimen
        if order.results:
            yield order

    def _is_complete_before(self, name: str) -> bool:
        order = self._order
        if name == "OBR":
            return order.obr is not None or bool(order.results)
        if name == "ORC":
            return bool(order.results)
        return name == "PID" or (name == "SPM" and self._specimen_first)

    def _settle_orc(self) -> None:
        """An ORC belongs to the OBR behind it; before a result, to the one in front of it."""
        if self._orc is not None:
            self._order.orc, self._orc = self._orc, None
            self._order.notes += self._of_orc
            self._of_orc = []

    def _take_specimen(self, segment: Segment) -> None:
        if self._specimen_first:
            self._specimen, self._of_specimen = segment, []
        else:
            self._order.specimens.append(segment)

    def _take_note(self, segment: Segment) -> None:
        text = "\n".join(segment.plain(repeat) for repeat in segment.repeats(3))
        if not text:
            return
        if self._last == "OBX":
            self._order.results[-1].notes.append(text)
        elif self._last == "ORC":
            self._of_orc.append(text)
        elif self._last == "SPM" and self._specimen_first:
            self._of_specimen.append(text)
        elif self._last in ("OBR", "SPM"):
            self._order.notes.append(text)
