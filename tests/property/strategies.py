"""Random patients: what clinics and laboratories do, and everything close to a limit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from monitor.core.calendar import Duration
from monitor.core.case import Case, Enrolment, Event, HeldRow, Result
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Protocol
from monitor.core.vocabulary import Status
from tests.property.luck import Drawn, Luck
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
INDICATIONS += ["renal_transplant"]
EVENTS = ["dose", "dose", "hold", "resume", "stop", "start", "died", "monitored_elsewhere"]
EVENTS += ["back", "transfer_out", "accepted_by", "away", "declined"]
EVENTS += ["comedication_start", "comedication_start", "comedication_stop"]
EVENTS += [
    "intended_combination",
    "vaccine",
    "pregnancy",
    "task_done",
    "weight",
    "weight",
    "relapse",
]
DRUGS = ["allopurinol", "Zyloric 300 mg", "warfarin", "Marevan", "Bactrim", "febuxostat"]
DRUGS += ["Pentasa", "6-MP", "captopril", "budesonide", "ibuprofen", "allopurinol", "warfarin"]
VALUES = {
    "comedication_start": DRUGS,
    "comedication_stop": DRUGS,
    "intended_combination": ["allopurinol", "Zyloric", "ribavirin"],
    "vaccine": ["MMR", "Influenza", "of some kind"],
    "task_done": ["skin_check", "adherence", "photoprotection", "another"],
    "weight": ["50", "60", "75.5"],
}
EVENTS += ["genotype"]
EVENTS += ["symptom"] * 12
SYMPTOMS = ["fever", "nausea", "fever", "nausea", "rash", "infection", "vomiting", "itching"]
SYMPTOMS += ["sore_throat", "abdominal_pain", "skin_lesion", "headache", "diarrhoea", "oliguria"]
SIGNS = ["", "", "", "<", "<=", ">", ">="]
SET_AT = [time(0, 5), time(0, 5), time(8), time(13)]
DOSES = ["0", "25", "50", "75", "100", "100", "112.5", "125", "150", "175", "200", "250", "50.0"]
BEGUN_WITH = [None, "50", "100", "75", "150", "400"]
BORN = [None, None, (16, 0), (16, -30), (16, 60), (15, 0), (18, -1), (40, 0), (75, 3)]
"""Years, and days beside a birthday, at the start."""
WEIGHTS = [None, None, "50", "62.5", "75.5", "100"]
ALSO_SENT = ["weight", "egfr", "egfr", "creatinine"]
PHENOTYPES = ["", "normal", "normal", "intermediate", "poor", "indeterminate"]
REFERENCES = [(None, None), (None, 40), (5, 21), (None, 0), (50, 40), (40, 40)]
MIXED, DILIGENT, SERIES = "mixed", "diligent", "series"
DAYS_TO_THE_LAST_NEWS = [0, 0, 1, 3, 7, 8, 30, 100, 400, -1, -10, -60, -400]
"""Reviews before everything is known, and long after."""
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
        events = (self.case.events, *(it.events for it in self.case.siblings))
        instants |= {it.received_at for own in events for it in own}
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
    return history_of(Drawn(draw), protocol, visits=visits)


def history_of(luck: Luck, protocol: Protocol, *, visits: int = 9) -> History:
    """A patient under `protocol`, with what is late, odd, doubtful or taken back again."""
    zone = luck.one_of(ZONES)
    start = luck.one_of(STARTS)
    enrolled = start + timedelta(days=luck.one_of([0, 0, 0, -20, -3, 5, 60, 200]))
    tested = luck.one_of([None, None, None, -9, 0, 7, 50, 60, 150])
    results = _all_results(luck, protocol, start, zone, visits)
    enrolment = Enrolment(
        id=1,
        patient_id=1,
        mrn="A1",
        drug="azathioprine",
        protocol_id=protocol.id,
        started_on=start,
        enrolled_on=enrolled,
        indication=luck.one_of(INDICATIONS),
        dose_mg_per_day=_number(luck.one_of(BEGUN_WITH)),
        weight_kg=_number(luck.one_of(WEIGHTS)),
        last_tested_on=None if tested is None else start + timedelta(days=tested),
        birth_date=_born(luck.one_of(BORN), start),
        tpmt=luck.one_of(PHENOTYPES),
        nudt15=luck.one_of(PHENOTYPES),
    )
    case = Case(
        personal=_personal(luck, protocol, start, zone),
        enrolment=enrolment,
        results=results,
        events=_events(luck, start, zone),
        held=_held(luck, protocol, start, zone),
    )
    if luck.integer(0, 3) == 0:
        case = replace(case, siblings=(_sibling(luck, case, protocol, zone),))
    return History(case, zone, _retractions(luck, results))


def _born(age: tuple[int, int] | None, start: date) -> date | None:
    if age is None:
        return None
    years, days = age
    return Duration(months=12 * years).before(start) + timedelta(days=days)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _sibling(luck: Luck, case: Case, protocol: Protocol, zone: ZoneInfo) -> Case:
    """Another drug of the same patient under the same protocol, begun some time later; what
    means the patient and not a drug happened to both."""
    begun = timedelta(days=luck.one_of([0, 0, 5, 30, 100, -60]))
    start = case.enrolment.started_on + begun
    number = luck.one_of([0, 2])
    enrolment = replace(
        case.enrolment,
        id=number,
        drug=luck.one_of(["mercaptopurine", "methotrexate"]),
        started_on=start,
        enrolled_on=max(start, case.enrolment.enrolled_on),
        protocol_id=protocol.id,
        tpmt=luck.one_of(PHENOTYPES),
    )
    shared = [it for it in case.events if it.event not in OF_ONE_DRUG]
    own = [
        replace(it, id=100 + it.id) for it in _events(luck, start, zone) if it.event in OF_ONE_DRUG
    ]
    return Case(enrolment=enrolment, events=(*shared, *own))


OF_ONE_DRUG = ("start", "dose", "hold", "resume", "stop")


def _all_results(
    luck: Luck, protocol: Protocol, start: date, zone: ZoneInfo, visits: int
) -> tuple[Result, ...]:
    """`diligent`: whole panels, mostly healthy; `series`: one or two analytes, many times."""
    style = luck.one_of([MIXED, DILIGENT, SERIES, SERIES])
    followed = _followed(luck, protocol) if style == SERIES else []
    falling = {name: _fall(luck, protocol, name) for name in followed}
    day = start + timedelta(days=luck.one_of([-100, -84, -30, -14, -7, -1, 0, 7]))
    made: list[Result] = []
    for number in range(luck.integer(0, visits if style == MIXED else visits + 5)):
        day += timedelta(days=luck.one_of(DILIGENT_GAPS if style == DILIGENT else GAPS))
        visit = _visit(luck, day, zone, number)
        for analyte in followed or _ordered(luck, protocol, style):
            value = _value(luck, protocol, analyte, made, style)
            if number < len(falling.get(analyte, [])):
                value = falling[analyte][number]
            result = _result(luck, len(made) + 1, analyte, value, visit)
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


def _visit(luck: Luck, day: date, zone: ZoneInfo, number: int) -> Visit:
    """A bare date, a time of day, or one in the hour that is repeated or left out."""
    hour = luck.one_of([None, 9, 9, 8, 0, 1, 23])
    at = datetime.combine(day, time(hour or 0, 30 if hour == 1 else 0), zone).astimezone(UTC)
    return Visit(
        at=at,
        on=at.astimezone(zone).date(),
        specimen=luck.one_of([f"S{number}", f"S{number}", "", "S0"]),
        timed=hour is not None,
        delay=timedelta(hours=luck.one_of(DELAYS)),
    )


def _followed(luck: Luck, protocol: Protocol) -> list[str]:
    ruled = sorted({rule.analyte for rule in protocol.rules})
    return luck.some(ruled, least=1, most=2, distinct=True)


def _fall(luck: Luck, protocol: Protocol, analyte: str) -> list[Decimal]:
    """What a trend rule is about, or nearly so: falls of a tenth, more and less."""
    ceilings = falling_below(protocol, analyte)
    if not ceilings or luck.flag():
        return []
    ceiling = luck.one_of(ceilings)
    return [ceiling * Decimal(times) for times in luck.one_of(FALLS)]


def _ordered(luck: Luck, protocol: Protocol, style: str) -> list[str]:
    """What one visit brings: whole panels, a part, a percent differential, one analyte twice."""
    wanted: list[str] = []
    whole = style == DILIGENT and luck.one_of([True] * 5 + [False])
    for panel in protocol.panels:
        if whole or luck.one_of([True, True, False]):
            wanted += list(panel.all_of)
            wanted += [luck.one_of(group) for group in panel.any_of]
    if whole:
        return wanted
    if luck.one_of([False, False, True]):
        wanted += luck.some([*_asked(protocol), *ALSO_SENT], most=3)
    leaves_out = bool(wanted) and luck.one_of([False, False, False, True])
    if leaves_out:
        wanted.remove(luck.one_of(wanted))
    return _with_percentages(luck, wanted)


def _with_percentages(luck: Luck, wanted: list[str]) -> list[str]:
    """Some laboratories report percentages, beside the count or instead of it."""
    if luck.flag():
        return wanted
    cell = luck.one_of(["neutrophils", "lymphocytes"])
    kept = [name for name in wanted if name != cell or luck.flag()]
    shares = [[f"{cell}_percent"], [f"{cell}_percent", "bands_percent"], ["bands_percent"]]
    return [*kept, *luck.one_of(shares), *luck.one_of([[], ["white_cells"]])]


def _asked(protocol: Protocol) -> list[str]:
    names = {name for panel in protocol.panels for name in panel.analytes}
    return sorted(names | {rule.analyte for rule in protocol.rules})


def _value(luck: Luck, protocol: Protocol, analyte: str, made: list[Result], style: str) -> Decimal:
    """A value near some limit; in a series often a step of about a tenth from the last."""
    if style == DILIGENT and luck.one_of([True] * 9 + [False]):
        return Decimal(HEALTHY.get(analyte, "10"))
    last = next((it.value for it in reversed(made) if it.analyte == analyte), None)
    if style == SERIES and last is not None and luck.flag():
        steps = ["0.89", "0.89", "0.88", "0.85", "0.9", "0.91", "1", "1.1", "1.31"]
        return (last * Decimal(luck.one_of(steps))).quantize(Decimal("0.0001"))
    return luck.one_of(interesting_values(protocol, analyte))


def _result(luck: Luck, number: int, analyte: str, value: Decimal, visit: Visit) -> Result:
    """One reported value with what may be odd about it."""
    low, high = None, None
    if analyte in ("alt", "ast", "bilirubin"):
        low, high = luck.one_of(REFERENCES)
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
    odd: list[dict[str, Any]] = [
        {"value": None, "no_result": "clotted"},
        {"comparator": luck.one_of(["<", "<=", ">", ">="])},
        {"comparator": "<"},
        {"status": Status.PRELIMINARY},
        {"status": Status.PRELIMINARY},
        {"status": Status.CORRECTED},
        {"specimen_id": ""},
        {"below_plausible": True},
        {"doubtful_comment": "platelet clumps"},
        {"method": luck.one_of(["a", "b"])},
        {"method": "b"},
    ]
    which = luck.integer(0, PLAIN_RESULT + len(odd) - 1) - PLAIN_RESULT
    return plain if which < 0 else plain._replace(**odd[which])


def _retractions(luck: Luck, results: tuple[Result, ...]) -> tuple[tuple[int, datetime], ...]:
    """A few results are taken back, some hours or weeks after they came."""
    if not results:
        return ()
    taken = luck.some(results, most=2, distinct=True)
    hours = [0, 5, 24 * 8, 24 * 40]
    return tuple((it.id, it.received_at + timedelta(hours=luck.one_of(hours))) for it in taken)


def _events(luck: Luck, start: date, zone: ZoneInfo) -> tuple[Event, ...]:
    made = []
    day = start + timedelta(days=luck.one_of([-20, -3, 0, 0, 5, 28]))
    for number in range(1, luck.integer(0, 8) + 1):
        day += timedelta(days=luck.one_of([0, 0, 1, 2, 5, 7, 8, 14, 30, 60, 90]))
        what = luck.one_of(EVENTS)
        value = ""
        if what == "dose":
            value = luck.one_of(DOSES)
        if what in VALUES:
            value = luck.one_of(VALUES[what])
        if what == "genotype":
            gene = luck.one_of(["tpmt", "nudt15"])
            value = f"{gene}:{luck.one_of(PHENOTYPES[1:])}"
        if what == "symptom":
            value = luck.one_of(SYMPTOMS)
        if what == "monitored_elsewhere":
            value = str(day + timedelta(days=luck.one_of([0, 1, 30])))
        late = timedelta(days=luck.one_of([0, 0, 1, 20, -10]))
        received = datetime.combine(day, time(0, 5), zone).astimezone(UTC) + late
        made.append(Event(id=number, on=day, event=what, value=value, received_at=received))
    return tuple(made)


def _personal(luck: Luck, protocol: Protocol, start: date, zone: ZoneInfo) -> tuple[Personal, ...]:
    """Limits, intervals and accepted baselines, wild ones too: what may be set is checked where
    it is set."""
    made = []
    for number in range(1, luck.one_of([0, 0, 0, 1, 2, 3]) + 1):
        since = start + timedelta(days=luck.one_of([-20, 0, 7, 30, 90]))
        until = since + timedelta(days=luck.one_of([1, 20, 60, 365]))
        ended = luck.one_of([None, None, None, 1, 10])
        what = luck.one_of([*Terms, Terms.LIMIT])
        rule = luck.one_of(protocol.rules)
        phase = luck.one_of(protocol.phases)
        made.append(
            Personal(
                id=number,
                what=what,
                subject=luck.one_of(phase.panels).panel if what is Terms.INTERVAL else rule.id,
                level=luck.integer(1, len(rule.levels)) if what is Terms.LIMIT else 0,
                value=luck.one_of(interesting_values(protocol, rule.analyte))
                if what is Terms.LIMIT
                else None,
                phase=phase.name,
                every=luck.one_of(["5 days", "2 weeks", "1 month", "6 months"]),
                since=since,
                until=until,
                ended_on=None if ended is None else since + timedelta(days=ended),
                by="A",
                reason="made",
                set_at=datetime.combine(since, luck.one_of(SET_AT), zone).astimezone(UTC),
            )
        )
    return tuple(made)


def _held(luck: Luck, protocol: Protocol, start: date, zone: ZoneInfo) -> tuple[HeldRow, ...]:
    """Quarantined rows whose number is readable in no, one or two units."""
    made = []
    for number in range(1, luck.one_of([0, 0, 0, 1, 2]) + 1):
        analyte = luck.one_of(_asked(protocol))
        day = start + timedelta(days=luck.one_of([-10, 3, 40, 100]))
        value = luck.one_of(interesting_values(protocol, analyte))
        made.append(
            HeldRow(
                id=number,
                analyte=analyte,
                collected_on=day,
                received_value=f"{luck.one_of(SIGNS)}{value}",
                received_unit="?",
                reason="unknown unit",
                held_at=datetime.combine(day, time(10), zone).astimezone(UTC),
                possible_values=luck.one_of([(), (value,), (value, value / 1000)]),
            )
        )
    return tuple(made)
