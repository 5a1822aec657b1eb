"""HL7 v2 to raw rows: each OBX of a result (ORU, OUL, and ORF that was asked for) is one row.

Whose it is stands in PID, which order in ORC and OBR, which specimen in SPM, all of them
segments around the OBX; a row gathers them. Merges of patients (table 0003: A18, A30, A34,
A36, A40, A46, A47) become `PatientMerge`; every other message is counted. Which of several
fields is taken where laboratories disagree, docs/hl7.md tells.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from monitor.config import Source
from monitor.core.catalogue import Catalogue
from monitor.intake.conditions import condition, rejection
from monitor.intake.genes import named_by_gene
from monitor.intake.hl7_doubts import settle_doubts
from monitor.intake.hl7_genes import called, gene_of
from monitor.intake.hl7_orders import Order, Result, orders_of
from monitor.intake.hl7_people import Patient, fields_of, merges, patient_of
from monitor.intake.hl7_text import (
    KEPT,
    NO_SEGMENT,
    Message,
    Segment,
    part_of,
    read_messages,
    split,
)
from monitor.intake.hl7_values import (
    Material,
    instant,
    is_number,
    is_text,
    limits_of,
    material_of,
    may_be_number,
    names_of,
    remarks_of,
    status_of,
    unit_of,
    value_of,
)
from monitor.intake.mark_steps import with_open_point, with_the_other_mark
from monitor.intake.profile import Profile, marks_of
from monitor.intake.ranges import range_of
from monitor.intake.raw import BadLine, Item, OtherMessage, RawRow
from monitor.intake.survey import Survey

RESULTS = frozenset({"ORU", "OUL", "ORF"})
MERGES = frozenset({"A18", "A30", "A34", "A36", "A40", "A46", "A47"})
_FIELD_OF_TIME = re.compile(r"\s*(ORC|OBR|SPM)[-. ]?(\d{1,2})(?:\.(\d))?\s*", re.IGNORECASE)
"""How it names the field that tells the collection where the usual ones are empty."""
_CUT_SHORT = "a result that is cut short: the message, or its line, ends within it"
_UP_TO_VALUE, _UP_TO_STATUS = 6, 12
"""Parts of an OBX that reaches its value (OBX-5), and its status (OBX-11)."""
_WORD = re.compile(r"[^\W\d_]{2}")
_OF_CONTROL = "Q"
"""MSH-11 as analysers write it that send the measurements of their control blood in the same
messages (beside P, T and D of table 0103)."""


def hl7_items(survey: Survey, mapping: Source, catalogue: Catalogue) -> Iterator[Item]:
    """The items of a file of HL7 messages, in the order in which they stand there."""
    encoding = mapping.encoding
    if not encoding and survey.encoding.startswith(("utf-16", "utf-32")):
        encoding = survey.encoding
    with survey.open() as stream:
        for found in read_messages(stream, encoding):
            if isinstance(found, BadLine):
                yield found
            else:
                yield from items_of(found, mapping, catalogue)


def items_of(message: Message, mapping: Source, catalogue: Catalogue) -> Iterator[Item]:
    """What one message brings."""
    number = f"message {message.number}"
    for bad in message.bad:
        yield BadLine(bad.line, bad.code, bad.reason, bad.text, number)
    code, _, event = message.kind.partition("^")
    if code in RESULTS or (not code and _is_nameless_result(message)):
        yield from _without_results(message)
        yield from _Reading(message, mapping, catalogue).rows()
    elif code == "ADT" and event in MERGES:
        yield from merges(message)
    elif message.segments:
        yield OtherMessage(message.line, message.kind or "unknown")


def _is_nameless_result(message: Message) -> bool:
    """Segments without a header, or with one that names no kind, that bring results."""
    return any(segment.name == "OBX" for segment in message.segments)


def _without_results(message: Message) -> Iterator[Item]:
    """A message of results that brings none is never passed over without a word: one with an order
    (cancelled, say) is a message of another kind, one without was lost on its way. So was what
    follows a last result that is cut short; that one is taken out of the message."""
    names = {segment.name for segment in message.segments}
    number = f"message {message.number}"
    if "OBX" not in names and "OBR" in names:
        yield OtherMessage(message.line, f"{message.kind} without a result")
    elif "OBX" not in names and message.segments:
        reason = "a message of results with neither an order nor a result"
        yield BadLine(message.line, "no_results", reason, message.segments[0].text[:KEPT], number)
    for cut in _cut_short(message):
        message.segments.remove(cut)
        yield BadLine(cut.line, "cut_short", _CUT_SHORT, cut.text[:KEPT], number)


def _cut_short(message: Message) -> list[Segment]:
    """Results that say nothing for certain, for something of them is missing: the last one of a
    message that ends before its value, or a number that ends before its status where every other
    result reaches it; and any that ends before its status in front of a line that is the rest of
    something."""
    rests = {bad.line for bad in message.bad if bad.code == NO_SEGMENT}
    results = [it for it in message.segments if it.name == "OBX"]
    found = [it for it in results if it.width < _UP_TO_STATUS and it.line + 1 in rests]
    last = message.segments[-1] if message.segments else None
    if last is None or last.name != "OBX" or last.width >= _UP_TO_STATUS or last in found:
        return found
    others = [it.width for it in results[:-1]]
    reach_status = bool(others) and min(others) >= _UP_TO_STATUS
    is_cut = last.width < _UP_TO_VALUE or (reach_status and is_number(last))
    return [*found, last] if is_cut else found


class _Reading:
    """One message of results on its way to rows."""

    def __init__(self, message: Message, mapping: Source, catalogue: Catalogue) -> None:
        self._message = message
        self._fields = fields_of(mapping)
        self._mapping = mapping
        self._catalogue = catalogue
        header = message.header
        self._sent_at = "" if header is None else instant(header.component(7))
        self._is_control = header is not None and header.component(11).upper() == _OF_CONTROL
        self._patient = Patient()
        self._last_resort = ""
        """When an order was collected by the field that the mapping names."""
        self._decimals = None if mapping.decimal_comma is not None else _marks_of(message)

    def rows(self) -> Iterator[RawRow]:
        for order in orders_of(self._message):
            yield from self._rows_of(order)

    def _rows_of(self, order: Order) -> Iterator[RawRow]:
        if order.pid is not None and order.pid is not self._patient.pid:
            self._patient = patient_of(order.pid, self._fields)
        _settle_remarks(order.results)
        settle_doubts(order, self._catalogue)
        specimens = order.specimens
        spm = next((it for it in specimens if not material_of([it], None).told), None)
        spm = spm or next(iter(specimens), None)
        serial = _serial_codes(order)
        material = material_of(specimens, order.obr)
        if self._is_control:
            material = Material("control")
        common = self._common(order, spm)
        self._last_resort = self._named_time(order, spm)
        for result in order.results:
            yield self._row(result, order, common, material, serial)

    def _common(self, order: Order, spm: Segment | None) -> dict[str, str]:
        """What all results of an order share."""
        obr, patient = order.obr, self._patient
        return {
            "mrn": patient.mrn,
            "issuer": patient.issuer,
            "family_name": patient.family_name,
            "given_name": patient.given_name,
            "birth_date": patient.birth_date,
            "specimen_id": _specimen_id(spm, obr, order.orc),
            "collected_at": _collected(_at(spm, 17), _at(obr, 7), _at(obr, 8)),
            "reported_at": _at(obr, 22) or self._sent_at,
            "comment": "\n".join([*order.notes, *_conditions(spm)]),
        }

    def _named_time(self, order: Order, spm: Segment | None) -> str:
        """The time in the field that the source's mapping names (`OBR-6`, `ORC-7.4`)."""
        named = _FIELD_OF_TIME.fullmatch(self._mapping.columns.get("collected_at", ""))
        if named is None:
            return ""
        segment = {"ORC": order.orc, "OBR": order.obr, "SPM": spm}[named[1].upper()]
        return _at(segment, int(named[2]), int(named[3] or 1))

    def _row(
        self,
        result: Result,
        order: Order,
        common: dict[str, str],
        material: Material,
        serial: frozenset[str],
    ) -> RawRow:
        obx = result.obx
        codes = self._mapping.codes
        names = names_of(obx, material, self._catalogue, codes)
        names = named_by_gene(
            names, called(obx), lambda: gene_of(obx, order), self._catalogue, codes
        )

        def meaning(unit: str) -> object:
            return self._meaning(names, unit)

        unit = unit_of(obx, meaning)
        low, high = limits_of(obx, unit, meaning)
        own = instant(obx.component(14))
        collected, specimen = common["collected_at"], common["specimen_id"]
        if not collected or obx.field(3) in serial:
            collected = own or collected or self._last_resort
        if obx.field(3) in serial:
            specimen = ""  # what was collected at several times is no one specimen
        told = (common["comment"], *result.notes, *remarks_of(obx))
        comment = "\n".join(text for text in told if text)
        row = RawRow(
            line=obx.line,
            analyte=names[0] if names else "",
            value=value_of(obx),
            unit=unit,
            ref_low=low,
            ref_high=high,
            status=status_of(obx, order.obr),
            method=obx.component(17, 2) or obx.component(17, 1),
            given=self._given(obx, order.obr),
            place=result.place,
            also=names[1:],
            is_remark=result.is_remark,
            is_derived=False,
            **{
                **common,
                "collected_at": collected,
                "specimen_id": specimen,
                "comment": comment,
            },
        )
        return _as_written(row, self._decimals)

    def _meaning(self, names: tuple[str, ...], unit: str) -> object:
        """What a unit is worth; None where it is none of the analyte."""
        ours = self._mapping.unit_spellings.get(unit)
        analyte = next((it for it in map(self._catalogue.find, names) if it is not None), None)
        factor = None if analyte is None else analyte.factor(ours or unit)
        return ours if factor is None else factor

    def _given(self, obx: Segment, obr: Segment | None) -> tuple[tuple[str, str], ...]:
        segments = (self._patient.pid, obr, obx)
        return tuple((it.name, it.text[:KEPT]) for it in segments if it is not None)


