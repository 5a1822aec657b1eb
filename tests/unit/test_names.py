"""Two spellings of a name: which are one person's, and which part contradicts."""

from __future__ import annotations

import pytest

from monitor.intake.names import same_name

CASES = [
    # family, given, other family, other given, what contradicts
    ("Muster", "Anna", "MUSTER", "anna", ""),
    ("Müller", "Jörg", "Mueller", "Joerg", ""),
    ("Müller", "Jörg", "Muller", "Jorg", ""),
    ("Mu\u0308ller", "Jörg", "Mueller", "Jorg", ""),
    ("Garçon", "Zoé", "GARCON", "ZOE", ""),
    ("Strauß", "Eva", "Strauss", "Eva", ""),
    ("O'Neill", "Sean", "ONeill", "Sean", ""),
    ("O\u2019Neill", "Sean", "O'Neill", "Sean", ""),
    ("van den Berg", "Jan", "Vandenberg", "Jan", ""),
    ("Meier-Huber", "Eva", "Meier Huber", "Eva", ""),
    ("Meier-Huber", "Eva", "Huber", "Eva", ""),
    ("Meier", "Eva", "Meier-Huber", "Eva", ""),
    ("Muster", "Anna Maria", "Muster", "Anna", ""),
    ("Muster", "Anna Maria", "Muster", "Maria", ""),
    ("Muster", "Anna", "Muster", "A.", ""),
    ("Muster", "Anna-Maria", "Muster", "Annamaria", ""),
    ("Muster", "Dr. Anna", "Muster", "Anna", ""),
    ("Prof. Dr. Muster", "Anna", "Muster", "Anna", ""),
    ("Muster", "Anna", "Anna", "Muster", ""),
    ("Muster", "Anna", "Muster, Anna", "", ""),
    ("Muster", "Anna", "Anna Muster", "", ""),
    ("Muster", "Anna", "Muster Anna Dr", "", ""),
    ("Meier-Huber", "", "Meier", "", ""),
    ("Meier-Huber", "", "Meier Huber", "Eva", ""),
    ("Muster", "Anna", "", "", ""),
    ("", "", "Muster", "Anna", ""),
    ("Muster", "Anna", "", "Anna", ""),
    ("李", "明", "李", "明", ""),
    # told apart
    ("Muster", "Anna", "Meier", "Anna", "family name"),
    ("Muster", "Anna", "Mustermann", "Anna", "family name"),
    ("García López", "Ana", "García Pérez", "Ana", "family name"),
    ("van Dijk", "Jan", "van den Berg", "Jan", "family name"),
    ("Muster", "Anna", "Meier, Anna", "", "family name"),
    ("Muster", "Anna", "Muster, Berta", "", "given name"),
    ("Muster", "Anna", "Berta Muster", "", "family name"),
    ("李", "明", "王", "明", "family name"),
    # twins
    ("Muster", "Anna", "Muster", "Berta", "given name"),
    ("Muster", "Paul", "Muster", "Paula", "given name"),
    ("Muster", "Christian", "Muster", "Christina", "given name"),
    ("Muster", "Anna", "Muster", "B.", "given name"),
    ("Muster", "Anna Maria", "Muster", "Anna Berta", "given name"),
]


@pytest.mark.parametrize(("family", "given", "other_family", "other_given", "wrong"), CASES)
def test_names(family: str, given: str, other_family: str, other_given: str, wrong: str) -> None:
    assert same_name(family, given, other_family, other_given) == wrong
    back = same_name(other_family, other_given, family, given)
    assert bool(back) == bool(wrong)
