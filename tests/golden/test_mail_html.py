"""Every mail kind in every language as a mail program, a screen reader and a reader on a dark
screen have it: known HTML and CSS only, order of headings, tables, contrast, size, and both
halves with the same facts."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from monitor.delivery.words import pretty
from monitor.resources import templates_folder
from tests.golden.mail_html import (
    BOLD_LARGE,
    ELEMENTS,
    LARGE,
    PROPERTIES,
    contrast,
    declarations,
    read,
)
from tests.golden.mail_samples import all_mails

MAILS = all_mails() | {f"{name}-de": mail for name, mail in all_mails("de").items()}
READ = {name: read(mail.html) for name, mail in MAILS.items()}
every_mail = pytest.mark.parametrize("name", MAILS)
_FACT = re.compile(r"MRN \S+?(?=[,:]?(?:\s|$))|\d+(?:[.,]\d+)?")


@every_mail
def test_every_element_is_one_that_mail_programs_show_and_is_closed(name: str) -> None:
    assert READ[name].faults == []
    assert {node.tag for node in READ[name].nodes} <= ELEMENTS


@every_mail
def test_every_property_is_one_that_mail_programs_know(name: str) -> None:
    used = {prop for node in READ[name].nodes for prop in node.light}
    used |= {prop for rule in READ[name].dark_rules.values() for prop in rule}
    assert used - {"background-color"} <= PROPERTIES
    sheets = re.findall(r"<style>(.*?)</style>", MAILS[name].html, re.DOTALL)
    for body in re.findall(r"\{([^{}]*)\}", sheets[0]):
        assert set(declarations(body)) <= PROPERTIES
    assert "url(" not in MAILS[name].html
    assert "@import" not in MAILS[name].html


@every_mail
def test_the_language_is_said_and_there_is_one_title(name: str) -> None:
    html = MAILS[name].html
    language = "de" if name.endswith("-de") else "en"
    assert html.lstrip().lower().startswith("<!doctype html>")
    assert f'<html lang="{language}">' in html
    assert html.count("<title>") == 1


@every_mail
def test_headings_begin_with_one_first_and_leave_no_step_out(name: str) -> None:
    levels = [int(node.tag[1]) for node in READ[name].nodes if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= before + 1 for before, later in itertools.pairwise(levels))


@every_mail
def test_a_table_is_laid_out_or_has_header_cells(name: str) -> None:
    tables = re.findall(r"<table[^>]*>(?:(?!<table|</table>).)*", MAILS[name].html, re.DOTALL)
    assert tables
    for table in tables:
        laid_out = table.startswith('<table role="presentation"')
        assert laid_out != ('<th scope="col"' in table), table[:80]


@every_mail
def test_a_picture_has_words_in_its_place_and_a_link_says_where_it_leads(name: str) -> None:
    mail = MAILS[name]
    for node in READ[name].nodes:
        if node.tag == "img":
            assert len(node.attributes["alt"]) > 20
            assert node.attributes["src"].startswith("cid:")
            assert node.attributes["width"].isdigit()
        if node.tag == "a":
            assert node.attributes["href"].startswith(("https://", "tel:"))
    assert not re.search(r">\s*(here|click here|hier)\s*</a>", mail.html)
    assert mail.html.count("<img") == len(mail.pictures)


@every_mail
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(name: str, scheme: str) -> None:
    """At least 4.5 to 1, and 3 to 1 for large text (WCAG 2.2, 1.4.3), on both kinds of screen."""
    weak = []
    for text in READ[name].texts:
        colour, ground = getattr(text, scheme)
        least = 3.0 if text.size >= (BOLD_LARGE if text.bold else LARGE) else 4.5
        if contrast(colour, ground) < least:
            weak.append(f"{text.words[:40]}: {colour} on {ground}")
    assert weak == []


@every_mail
def test_no_text_is_smaller_than_twelve_pixels(name: str) -> None:
    assert [it.words for it in READ[name].texts if it.size < 12] == []


@every_mail
def test_both_halves_say_the_same_numbers_and_patients(name: str) -> None:
    """Numbers, days and patients: what either half says, the other says too."""
    mail = MAILS[name]
    halves = [facts(_plain(mail.text)), facts(" ".join(it.words for it in READ[name].texts))]
    assert halves[0] ^ halves[1] == set()


def facts(text: str) -> set[str]:
    return set(_FACT.findall(text))


def _plain(text: str) -> str:
    """On one line, powers as the other half writes them."""
    return re.sub(r"\s+", " ", pretty(text))


@pytest.mark.parametrize("path", sorted(templates_folder().glob("email/**/*.*")), ids=str)
def test_no_template_has_words_that_no_catalogue_can_turn(path: Path) -> None:
    """What a template says by itself is in `_()`; the operator's mails are in English."""
    if path.parent.name == "operator":
        return
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", path.read_text("utf-8"), flags=re.DOTALL)
    text = re.sub(r"<style>.*?</style>|<[^>]*>|&#?\w+;", " ", text, flags=re.DOTALL)
    words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]*", " ", text)))
    assert words <= {"MRN", "monitor", "ack", "NUMBER", "YOUR", "NAME", "quarantine", "list",
                     "alerts", "csv", "explain", "status", "mrn", "DAY"}  # fmt: skip


@every_mail
def test_the_plain_half_has_no_markup(name: str) -> None:
    assert not re.search(r"</?[a-z]|&\w+;", MAILS[name].text)
