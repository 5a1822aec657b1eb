"""The stories that a clinic knows, each with the patient it happens to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from monitor.demo.book import Book
from monitor.demo.people import CBC_UNITS, Person, Registry


@dataclass(frozen=True)
class Story:
    """What happens, and to whom."""

    mrn: str
    title: str


class Clinic:
    """The whole made-up clinic: some sixty people and their stories."""

    def __init__(self, today: date) -> None:
        self.book = Book(today)
        self.people = Registry(self.book)
        self.stories = [self._tell(story) for story in _STORIES]
        self._everybody_else()

    def ago(self, days: int) -> date:
        """So many days before today."""
        return self.book.today - timedelta(days=days)

    def _tell(self, story: Callable[[Clinic], Person]) -> Story:
        return Story(story(self).mrn, (story.__doc__ or "").strip())

    def _everybody_else(self) -> None:
        for number in range(36):
            person = self.people.enrol(self.ago(720 - number * 17))
            forgetful = number % 12 == 5
            self.people.faithful(person, until=self.ago(60 if forgetful else 0))
        for number in range(12):
            person = self.people.enrol(self.ago(80 - number * 6))
            self.people.faithful(person, until=self.ago(0))


def never_tested(clinic: Clinic) -> Person:
    """never tested since the start"""
    person = clinic.people.enrol(clinic.ago(24))
    clinic.people.baseline(person)
    return person


def missed_week_three(clinic: Clinic) -> Person:
    """came in weeks 1, 2 and 4, and missed week 3"""
    person = clinic.people.enrol(clinic.ago(36))
    clinic.people.baseline(person)
    for day in (29, 22, 8):
        clinic.people.visit(person, clinic.ago(day), clinic.people.cbc(person))
    return person


def clotted_sample(clinic: Clinic) -> Person:
    """the last sample was clotted"""
    person = clinic.people.enrol(clinic.ago(34))
    clinic.people.baseline(person)
    for day in (27, 20, 13):
        clinic.people.visit(person, clinic.ago(day), clinic.people.cbc(person))
    clotted = {name: ("clotted", unit) for name, unit in CBC_UNITS.items()}
    clinic.people.visit(person, clinic.ago(6), clotted)
    return person


def falling_neutrophils(clinic: Clinic) -> Person:
    """neutrophils fall from test to test, still above the limit"""
    person = clinic.people.enrol(clinic.ago(400))
    clinic.people.faithful(person, until=clinic.ago(120))
    for day, neutrophils in ((70, "3.2"), (49, "2.8"), (28, "2.4"), (8, "2.0")):
        values = clinic.people.both(person, neutrophils=neutrophils)
        clinic.people.visit(person, clinic.ago(day), values)
    return person


def other_laboratory(clinic: Clinic) -> Person:
    """lymphocytes 0.4, told by another laboratory as 400 /uL"""
    person = clinic.people.enrol(clinic.ago(500))
    clinic.people.faithful(person, until=clinic.ago(8))
    cells = {"white_cells": "4100", "neutrophils": "3100", "lymphocytes": "400"}
    values = {name: (value, "/uL") for name, value in cells.items()}
    blood = {"hemoglobin": ("13,1", "g/dL"), "platelets": ("231", "G/L")}
    liver = {"alt": ("22", "U/L"), "bilirubin": ("0,6", "mg/dL")}
    clinic.book.from_the_city(person.mrn, clinic.ago(7), values | blood | liver)
    return person


def corrected_result(clinic: Clinic) -> Person:
    """platelets 41 were a slip, corrected to 241 the next day"""
    person = clinic.people.enrol(clinic.ago(450))
    clinic.people.faithful(person, until=clinic.ago(21))
    on = clinic.ago(20)
    wrong = clinic.people.both(person, platelets="41")
    number = clinic.book.specimen(person.mrn, on, wrong)
    right = {"platelets": ("241", "10*9/L")}
    clinic.book.specimen(
        person.mrn, on, right, specimen_id=number, status="corrected", arrives=clinic.ago(19)
    )
    return person


def dose_increase(clinic: Clinic) -> Person:
    """a dose increase made the tests weekly again"""
    person = clinic.people.enrol(clinic.ago(300))
    clinic.people.faithful(person, until=clinic.ago(21))
    clinic.book.event(person.mrn, clinic.ago(20), "dose", "200", "flare")
    for day in (13, 6):
        clinic.people.visit(person, clinic.ago(day), clinic.people.cbc(person))
    return person


def wrong_unit(clinic: Clinic) -> Person:
    """platelets 245000 x 10*9/L cannot be: the row waits for a person"""
    person = clinic.people.enrol(clinic.ago(380))
    clinic.people.faithful(person, until=clinic.ago(10))
    values = clinic.people.both(person, platelets="245000")
    clinic.people.visit(person, clinic.ago(9), values)
    return person


def held_with_critical_count(clinic: Clinic) -> Person:
    """neutrophils 0.8, azathioprine on hold, and no count since"""
    person = clinic.people.enrol(clinic.ago(210))
    clinic.people.faithful(person, until=clinic.ago(9))
    clinic.people.visit(person, clinic.ago(8), clinic.people.both(person, neutrophils="0.8"))
    review = clinic.ago(-6).isoformat()
    clinic.book.event(person.mrn, clinic.ago(7), "hold", review, "neutropenia")
    return person


def stopped_in_wash_out(clinic: Clinic) -> Person:
    """stopped three weeks ago, and the platelets fall now"""
    person = clinic.people.enrol(clinic.ago(330))
    clinic.people.faithful(person, until=clinic.ago(21))
    clinic.book.event(person.mrn, clinic.ago(20), "stop", "", "remission")
    values = clinic.people.cbc(person, platelets="118")
    clinic.people.visit(person, clinic.ago(7), values)
    return person


def unknown_number(clinic: Clinic) -> Person:
    """a tube came under a number that nobody has, meant for this patient"""
    person = clinic.people.enrol(clinic.ago(260))
    clinic.people.faithful(person, until=clinic.ago(70))
    clinic.book.specimen("Z4711", clinic.ago(10), clinic.people.both(person))
    return person


def planned_start(clinic: Clinic) -> Person:
    """starts in six days"""
    person = clinic.people.enrol(clinic.ago(-6))
    clinic.book.specimen(person.mrn, clinic.ago(6), clinic.people.both(person))
    return person


_STORIES = (
    never_tested,
    missed_week_three,
    clotted_sample,
    falling_neutrophils,
    other_laboratory,
    corrected_result,
    dose_increase,
    wrong_unit,
    held_with_critical_count,
    stopped_in_wash_out,
    unknown_number,
    planned_start,
)
