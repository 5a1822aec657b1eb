"""Random patients: what clinics and laboratories do, and everything close to a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from monitor.core.model import Case, Enrolment, Event, HeldRow, Result, Status
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Protocol
from tests.property.numbers_near_limits import FALLS, HEALTHY, falling_below, interesting_values

ZONES = [ZoneInfo("Europe/London"), ZoneInfo("UTC"), ZoneInfo("America/New_York")]
STARTS = [
    date(2026, 1, 5),
    date(2024, 2, 29),
    date(2025, 11, 30),
    date(2025, 12, 31),
    date(2026, 3, 28),
    date(2025, 10, 20),
    date(2024, 1, 31),
    date(2023, 8, 30),
]
GAPS = [0, 1, 1, 2, 3, 6, 7, 7, 7, 7, 8, 9, 13, 20, 28, 30, 31, 56, 83, 84, 85, 90, 92, 120, 200]
DILIGENT_GAPS = [6, 7, 7, 7, 7, 7, 8, 9, 7, 7, 28, 30, 84, 90, 91, 92, 95]
DELAYS = [-10, 0, 0, 1, 1, 3, 30, 24 * 4, 24 * 12, 24 * 60]
INDICATIONS = ["", "", "lupus_nephritis", "rheumatoid_arthritis", "autoimmune_hepatitis"]
EVENTS = ["dose", "dose", "hold", "resume", "stop", "start", "died", "monitored_elsewhere"]
EVENTS += ["back", "transfer_out", "accepted_by", "away", "declined"]
EVENTS += ["comedication_start", "comedication_start", "comedication_stop"]
EVENTS += ["intended_combination", "vaccine", "pregnancy", "task_done", "weight"]
DRUGS = ["allopurinol", "Zyloric 300 mg", "warfarin", "Marevan", "Bactrim", "febuxostat"]
DRUGS += ["Pentasa", "6-MP", "captopril", "budesonide", "ibuprofen", "allopurinol", "warfarin"]
VALUES = {
    "comedication_start": DRUGS,
    "comedication_stop": DRUGS,
    "intended_combination": ["allopurinol", "Zyloric", "ribavirin"],
    "vaccine": ["MMR", "Influenza", "of some kind"],
    "task_done": ["skin_check", "adherence", "photoprotection", "another"],
    "weight": ["60", "75.5"],
}
EVENTS += ["genotype"]
EVENTS += ["symptom"] * 12
SYMPTOMS = ["fever", "nausea", "fever", "nausea", "rash", "infection", "vomiting", "itching"]
SYMPTOMS += ["sore_throat", "abdominal_pain", "skin_lesion", "headache", "diarrhoea"]
PHENOTYPES = ["", "normal", "normal", "intermediate", "poor", "indeterminate"]
REFERENCES = [(None, None), (None, 40), (5, 21), (None, 0), (50, 40), (40, 40)]
MIXED, DILIGENT, SERIES = "mixed", "diligent", "series"
PLAIN_RESULT = 14
"""Of this many and nine more results, nine have something odd about them."""


@dataclass(frozen=True)
class History:
    """Everything that will ever be known of one patient, with the instants of its arrival."""

    case: Case
    zone: ZoneInfo
    retracted: tuple[tuple[int, datetime], ...] = ()
    """Ids of results that a later report took back or replaced, and when that came."""

    def known(self, now: datetime) -> Case:
        """What had arrived by `now`, and still stood."""
        gone = {number for number, at in self.retracted if at <= now}
        results = (it for it in self.case.results if it.received_at <= now and it.id not in gone)
        known = tuple(results)
        return Case(
            enrolment=self.case.enrolment,
            results=known,
            events=tuple(it for it in self.case.events if it.received_at <= now),
            held=tuple(it for it in self.case.held if it.held_at <= now),
            siblings=tuple(
                replace(
                    sibling,
                    results=known,
                    events=tuple(it for it in sibling.events if it.received_at <= now),
                )
                for sibling in self.case.siblings
            ),
            personal=tuple(it for it in self.case.personal if it.set_at <= now),
        )

    def arrivals(self) -> list[datetime]:
        """The instants at which something new is known, ascending."""
        instants = {it.received_at for it in self.case.results}
        instants |= {it.received_at for it in self.case.events}
        instants |= {it.held_at for it in self.case.held}
        instants |= {it.set_at for it in self.case.personal}
        instants |= {at for _, at in self.retracted}
        return sorted(instants)

    @property
    def last_day(self) -> date:
        days = [self.case.enrolment.started_on, self.case.enrolment.enrolled_on]
        days += [it.collected_on for it in self.case.results]
        days += [it.on for it in self.case.events]
        days += [at.date() for at in self.arrivals()]
        return max(days)

    def noon(self, day: date) -> datetime:
        return datetime.combine(day, time(12), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Visit:
    """When and how a sample was taken, and how long the laboratory took."""

    at: datetime
    on: date
    specimen: str
    timed: bool
    delay: timedelta


@st.composite
def histories(draw: st.DrawFn, protocol: Protocol, *, visits: int = 9) -> History:
    """A patient under `protocol`, with what is late, odd, doubtful or taken back again."""
    zone = draw(st.sampled_from(ZONES))
    start = draw(st.sampled_from(STARTS))
    enrolled = start + timedelta(days=draw(st.sampled_from([0, 0, 0, -20, -3, 5, 60, 200])))
    tested = draw(st.sampled_from([None, None, None, -9, 0, 7, 50, 60, 150]))
    results = draw(_all_results(protocol, start, zone, visits))
    enrolment = Enrolment(
        id=1,
        patient_id=1,
        mrn="A1",
        drug="azathioprine",
        protocol_id=protocol.id,
        started_on=start,
        enrolled_on=enrolled,
        indication=draw(st.sampled_from(INDICATIONS)),
        dose_mg_per_day=draw(st.sampled_from([None, Decimal(50), Decimal(100)])),
        last_tested_on=None if tested is None else start + timedelta(days=tested),
        tpmt=draw(st.sampled_from(PHENOTYPES)),
        nudt15=draw(st.sampled_from(PHENOTYPES)),
    )
    case = Case(
        personal=draw(_personal(protocol, start, zone)),
        enrolment=enrolment,
        results=results,
        events=draw(_events(start, zone)),
        held=draw(_held(protocol, start, zone)),
    )
    if draw(st.integers(0, 3)) == 0:
        case = replace(case, siblings=(draw(_sibling(case, protocol, zone)),))
    return History(case, zone, draw(_retractions(results)))


@st.composite
def _sibling(draw: st.DrawFn, case: Case, protocol: Protocol, zone: ZoneInfo) -> Case:
    """Another drug of the same patient under the same protocol, begun some time later; what
    means the patient and not a drug happened to both."""
    begun = timedelta(days=draw(st.sampled_from([0, 0, 5, 30, 100, -60])))
    start = case.enrolment.started_on + begun
    number = draw(st.sampled_from([0, 2]))
    enrolment = replace(
        case.enrolment,
        id=number,
        drug=draw(st.sampled_from(["mercaptopurine", "methotrexate"])),
        started_on=start,
        enrolled_on=max(start, case.enrolment.enrolled_on),
        protocol_id=protocol.id,
    )
    shared = [it for it in case.events if it.event not in OF_ONE_DRUG]
    own = [
        replace(it, id=100 + it.id) for it in draw(_events(start, zone)) if it.event in OF_ONE_DRUG
    ]
    return Case(enrolment=enrolment, events=(*shared, *own))


OF_ONE_DRUG = ("start", "dose", "hold", "resume", "stop")


@st.composite
def _all_results(
    draw: st.DrawFn, protocol: Protocol, start: date, zone: ZoneInfo, visits: int
) -> tuple[Result, ...]:
    """`diligent`: whole panels, mostly healthy; `series`: one or two analytes, many times."""
    style = draw(st.sampled_from([MIXED, DILIGENT, SERIES, SERIES]))
    followed = draw(_followed(protocol)) if style == SERIES else []
    falling = {name: draw(_fall(protocol, name)) for name in followed}
    day = start + timedelta(days=draw(st.sampled_from([-100, -84, -30, -14, -7, -1, 0, 7])))
    made: list[Result] = []
    for number in range(draw(st.integers(0, visits if style == MIXED else visits + 5))):
        day += timedelta(days=draw(st.sampled_from(DILIGENT_GAPS if style == DILIGENT else GAPS)))
        visit = draw(_visit(day, zone, number))
        for analyte in followed or draw(_ordered(protocol, style)):
            value = draw(_value(protocol, analyte, made, style))
            if number < len(falling.get(analyte, [])):
                value = falling[analyte][number]
            result = draw(_result(len(made) + 1, analyte, value, visit))
            if not any(_same_key(result, other) for other in made):
                made.append(result)
    return tuple(made)


def _same_key(one: Result, other: Result) -> bool:
    """Of two values of one key only one stands; two of a bare day are different results."""
    if one.analyte != other.analyte or one.specimen_id != other.specimen_id:
        return False
    if one.specimen_id or one.analyte.endswith("_percent"):
        return one.collected_on == other.collected_on
    return one.timed and other.timed and one.collected_at == other.collected_at


@st.composite
def _visit(draw: st.DrawFn, day: date, zone: ZoneInfo, number: int) -> Visit:
    """A bare date, a time of day, or one in the hour that is repeated or left out."""
    hour = draw(st.sampled_from([None, 9, 9, 8, 0, 1, 23]))
    at = datetime.combine(day, time(hour or 0, 30 if hour == 1 else 0), zone).astimezone(UTC)
    return Visit(
        at=at,
        on=at.astimezone(zone).date(),
        specimen=draw(st.sampled_from([f"S{number}", f"S{number}", "", "S0"])),
        timed=hour is not None,
        delay=timedelta(hours=draw(st.sampled_from(DELAYS))),
    )


@st.composite
def _followed(draw: st.DrawFn, protocol: Protocol) -> list[str]:
    ruled = sorted({rule.analyte for rule in protocol.rules})
    return draw(st.lists(st.sampled_from(ruled), min_size=1, max_size=2, unique=True))


@st.composite
def _fall(draw: st.DrawFn, protocol: Protocol, analyte: str) -> list[Decimal]:
    """What a trend rule is about, or nearly so: falls of a tenth, more and less."""
    ceilings = falling_below(protocol, analyte)
    if not ceilings or draw(st.booleans()):
        return []
    ceiling = draw(st.sampled_from(ceilings))
    return [ceiling * Decimal(times) for times in draw(st.sampled_from(FALLS))]


@st.composite
def _ordered(draw: st.DrawFn, protocol: Protocol, style: str) -> list[str]:
    """What one visit brings: whole panels, a part, a percent differential, one analyte twice."""
    wanted: list[str] = []
    whole = style == DILIGENT and draw(st.sampled_from([True] * 5 + [False]))
    for panel in protocol.panels:
        if whole or draw(st.sampled_from([True, True, False])):
            wanted += list(panel.all_of)
            wanted += [draw(st.sampled_from(group)) for group in panel.any_of]
    if whole:
        return wanted
    if draw(st.sampled_from([False, False, True])):
        wanted += draw(st.lists(st.sampled_from(_asked(protocol)), max_size=3))
    if wanted and draw(st.sampled_from([False, False, False, True])):
        wanted.remove(draw(st.sampled_from(wanted)))
    return draw(_with_percentages(wanted))


@st.composite
def _with_percentages(draw: st.DrawFn, wanted: list[str]) -> list[str]:
    """Some laboratories report percentages, beside the count or instead of it."""
    if draw(st.booleans()):
        return wanted
    cell = draw(st.sampled_from(["neutrophils", "lymphocytes"]))
    kept = [name for name in wanted if name != cell or draw(st.booleans())]
    shares = [[f"{cell}_percent"], [f"{cell}_percent", "bands_percent"], ["bands_percent"]]
    return [*kept, *draw(st.sampled_from(shares)), *draw(st.sampled_from([[], ["white_cells"]]))]


def _asked(protocol: Protocol) -> list[str]:
    names = {name for panel in protocol.panels for name in panel.analytes}
    return sorted(names | {rule.analyte for rule in protocol.rules})


@st.composite
def _value(
    draw: st.DrawFn, protocol: Protocol, analyte: str, made: list[Result], style: str
) -> Decimal:
    """A value near some limit; in a series often a step of about a tenth from the last."""
    if style == DILIGENT and draw(st.sampled_from([True] * 9 + [False])):
        return Decimal(HEALTHY.get(analyte, "10"))
    last = next((it.value for it in reversed(made) if it.analyte == analyte), None)
    if style == SERIES and last is not None and draw(st.booleans()):
        steps = ["0.89", "0.89", "0.88", "0.85", "0.9", "0.91", "1", "1.1", "1.31"]
        return (last * Decimal(draw(st.sampled_from(steps)))).quantize(Decimal("0.0001"))
    return draw(st.sampled_from(interesting_values(protocol, analyte)))


@st.composite
def _result(draw: st.DrawFn, number: int, analyte: str, value: Decimal, visit: Visit) -> Result:
    """One reported value with what may be odd about it."""
    low, high = None, None
    if analyte in ("alt", "ast", "bilirubin"):
        low, high = draw(st.sampled_from(REFERENCES))
    plain = Result(
        id=number,
        analyte=analyte,
        collected_at=visit.at,
        collected_on=visit.on,
        value=value,
        specimen_id=visit.specimen,
        timed=visit.timed,
        received_value=str(value),
        ref_low=None if low is None else Decimal(low),
        ref_high=None if high is None else Decimal(high),
        received_at=visit.at + visit.delay,
    )
    odd = [
        {"value": None, "no_result": "clotted"},
        {"comparator": draw(st.sampled_from(["<", "<=", ">", ">="]))},
        {"comparator": "<"},
        {"status": Status.PRELIMINARY},
        {"status": Status.PRELIMINARY},
        {"status": Status.CORRECTED},
        {"specimen_id": ""},
        {"below_plausible": True},
        {"doubtful_comment": "platelet clumps"},
        {"method": draw(st.sampled_from(["a", "b"]))},
        {"method": "b"},
    ]
    which = draw(st.integers(0, PLAIN_RESULT + len(odd) - 1)) - PLAIN_RESULT
    return plain if which < 0 else replace(plain, **odd[which])  # type: ignore[arg-type]


@st.composite
def _retractions(draw: st.DrawFn, results: tuple[Result, ...]) -> tuple[tuple[int, datetime], ...]:
    """A few results are taken back, some hours or weeks after they came."""
    if not results:
        return ()
    taken = draw(st.lists(st.sampled_from(results), max_size=2, unique_by=lambda it: it.id))
    hours = st.sampled_from([0, 5, 24 * 8, 24 * 40])
    return tuple((it.id, it.received_at + timedelta(hours=draw(hours))) for it in taken)


@st.composite
def _events(draw: st.DrawFn, start: date, zone: ZoneInfo) -> tuple[Event, ...]:
    made = []
    day = start + timedelta(days=draw(st.sampled_from([-20, -3, 0, 0, 5, 28])))
    for number in range(1, draw(st.integers(0, 8)) + 1):
        day += timedelta(days=draw(st.sampled_from([0, 0, 1, 2, 5, 7, 8, 14, 30, 60, 90])))
        what = draw(st.sampled_from(EVENTS))
        value = ""
        if what == "dose":
            value = draw(st.sampled_from(["0", "50", "75", "100", "150", "50.0"]))
        if what in VALUES:
            value = draw(st.sampled_from(VALUES[what]))
        if what == "genotype":
            gene = draw(st.sampled_from(["tpmt", "nudt15"]))
            value = f"{gene}:{draw(st.sampled_from(PHENOTYPES[1:]))}"
        if what == "symptom":
            value = draw(st.sampled_from(SYMPTOMS))
        if what == "monitored_elsewhere":
            value = str(day + timedelta(days=draw(st.sampled_from([0, 1, 30]))))
        late = timedelta(days=draw(st.sampled_from([0, 0, 1, 20, -10])))
        received = datetime.combine(day, time(0, 5), zone).astimezone(UTC) + late
        made.append(Event(id=number, on=day, event=what, value=value, received_at=received))
    return tuple(made)


@st.composite
def _personal(
    draw: st.DrawFn, protocol: Protocol, start: date, zone: ZoneInfo
) -> tuple[Personal, ...]:
    """Limits, intervals and accepted baselines, wild ones too: what may be set is checked where
    it is set."""
    made = []
    for number in range(1, draw(st.sampled_from([0, 0, 0, 1, 2, 3])) + 1):
        since = start + timedelta(days=draw(st.sampled_from([-20, 0, 7, 30, 90])))
        until = since + timedelta(days=draw(st.sampled_from([1, 20, 60, 365])))
        ended = draw(st.sampled_from([None, None, None, 1, 10]))
        what = draw(st.sampled_from([*Terms, Terms.LIMIT]))
        rule = draw(st.sampled_from(protocol.rules))
        phase = draw(st.sampled_from(protocol.phases))
        made.append(
            Personal(
                id=number,
                what=what,
                subject=draw(st.sampled_from(phase.panels)).panel
                if what is Terms.INTERVAL
                else rule.id,
                level=draw(st.integers(1, len(rule.levels))) if what is Terms.LIMIT else 0,
                value=draw(st.sampled_from(interesting_values(protocol, rule.analyte)))
                if what is Terms.LIMIT
                else None,
                phase=phase.name,
                every=draw(st.sampled_from(["5 days", "2 weeks", "1 month", "6 months"])),
                since=since,
                until=until,
                ended_on=None if ended is None else since + timedelta(days=ended),
                by="A",
                reason="made",
                set_at=datetime.combine(since, time(0, 5), zone).astimezone(UTC),
            )
        )
    return tuple(made)


@st.composite
def _held(draw: st.DrawFn, protocol: Protocol, start: date, zone: ZoneInfo) -> tuple[HeldRow, ...]:
    """Quarantined rows whose number is readable in no, one or two units."""
    made = []
    for number in range(1, draw(st.sampled_from([0, 0, 0, 1, 2])) + 1):
        analyte = draw(st.sampled_from(_asked(protocol)))
        day = start + timedelta(days=draw(st.sampled_from([-10, 3, 40, 100])))
        value = draw(st.sampled_from(interesting_values(protocol, analyte)))
        made.append(
            HeldRow(
                id=number,
                analyte=analyte,
                collected_on=day,
                received_value=str(value),
                received_unit="?",
                reason="unknown unit",
                held_at=datetime.combine(day, time(10), zone).astimezone(UTC),
                possible_values=draw(st.sampled_from([(), (value,), (value, value / 1000)])),
            )
        )
    return tuple(made)
