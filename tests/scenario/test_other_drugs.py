"""Other drugs, life and several enrolments of one patient, from the command line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.command_line import CommandLine

HEADER = "mrn,drug,started_on,dose_mg_per_day,indication,weight_kg,tpmt,nudt15"
CBC = "hemoglobin,140,g/L;white_cells,6,10*9/L;neutrophils,4,10*9/L"
CBC += ";lymphocytes,1.5,10*9/L;platelets,250,10*9/L"


def enrol(clinic: CommandLine, *rows: str, at: str = "2026-01-05") -> None:
    file = clinic.write("people.csv", "\n".join([HEADER, *rows]))
    assert clinic("enrol", file, "--at", at).code == 0


def events(clinic: CommandLine, at: str, *rows: str) -> dict[str, Any]:
    file = clinic.write(f"events-{at[:10]}.csv", "\n".join(["mrn,on,event,value,drug", *rows]))
    ended = clinic("events", file, "--at", at, "--json")
    assert ended.code == 0, ended.out + ended.err
    found: dict[str, Any] = ended.json
    return found


def load(clinic: CommandLine, at: str, *rows: str) -> None:
    file = clinic.write(
        f"labs-{at[:10]}.csv", "\n".join(["mrn,collected_at,analyte,value,unit", *rows])
    )
    assert clinic("load", file, "--at", at).code == 0


def cbc(mrn: str, day: str) -> list[str]:
    return [f"{mrn},{day},{it}" for it in CBC.split(";")]


def status(clinic: CommandLine, mrn: str, at: str) -> dict[tuple[str, str], dict[str, Any]]:
    rows = clinic("status", mrn, "--json", "--at", at).json
    return {(row["drug"], row["panel"]): row for row in rows}


def alerts(clinic: CommandLine, at: str, kind: str, state: str = "live") -> list[dict[str, Any]]:
    rows = clinic("alerts", "--state", state, "--json", "--at", at).json
    return [row for row in rows if row["kind"] == kind]


def test_warfarin_makes_an_inr_due_like_any_other_panel(clinic: CommandLine) -> None:
    enrol(clinic, "P1,azathioprine,2026-01-05,50,,70,normal,normal",
          "W1,azathioprine,2026-01-05,50,,70,normal,normal")  # fmt: skip
    events(clinic, "2026-01-05T09:00", "W1,2026-01-05,comedication_start,Coumadin,")
    assert [panel for _, panel in status(clinic, "P1", "2026-01-06")] == ["cbc", "lft"]
    inr = status(clinic, "W1", "2026-01-06")["azathioprine", "inr"]
    assert (inr["due_on"], inr["because"], inr["state"]) == ("2026-01-12", "event", "due")

    assert clinic("sweep", "--at", "2026-01-13T09:00").code == 0
    inr = status(clinic, "W1", "2026-01-13T10:00")["azathioprine", "inr"]
    assert (inr["state"], inr["days_overdue"]) == ("overdue", 1)
    [late] = [it for it in alerts(clinic, "2026-01-13T10:00", "overdue_test") if it["mrn"] == "W1"]
    assert "inr" in late["panels"]

    load(clinic, "2026-01-13T12:00", "W1,2026-01-13,inr,2.4,", *cbc("W1", "2026-01-13"))
    inr = status(clinic, "W1", "2026-01-13T13:00")["azathioprine", "inr"]
    assert (inr["last_completed_on"], inr["state"]) == ("2026-01-13", "up_to_date")
    assert not [
        it for it in alerts(clinic, "2026-01-13T13:00", "overdue_test") if it["mrn"] == "W1"
    ]


def test_a_dose_change_under_warfarin_is_told_again(clinic: CommandLine) -> None:
    enrol(clinic, "W1,azathioprine,2026-01-05,50,,70,normal,normal")
    events(clinic, "2026-01-05T09:00", "W1,2026-01-05,comedication_start,warfarin,")
    [first] = alerts(clinic, "2026-01-05T10:00", "interaction")
    load(clinic, "2026-01-12T10:00", "W1,2026-01-12,inr,2.4,", *cbc("W1", "2026-01-12"))
    ended = clinic("close", str(first["id"]), "--by", "Ada", "--outcome", "INR clinic knows",
                   "--review-by", "2026-02-05", "--at", "2026-01-12T11:00")  # fmt: skip
    assert ended.code == 0, ended.err
    events(clinic, "2026-01-20T09:00", "W1,2026-01-20,dose,100,")
    [again] = alerts(clinic, "2026-01-20T10:00", "interaction")
    assert (again["id"], again["state"]) == (first["id"], "open")
    told = clinic("explain", str(first["id"]), "--at", "2026-01-20T10:00").out
    assert "reopened by monitor: dose change of azathioprine on 20 Jan 2026: check INR" in told
    assert status(clinic, "W1", "2026-01-20T10:00")["azathioprine", "inr"]["due_on"] == "2026-01-27"


def test_allopurinol_is_answered_by_document_and_dose_and_never_closes_itself(
    clinic: CommandLine,
) -> None:
    enrol(clinic, "A1,azathioprine,2026-01-05,150,,70,normal,normal")
    events(clinic, "2026-01-06T09:00", "A1,2026-01-06,comedication_start,Zyloric 300 mg,")
    [alert] = alerts(clinic, "2026-01-06T10:00", "interaction")
    assert (alert["urgency"], alert["recovered"]) == ("critical", False)
    assert clinic("snooze", str(alert["id"]), "--until", "2026-01-10", "--by", "Ada", "--reason",
                  "later", "--at", "2026-01-06T11:00").code == 2  # fmt: skip

    events(clinic, "2026-01-08T09:00", "A1,2026-01-08,intended_combination,allopurinol,",
           "A1,2026-01-08,dose,50,")  # fmt: skip
    [alert] = alerts(clinic, "2026-01-08T10:00", "interaction")
    assert (alert["state"], alert["recovered"]) == ("open", True)

    events(clinic, "2026-01-20T09:00", "A1,2026-01-20,dose,75,")
    [alert] = alerts(clinic, "2026-01-20T10:00", "interaction")
    assert alert["recovered"] is False
    told = clinic("explain", str(alert["id"]), "--at", "2026-01-20T10:00").out
    assert "the dose, 75 mg/day, is more than 1/3 of 150 mg/day" in told
    assert "How sure: read in the source (S35, S33, N14)" in told


def test_a_vaccine_is_ended_by_a_person_and_stays_ended(clinic: CommandLine) -> None:
    enrol(clinic, "A1,azathioprine,2026-01-05,50,,70,normal,normal")
    events(clinic, "2026-01-06T09:00", "A1,2026-01-06,vaccine,MMR,", "A1,2026-01-06,vaccine,flu,")
    [alert] = alerts(clinic, "2026-01-06T10:00", "interaction")
    assert alert["urgency"] == "urgent"
    ended = clinic("close", str(alert["id"]), "--by", "Ada", "--outcome", "not given",
                   "--at", "2026-01-06T11:00")  # fmt: skip
    assert ended.code == 0, ended.err
    assert clinic("sweep", "--all", "--at", "2026-06-01").code == 0
    assert alerts(clinic, "2026-06-01T01:00", "interaction") == []


def test_one_patient_on_two_drugs_is_told_once(clinic: CommandLine) -> None:
    enrol(clinic, "B1,azathioprine,2026-01-05,50,crohns_disease,70,normal,normal",
          "B1,methotrexate,2026-01-05,2.14,crohns_disease,70,normal,normal")  # fmt: skip
    rows = status(clinic, "B1", "2026-01-06")
    assert rows["azathioprine", "cbc"]["due_on"] == "2026-01-12"
    assert rows["methotrexate", "cbc"]["due_on"] == "2026-01-19"
    assert rows["methotrexate", "cbc"]["patient_due_on"] == "2026-01-12"
    assert rows["methotrexate", "cbc"]["set_by"] == "azathioprine"
    assert rows["azathioprine", "lft"]["set_by"] == "methotrexate"

    assert clinic("sweep", "--at", "2026-01-24T09:00").code == 0
    late = alerts(clinic, "2026-01-24T10:00", "overdue_test")
    told = {it["drug"]: it["panels"] for it in late}
    assert told == {"azathioprine": ["cbc"], "methotrexate": ["lft", "renal"]}
    aza = next(it for it in late if it["drug"] == "azathioprine")
    words = clinic("explain", str(aza["id"]), "--at", "2026-01-24T10:00").out
    assert "azathioprine set the date, 12 Jan 2026; methotrexate asks for it by 19 Jan" in words
    patient = clinic("explain", "--mrn", "B1", "--at", "2026-01-24T10:00").out
    assert "told with the alert of azathioprine, so that it is told once" in patient
    assert clinic("verify", "--at", "2026-01-24T11:00").code == 0


def test_panels_of_one_name_with_nothing_in_common_are_two_tests(clinic: CommandLine) -> None:
    """Two sites' files for two drugs each had a panel "level": the level of the one drug was said
    to be due on the day of the other's."""
    path = clinic.folder / "schedules" / "methotrexate-bsr-2017.toml"
    text = path.read_text(encoding="utf-8").partition("\n[[examples]]")[0]
    text = re.sub(r"\brenal\b", "lft", re.sub(r"\blft\b", "liver", text))
    path.write_text(text, encoding="utf-8")
    enrol(clinic, "B1,azathioprine,2026-01-05,50,crohns_disease,70,normal,normal",
          "B1,methotrexate,2026-01-05,2.14,crohns_disease,70,normal,normal")  # fmt: skip
    rows = status(clinic, "B1", "2026-01-06")
    assert rows["azathioprine", "lft"]["due_on"] == "2026-04-05"
    assert rows["methotrexate", "lft"]["due_on"] == "2026-01-19"
    assert not {"patient_due_on", "set_by"} & rows["azathioprine", "lft"].keys()
    assert rows["methotrexate", "cbc"]["set_by"] == "azathioprine"


