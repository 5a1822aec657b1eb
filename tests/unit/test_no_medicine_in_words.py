"""No number of medicine in what is said either: the sentences of the code, the templates of the
mails and the translations have their doses, limits and times from `schedules/`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NUMBER = re.compile(
    r"(?<![\w.#])(?:\d+\.\d+(?![\w.])"
    r"|\d+(?:\.\d+)? ?(?:days?|weeks?|months?|years?|Tagen?|Wochen?|Monaten?|Jahren?"
    r"|mg|kg|g/L|g/dL|U/L|umol|mmol|%)(?![\w}]))"
)
MARKUP = re.compile(r"<(style|script).*?(</\1>|$)|<[^>]*>|\{#.*?#\}", re.DOTALL)
AN_EXAMPLE = re.compile(r"such as|with a point, as|minutes\"|days\", \"")
"""Error texts that show how a value is written."""
ALLOWED = (
    ("at least 10 % worse", "told again at 10 % worse (specification, section 6)"),
    ("mindestens 10 % schlechter", "the same"),
    ("less than 1 %", "how a distance is rounded for display"),
    ("weniger als 1 %", "the same"),
    ("7 days if not said", "how long an acknowledgement lasts (specification, section 7)"),
    ("critical 7 days at most", "when to look again (specification, section 7)"),
    ("(12 months), not on", "a personal limit ends within 12 months (protocol notes)"),
    ("in the first 6 months", "how much of a calendar is printed"),
    ("MIME-Version: 1.0", "RFC 2045"),
    ("< 1 %", "a share that is not rounded to none"),
    ("> 99 %", "a share that is not rounded to all"),
)
NOT_SENTENCES = ("demo/", "config/", "intake/mllp.py", "core/episodes.py")
"""A throw-away clinic; defaults that the site signs; versions of HL7; named in the other test."""


def faults(text: str) -> list[str]:
    """The numbers of medicine in a text that people read; one that is nothing but a duration is
    a value, which the other test finds."""
    if AN_EXAMPLE.search(text) or any(words in text for words, _ in ALLOWED):
        return []
    text = MARKUP.sub(" ", text)
    return [match.group() for match in NUMBER.finditer(text) if match.group() != text]


def sentences_of_the_code() -> Iterator[tuple[str, str]]:
    """Every text in the code that is no comment for readers of the code, with its place."""
    package = ROOT / "monitor"
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith(NOT_SENTENCES):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        loose = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Constant) or id(node) in loose:
                continue
            if isinstance(node.value, str) and " " in node.value:
                yield f"{name}:{node.lineno}", node.value


def sentences_of_the_templates() -> Iterator[tuple[str, str]]:
    """What stands between the tags and expressions of every template."""
    paths = [it for it in (ROOT / "templates").rglob("*") if it.suffix in (".html", ".txt")]
    paths += [
        it for it in (ROOT / "monitor").rglob("*") if it.suffix in (".html", ".txt", ".jinja")
    ]
    for path in sorted(paths):
        text = MARKUP.sub(" ", path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def sentences_of_the_translations() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "locale").rglob("*.po")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if line.startswith(("msgid", "msgstr", '"')) and "Version: " not in line:
                yield f"{path.relative_to(ROOT)}:{number}", line


@pytest.mark.parametrize(
    "sentences",
    [sentences_of_the_code, sentences_of_the_templates, sentences_of_the_translations],
)
def test_no_sentence_has_a_number_of_medicine(
    sentences: Callable[[], Iterator[tuple[str, str]]],
) -> None:
    found = list(sentences())
    assert len(found) > 100
    assert [(where, text, faults(text)) for where, text in found if faults(text)] == []


def test_every_exception_is_still_needed() -> None:
    every = [*sentences_of_the_code(), *sentences_of_the_translations()]
    texts = "\n".join(text for _, text in every)
    assert [words for words, _ in ALLOWED if words not in texts] == []


@pytest.mark.parametrize(
    "text",
    [
        "after 8 weeks of treatment",
        "neutrophils below 1.0: stop",
        "at most 25 % of the dose",
        'msgstr "nach 12 Wochen keine Antwort"',
        "more than 100 U/L",
        "give 50 mg",
        "  hold the drug below 0.5",
    ],
)
def test_such_a_sentence_is_found(text: str) -> None:
    assert faults(text)


@pytest.mark.parametrize(
    "text", ["version 2026-11", "{days} days", "2 of 3 lines low", "10*9/L", "S1, S2"]
)
def test_what_is_no_such_number_is_left_alone(text: str) -> None:
    assert not faults(text)
