"""The worklist's order, counts and search are the same on both databases."""

from __future__ import annotations

from monitor.operations import people
from monitor.operations.worklist import View, Wanted, patients_like, seen, worklist
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
    assert (found.clinics, found.drugs, found.enrolled) == (("north",), ("azathioprine",), 4)
    assert found.counts[View.NEEDED] == found.total

    first, before = found.patients[0], seen(ward.store)
    for cause in first.causes:
        people.acknowledge(ward.store, ward.settings, cause.id, by="Nora Gray", now=now)
    assert seen(ward.store) != before
    mine = Wanted(view=View.IN_HAND, mine="nora gray", clinic="north", drug="azathioprine")
    held = worklist(ward.store, ward.settings, mine, now)
    assert [it.id for it in held.patients] == [first.id]
    assert held.counts[View.NEEDED] == 0
    late = Wanted(view=View.ALL, overdue=True, urgency=first.urgency, only=frozenset({first.id}))
    worklist(ward.store, ward.settings, late, now)
    assert patients_like(ward.store, first.mrn.lower()) == {first.id}