@pytest.mark.parametrize(
    ("row", "drug"),
    [
        ("2026-01-20,dose,1.5,", None),
        ("2026-01-20,hold,,", None),
        ("2026-01-20,stop,,", None),
        ("2026-02-01,dose,1.5,", "methotrexate"),
        ("2026-02-10,dose,1.5,", "methotrexate"),
        ("2026-01-20,dose,1.5,methotrexate", "methotrexate"),
        ("2026-01-20,dose,50,azathioprine", "azathioprine"),
    ],
)
def test_an_event_of_a_day_on_which_two_drugs_were_taken_has_to_name_one(
    clinic: CommandLine, row: str, drug: str | None
) -> None:
    """Also where one of them has been stopped since."""
    enrol(clinic, "B1,methotrexate,2026-01-05,2.14,,70,normal,normal",
          "B1,azathioprine,2026-01-05,100,,70,normal,normal")  # fmt: skip
    events(clinic, "2026-02-10T10:00", "B1,2026-02-01,stop,,azathioprine")
    file = clinic.write("one.csv", "\n".join(["mrn,on,event,value,drug", f"B1,{row}"]))
    ended = clinic("events", file, "--at", "2026-02-10T11:00", "--json")
    if drug is None:
        [refused] = ended.json["refused"]
        assert "several enrolments (azathioprine, methotrexate): name the drug" in refused["reason"]
        return
    assert ended.json["taken"] == 1
    before, _, after = clinic("status", "B1", "--at", "2026-02-10T12:00").out.partition(
        "\nazathioprine, indication"
    )
    told = before if drug == "methotrexate" else after
    assert f"{row.split(',')[2]} mg/day from {int(row[8:10])} " in told


