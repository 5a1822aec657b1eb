"""Dates, limits, numbers and codes as they are written."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from monitor.core.units import Number, Refusal, glued_unit, parse_number
from monitor.intake.dates import from_serial, has_no_year, orders_of, read_moment, since
from monitor.intake.loinc import is_loinc
from monitor.intake.problems import no_date
from monitor.intake.ranges import limits_of

ZONE = ZoneInfo("Europe/Zurich")


@pytest.mark.parametrize(
    ("text", "order", "local"),
    [
        ("2026-03-02", "either", "2026-03-02T00:00"),
        ("2026/3/2", "either", "2026-03-02T00:00"),
        ("20260302083000", "", "2026-03-02T08:30"),
        ("202603020830", "either", "2026-03-02T08:30"),
        ("2026-03-02T08", "either", "2026-03-02T08:00"),
        ("2026-03-02T08+01:00", "iso", "2026-03-02T08:00"),
        ("2026-03-02T8", "iso", ""),
        ("2026-03-02T25", "iso", ""),
        ("2026-03-02T24:00", "iso", "2026-03-03T00:00"),
        ("2026-03-02 24:00:00", "either", "2026-03-03T00:00"),
        ("31.12.2025 24:00", "day_first", "2026-01-01T00:00"),
        ("02/28/2026 2400", "month_first", "2026-03-01T00:00"),
        ("202603022400", "iso", "2026-03-03T00:00"),
        ("2026-03-02T24:00Z", "iso", "2026-03-03T01:00"),
        ("2026-03-02 24:01", "iso", ""),
        ("2026-03-02 24:00 pm", "iso", ""),
        ("2026-03", "iso", ""),
        ("13.02.26", "either", "2026-02-13T00:00"),
        ("13.02.99", "either", "1999-02-13T00:00"),
        ("02/13/2026 8:30 PM", "either", "2026-02-13T20:30"),
        ("05/05/2026", "either", "2026-05-05T00:00"),
        ("03/04/2026", "either", ""),
        ("03/04/2026", "day_first", "2026-04-03T00:00"),
        ("03/04/2026", "month_first", "2026-03-04T00:00"),
        ("02-MAR-26", "either", "2026-03-02T00:00"),
        ("2. März 2026", "either", "2026-03-02T00:00"),
        ("2 mars 2026", "either", "2026-03-02T00:00"),
        ("2 de marzo de 2026", "either", "2026-03-02T00:00"),
        ("2 gennaio 2026", "either", "2026-01-02T00:00"),
        ("Mon, 2 Mar 2026 08:30", "either", "2026-03-02T08:30"),
        ("March 2nd, 2026", "either", "2026-03-02T00:00"),
        ("02.03.2026, 08:30 Uhr", "day_first", "2026-03-02T08:30"),
        ("02.03.2026 um 08:30 Uhr", "day_first", "2026-03-02T08:30"),
        ("02/03/2026 à 08h30", "day_first", "2026-03-02T08:30"),
        ("02/03/2026 08:30:00 a. m.", "day_first", "2026-03-02T08:30"),
        ("02/03/2026 08:30:00 p.\u00a0m.", "day_first", "2026-03-02T20:30"),
        ("02/03/2026 08:30 hs", "day_first", "2026-03-02T08:30"),
        ("2026年3月2日 08:30", "either", "2026-03-02T08:30"),
        ("2026年3月2日", "either", "2026-03-02T00:00"),
        ("2026年3月2日 8時30分", "either", "2026-03-02T08:30"),
        ("13/02/2026 - 08:30", "either", "2026-02-13T08:30"),
        ("'2026-03-02", "either", "2026-03-02T00:00"),
        ("13/02/2026 08h30", "either", "2026-02-13T08:30"),
        ("31.02.2026", "day_first", ""),
        ("2 Foo 2026", "either", ""),
        ("02.03.", "either", ""),
        ("2026", "either", ""),
        ("2026-03-02", "days", "2026-03-02T00:00"),
        ("26/03/14 08:30", "year_first", "2026-03-14T08:30"),
        ("26.3.4.", "year_first", "2026-03-04T00:00"),
        ("260314", "year_first", "2026-03-14T00:00"),
        ("26314", "year_first", ""),
        ("260314", "either", ""),
        ("26/03/14", "open_years", ""),
        ("02/13/26", "open_years", "2026-02-13T00:00"),
        ("13.03.2026", "open_years", "2026-03-13T00:00"),
        ("03/04/2026", "open_years", ""),
        ("2026-03-04", "perhaps_swapped", ""),
        ("2026-03-04T08:30", "perhaps_swapped", ""),
        ("2026-04-04T08:30", "perhaps_swapped", "2026-04-04T08:30"),
        ("2026-03-14", "perhaps_swapped", "2026-03-14T00:00"),
        ("14/03/2026", "perhaps_swapped", "2026-03-14T00:00"),
    ],
)
def test_a_date_is_read_or_left(text: str, order: str, local: str) -> None:
    moment = read_moment(text, order, ZONE)
    found = "" if moment is None else moment.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
    assert found == local


@pytest.mark.parametrize(
    ("zone", "text", "utc"),
    [
        ("Europe/Lisbon", "2026-01-12 08:10 WET", "2026-01-12T08:10"),
        ("Europe/Lisbon", "2026-07-12 08:10 WEST", "2026-07-12T07:10"),
        ("Europe/London", "2026-01-12 08:10 GMT", "2026-01-12T08:10"),
        ("America/Chicago", "2026-01-12 08:10 CST", "2026-01-12T14:10"),
        ("Europe/Zurich", "2026-07-12 08:10 MESZ", "2026-07-12T06:10"),
        ("Europe/Zurich", "2026-01-12 08:10 CST", ""),
    ],
)
def test_the_name_of_a_zone_is_that_of_the_clinics_first(zone: str, text: str, utc: str) -> None:
    moment = read_moment(text, "iso", ZoneInfo(zone))
    assert ("" if moment is None else moment.at.strftime("%Y-%m-%dT%H:%M")) == utc


@pytest.mark.parametrize(
    ("text", "orders"),
    [
        ("03/04/2026", {"day_first", "month_first"}),
        ("13/04/2026", {"day_first"}),
        ("04-13-26", {"month_first"}),
        ("04/04/2026", set()),
        ("2026-04-03", set()),
        ("20/20/2026", set()),
        ("3 Apr 2026", set()),
    ],
)
def test_which_orders_a_date_allows(text: str, orders: set[str]) -> None:
    assert orders_of(text) == orders


def test_days_and_months_without_a_year_are_told() -> None:
    assert has_no_year("02.03.") and has_no_year("2 Mar")
    assert not has_no_year("02.03.2026")


@pytest.mark.parametrize(
    ("text", "iso"),
    [("46083", "2026-03-02"), ("46083.5", "2026-03-02T12:00:00"), ("4608", ""), ("x", "")],
)
def test_a_spreadsheets_number_of_days(text: str, iso: str) -> None:
    assert from_serial(text) == iso


def test_days_hours_and_minutes_since() -> None:
    zero = read_moment("2020-01-06", "iso", ZONE)
    assert zero is not None
    assert since("31", "days", zero.on) == "2020-02-06"
    assert since("0.41667", "days", zero.on) == "2020-01-06T10:00"
    assert since("-90", "minutes", zero.on) == "2020-01-05T22:30"
    assert since("36", "hours", zero.on) == "2020-01-07T12:00"
    assert since("later", "days", zero.on) == "later"
    assert since("1e300", "days", zero.on) == "1e300"


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("3.9 - 11.2", ("3.9", "11.2")),
        ("3,9–11,2", ("3,9", "11,2")),
        ("[ 1.1 - 4.0 ]", ("1.1", "4.0")),
        ("[ < 0.21 ]", ("", "0.21")),
        ("(150-400) x10^9/L", ("150", "400")),
        ("150 - 400 x10^9/L", ("150", "400")),
        ("<50", ("", "50")),
        ("≤ 50 U/L", ("", "50")),
        ("> 60", ("60", "")),
        ("bis 50", ("", "50")),
        ("up to 50", ("", "50")),
        ("4 to 10", ("4", "10")),
        ("45-52", ("45", "52")),
        ("M: 13-17 F: 12-15", ("", "")),
        ("negative", ("", "")),
        ("", ("", "")),
        ("9" * 500, ("", "")),
    ],
)
def test_a_range_in_one_cell(text: str, limits: tuple[str, str]) -> None:
    assert limits_of(text) == limits


@pytest.mark.parametrize(
    ("text", "comma", "grouped", "value"),
    [
        ("250,000", False, True, "250000"),
        ("250,000", False, False, ""),
        ("1.250", True, True, "1250"),
        ("1.250", True, False, ""),
        ("1 250,5", True, True, "1250.5"),
        ("1'250", False, True, "1250"),
        ("1 250", False, False, "1250"),
        ("0 250", False, False, ""),
        ("1,50,000", False, False, "150000"),
        ("12,50", False, True, ""),
        ("<3,9", True, True, "3.9"),
    ],
)
def test_marks_of_thousands_count_where_the_file_is_certain(
    text: str, comma: bool, grouped: bool, value: str
) -> None:
    found = parse_number(text, decimal_comma=comma, grouped=grouped)
    if value:
        assert isinstance(found, Number) and found.value == Number(found.value).value
        assert f"{found.value:f}" == value
    else:
        assert isinstance(found, Refusal)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("12.1 g/dL", ("12.1", "g/dL")),
        ("<0.1 (10^9/L)", ("<0.1", "10^9/L")),
        ("12.1", ("12.1", "")),
        ("haemolysed", ("haemolysed", "")),
    ],
)
def test_number_and_unit_in_one_cell(text: str, parts: tuple[str, str]) -> None:
    assert glued_unit(text) == parts


@pytest.mark.parametrize(
    ("code", "holds"), [("6690-2", True), ("731-0", True), ("6690-3", False), ("WBC", False)]
)
def test_a_loinc_code_is_known_by_its_check_digit(code: str, holds: bool) -> None:
    assert is_loinc(code) == holds


@pytest.mark.parametrize("order", ["day_first", "month_first", "year_first"])
def test_a_time_that_is_none_is_not_said_to_be_an_open_order_of_dates(order: str) -> None:
    assert "cannot be told apart" not in no_date("05.02.2026 25:10", order).reason
    assert "cannot be told apart" in no_date("05.02.2026 07:10", "either").reason
