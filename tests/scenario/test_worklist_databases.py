"""The worklist's order, counts and search are the same on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, update

from monitor.operations import people
from monitor.operations.patient_file import find
from monitor.operations.worklist import View, Wanted, seen, worklist
from monitor.store import tables
from monitor.store.tables import table_of
from tests.clinic import CBC, Clinic, at


def test_worst_first_counts_and_search(ward: Clinic) -> None:
    now = at("2026-01-20")
    for mrn, lymphocytes in (("W1", "0.9"), ("W2", "0.45"), ("W3", "0.3"), ("W4", "1.5")):
        ward.enrol(mrn, clinic="north")
        ward.results(mrn, "2026-01-19", CBC | {"lymphocytes": lymphocytes})
    ward.review(now)
    found = worklist(ward.store, ward.settings, Wanted(view=View.ALL), now)
    order = ["critical", "urgent", "routine"]
    ranks = [order.index(it.urgency) for it in found.patients]
    assert ranks == sorted(ranks) and found.total == len(ranks) >= 2
    assert (found.clinics, found.drugs, found.with_review_ahead) == (
        ("north",),
        ("azathioprine",),
        4,
    )
    assert found.counts[View.NEEDED] == found.total

    first, before = found.patients[0], seen(ward.store)
    for cause in first.causes:
        people.acknowledge(ward.store, ward.settings, cause.id, by="Nora Gray", now=now)
    assert seen(ward.store) != before
    mine = Wanted(view=View.IN_HAND, mine="nora gray", clinic="north", drug="azathioprine")
    held = worklist(ward.store, ward.settings, mine, now)
    assert [it.id for it in held.patients] == [first.id]
    assert held.counts[View.NEEDED] == 0
    late = Wanted(view=View.ALL, overdue=True, urgency=first.urgency, like=first.mrn)
    worklist(ward.store, ward.settings, late, now)
    found = worklist(ward.store, ward.settings, Wanted(view=View.ALL, like=first.mrn.lower()), now)
    assert [it.id for it in found.patients] == [first.id]


NAMED = (
    ("N1", "\u00d6zdemir", "\u00c9lodie"),
    ("N2", "Gro\u00df", "Zo\u00eb"),
    ("N3", "van der Berg", "\u0410\u043d\u043d\u0430"),
)
FOUND = (
    ("\u00f6zdemir", "N1"),
    ("\u00d6ZDEMIR", "N1"),
    ("\u00d6zdemir, \u00c9lodie", "N1"),
    ("\u00e9lodie \u00f6zdemir", "N1"),
    ("Gro\u00df", "N2"),
    ("ZO\u00cb", "N2"),
    ("van der", "N3"),
    ("Van der Berg, \u0430\u043d\u043d\u0430", "N3"),
)


def test_a_name_is_found_however_its_letters_are_written(ward: Clinic) -> None:
    """Also letters that SQLite itself does not know as small and capital."""
    now = at("2026-01-20")
    patients = table_of(tables.Patient)
    for mrn, family, given in NAMED:
        ward.enrol(mrn)
        with ward.store.write() as connection:
            named = update(patients).where(patients.c.mrn == mrn)
            connection.execute(named.values(family_name=family, given_name=given))
    ward.review(now)
    for words, mrn in FOUND:
        assert [it.mrn for it in find(ward.store, words)] == [mrn], words
        wanted = Wanted(view=View.ALL, like=words)
        listed = worklist(ward.store, ward.settings, wanted, now).patients
        assert [it.mrn for it in listed] == [mrn], words
    for words in (",", "%", "Gro\u00df, \u00c9lodie", "x" * 100_000):
        assert find(ward.store, words) == [], words[:9]


def test_what_is_mine_is_found_whatever_my_name(ward: Clinic) -> None:
    now = at("2026-01-20")
    ward.enrol("M1")
    ward.review(now)
    (somebody,) = worklist(ward.store, ward.settings, Wanted(), now).patients
    for cause in somebody.causes:
        people.acknowledge(ward.store, ward.settings, cause.id, by="Dr \u00c9va \u00d6sz", now=now)
    mine = Wanted(view=View.IN_HAND, mine="Dr \u00c9va \u00d6sz")
    assert worklist(ward.store, ward.settings, mine, now).total == 1


@pytest.fixture
def in_locale_c(ward: Clinic) -> Iterator[Clinic]:
    """A ward whose texts are compared as in a PostgreSQL that was made with the locale C."""
    texts = [
        (name, column)
        for name, columns in (
            ("patients", ("family_name", "given_name", "mrn")),
            ("alerts", ("acknowledged_by", "assigned_to")),
        )
        for column in columns
    ]

    def compare(collation: str) -> None:
        with ward.store.write() as connection:
            for name, column in texts:
                change = f'ALTER COLUMN {column} TYPE varchar COLLATE "{collation}"'
                connection.exec_driver_sql(f"ALTER TABLE {name} {change}")

    compare("C")
    yield ward
    compare("default")


@pytest.mark.postgresql_only
def test_so_it_is_where_the_database_knows_the_letters_of_ascii_alone(in_locale_c: Clinic) -> None:
    """Whoever looked for \u00d6zdemir was told that nobody of that name is watched."""
    test_a_name_is_found_however_its_letters_are_written(in_locale_c)


@pytest.mark.postgresql_only
def test_so_are_my_own_alerts_there(in_locale_c: Clinic) -> None:
    test_what_is_mine_is_found_whatever_my_name(in_locale_c)


def test_a_search_leaves_nobody_out(ward: Clinic) -> None:
    """Many who are called alike, most of them without an alert, and the one who needs somebody
    enrolled last."""
    now = at("2026-01-20")
    with ward.store.write() as connection:
        values = [
            {"mrn": f"A{it}", "mrn_key": f"a{it}", "mrn_loose": f"A{it}", "family_name": "Martin"}
            for it in range(300)
        ]
        connection.execute(insert(table_of(tables.Patient)), values)
    ward.enrol("Martin-last")
    ward.review(now)
    found = worklist(ward.store, ward.settings, Wanted(view=View.ALL, like="martin"), now)
    assert [it.mrn for it in found.patients] == ["Martin-last"]