def test_two_thiopurines_enrolled_at_once_are_one_critical_alert(clinic: CommandLine) -> None:
    enrol(clinic, "B1,azathioprine,2026-01-05,50,,70,normal,normal")
    enrol(clinic, "B1,mercaptopurine,2026-02-02,50,,70,normal,normal", at="2026-02-02")
    assert clinic("sweep", "--at", "2026-02-02T09:00").code == 0
    [alert] = alerts(clinic, "2026-02-02T10:00", "interaction")
    assert (alert["urgency"], alert["drug"]) == ("critical", "azathioprine")
    events(clinic, "2026-02-03T09:00", "B1,2026-02-02,stop,,azathioprine")
    assert alerts(clinic, "2026-02-03T10:00", "interaction") == []
    row = status(clinic, "B1", "2026-02-03T10:00")["mercaptopurine", "cbc"]
    assert (row["due_on"], row["phase"]) == ("2026-02-09", "to week 4")


@pytest.mark.parametrize("drug", ["azathioprine", "mercaptopurine"])
def test_a_recheck_that_a_stop_left_is_told_with_the_next_treatment(
    clinic: CommandLine, drug: str
) -> None:
    """The same count is owed for both: one alert, of the treatment that lasts."""
    enrol(clinic, "B1,azathioprine,2026-01-05,50,,70,normal,normal")
    low = [it.replace("neutrophils,4", "neutrophils,0.9") for it in cbc("B1", "2026-01-19")]
    load(clinic, "2026-01-19T10:00", *low)
    events(clinic, "2026-01-19T12:00", "B1,2026-01-19,stop,,")
    assert clinic("sweep", "--at", "2026-01-22T09:00").code == 0
    [late] = alerts(clinic, "2026-01-22T10:00", "overdue_test")
    assert (late["drug"], late["panels"], late["due_on"]) == ("azathioprine", ["cbc"], "2026-01-21")

    enrol(clinic, f"B1,{drug},2026-01-22,25,,70,normal,normal", at="2026-01-22T11:00")
    assert clinic("sweep", "--at", "2026-01-22T12:00").code == 0
    [told] = alerts(clinic, "2026-01-22T13:00", "overdue_test")
    assert (told["drug"], told["panels"], told["due_on"]) == (drug, ["cbc"], "2026-01-21")
    assert told["id"] != late["id"]
    words = " ".join(clinic("explain", str(told["id"]), "--at", "2026-01-22T13:00").out.split())
    assert f"{drug} set the date, 21 Jan 2026; azathioprine (stopped) asks for it by" in words
    ended = " ".join(clinic("explain", str(late["id"]), "--at", "2026-01-22T13:00").out.split())
    assert f"told with the alert of {drug}, which set the date" in ended

    load(clinic, "2026-01-23T10:00", *cbc("B1", "2026-01-23"))
    assert alerts(clinic, "2026-01-23T11:00", "overdue_test") == []
    assert clinic("verify", "--at", "2026-01-23T11:00").code == 0


