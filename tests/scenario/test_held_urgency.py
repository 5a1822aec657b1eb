"""How urgent a held row is: as the result would be, could it be read (specification, section 3)."""

from __future__ import annotations

import pytest

from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at


@pytest.mark.parametrize(
    ("analyte", "value", "possible", "urgency"),
    [
        ("neutrophils", "1.6", "1.6", "routine"),
        ("neutrophils", "<1.6", "1.6", "urgent"),
        ("neutrophils", "<1.0*", "1.0", "critical"),
        ("neutrophils", "less than 0.5", "0.5", "critical"),
        ("lymphocytes", "< 0.2", "0.2", "critical"),
        ("lymphocytes", "<=0.2", "0.2", "urgent"),
        ("neutrophils", "<4.0", "4.0", "urgent"),  # only may be below 0.5
        ("neutrophils", ">0.4", "0.4", "critical"),  # the number alone
        ("neutrophils", ">1.6", "1.6", "routine"),
        ("alt", "100", "100", "routine"),
        ("alt", ">100", "100", "urgent"),
        ("alt", "<100", "100", "routine"),
        ("hemoglobin", "<100", "100", "urgent"),  # may be below 80
    ],
)
def test_a_held_row_is_as_urgent_as_its_result_would_be(
    ward: Clinic, analyte: str, value: str, possible: str, urgency: str
) -> None:
    ward.enrol("A1")
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.hold_row("A1", "2026-01-12", analyte, value, possible_values=possible)
    ward.review(at("2026-01-12", 12))
    (alert,) = ward.rows(tables.AlertRow, cause="quarantined_result")
    assert alert.urgency == urgency


@pytest.mark.parametrize(
    ("analyte", "possible", "urgency", "named"),
    [
        ("monocytes", "0.42 neutrophils:0.42", "critical", "neutrophils"),
        ("neutrophils", "0.42 monocytes:0.42", "critical", "neutrophils"),
        ("white_cells", "22 platelets:22", "critical", "platelets, white cells"),
        ("white_cells", "22 platelets:", "routine", "platelets, white cells"),
    ],
)
def test_a_row_of_one_or_another_analyte_is_as_urgent_as_the_worse(
    ward: Clinic, analyte: str, possible: str, urgency: str, named: str
) -> None:
    ward.enrol("A1")
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.hold_row("A1", "2026-01-12", analyte, "22", possible_values=possible)
    ward.review(at("2026-01-12", 12))
    (alert,) = ward.rows(tables.AlertRow, cause="quarantined_result")
    assert (alert.urgency, alert.subjects) == (urgency, [1])
    assert alert.summary == f"1 result is held in quarantine and not judged: {named}"


@pytest.mark.parametrize(
    ("others", "urgency"),
    [
        ({"white_cells": "4.5"}, "critical"),
        ({"white_cells": "45"}, "routine"),
        ({}, "routine"),
        ({"white_cells": "4.5", "neutrophils": "4.0"}, None),  # the laboratory counted them
    ],
)
def test_a_held_percentage_hides_the_count_that_follows_from_it(
    ward: Clinic, others: dict[str, str], urgency: str | None
) -> None:
    """It opened nothing: of 20 % of 4.5 white cells, in a unit nobody knew, not a word was said."""
    ward.enrol("A1")
    ward.results("A1", "2026-01-05", CBC | LFT)
    ward.results("A1", "2026-01-12", others)
    ward.hold_row("A1", "2026-01-12", "neutrophils_percent", "20", possible_values="20")
    ward.review(at("2026-01-12", 12))
    alerts = ward.rows(tables.AlertRow, cause="quarantined_result")
    assert [it.urgency for it in alerts] == ([] if urgency is None else [urgency])


def test_the_alert_of_a_held_percentage_says_why_it_closed(ward: Clinic) -> None:
    ward.enrol("A1")
    ward.hold_row("A1", "2026-01-12", "neutrophils_percent", "20")
    ward.review(at("2026-01-12", 12))
    ward.results("A1", "2026-01-12", {"neutrophils": "4.0"})
    ward.review(at("2026-01-12", 13))
    (alert,) = ward.rows(tables.AlertRow, cause="quarantined_result")
    assert (alert.state, alert.outcome) == ("closed", "the count of the held percentage is known")


def test_an_overdue_test_names_a_held_percentage_of_its_panel(ward: Clinic) -> None:
    ward.enrol("A1")
    ward.hold_row("A1", "2026-01-12", "neutrophils_percent", "20")
    ward.review(at("2026-01-15", 12))
    (alert,) = ward.rows(tables.AlertRow, cause="overdue")
    held = "1 row of Complete blood count with differential held in quarantine."
    assert held in alert.shown["say"]
