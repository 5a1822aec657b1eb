"""Thresholds and trends for the oracle (specification, sections 3 and 6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction

from monitor.core.case import Case, HeldRow, Result
from monitor.core.personal_terms import Personal, Terms
from monitor.core.protocol import Level, Protocol, Rule
from monitor.core.vocabulary import Status, Urgency
from tests.property.oracle_episodes import Episode, Point, episodes
from tests.property.oracle_values import above, add, below, take


@dataclass
class Judged:
    points: list[Point] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    now: Point | None = None
    """The latest point by the personal limits of today."""
    accepted: bool = False
    unjudged: datetime | None = None
    """Where the latest watched result could not be judged."""


def judge_rule(
    rule: Rule,
    case: Case,
    protocol: Protocol,
    results: list[Result],
    first_dose: date,
    ended_on: date | None,
    today: date,
) -> Judged:
    judged = Judged()
    if not concerns_indication(rule, case.enrolment.indication):
        return judged
    mine = [
        result for result in results if result.analyte == rule.analyte and result.value is not None
    ]
    starts_watch = take(min(case.enrolment.started_on, first_dose), protocol.watch_from)
    watched_until = None if ended_on is None else add(ended_on, protocol.wash_out)
    trend = trend_points(rule, mine) if rule.is_trend else []
    for at in sorted({result.collected_at for result in mine}):
        day = next(result.collected_on for result in mine if result.collected_at == at)
        going_on = bool(judged.points) and judged.points[-1].breaches
        if day < starts_watch:
            continue
        if watched_until is not None and day > watched_until and not going_on:
            break
        if rule.is_trend:
            judged.points += spoken([point for point in trend if point.at == at], day, today)
            continue
        points, lacking = points_at(rule, at, protocol, mine, first_dose, case, None)
        if points := spoken(points, day, today):
            judged.points.append(max(points, key=lambda point: point.badness(rule.downward)))
            judged.unjudged = None
        elif lacking and day <= today:
            judged.unjudged = at
    if judged.points:
        judged.now = judged.points[-1]
        again, _ = points_at(rule, judged.now.at, protocol, mine, first_dose, case, today)
        if again:
            judged.now = max(again, key=lambda point: point.badness(rule.downward))
        judged.accepted = accepted(rule, case, judged.points, today)
    judged.episodes = episodes(rule, case, protocol, judged.points, first_dose, judged.now)
    return judged


def points_at(
    rule: Rule,
    at: datetime,
    protocol: Protocol,
    mine: list[Result],
    first_dose: date,
    case: Case,
    as_of: date | None,
) -> tuple[list[Point], bool]:
    """The results of one instant that count, and whether any could not be judged."""
    points: list[Point] = []
    lacking = False
    if rule.is_trend:
        return points, lacking
    for result in mine:
        if result.collected_at != at:
            continue
        point = judge(rule, result, protocol, mine, first_dose, case, as_of)
        if point == "lacking":
            lacking = True
        elif isinstance(point, Point) and counts(point, result):
            points.append(point)
    return points, lacking


def spoken(points: list[Point], day: date, today: date) -> list[Point]:
    """What is dated to come reassures nobody before its day."""
    return points if day <= today or any(point.breaches for point in points) else []


def counts(point: Point, result: Result) -> bool:
    """A preliminary result opens, continues and worsens, and ends nothing."""
    return point.breaches or result.status is not Status.PRELIMINARY


def concerns_indication(rule: Rule, indication: str) -> bool:
    if rule.indications and indication not in rule.indications:
        return False
    return indication not in rule.except_indications


def judge(
    rule: Rule,
    result: Result,
    protocol: Protocol,
    mine: list[Result],
    first_dose: date,
    case: Case,
    as_of: date | None,
) -> Point | str:
    """`lacking` where a limit is missing and no other level is met; `none` where no level
    applies (what makes the baseline is not compared with it)."""
    assert result.value is not None
    value = Fraction(result.value)
    met: list[tuple[str, Fraction]] = []
    lacking = False
    applicable = 0
    for number, level in enumerate(rule.levels, start=1):
        own = personal_number(rule, number, case, result, as_of)
        limit = limit_of(level, own, result, protocol, mine, first_dose)
        if isinstance(limit, Fraction) and level.rise_from_lowest is not None:
            limit = at_least_above_lowest(limit, level, result, mine, first_dose)
        if isinstance(limit, Fraction) and level.not_fallen_by is not None:
            limit = at_least_not_fallen(limit, level, result, protocol, mine, first_dose)
        if not isinstance(limit, Fraction):
            lacking = lacking or limit == "lacking"
            met.append(("no", Fraction(0)))
            continue
        applicable += 1
        if level.below is not None or level.fall_from_baseline is not None:
            met.append((below(value, result.comparator, limit), limit))
        else:
            met.append((above(value, result.comparator, limit), limit))
    point = Point(
        result.collected_at,
        result.collected_on,
        value,
        result.comparator,
        tuple(met),
        result.received_at,
    )
    if point.breaches:
        return point
    if lacking:
        return "lacking"
    return point if applicable else "none"


def limit_of(
    level: Level,
    own: Fraction | None,
    result: Result,
    protocol: Protocol,
    mine: list[Result],
    first_dose: date,
) -> Fraction | str:
    if level.below is not None:
        return Fraction(level.below) if own is None else own
    if level.above is not None:
        return Fraction(level.above) if own is None else own
    if level.above_times_uln is not None:
        upper = own_upper_limit(result)
        if upper is None and level.default_uln is not None:
            upper = Fraction(level.default_uln)
        times = Fraction(level.above_times_uln) if own is None else own
        return "lacking" if upper is None else upper * times
    before = compared_with(level, result, protocol, mine, first_dose)
    if not isinstance(before, Fraction):
        return before
    if level.fall_from_baseline is not None:
        return before * (1 - Fraction(level.fall_from_baseline) / 100)
    assert level.rise_from_baseline is not None
    return before * (1 + Fraction(level.rise_from_baseline) / 100)


def at_least_above_lowest(
    limit: Fraction, level: Level, result: Result, mine: list[Result], start: date
) -> Fraction | str:
    """Raised ALT is the disease in autoimmune hepatitis: so much above the lowest since the
    start, and above the limit (founding brief)."""
    assert result.value is not None and level.rise_from_lowest is not None
    if result.collected_on < start:
        return "none"
    lowest = Fraction(result.value)
    for at, day, value in finals(mine, result, downward=False):
        if day >= start and at < result.collected_at:
            lowest = min(lowest, value)
    return max(limit, lowest * (1 + Fraction(level.rise_from_lowest) / 100))


def at_least_not_fallen(
    limit: Fraction,
    level: Level,
    result: Result,
    protocol: Protocol,
    mine: list[Result],
    start: date,
) -> Fraction | str:
    """Not halved so long after the start: above what would be left of the baseline."""
    assert level.not_fallen_by is not None
    first = start if level.after is None else add(start, level.after)
    if result.collected_on < first:
        return "none"
    if level.until is not None and result.collected_on >= add(start, level.until):
        return "none"
    series = finals(mine, result, downward=False)
    earliest_day = take(start, protocol.baseline.within)
    before = [entry for entry in series if earliest_day <= entry[1] <= start][-2:]
    chosen = before or [entry for entry in series if entry[1] > start][:1]
    if not chosen or chosen[-1][1] >= first:
        return "lacking"
    base = sum((value for _, _, value in chosen), Fraction(0)) / len(chosen)
    return max(limit, base * (1 - Fraction(level.not_fallen_by) / 100))


def personal_number(
    rule: Rule, level: int, case: Case, result: Result, as_of: date | None
) -> Fraction | None:
    """The limit that a clinician set for this level. On a day on which one was set or ended the
    stricter of two: the one of that day, and the one that stood when the blood was taken."""
    day = result.collected_on
    mine = [
        it
        for it in case.personal
        if it.what is Terms.LIMIT and (it.subject, it.level) == (rule.id, level)
    ]
    if as_of is not None:
        return set_last([it for it in mine if lasts(it, as_of)])
    of_the_day = set_last([it for it in mine if lasts(it, day)])
    then = set_last(
        [
            it
            for it in mine
            if it.set_at <= result.collected_at
            and (lasts(it, day) or (it.ended_on == day and it.since <= day < it.until))
        ]
    )
    numbers = rule.levels[level - 1]
    for stated in (numbers.below, numbers.above, numbers.above_times_uln):
        if stated is None:
            continue
        both = [Fraction(stated) if it is None else it for it in (of_the_day, then)]
        return max(both) if rule.downward else min(both)
    return of_the_day


def lasts(it: Personal, day: date) -> bool:
    gone = it.until if it.ended_on is None or it.ended_on > it.until else it.ended_on
    return it.since <= day < gone


def set_last(limits: list[Personal]) -> Fraction | None:
    found = max(limits, key=lambda it: (it.set_at, it.id), default=None)
    return None if found is None or found.value is None else Fraction(found.value)


def accepted(rule: Rule, case: Case, points: list[Point], today: date) -> bool:
    """A clinician took the latest result that was there for a baseline, and the one of today is
    no worse."""
    for it in case.personal:
        gone = it.until if it.ended_on is None or it.ended_on > it.until else it.ended_on
        if it.what is not Terms.BASELINE or it.subject != rule.id or not it.since <= today < gone:
            continue
        then = [point for point in points if max(point.at, point.received) <= it.set_at]
        if not then or points[-1].level > then[-1].level:
            continue
        old, new = then[-1].value, points[-1].value
        if rule.downward:
            worse = new < old and new * 10 <= old * 9
        else:
            worse = new > old and new * 10 >= old * 11
        if not worse:
            return True
    return False


def own_upper_limit(result: Result) -> Fraction | None:
    if result.ref_high is None or result.ref_high <= 0:
        return None
    if result.ref_low is not None and result.ref_high <= result.ref_low:
        return None
    return Fraction(result.ref_high)


def finals(
    mine: list[Result], like: Result, downward: bool
) -> list[tuple[datetime, date, Fraction]]:
    """Final exact values of the same method in order, one an instant: the worst of it."""
    exact = [
        result
        for result in mine
        if result.status is not Status.PRELIMINARY
        and result.comparator == ""
        and not result.below_plausible
        and not result.doubtful_comment
        and (result.method == like.method or not result.method or not like.method)
    ]
    series = []
    for at in sorted({result.collected_at for result in exact}):
        together = [result for result in exact if result.collected_at == at]
        values = [Fraction(result.value) for result in together if result.value is not None]
        value = min(values) if downward else max(values)
        series.append((at, together[0].collected_on, value))
    return series


def compared_with(
    level: Level, result: Result, protocol: Protocol, mine: list[Result], start: date
) -> Fraction | str:
    """What a rise is measured from: the baseline, or the earliest value in the time."""
    series = finals(mine, result, level.fall_from_baseline is not None)
    earliest_day = take(start, protocol.baseline.within)
    before = [entry for entry in series if earliest_day <= entry[1] <= start]
    after = [entry for entry in series if entry[1] > start]
    chosen = before[-2:] or after[:1]
    if not chosen:
        return "lacking"
    if result.collected_at <= chosen[-1][0]:
        return "none"
    if level.within is None or chosen[-1][1] >= take(result.collected_on, level.within):
        return sum((value for _, _, value in chosen), Fraction(0)) / len(chosen)
    window = [
        value
        for at, day, value in series
        if at < result.collected_at and day >= take(result.collected_on, level.within)
    ]
    return window[0] if window else "lacking"


def trend_points(rule: Rule, results: list[Result]) -> list[Point]:
    """One point a day: the worst final value; a censored or doubtful one breaks the row."""
    level = rule.levels[0]
    assert level.falls_in_a_row is not None and level.each is not None
    days = sorted(
        {result.collected_on for result in results if result.status is not Status.PRELIMINARY}
    )
    points: list[Point] = []
    row: list[Fraction] = []
    method = ""
    for day in days:
        final = [
            result
            for result in results
            if result.collected_on == day and result.status is not Status.PRELIMINARY
        ]
        order = {"<": 0, "<=": 1, "": 2, ">=": 3, ">": 4}
        worst = min(
            final,
            key=lambda result: (
                result.value,
                order[result.comparator],
                bool(result.below_plausible or result.doubtful_comment),
                result.collected_at,
                result.method,
            ),
        )
        value = Fraction(worst.value or 0)
        if worst.comparator or worst.below_plausible or worst.doubtful_comment:
            row, method = [], ""
            continue
        if method and worst.method and worst.method != method:
            row = []
        method = worst.method or method
        if row and value < row[-1] * (1 - Fraction(level.each) / 100):
            row.append(value)
        else:
            row = [value]
        met = len(row) > level.falls_in_a_row
        limit = Fraction(0)
        if level.only_below is not None:
            limit = Fraction(level.only_below)
            met = met and value < limit
        points.append(
            Point(
                worst.collected_at,
                day,
                value,
                worst.comparator,
                (("certain" if met else "no", limit),),
                worst.received_at,
            )
        )
    return points


def rechecks(rule: Rule, latest: Point | None) -> list[date]:
    """Days by which the latest result of the analyte asks for another (section 4), by the
    limits of today: the level that speaks, and the milder ones below it."""
    if latest is None:
        return []
    return [
        add(latest.day, level.recheck)
        for level in rule.levels[: latest.level]
        if level.recheck is not None
    ]


def held_urgency(
    case: Case, protocol: Protocol, ended_on: date | None, going_on: set[str]
) -> tuple[frozenset[int], Urgency] | None:
    """Held rows: the urgency of the level the raw number would meet in any unit, else routine;
    with its comparator, what only may breach being at most urgent, where that is worse.
    After the wash-out only of analytes of which an episode goes on."""
    last_day = date.max if ended_on is None else add(ended_on, protocol.wash_out)
    rows = [
        row
        for row in case.held
        if row.analyte in going_on or (row.collected_on or date.min) <= last_day
    ]
    if not rows:
        return None
    urgencies = [Urgency.ROUTINE]
    for row in rows:
        for rule in protocol.rules:
            if rule.analyte != row.analyte:
                continue
            for level in rule.levels:
                urgencies += urgencies_of(row, level)
    return frozenset(row.id for row in rows), max(urgencies, key=lambda word: word.rank)


def urgencies_of(row: HeldRow, level: Level) -> list[Urgency]:
    text = row.received_value
    sign = next((sign for sign in ("<=", ">=", "<", ">") if text.startswith(sign)), "")
    words = set()
    for number in map(Fraction, row.possible_values):
        for comparator in ("", sign):
            if level.below is not None:
                words.add(below(number, comparator, Fraction(level.below)))
            if level.above is not None:
                words.add(above(number, comparator, Fraction(level.above)))
            if level.above_times_uln is not None and level.default_uln is not None:
                limit = Fraction(level.above_times_uln) * Fraction(level.default_uln)
                words.add(above(number, comparator, limit))
    if "certain" in words:
        return [level.urgency]
    if "may" in words:
        return [Urgency.ROUTINE if level.urgency is Urgency.ROUTINE else Urgency.URGENT]
    return []