def test_a_test_of_one_drug_is_done_though_another_is_told_with_the_other(
    clinic: CommandLine,
) -> None:
    enrol(clinic, "B1,methotrexate,2026-01-05,2.14,,70,normal,normal")
    enrol(clinic, "B1,azathioprine,2026-01-06,50,,70,normal,normal", at="2026-01-06T10:00")
    assert clinic("sweep", "--at", "2026-01-23T09:00").code == 0
    late = {it["drug"]: it for it in alerts(clinic, "2026-01-23T10:00", "overdue_test")}
    assert {drug: it["panels"] for drug, it in late.items()} == {
        "azathioprine": ["cbc"],
        "methotrexate": ["lft", "renal"],
    }
    values = ("albumin,40,g/L", "alt,20,U/L", "creatinine,80,umol/L")
    load(clinic, "2026-01-23T12:00", *(f"B1,2026-01-23,{it}" for it in values))
    done = clinic("explain", str(late["methotrexate"]["id"]), "--at", "2026-01-23T13:00").out
    assert "closed by monitor: test done" in " ".join(done.split())


def test_two_thiopurines_are_told_though_one_was_taken_and_stopped_before(
    clinic: CommandLine,
) -> None:
    """The older enrolment tells of a pair; one that had ended before tells of none."""
    enrol(clinic, "B1,mercaptopurine,2026-01-05,50,,70,normal,normal")
    events(clinic, "2026-01-20T10:00", "B1,2026-01-20,stop,,")
    enrol(clinic, "B1,azathioprine,2026-02-01,100,,70,normal,normal", at="2026-02-01")
    assert alerts(clinic, "2026-02-01T01:00", "interaction") == []
    enrol(clinic, "B1,mercaptopurine,2026-03-01,50,,70,normal,normal", at="2026-03-01")
    [alert] = alerts(clinic, "2026-03-01T01:00", "interaction")
    assert (alert["urgency"], alert["drug"]) == ("critical", "azathioprine")
    assert "mercaptopurine enrolled on since 1 Mar 2026 with azathioprine" in alert["summary"]
    words = clinic("explain", "--mrn", "B1", "--at", "2026-03-01T01:00").out
    assert words.count("told with the enrolment on azathioprine") == 1
    assert clinic("verify", "--at", "2026-03-01T01:00").code == 0


