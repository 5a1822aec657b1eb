"""The figure of a course: exact about its limit, honest about what was not measured."""

from __future__ import annotations

import io
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageFont

from monitor.delivery.figure import (
    MOST_BYTES,
    Figure,
    Point,
    alt_text,
    breaches,
    draw,
    frame,
    is_worth_drawing,
)
from monitor.delivery.pen import HEIGHT, WIDTH, Pen
from monitor.resources import figure_font, locale_folder, schedules_folder

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


def point(day: int, value: str | None, comparator: str = "", *, derived: bool = False) -> Point:
    number = None if value is None else Decimal(value)
    text = f"{comparator}{value}" if value else "clotted"
    at = START + timedelta(days=day)
    return Point(at=at, value=number, text=text, comparator=comparator, derived=derived)


def figure(*points: Point, limit: str = "0.5", downward: bool = True) -> Figure:
    return Figure(
        title="Neutrophils",
        unit="10*9/L",
        points=points,
        limit=Decimal(limit),
        limit_text=f"{limit} 10*9/L",
        downward=downward,
        zone=ZoneInfo("Europe/Zurich"),
    )


@pytest.mark.parametrize(
    ("value", "comparator", "downward", "beyond"),
    [
        ("0.5", "", True, False),
        ("0.50", "", True, False),
        ("0.4999999999999999999999", "", True, True),
        ("0.5", "<", True, True),
        ("0.6", "<", True, False),
        ("0.5", "<=", True, False),
        ("0.4", ">", True, False),
        ("0.5", "", False, False),
        ("0.5000000000000000000001", "", False, True),
        ("0.5", ">", False, True),
        ("9", "<", False, False),
    ],
)
def test_a_point_is_beyond_its_limit_by_its_exact_value(
    value: str, comparator: str, downward: bool, beyond: bool
) -> None:
    assert breaches(point(0, value, comparator), Decimal("0.5"), downward=downward) is beyond


def test_the_limit_line_lies_where_a_value_equal_to_it_would() -> None:
    drawn = figure(point(0, "3.1"), point(7, "0.4"))
    scale = frame(drawn)
    picture = Image.open(io.BytesIO(draw(drawn))).convert("RGB")
    reds = [
        y
        for y in range(picture.height)
        if sum(_is_red(picture.getpixel((x, y))) for x in range(80, 300)) > 60
    ]
    assert abs(sum(reds) / len(reds) / 2 - scale.y(Decimal("0.5"))) < 1


def test_the_power_of_a_unit_is_raised() -> None:
    """It read "10*9/L", where the words around the figure say 10⁹."""

    def top(unit: str) -> int:
        drawn = replace(figure(point(0, "3.1"), point(7, "0.4")), unit=unit)
        picture = Image.open(io.BytesIO(draw(drawn))).convert("L")
        rows = (picture.crop((0, y, picture.width, y + 1)) for y in range(picture.height))
        return next(y for y, row in enumerate(rows) if any(dark < 200 for dark in row.tobytes()))

    assert top("10*9/L") < top("U/L")


@pytest.mark.parametrize("word", ["limit", "Grenze"])
def test_the_word_at_the_limit_is_not_cut_off(word: str) -> None:
    drawn = replace(figure(point(0, "3.1"), point(7, "0.4")), limit_word=word)
    picture = Image.open(io.BytesIO(draw(drawn))).convert("RGB")
    edge = [picture.getpixel((picture.width - 1, y)) for y in range(picture.height)]
    assert not any(_is_red(colour) for colour in edge)


def test_the_picture_is_small_and_twice_as_dense_as_shown() -> None:
    drawn = figure(*(point(day, f"{3 + day % 5}.{day % 7}") for day in range(0, 80, 10)))
    png = draw(drawn)
    assert len(png) <= MOST_BYTES
    assert Image.open(io.BytesIO(png)).size == (2 * WIDTH, 2 * HEIGHT)


@pytest.mark.parametrize(
    "values", [("0.5", "0.5"), ("0", "0"), ("100000", "0.001"), ("<", ">"), ("12345.678", "1")]
)
def test_any_course_can_be_drawn(values: tuple[str, str]) -> None:
    points = [
        point(day, "0.2", value) if value in "<>" else point(day, value)
        for day, value in enumerate(values)
    ]
    assert draw(figure(*points)).startswith(b"\x89PNG")
    assert draw(figure(*(Point(at=START, value=it.value, text=it.text) for it in points)))


def test_one_value_is_no_course() -> None:
    assert not is_worth_drawing([point(0, "1"), point(7, None)])
    assert is_worth_drawing([point(0, "1"), point(7, "2")])


def test_the_words_of_the_figure_hold_its_numbers() -> None:
    words = alt_text(
        figure(
            point(0, "3.1"), point(7, "2.4", derived=True), point(14, None), point(21, "0.1", "<")
        )
    )
    assert words == (
        "Neutrophils in 10*9/L, lower limit 0.5 10*9/L",
        "2 Mar 2026 3.1",
        "9 Mar 2026 2.4 (derived)",
        "16 Mar 2026 clotted",
        "23 Mar 2026 <0.1 (below the limit)",
    )


def _is_red(pixel: object) -> bool:
    assert isinstance(pixel, tuple)
    red, green, blue = pixel[:3]
    return bool(red > 150 and green < 90 and blue < 100)


def _letters_of_the_languages() -> set[str]:
    """What a figure may have to write: all that the catalogues are written in, and the titles of
    the analytes."""
    texts = [path.read_text(encoding="utf-8") for path in locale_folder().rglob("*.po")]
    catalogue = (schedules_folder() / "analytes.toml").read_text(encoding="utf-8")
    texts += [it["title"] + it["unit"] for it in tomllib.loads(catalogue)["analytes"].values()]
    return {sign for sign in "".join(texts) if sign.isalnum()}


def test_a_figure_has_every_letter_of_the_languages_and_of_the_analytes() -> None:
    """A German month was written `Maerz`, and a title in Cyrillic was not written at all."""
    font = ImageFont.truetype(str(figure_font()), 22)

    def drawn(sign: str) -> bytes:
        return bytes(font.getmask(sign, mode="L"))

    unknown = drawn("\ue000")
    letters = _letters_of_the_languages() | set("äöüÄÖÜßéèçñåøłěőžşğı") | set("µγβабвгдиийґ")
    assert [it for it in sorted(letters) if drawn(it) == unknown] == []


def test_words_are_drawn_as_they_are_written() -> None:
    """An accent that stands beside its letter makes one sign with it."""
    pen = Pen()
    assert pen.width("16. März") == pen.width("16. Ma\u0308rz") < pen.width("16. Maerz")
    assert 0 < pen.width("Hämoglobin") < pen.width("Haemoglobin")