def _marks_of(message: Message) -> Profile | None:
    """What values and limits of the message show of the decimal mark, where numbers with a comma
    stand among them: `5,1`; or `9.2` beside `1,200`. Sentences do not count."""
    results = [it for it in message.segments if it.name == "OBX" and "," in it.text]
    if not results:
        return None
    results = [it for it in message.segments if it.name == "OBX"]
    values = [value_of(it) for it in results if may_be_number(it)]
    limits = [_limits_alone(it.plain(it.field(7))) for it in results]
    if not any("," in text for text in (*values, *limits)):
        return None
    return marks_of(values, limits)


def _limits_alone(written: str) -> str:
    """Limits without the unit behind them; nothing where words stand there."""
    return " - ".join(range_of(written)[:2]) if _WORD.search(written) else written


def _as_written(row: RawRow, decimals: Profile | None) -> RawRow:
    """A row with the decimal mark that its message shows; limits may have the other one."""
    if decimals is None:
        return row
    if decimals.has_both_marks:
        return with_open_point(row, ())
    row = row._replace(decimal=decimals.decimal)
    limits = decimals.limits_decimal
    return with_the_other_mark(row, ()) if limits and limits != row.decimal else row


def _collected(*told: str) -> str:
    """The first of several times of collection; where that is but a day, the first that names an
    hour of this day."""
    first = next((text for text in told if text), "")
    return next((text for text in told if text.startswith(f"{first}T")), first)


