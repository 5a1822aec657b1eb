"""A clinic of simulated patients: some established, some starting, who come when they come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from random import Random

from tools.burden.papers import Asked, Due, Papers
from tools.burden.person import Person, facts, made_up, working_day

_DAY, _WEEK, _YEAR = timedelta(days=1), timedelta(days=7), timedelta(days=365)
_TASKS = ("skin_check", "photoprotection", "adherence")
_WITHHOLD = ("withhold", "discontinue")
_HOLD = timedelta(days=14)
_TASKS_EARLY = timedelta(days=30)


class Simulated:
    """Patients with usual values; `usual`, where given, replaces some of them person by person."""

    source = ""

    def __init__(
        self,
        patients: int,
        first: date,
        last: date,
        seed: int,
        usual: Sequence[Mapping[str, float]] = (),
        established: float | None = None,
        *,
        in_time: bool = False,
    ) -> None:
        self._first = first
        self._days = (last - first).days
        self._random = Random(f"{seed} clinic")  # noqa: S311  # the same made-up clinic each time
        self._people: dict[str, Person] = {}
        self._coming: dict[date, list[Person]] = defaultdict(list)
        self._visits: dict[date, set[str]] = defaultdict(set)
        self._held: dict[date, list[str]] = defaultdict(list)
        share = facts()["clinic"]["established"] if established is None else established
        for number in range(patients):
            old = number < round(share * patients)
            person = made_up(f"B{number + 1:04}", seed, self._start(old=old))
            person.usual |= usual[number] if usual else {}
            person.in_time = in_time
            self._people[person.mrn] = person
            self._plan(person)
            self._coming[first if old else person.started_on - 6 * _DAY].append(person)

    def papers(self, day: date) -> Papers:
        """Who is enrolled, what happens to doses, who comes to have blood drawn."""
        papers = Papers()
        for person in self._coming.pop(day, []):
            self._enrol(person, day, papers)
        for person in self._people.values():
            self._live(person, day, papers)
        for mrn in sorted(self._visits.pop(day, ())):
            person = self._people[mrn]
            if day in (person.visit_on, person.liver_on) and not person.gone:
                self._visit(person, day, papers)
        return papers

    def hear(self, day: date, due: Mapping[str, Collection[Due]]) -> None:
        """A new due day is a new appointment."""
        for mrn, panels in due.items():
            person, told = self._people[mrn], tuple(panels)
            if told != person.due or person.visit_on is None or person.visit_on <= day:
                person.due = told
                person.come_by(day)
                if person.visit_on is not None:
                    self._visits[person.visit_on].add(mrn)

    def asked(self, day: date, alerts: Sequence[Asked]) -> None:
        """Some of those who are to be withheld the drug are; a recheck is in the due days."""
        for alert in alerts:
            person = self._people[alert.mrn]
            chance = facts()["rates"]["hold_when_asked"] if alert.urgency != "critical" else 1
            if alert.kind in _WITHHOLD and person.random.random() < chance:
                person.plans.append((day + _DAY, "hold"))

    def _start(self, *, old: bool) -> date:
        least, most = facts()["clinic"]["years_before"]
        if old:
            return self._first - self._random.randint(least * 365, most * 365) * _DAY
        return working_day(self._first + self._random.randint(14, max(15, self._days)) * _DAY)

    def _plan(self, person: Person) -> None:
        """Increases, holds and stops at their rates; the first increase of who starts."""
        rates, draw = facts()["rates"], person.random
        begin = max(person.started_on, self._first)
        for what, rate in (
            ("increase", rates["dose_increase"]),
            ("hold", rates["hold"]),
            ("stop", rates["stop"]),
        ):
            day = begin + (_YEAR if what == "increase" and begin > self._first else _DAY)
            while (day := day + (1 + int(draw.expovariate(rate / 100 / 365))) * _DAY) <= (
                self._first + self._days * _DAY
            ):
                person.plans.append((day, what))
        if person.started_on > self._first:
            weeks = draw.randint(*facts()["doses"]["step_weeks"])
            person.plans.append((person.started_on + weeks * _WEEK, "full"))

    def _enrol(self, person: Person, day: date, papers: Papers) -> None:
        old = person.started_on < self._first
        strength = facts()["indications"][person.indication]
        person.dose_mg = person.mg(strength["full" if old else "start"])
        papers.enrolments.append({
            "mrn": person.mrn,
            "birth_date": f"{person.random.randint(1950, 2000)}-05-01",
            "sex": person.sex,
            "drug": "azathioprine",
            "indication": person.indication,
            "started_on": person.started_on.isoformat(),
            "dose_mg_per_day": f"{person.dose_mg:g}",
            "weight_kg": person.weight_kg,
            "tpmt": "normal",
            "nudt15": "normal",
        })  # fmt: skip
        late = not old and person.random.random() < facts()["clinic"]["baseline_late"]
        before = (person.started_on - _WEEK) if old else day - _DAY
        papers.older += person.draw(before, liver=not late)
        if old:
            papers.older += person.draw(day - person.random.randint(1, 85) * _DAY, liver=True)
            done = day - person.random.randint(1, 350) * _DAY
            self._tasks(person, done, papers)
        else:
            person.tasks_due = person.started_on + _YEAR
        if late:
            person.liver_on = working_day(day + _WEEK)
            self._visits[person.liver_on].add(person.mrn)

    def _tasks(self, person: Person, on: date, papers: Papers) -> None:
        for task in _TASKS:
            papers.event(person.mrn, on, "task_done", task)
        person.tasks_due = on + _YEAR

    def _live(self, person: Person, day: date, papers: Papers) -> None:
        """What happens to the dose today."""
        if person.gone or day < max(person.started_on, self._first):
            return
        if day == person.started_on:
            papers.event(person.mrn, day, "start")
        if day == person.resume_on:
            papers.event(person.mrn, day, "resume")
            person.held, person.resume_on = False, None
        for what in [what for on, what in person.plans if on == day]:
            self._change(person, what, day, papers)

    def _change(self, person: Person, what: str, day: date, papers: Papers) -> None:
        if what == "stop":
            papers.event(person.mrn, day, "stop", note="remission")
            person.gone = True
        elif what == "hold" and not person.held:
            until = day + _HOLD
            papers.event(person.mrn, day, "hold", until.isoformat(), "infection or low counts")
            person.held, person.resume_on = True, until
        elif what in ("increase", "full") and not person.held:
            full = person.mg(facts()["indications"][person.indication]["full"])
            more = person.dose_mg + facts()["doses"]["tablet_mg"]
            dose = full if what == "full" else more
            if dose > person.dose_mg:
                person.dose_mg = dose
                papers.event(person.mrn, day, "dose", f"{dose:g}")

    def _visit(self, person: Person, day: date, papers: Papers) -> None:
        """Blood is drawn; the liver too where it is due soon. The nurse weighs and asks."""
        soon = day + facts()["lateness"]["liver_too_within"] * _DAY
        liver = day == person.liver_on or any(
            it.panel == "lft" and it.due_on <= soon for it in person.due
        )
        papers.results += person.draw(day, liver=liver)
        calm = all(it.phase != "weekly" for it in person.due)
        if calm and person.random.random() < facts()["lateness"]["weighed"]:
            papers.event(person.mrn, day, "weight", person.weight_kg)
        done = person.random.random() < facts()["lateness"]["tasks_done"]
        if person.tasks_due <= day + _TASKS_EARLY and done:
            self._tasks(person, day, papers)
