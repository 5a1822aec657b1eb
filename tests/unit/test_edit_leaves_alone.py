"""An edit of a rule judges only whom it may concern, and says what judging everybody would."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from monitor.core.actions import ActionRefused
from monitor.core.vocabulary import AlertState
from monitor.operations.schedule_edit import apply
from monitor.operations.schedule_preview import Preview, edit_of, preview
from monitor.operations.verify import verify
from monitor.review import Tally
from monitor.store import tables
from tests.clinic import CBC, LFT, Clinic, at
from tests.schedules_folder import edit, text_of, write

REVIEWED = at("2026-01-13")
EDITED = at("2026-01-14")


@pytest.fixture
def platelets(folder: Path) -> Path:
    """Platelets alert below 150 instead of 140."""
    path = write(folder, text_of(folder).partition("# ==== Examples")[0])
    edit(folder, "{ below = 140,", "{ below = 150,")
    return path


def put_in_force(ward: Clinic, path: Path) -> int:
    applied = apply(ward.store, ward.settings, edit_of(path), EDITED, by="Dr A", reason="minutes")
    assert verify(ward.store, ward.settings, EDITED) == []
    return applied.tally.reviewed


def patient(ward: Clinic, mrn: str, count: str, **more: object) -> int:
    enrolment = ward.enrol(mrn)
    ward.results(mrn, "2026-01-12", CBC | LFT | {"platelets": count})
    return enrolment


def behind_its_back(ward: Clinic, count: str) -> None:
    """The newest platelet count reads otherwise now, and nobody was woken: whoever reads the
    results of this patient sees it, and whoever only asks what was kept does not."""
    newest = ward.rows(tables.ResultRow, analyte="platelets")[-1]
    ward.set(tables.ResultRow, newest.id, value=Decimal(count))


def test_whom_the_edit_cannot_concern_is_not_judged(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    before = ward.next_review(enrolment)
    behind_its_back(ward, "20")
    shown = preview(ward.store, ward.settings, edit_of(platelets), EDITED)
    assert shown.counts["unchanged"] == 1
    apply(ward.store, ward.settings, edit_of(platelets), EDITED, by="Dr A", reason="minutes")
    assert ward.alerts(enrolment) == []
    assert ward.next_review(enrolment) == before


@pytest.mark.parametrize(("count", "alerts"), [("250", 0), ("150", 0), ("149", 1), ("139", 1)])
def test_each_value_is_answered_by_the_new_limit(
    ward: Clinic, platelets: Path, count: str, alerts: int
) -> None:
    enrolment = patient(ward, "A1", count)
    ward.review(REVIEWED)
    assert put_in_force(ward, platelets) == 1
    assert len(ward.alerts(enrolment)) == alerts


def test_a_result_that_came_after_the_last_review_is_judged_by_the_edit(
    ward: Clinic, platelets: Path
) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    ward.results("A1", "2026-01-13", {"platelets": "145"}, hour=11)
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_only_a_bound_is_judged(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.results("A1", "2026-01-12", {"platelets": "145"}, hour=10, comparator=">")
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_an_alert_that_stands_speaks_of_the_new_text(ward: Clinic, platelets: Path) -> None:
    enrolment = patient(ward, "A1", CBC["platelets"])
    ward.results("A1", "2026-01-13", {"neutrophils": "1.2"})
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    (alert,) = ward.alerts(enrolment)
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    assert alert.protocol_digest == text.digest


def test_time_that_has_passed_is_judged(ward: Clinic, platelets: Path) -> None:
    """The next test is overdue by the instant of the edit, and nobody has looked since."""
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    late = at("2026-02-20")
    apply(ward.store, ward.settings, edit_of(platelets), late, by="Dr A", reason="minutes")
    assert "overdue_test" in [it.kind.value for it in ward.alerts(enrolment)]


def test_one_edit_after_the_other(ward: Clinic, platelets: Path, folder: Path) -> None:
    """What was kept is kept on: the second edit is compared with the first."""
    enrolment = patient(ward, "A1", "160")
    ward.review(REVIEWED)
    put_in_force(ward, platelets)
    assert ward.alerts(enrolment) == []
    edit(folder, "{ below = 150,", "{ below = 155,")
    put_in_force(ward, platelets)
    edit(folder, "{ below = 155,", "{ below = 165,")
    put_in_force(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def quietly(ward: Clinic, path: Path, now: datetime = EDITED) -> Tally:
    """What applying reviewed; whether a review of everything would say the same is not asked."""
    applied = apply(ward.store, ward.settings, edit_of(path), now, by="Dr A", reason="minutes")
    return applied.tally


def test_a_new_interval_is_counted_without_judging(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """The next count is due on 26 instead of on 19 January, and shown as due two days before."""
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    behind_its_back(ward, "20")
    assert quietly(ward, platelets).reviewed == 1
    assert ward.alerts(enrolment) == []
    assert ward.next_review(enrolment) == at("2026-01-24", 0)


def test_a_new_interval_and_limit_say_what_judging_everybody_would(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    rested, low = patient(ward, "A1", "250"), patient(ward, "A2", "145")
    ward.review(REVIEWED)
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    put_in_force(ward, platelets)
    assert ward.alerts(rested) == []
    assert [it.cause for it in ward.alerts(low)] == ["rule:thrombocytopenia"]


def test_whoever_becomes_overdue_by_an_edit_is_alerted(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    enrolment = ward.enrol("A1")
    ward.review(REVIEWED)
    assert ward.alerts(enrolment) == []
    edit(folder, 'every = "1 week"', 'every = "5 days"')
    put_in_force(ward, platelets)
    assert [it.kind.value for it in ward.alerts(enrolment)] == ["overdue_test"]


def overdue(ward: Clinic) -> int:
    enrolment = ward.enrol("A1")
    late = at("2026-01-16")
    ward.review(late)
    assert [it.kind.value for it in ward.alerts(enrolment)] == ["overdue_test"]
    return enrolment


def test_an_overdue_alert_stands_where_another_phase_is_edited(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    enrolment = overdue(ward)
    before, history = ward.next_review(enrolment), ward.rows(tables.AlertHistory)
    behind_its_back(ward, "20")
    edit(folder, 'grace = "1 week"', 'grace = "8 days"')
    quietly(ward, platelets, at("2026-01-17"))
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    (stands,) = ward.rows(tables.AlertRow)
    assert stands.protocol_digest == stands.shown["protocol"]["digest"] == text.digest
    assert ward.rows(tables.AlertHistory) == history
    assert ward.next_review(enrolment) == before


@pytest.mark.parametrize(
    ("was", "becomes", "alerts"),
    [
        ('every = "1 week"', 'every = "2 weeks"', []),
        ('serious_urgency = "urgent"', 'serious_urgency = "critical"', ["urgent"]),
        ('shown as due\nurgency = "urgent"', 'shown as due\nurgency = "routine"', ["routine"]),
        ('repeat = "3 days"', 'repeat = "1 day"', ["urgent"]),
    ],
)
def test_an_overdue_alert_follows_its_own_phase(
    ward: Clinic, platelets: Path, folder: Path, was: str, becomes: str, alerts: list[str]
) -> None:
    enrolment = overdue(ward)
    edit(folder, was, becomes)
    now = at("2026-01-17")
    quietly(ward, platelets, now)
    assert verify(ward.store, ward.settings, now) == []
    live = [it for it in ward.alerts(enrolment) if it.state is not AlertState.CLOSED]
    assert [it.urgency.value for it in live] == alerts


def test_who_is_under_a_recheck_is_judged_by_a_new_schedule(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    low_neutrophils(ward)
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    put_in_force(ward, platelets)
    behind_its_back(ward, "20")
    edit(folder, 'every = "2 weeks"', 'every = "3 weeks"')
    quietly(ward, platelets)
    assert "rule:thrombocytopenia" in [it.cause for it in ward.rows(tables.AlertRow)]


def test_what_an_older_version_put_back_is_not_counted_from(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """It knows nothing of the last line, writes it back as it was, and signs as it always did."""
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)
    (row,) = ward.rows(tables.EnrolmentRow)
    signed = row.kept_by.rpartition(" ")[0]
    ward.set(tables.EnrolmentRow, enrolment, kept_by=signed)
    behind_its_back(ward, "20")
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    quietly(ward, platelets)
    assert len(ward.alerts(enrolment)) == 1


def test_a_preview_shows_new_due_days(ward: Clinic, platelets: Path, folder: Path) -> None:
    patient(ward, "A1", "250")
    ward.review(REVIEWED)
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    counts = preview(ward.store, ward.settings, edit_of(platelets), EDITED).counts
    assert (counts["moved"], counts["unchanged"]) == (1, 0)


def test_a_preview_counts_new_due_days_as_judging_everybody_would(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """The first sleeps on, the second becomes overdue and is judged, the third breaches a limit."""
    patient(ward, "A1", "250")
    ward.enrol("A2")
    patient(ward, "A3", "145")
    ward.review(REVIEWED)
    edit(folder, 'every = "1 week"', 'every = "5 days"')
    known = preview(ward.store, ward.settings, edit_of(platelets), EDITED).document()
    with ward.store.write() as connection:
        connection.exec_driver_sql("UPDATE enrolments SET kept_by = NULL")
    assert preview(ward.store, ward.settings, edit_of(platelets), EDITED).document() == known
    assert [it["mrn"] for it in known["patients"]] == ["A1", "A2", "A3"]
    (moved,) = (it for it in known["patients"] if it["mrn"] == "A1")
    assert moved["alerts"] == []
    assert {it["panel"]: it["after"]["due_on"] for it in moved["panels"]} == {"cbc": "2026-01-17"}


def test_a_preview_judges_nobody_of_whom_due_days_alone_move(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    patient(ward, "A1", "250")
    ward.review(REVIEWED)
    behind_its_back(ward, "20")
    edit(folder, 'every = "1 week"', 'every = "2 weeks"')
    counts = preview(ward.store, ward.settings, edit_of(platelets), EDITED).counts
    assert (counts["moved"], counts["alerted"]) == (1, 0)


def test_what_comes_while_an_edit_is_looked_at_waits_for_nothing_and_is_judged_by_it(
    ward: Clinic, platelets: Path
) -> None:
    enrolment = patient(ward, "A1", "250")
    ward.review(REVIEWED)

    def meanwhile(_: Preview) -> None:
        ward.results("A1", "2026-01-13", {"platelets": "145"}, hour=11)
        ward.review(EDITED)

    apply(ward.store, ward.settings, edit_of(platelets), EDITED, by="A", reason="b", show=meanwhile)
    assert [it.cause for it in ward.alerts(enrolment)] == ["rule:thrombocytopenia"]
    assert verify(ward.store, ward.settings, EDITED) == []


def test_of_two_edits_at_a_time_the_second_is_looked_at_again(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    patient(ward, "A1", "250")
    ward.review(REVIEWED)
    slower = edit_of(platelets)
    edit(folder, "{ below = 150,", "{ below = 160,")

    def meanwhile(_: Preview) -> None:
        put_in_force(ward, platelets)

    with pytest.raises(ActionRefused, match="look at this one again"):
        apply(ward.store, ward.settings, slower, EDITED, by="B", reason="c", show=meanwhile)
    assert [row.applied_by for row in ward.rows(tables.ProtocolText)][-1] == "Dr A"


def test_a_preview_judges_nobody_whose_due_days_stay(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    patient(ward, "A1", "250")
    ward.review(REVIEWED)
    behind_its_back(ward, "20")
    edit(folder, 'grace = "1 week"', 'grace = "8 days"')
    assert preview(ward.store, ward.settings, edit_of(platelets), EDITED).counts["unchanged"] == 1


def low_neutrophils(ward: Clinic) -> int:
    """An alert stands that has nothing to do with platelets."""
    enrolment = patient(ward, "A1", "250")
    ward.results("A1", "2026-01-13", {"neutrophils": "1.2"})
    ward.review(REVIEWED)
    assert len(ward.alerts(enrolment)) == 1
    return enrolment


def test_an_alert_of_another_rule_is_not_judged_and_stands_by_the_new_text(
    ward: Clinic, platelets: Path
) -> None:
    enrolment = low_neutrophils(ward)
    before, (row,) = ward.next_review(enrolment), ward.rows(tables.AlertRow)
    history = ward.rows(tables.AlertHistory)
    behind_its_back(ward, "20")
    applied = apply(
        ward.store, ward.settings, edit_of(platelets), EDITED, by="Dr A", reason="minutes"
    )
    assert applied.tally.alerts == {"opened": 0, "updated": 0, "closed": 0}
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    (stands,) = ward.rows(tables.AlertRow)
    assert stands.protocol_digest == stands.shown["protocol"]["digest"] == text.digest
    assert {**stands.shown, "protocol": 0} == {**row.shown, "protocol": 0}
    assert ward.rows(tables.AlertHistory) == history
    assert ward.next_review(enrolment) == before


def test_an_alert_of_the_edited_rule_is_judged(ward: Clinic, platelets: Path, folder: Path) -> None:
    enrolment = patient(ward, "A1", "120")
    ward.review(REVIEWED)
    assert len(ward.alerts(enrolment)) == 1
    edit(folder, "{ below = 150,", "{ below = 110,")
    put_in_force(ward, platelets)
    (alert,) = ward.alerts(enrolment)
    assert (alert.state.value, alert.closed_by) == ("closed", None)


def test_who_is_judged_and_says_the_same_has_no_line_of_history(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """A recheck has them judged by another schedule; what the alert says of a count is the same."""
    low_neutrophils(ward)
    history = ward.rows(tables.AlertHistory)
    edit(folder, 'grace = "1 week"', 'grace = "8 days"')
    put_in_force(ward, platelets)
    (stands,) = ward.rows(tables.AlertRow)
    (text,) = ward.rows(tables.ProtocolText, applied_by="Dr A")
    assert stands.protocol_digest == stands.shown["protocol"]["digest"] == text.digest
    assert ward.rows(tables.AlertHistory) == history


def test_a_combination_is_judged_anew_where_a_quiet_rule_of_it_looks_at_others(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """Two lines were low together, and it recovered by later platelets alone. Once the rule on
    platelets is for another indication, nothing has ended it: it goes on."""
    enrolment = ward.enrol("A1")
    low = {"neutrophils": "1.2", "hemoglobin": "85"}
    ward.results("A1", "2026-01-12", CBC | LFT | low)
    ward.results("A1", "2026-01-26", {"platelets": "250"})
    ward.review(at("2026-01-27"))
    edit(folder, 'id = "thrombocytopenia"', 'id = "thrombocytopenia"\nindications = ["other"]')
    now = at("2026-01-28")
    apply(ward.store, ward.settings, edit_of(platelets), now, by="Dr A", reason="minutes")
    (combined,) = (it for it in ward.alerts(enrolment) if it.cause.startswith("combination"))
    assert not combined.recovered
    assert verify(ward.store, ward.settings, now) == []


def test_a_preview_of_a_day_gone_by_sees_nothing_of_later_ones(
    ward: Clinic, platelets: Path, folder: Path
) -> None:
    """What a review of a later day remembers is nothing that was known on this one."""
    patient(ward, "A1", "250")
    ward.results("A1", "2026-01-20", {"alt": "80"})
    ward.review(at("2026-01-21"))
    write(folder, text_of(folder).replace("{ above = 100,", "{ above = 60,"))
    assert preview(ward.store, ward.settings, edit_of(platelets), EDITED).counts["unchanged"] == 1