def test_a_count_that_is_seriously_overdue_for_one_drug_is_so_for_the_patient(
    clinic: CommandLine,
) -> None:
    """Methotrexate asked for it first and allows 2 weeks, azathioprine one: whoever tells says
    that tests are not in date."""
    enrol(clinic, "B1,methotrexate,2026-01-05,2.14,,70,normal,normal")
    enrol(clinic, "B1,azathioprine,2026-01-05,50,,70,normal,normal", at="2026-01-05T10:00")
    low = [it.replace("neutrophils,4", "neutrophils,1.5") for it in cbc("B1", "2026-01-12")]
    load(clinic, "2026-01-12T12:00", *low)
    assert clinic("sweep", "--at", "2026-01-20T09:00").code == 0
    [told] = alerts(clinic, "2026-01-20T10:00", "overdue_test")
    assert (told["drug"], told["due_on"]) == ("methotrexate", "2026-01-19")
    assert "not in date" not in clinic("explain", str(told["id"]), "--at", "2026-01-20T10:00").out
    assert clinic("sweep", "--at", "2026-01-27T09:00").code == 0
    rows = status(clinic, "B1", "2026-01-27T10:00")
    states = {drug: row["state"] for (drug, panel), row in rows.items() if panel == "cbc"}
    assert states == {"methotrexate": "overdue", "azathioprine": "seriously_overdue"}
    words = " ".join(clinic("explain", str(told["id"]), "--at", "2026-01-27T10:00").out.split())
    assert "seriously overdue: was due 19 Jan 2026" in words
    assert "Tests are not in date: prescriber to decide on further supply." in words
    assert "Complete blood count with differential is seriously overdue" in words, (
        "it is told again"
    )
    assert clinic("verify", "--at", "2026-01-27T10:00").code == 0