def _at(segment: Segment | None, number: int, component: int = 1) -> str:
    return "" if segment is None else instant(segment.component(number, component))


def _settle_remarks(results: Sequence[Result]) -> None:
    """Where a laboratory writes more than a number of a test, it repeats the test with a text:
    `Critical, called to ward`, `platelet clumps`, the limits. That is the number's comment, and
    no later result that takes the number's place."""
    numbers: dict[str, Result] = {}
    for result in reversed(results):
        if is_number(result.obx):
            numbers[result.obx.field(3)] = result
    for result in results:
        obx = result.obx
        number = numbers.get(obx.field(3))
        if number is result or number is None:
            continue
        if is_number(obx):
            numbers[obx.field(3)] = result
        elif is_text(obx) and _are_of_one_time(obx, number.obx):
            number.notes += [text for text in (value_of(obx), *result.notes) if text]
            result.is_remark = True


def _are_of_one_time(one: Segment, other: Segment) -> bool:
    """Whether two results of a test have one status, and no two times."""
    times = {one.component(14), other.component(14)} - {""}
    return one.component(11) == other.component(11) and len(times) < 2


def _serial_codes(order: Order) -> frozenset[str]:
    """Analytes that one order reports at several times of OBX-14: there it is the time of
    collection, for the order's own time cannot be that of all."""
    if len(order.results) < 2:
        return frozenset()
    times: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for result in order.results:
        if result.is_remark:
            continue
        times[result.obx.field(3)][result.obx.component(14)] += 1
    return frozenset(code for code, found in times.items() if len(found) > 1 and "" not in found)


def _specimen_id(spm: Segment | None, obr: Segment | None, orc: Segment | None) -> str:
    """The laboratory's own number: SPM-2 (filler's, else placer's), SPM-30, OBR-3, ORC-3."""
    if spm is not None:
        repeats = spm.repeats(2)
        pair = split(repeats[0], spm.marks.component) if repeats else []
        for number in (2, 1):
            assigned = spm.plain(split(part_of(pair, number), spm.marks.subcomponent)[0])
            if assigned:
                return assigned
        if spm.component(30):
            return spm.component(30)
    for segment in (obr, orc):
        if segment is not None and segment.component(3):
            return segment.component(3)
    return ""


def _conditions(spm: Segment | None) -> list[str]:
    """Why a specimen was rejected (SPM-21) and in which condition it came (SPM-24)."""
    if spm is None:
        return []
    found: list[str] = []
    for number, said in ((21, rejection), (24, condition)):
        told = (spm.components(it) for it in spm.repeats(number))
        found += [said(part_of(it, 1), part_of(it, 2)) for it in told]
    return [text for text in found if text]