def test_tasks_are_one_line_and_done_by_an_event(clinic: CommandLine) -> None:
    enrol(clinic, "A1,azathioprine,2026-01-05,50,,70,normal,normal")
    assert clinic("sweep", "--at", "2027-01-05T09:00").code == 0
    [due] = alerts(clinic, "2027-01-05T10:00", "task_due")
    assert "Skin check" in due["summary"] and "Photoprotection" in due["summary"]
    refused = clinic("close", str(due["id"]), "--by", "Ada", "--outcome", "done",
                     "--at", "2027-01-05T10:30")  # fmt: skip
    assert refused.code == 2
    assert "event task_done" in refused.err
    done = [
        f"A1,2027-01-05,task_done,{it}," for it in ("Skin check", "adherence", "photoprotection")
    ]
    events(clinic, "2027-01-05T11:00", *done)
    assert alerts(clinic, "2027-01-05T12:00", "task_due") == []


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("A1,2026-01-06,task_done,skin_chek,", 'did you mean "skin_check"?'),
        ("A1,2026-01-06,comedication_start,alopurinol,", 'did you mean "allopurinol"?'),
    ],
)
def test_a_name_that_is_nearly_known_is_said(clinic: CommandLine, row: str, note: str) -> None:
    enrol(clinic, "A1,azathioprine,2026-01-05,50,,70,normal,normal")
    file = clinic.write("near.csv", "\n".join(["mrn,on,event,value,drug", row]))
    ended = clinic("events", file, "--at", "2026-01-06T09:00")
    assert ended.code == 0
    assert note in " ".join((ended.out + ended.err).split())


def test_why_nothing_fired(clinic: CommandLine) -> None:
    enrol(clinic, "A1,azathioprine,2026-01-05,50,autoimmune_hepatitis,70,normal,normal")
    told = clinic("explain", "--mrn", "A1", "--on", "2026-01-06", "--at", "2026-01-06T12:00",
                  "--json").json  # fmt: skip
    considered = {(it["room"], it["subject"]): it for it in told["enrolments"][0]["considered"]}
    assert considered["interaction", "allopurinol"]["why"] == [
        "no such drug is on the list of other drugs, which is empty"
    ]
    assert "counts from 5 Jul 2026" in considered["target", "aih_remission"]["why"][0]
    assert considered["task", "skin_check"]["outcome"] == "quiet"
    assert all(it["why"] for it in considered.values())


def test_compare_and_backtest(clinic: CommandLine) -> None:
    found = clinic("schedule", "compare", "azathioprine", "azathioprine-us-label",
                   "--start", "2026-01-05", "--json").json  # fmt: skip
    assert (found["a"], found["b"]) == ("azathioprine", "azathioprine-us-label")
    months = {it["month"]: it["looser"] for it in found["months"] if it["panel"] == "cbc"}
    assert {months[month] for month in (3, 4, 5)} == {"azathioprine"}
    words = clinic("schedule", "compare", "azathioprine", "azathioprine-us-label",
                   "--start", "2026-01-05").out  # fmt: skip
    assert "A, azathioprine, is looser here:" in words
    assert clinic("schedule", "compare", "azathioprine", "azathioprin").code == 2

    enrol(clinic, "A1,azathioprine,2026-01-05,50,,70,normal,normal")
    low = [it.replace("neutrophils,4", "neutrophils,1.7") for it in cbc("A1", "2026-01-12")]
    load(clinic, "2026-01-12T10:00", *low)
    text = (clinic.folder / "schedules" / "azathioprine.toml").read_text(encoding="utf-8")
    stricter = text.replace("below = 1.6, action", "below = 1.8, action")
    stricter = stricter[: stricter.index("\n[[examples]]\n")]
    file = clinic.write("azathioprine.toml", stricter)
    back = clinic("schedule", "backtest", file, "--at", "2026-02-01", "--json").json
    assert (back["enrolled"], back["from"], back["to"]) == (1, "2025-02-01", "2026-02-01")
    row = next(it for it in back["alerts"] if it["cause"] == "rule:neutropenia")
    assert (row["in_force"], row["file"], row["kind"]) == (0, 1, "withhold")
    assert alerts(clinic, "2026-02-01", "withhold") == []
    assert (
        clinic("schedule", "backtest", file, "--from", "1990-01-01", "--at", "2026-02-01").code == 2
    )
